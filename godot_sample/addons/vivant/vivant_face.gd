## A character that speaks: give it a sound, or sound as a synthesiser makes it, and its picture or its mesh, head and eyes
## follow the playback. Godot 4.4 or later.
class_name VivantFace
extends Node

## The first picture of a line is there, and its sound begins.
signal line_started(line: int)
## A line is over: spoken to its end, interrupted, or lost with the connection.
signal line_ended(line: int)
## The server said why it ended the connection; the face tries again if that may help.
signal failed(sentence: String)

enum Mood { NEUTRAL, HAPPY, SAD, ANGRY, SURPRISED, AFRAID, DISGUSTED, CONTEMPT }
enum State { AUTO, SPEAKING, LISTENING, THINKING, WORKING }

const Door := preload("vivant_door.gd")
const Motion := preload("vivant_motion.gd")
const Server := preload("vivant_server.gd")
const Speech := preload("vivant_speech.gd")

const STEER_S := 0.1
const MOODS: Array[String] = [
	"neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "contempt"
]
const STATES: Array[String] = ["auto", "speaking", "listening", "thinking", "working"]

@export_group("Who")
## A bundled portrait such as ada, or the id of a picture that was put on the server.
@export var portrait := "ada"
## The server; without one a server at the usual place of this machine.
@export var server: Server

@export_group("Where it shows")
## Gets the picture as its texture: a Sprite2D, Sprite3D or TextureRect.
@export var picture: Node
@export_range(64, 1024) var size_px := 512
## Cuts the person out.
@export var transparent := false
## Or a mesh with ARKit's blend shapes.
@export var mesh: MeshInstance3D
## Turned with the head, from where it rests.
@export var head: Node3D
## Turned with the gaze; without eyes the mesh's eyeLook shapes show it.
@export var left_eye: Node3D
@export var right_eye: Node3D
@export_range(12, 60) var fps := 25

@export_group("How it acts")
## An AudioStreamPlayer, AudioStreamPlayer2D or AudioStreamPlayer3D; made where there is none.
@export var player: Node
## What it looks at, as seen from `head`, or else from a picture in space.
@export var look_at: Node3D
## Share of the time that it looks there while speaking; people in calls: 0.59.
@export_range(0, 1) var eye_contact := 0.59375
## Auto speaks while there is a voice and rests otherwise.
@export var attention := State.AUTO
@export var emotion := Mood.NEUTRAL
@export_range(0, 2) var intensity := 1.0
@export_range(0, 2) var head_motion := 1.0
@export_range(0, 2) var mouth := 1.0
## 0 loses quality first where the server has too much to do, 100 last.
@export_range(0, 100) var priority := 50
## Decides blinks, gaze and head motion; below 0 is one from chance, so that no two faces move in unison.
@export var character_seed := -1

## True from say() or begin_speech() until the line is over.
var is_speaking: bool:
	get:
		return _line != 0
## The newest picture, for materials of your own.
var texture: ImageTexture
## With `transparent`: how much of it is there, as grey.
var alpha_texture: ImageTexture

var _door := Door.new()
var _motion := Motion.new()
var _speech: Speech
var _line := 0
var _lines := 0
var _line_pts_us := -1
var _steered_s := 0.0
var _at_rest := {}
var _cut_out := ShaderMaterial.new()


func _ready() -> void:
	if player == null:
		player = AudioStreamPlayer.new()
		add_child(player)
	player.playback_type = AudioServer.PLAYBACK_TYPE_STREAM  # in browsers, too: sound that still comes is no sample
	for node: Node3D in [head, left_eye, right_eye]:
		if node != null:
			_at_rest[node] = node.quaternion
	_cut_out.shader = preload("vivant_cut_out.gdshader")
	_door.message.connect(_hear)
	_door.picture_came.connect(_show_picture)
	_door.motion_came.connect(_motion.add)
	_door.lost.connect(_lose)


func _exit_tree() -> void:
	_door.close()
	player.stop()


## Speaks a clip: 16-bit WAV, imported without compression. A line that is being spoken is interrupted. Its text, where it is
## known, sharpens the lips.
func say(clip: AudioStreamWAV, text := "", language := "") -> void:
	if clip.format != AudioStreamWAV.FORMAT_16_BITS:
		push_error("Vivant: import the sound with Compress > Mode: PCM (Uncompressed), 16 bit")
		return
	begin_speech(clip.mix_rate, text, language)
	push_speech(Speech.samples_of(clip))
	end_speech()


## Begins a line that comes piece by piece, as a synthesiser makes it; a line that is being spoken is interrupted.
func begin_speech(rate_hz: int, text := "", language := "") -> void:
	interrupt()
	player.stop()
	_lines += 1
	_line = _lines
	_line_pts_us = -1
	_speech = Speech.new(rate_hz)
	_door.begin(str(_line), text, language)


## More of it: mono, in [-1, 1]. After an interruption it falls on deaf ears.
func push_speech(samples: PackedFloat32Array) -> void:
	if _line == 0:
		return
	_door.push(_speech.push(samples))


## All of it has come.
func end_speech() -> void:
	if _line == 0:
		return
	_speech.is_complete = true
	_door.end()


## Falls silent now.
func interrupt() -> void:
	if _line == 0:
		return
	_motion.clear()
	_door.interrupt()
	player.stop()
	_end_line()


## Once, on top of speech: nod, shake, tilt, think or laugh.
func act(what: String) -> void:
	_door.send({"type": "act", "act": what})


func _process(delta: float) -> void:
	_door.poll(_config)
	_steered_s += delta
	if _steered_s >= STEER_S:
		_steered_s = 0.0
		_door.steer(_controls(), priority)
	if _speech != null and player.playing:
		_speech.play(player.get_stream_playback())
		if _speech.is_over():
			player.stop()
	_show_motion()


func _config() -> Dictionary:
	var place := server.place() if server != null else {"url": Server.USUAL_URL, "token": ""}
	if place.url == "":
		return {}
	var moves := mesh != null or head != null or left_eye != null or right_eye != null
	var config := {
		"url": place.url,
		"type": "config",
		"token": place.token,
		"portrait": portrait,
		"pictures": "none" if picture == null else "jpeg-alpha" if transparent else "jpeg",
		"motion": moves,
		"size_px": size_px,
		"fps": fps,
		"sample_rate_hz": Speech.DOOR_RATE_HZ,
		"controls": _controls(),
		"priority": priority,
	}
	if character_seed >= 0:
		config["seed"] = character_seed
	return config


func _controls() -> Dictionary:
	return {
		"gaze": _gaze(),
		"emotion": MOODS[emotion],
		"intensity": intensity,
		"head_motion": head_motion,
		"mouth": mouth,
		"eye_contact": eye_contact,
		"attention": STATES[attention],
	}


func _gaze() -> Array:
	var from: Node3D = head if head != null else picture as Node3D
	if look_at == null or from == null:
		return [0.0, 0.0]
	return Motion.gaze_at(from.to_local(look_at.global_position))


func _hear(message: Dictionary) -> void:
	match message.type:
		"ready":
			_motion.names = PackedStringArray(message.get("weight_names", []))
		"error":
			failed.emit(message.message)
		"utterance_started" when message.utterance_id == str(_line):
			# The first picture of the line is here: sound and picture begin together.
			_line_pts_us = int(message.position_us)
			player.stream = _speech.stream()
			player.play()
			line_started.emit(_line)
		"utterance_finished", "interrupted" when message.utterance_id == str(_line):
			_end_line()


func _lose() -> void:
	_motion.clear()
	if _line != 0:
		player.stop()
		_end_line()


func _end_line() -> void:
	var ended := _line
	_line = 0
	line_ended.emit(ended)


func _show_picture(image: Image, alpha: Image) -> void:
	texture = _updated(texture, image)
	picture.set("texture", texture)
	if alpha == null:
		return
	alpha_texture = _updated(alpha_texture, alpha)
	if picture is CanvasItem:
		picture.material = _cut_out
		_cut_out.set_shader_parameter("alpha_picture", alpha_texture)


static func _updated(before: ImageTexture, image: Image) -> ImageTexture:
	if before == null or before.get_size() != Vector2(image.get_size()):
		return ImageTexture.create_from_image(image)
	before.update(image)
	return before


func _show_motion() -> void:
	var heard: bool = _line_pts_us >= 0 and _speech != null and player.playing
	var now := _motion.at(_line_pts_us + _speech.heard_us() if heard else Motion.LATEST)
	if now.is_empty():
		return
	if head != null:
		head.quaternion = _at_rest[head] * Motion.head_turn(now)
	for eye: Node3D in [left_eye, right_eye]:
		if eye != null:
			eye.quaternion = _at_rest[eye] * Motion.eye_turn(now)
	if mesh != null:
		_motion.show(now, mesh, left_eye == null and right_eye == null)
