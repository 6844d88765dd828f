## Two characters take turns; the space bar interrupts whoever speaks.
extends Control

const LINES := [
	["Bram", preload("line1.tres"), "Hello, Ada. You look alive today."],
	["Ada", preload("line2.tres"), "Would you like to show me who you are?"],
	["Bram", preload("line3.tres"), "Only if you keep quiet about it."],
]

const Face := preload("addons/vivant/vivant_face.gd")

var _speaker: Face


func _ready() -> void:
	for face: Face in [$Ada/Face, $Bram/Face]:
		face.failed.connect(func(sentence: String) -> void: $Subtitle.text = sentence)
	for line: Array in LINES:
		_speaker = get_node(line[0] + "/Face")
		$Subtitle.text = line[2]
		_speaker.say(line[1], line[2], "en")
		await _speaker.line_ended
	$Subtitle.text = ""


func _unhandled_key_input(event: InputEvent) -> void:
	if event.is_action_pressed("ui_select"):
		_speaker.interrupt()
