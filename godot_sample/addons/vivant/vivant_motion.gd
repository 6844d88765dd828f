## Motion that waits for its time, and what it does to nodes. In Godot's frame a face that looks along z has x to its left, and
## turns are right-handed: a face turned to its left has a positive angle, a lifted one a negative.
extends RefCounted

const LATEST := 1 << 62
## As many as wait at most; some four seconds.
const MOST := 256
## Of a frame's numbers; after them yaw, pitch, roll, x, y, scale of the head, gaze's yaw and pitch, tongue's out and up, and the
## shoulders, which nothing here shows.
const N_WEIGHTS := 52
const MOST_GAZE_DEG := 30.0
## Eye rotation that one full eyeLook weight stands for.
const FULL_LOOK_DEG := 30.0

## Of the weights, in their order.
var names: PackedStringArray

var _waiting: Array[Dictionary] = []
var _now := {}
var _shapes := {}


func add(pts_us: int, numbers: PackedFloat32Array) -> void:
	if _waiting.size() == MOST:
		_waiting.pop_front()
	_waiting.append({"pts_us": pts_us, "numbers": numbers})


func clear() -> void:
	_waiting.clear()


## What the face does at this moment of audio time; empty before the first.
func at(pts_us: int) -> Dictionary:
	while not _waiting.is_empty() and _waiting[0].pts_us <= pts_us:
		_now = _waiting.pop_front()
	return _now


## Moves the mesh's blend shapes by their names, with or without a prefix such as "Face.".
func show(now: Dictionary, mesh: MeshInstance3D, shows_gaze: bool) -> void:
	if _shapes.is_empty():
		_shapes = _shapes_of(mesh)
	var numbers: PackedFloat32Array = now.numbers
	for i: int in _shapes:
		var more := _more(names[i], now) if shows_gaze or names[i] == "tongueOut" else 0.0
		mesh.set_blend_shape_value(_shapes[i], clampf(numbers[i] + maxf(0.0, more), 0.0, 1.0))


func _shapes_of(mesh: MeshInstance3D) -> Dictionary:
	var found := {}
	for shape in mesh.get_blend_shape_count():
		var name := String((mesh.mesh as ArrayMesh).get_blend_shape_name(shape)).get_slice(".", 1)
		if name == "":
			name = (mesh.mesh as ArrayMesh).get_blend_shape_name(shape)
		if names.has(name):
			found[names.find(name)] = shape
	return found


static func _more(name: String, now: Dictionary) -> float:
	var yaw := _number(now, 6) / FULL_LOOK_DEG
	var pitch := _number(now, 7) / FULL_LOOK_DEG
	match name:
		"eyeLookOutLeft", "eyeLookInRight":
			return yaw
		"eyeLookInLeft", "eyeLookOutRight":
			return -yaw
		"eyeLookUpLeft", "eyeLookUpRight":
			return pitch
		"eyeLookDownLeft", "eyeLookDownRight":
			return -pitch
		"tongueOut":
			return _number(now, 8)
	return 0.0


static func head_turn(now: Dictionary) -> Quaternion:
	return _turn(_number(now, 0), _number(now, 1), _number(now, 2))


## Of an eye, relative to the head.
static func eye_turn(now: Dictionary) -> Quaternion:
	return _turn(_number(now, 6), _number(now, 7), 0.0)


## Controls of a look at a point of the face's own frame, in degrees; behind it there is nothing to look at: straight on.
static func gaze_at(point: Vector3) -> Array:
	if point.z <= 0.0:
		return [0.0, 0.0]
	var angles := [rad_to_deg(atan2(point.x, point.z)), rad_to_deg(atan2(point.y, Vector2(point.x, point.z).length()))]
	return angles.map(func(angle: float) -> float: return clampf(angle, -MOST_GAZE_DEG, MOST_GAZE_DEG))


static func _turn(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Quaternion:
	# Godot's order of Euler angles is ours: about y, then x, then z, each about the turned axis.
	return Quaternion.from_euler(Vector3(deg_to_rad(-pitch_deg), deg_to_rad(yaw_deg), deg_to_rad(-roll_deg)))


static func _number(now: Dictionary, which: int) -> float:
	var numbers: PackedFloat32Array = now.numbers
	return numbers[N_WEIGHTS + which]
