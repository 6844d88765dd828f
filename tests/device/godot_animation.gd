# Plays an animation on nodes of its names and prints what they do. In the environment: ANIMATION, TIMES_S (with commas).
extends SceneTree

func _init():
	var animation = load(OS.get_environment("ANIMATION"))
	var mesh = ArrayMesh.new()
	for name in _shapes(animation):
		mesh.add_blend_shape(name)
	var face = MeshInstance.new()
	face.name = "Face"
	face.mesh = mesh
	var head = Spatial.new()
	head.name = "Head"
	var player = AnimationPlayer.new()
	for node in [face, head, player]:
		get_root().add_child(node)
	player.root_node = player.get_path_to(get_root())
	player.add_animation("line", animation)
	player.current_animation = "line"
	var frames = []
	for time_s in OS.get_environment("TIMES_S").split_floats(","):
		player.seek(time_s, true)
		var weights = {}
		for name in _shapes(animation):
			weights[name] = face.get("blend_shapes/" + name)
		var basis = head.transform.basis
		frames.append({"weights": weights, "forward": _list(basis.z), "up": _list(basis.y)})
	print("RESULT ", to_json({"name": animation.resource_name, "length": animation.length, "frames": frames}))
	quit()

func _shapes(animation):
	var names = []
	for track in range(animation.get_track_count()):
		var path = str(animation.track_get_path(track))
		if path.begins_with("Face:blend_shapes/"):
			names.append(path.split("/")[1])
	return names

func _list(vector):
	return [vector.x, vector.y, vector.z]
