## Plays the addon as a game does, and says what it saw. Arguments: the server's url.
extends Control

const Face := preload("res://addons/vivant/vivant_face.gd")
const Server := preload("res://addons/vivant/vivant_server.gd")
const Line := preload("res://line.tres")

var face: Face
var pictures := 0
var widest := 0.0
var turned := 0.0


func _ready() -> void:
	var server := Server.new()
	server.url = OS.get_cmdline_user_args()[0]
	add_child(server)
	server._keep_log("x".repeat(2 * Server.LOG_CHARS))
	server._keep_log("its last words")
	tell(turns())
	server._hear("no JSON")
	server._hear('{"port": 6, "web_port": 7}')
	tell({"log_end": server.log_end, "port": server._port})
	var rect := TextureRect.new()
	rect.set_anchors_preset(Control.PRESET_FULL_RECT)
	add_child(rect)
	face = Face.new()
	face.server = server
	face.picture = rect
	face.head = Node3D.new()
	face.mesh = mesh()
	face.size_px = 256
	face.transparent = true
	face.character_seed = 5
	add_child(face.head)
	add_child(face.mesh)
	add_child(face)
	face.failed.connect(func(sentence: String) -> void: tell({"failed": sentence}))
	face.line_started.connect(func(line: int) -> void: tell({"started": line, "is_speaking": face.is_speaking}))
	await speak()
	await interrupt()
	await stream()
	tell({"done": true})


## What a frame of the door's protocol says, whose numbers are all different.
func turns() -> Dictionary:
	var numbers := PackedFloat32Array(range(68))
	var motion := Face.Motion.new()
	motion.add(0, numbers)
	var now := motion.at(0)
	var both := [Face.Motion.head_turn(now), Face.Motion.eye_turn(now)]
	return {"turns_deg": both.map(func(turn: Quaternion) -> Array: return degrees(turn.get_euler()))}


static func degrees(turn: Vector3) -> Array:
	return [rad_to_deg(turn.x), rad_to_deg(turn.y), rad_to_deg(turn.z)]


func speak() -> void:
	pictures = 0
	widest = 0.0
	face.say(Line, "Hello there.", "en")
	tell({"said_at_once": face.is_speaking})
	await face.line_ended
	tell({"spoken": pictures, "widest": widest, "turned": turned})
	tell({"size": face.texture.get_size().x, "cut_out": face.alpha_texture != null})


func interrupt() -> void:
	face.say(Line)
	await face.line_started
	face.interrupt()
	tell({"interrupted": not face.is_speaking and not face.player.playing})


func stream() -> void:
	widest = 0.0
	face.act("nod")
	var samples: PackedFloat32Array = Face.Speech.samples_of(Line)
	face.begin_speech(Line.mix_rate)
	for first in range(0, samples.size(), 1600):
		face.push_speech(samples.slice(first, first + 1600))
		await get_tree().create_timer(0.05).timeout
	face.end_speech()
	await face.line_ended
	while face.player.playing:
		await get_tree().process_frame
	tell({"streamed": widest, "heard_us": face._speech.heard_us()})


func _process(_delta: float) -> void:
	if face == null or face.texture == null:
		return
	pictures += 1 if face.player.playing else 0
	if face.player.playing:
		widest = maxf(widest, face.mesh.get_blend_shape_value(0))
	turned = maxf(turned, absf(face.head.rotation_degrees.y))


func mesh() -> MeshInstance3D:
	var made := ArrayMesh.new()
	made.add_blend_shape("jawOpen")
	var arrays := []
	arrays.resize(Mesh.ARRAY_MAX)
	arrays[Mesh.ARRAY_VERTEX] = PackedVector3Array([Vector3.ZERO, Vector3.RIGHT, Vector3.UP])
	var shape := []
	shape.resize(Mesh.ARRAY_MAX)
	shape[Mesh.ARRAY_VERTEX] = PackedVector3Array([Vector3.ONE, Vector3.RIGHT, Vector3.UP])
	made.add_surface_from_arrays(Mesh.PRIMITIVE_TRIANGLES, arrays, [shape])
	var instance := MeshInstance3D.new()
	instance.mesh = made
	return instance


func tell(what: Dictionary) -> void:
	print("RESULT " + JSON.stringify(what))
