## The server that faces share: one that runs somewhere, or one of the game's own. That starts with this node on a free port of
## this machine, is started again when it dies, and ends with the game, however that ends, for it watches its standard input.
class_name VivantServer
extends Node

const USUAL_URL := "ws://127.0.0.1:50751"
const FIRST_PAUSE_MS := 250
const LONGEST_PAUSE_MS := 8000
## Of the log's end that is kept: the last words of a server that ended by itself.
const LOG_CHARS := 2000

## Start a server with this node; url and token then mean nothing.
@export var starts_with_game := false
## Its program: beside the exported game, or in the project's folder while you edit. On Windows .exe is added.
@export var program := "vivant-server/vivant-server"
## Further arguments for it, as `vivant serve` takes them.
@export var arguments: PackedStringArray
@export var url := USUAL_URL
## Only for servers that ask for one.
@export var token := ""

## The end of the log of the server that starts with the game, a line of JSON for each thing that happened.
var log_end := ""

## What `OS.execute_with_pipe` gave; empty while no server of ours runs.
var _running := {}
var _said := ""
var _port := 0
var _retry_at_ms := 0
var _pause_ms := FIRST_PAUSE_MS


## Its `url` and `token`; the url is empty while it starts.
func place() -> Dictionary:
	if not starts_with_game:
		return {"url": url, "token": token}
	return {"url": "ws://127.0.0.1:%d" % _port if _port != 0 else "", "token": token}


func program_path() -> String:
	var folder := OS.get_executable_path().get_base_dir()
	if OS.has_feature("editor"):
		folder = ProjectSettings.globalize_path("res://")
	return folder.path_join(program) + (".exe" if OS.get_name() == "Windows" else "")


func _process(_delta: float) -> void:
	if not starts_with_game:
		return
	if _running.is_empty():
		if Time.get_ticks_msec() >= _retry_at_ms:
			_start()
		return
	_keep_log(_take(_running.stderr))  # also because a full pipe would stop the server
	_said += _take(_running.stdio)
	if _port == 0 and "\n" in _said:
		_hear(_said.get_slice("\n", 0))
		_said = _said.substr(_said.find("\n") + 1)
	if not OS.is_process_running(_running.pid):
		_keep_log(_take(_running.stderr))
		push_error("Vivant: the server ended by itself; the end of its log:\n" + log_end)
		_end()


func _exit_tree() -> void:
	_end()


func _start() -> void:
	token = Crypto.new().generate_random_bytes(32).hex_encode()
	var all := arguments + PackedStringArray(["--embedded", "--port", "0", "--web", "--web-port", "0"])
	_running = OS.execute_with_pipe(program_path(), all)
	if _running.is_empty():
		push_error("Vivant: cannot start " + program_path())
		_wait()
		return
	_said = ""
	log_end = ""
	_running.stdio.store_line(token)
	_running.stdio.flush()


func _end() -> void:
	if _running.is_empty():
		return
	_running.stdio.close()  # the server ends with it
	_running.stderr.close()
	_running = {}
	_port = 0
	_wait()


func _wait() -> void:
	_retry_at_ms = Time.get_ticks_msec() + _pause_ms
	_pause_ms = mini(2 * _pause_ms, LONGEST_PAUSE_MS)


## A line of JSON says where it listens; others mean nothing.
func _hear(line: String) -> void:
	var place := JSON.new()
	if place.parse(line) == OK and place.data is Dictionary:
		_port = int(place.data.get("web_port", 0))
		_pause_ms = FIRST_PAUSE_MS


func _keep_log(more: String) -> void:
	log_end = (log_end + more).right(LOG_CHARS)


## What has come through a pipe, without waiting for more.
static func _take(pipe: FileAccess) -> String:
	return pipe.get_buffer(pipe.get_length()).get_string_from_utf8()
