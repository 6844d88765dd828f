## The WebSocket of a Vivant server: connects again by itself, with growing pauses, until it is closed. Polled from `_process`.
extends RefCounted

## A message of the server's.
signal message(said: Dictionary)
## `alpha` is grey, and null where nobody is cut out.
signal picture_came(image: Image, alpha: Image)
signal motion_came(pts_us: int, numbers: PackedFloat32Array)
## The connection was lost, and with it the line that was being said.
signal lost

const FIRST_PAUSE_MS := 250
const LONGEST_PAUSE_MS := 8000
const BUFFER_BYTES := 8 << 20
const CHUNK_BYTES := 1 << 16
## Of a binary frame; see the protocol in docs/web.md.
const HEADER_BYTES := 24
const PICTURE := 1
const MOTION := 3

var _socket: WebSocketPeer
var _config := {}
var _is_config_sent := false
var _is_ready := false
var _is_closed := false
var _retry_at_ms := 0
var _pause_ms := FIRST_PAUSE_MS
var _epoch := 0
var _client := ""
## Of a line that was begun before the server was ready.
var _waiting: Array = []
var _line_is_lost := false


## Talks to the server; `config` gives the config of a new connection, with its `url`, or nothing while there is no server.
func poll(config: Callable) -> void:
	if _is_closed:
		return
	if _socket == null:
		if Time.get_ticks_msec() >= _retry_at_ms:
			_open(config.call())
		return
	_socket.poll()
	match _socket.get_ready_state():
		WebSocketPeer.STATE_OPEN:
			if not _is_config_sent:
				_is_config_sent = true
				_socket.send_text(JSON.stringify(_config))
				if _epoch > 0:  # again, so that what comes carries it from the first on
					_socket.send_text(JSON.stringify({"type": "interrupt", "epoch": _epoch}))
			_receive()
		WebSocketPeer.STATE_CLOSED:
			_receive()
			_lose()


func begin(utterance_id: String, text: String, language: String) -> void:
	_line_is_lost = false
	_say({"type": "begin", "utterance_id": utterance_id, "text": text, "language": language})


func push(pcm: PackedByteArray) -> void:
	for first in range(0, pcm.size(), CHUNK_BYTES):
		_say(pcm.slice(first, mini(first + CHUNK_BYTES, pcm.size())))


func end() -> void:
	_say({"type": "end"})


func interrupt() -> void:
	_epoch += 1
	_waiting.clear()
	send({"type": "interrupt", "epoch": _epoch})


func steer(controls: Dictionary, priority: int) -> void:
	send({"type": "controls"}.merged(controls))
	send({"type": "priority", "priority": priority})


## A message that means nothing to a later connection.
func send(what: Dictionary) -> void:
	if _is_ready:
		_socket.send_text(JSON.stringify(what))


func close() -> void:
	_is_closed = true
	if _socket != null:
		_socket.close()


func _say(what: Variant) -> void:
	if _line_is_lost:
		return
	if not _is_ready:
		_waiting.append(what)
	elif what is Dictionary:
		send(what)
	else:
		_socket.send(what)


func _open(config: Dictionary) -> void:
	if config.is_empty():
		return
	_config = config.merged({"client": _client})
	_config.erase("url")
	_is_config_sent = false
	_socket = WebSocketPeer.new()
	_socket.inbound_buffer_size = BUFFER_BYTES
	_socket.outbound_buffer_size = BUFFER_BYTES
	if _socket.connect_to_url(config.url + "/v1/face") != OK:
		_lose()


func _lose() -> void:
	_socket = null
	_is_ready = false
	_line_is_lost = true
	_waiting.clear()
	_retry_at_ms = Time.get_ticks_msec() + _pause_ms
	_pause_ms = mini(2 * _pause_ms, LONGEST_PAUSE_MS)
	lost.emit()


func _receive() -> void:
	while _socket.get_available_packet_count() > 0:
		var packet := _socket.get_packet()
		if _socket.was_string_packet():
			_hear(JSON.parse_string(packet.get_string_from_utf8()))
		else:
			_take(packet)


func _hear(said: Dictionary) -> void:
	if int(said.get("epoch", _epoch)) < _epoch:
		return
	if said.type == "ready":
		_is_ready = true
		_pause_ms = FIRST_PAUSE_MS
		_client = said.client
		var waited := _waiting.duplicate()
		_waiting.clear()
		waited.map(_say)
	message.emit(said)


func _take(frame: PackedByteArray) -> void:
	var kind := frame.decode_u8(0)
	if kind == PICTURE:
		send({"type": "shown", "picture": frame.decode_u32(16)})
	if frame.decode_u32(4) < _epoch:
		return
	if kind == PICTURE:
		var end := HEADER_BYTES + frame.decode_u32(20)
		picture_came.emit(_image(frame, HEADER_BYTES, end), _image(frame, end, frame.size()))
	elif kind == MOTION:
		motion_came.emit(frame.decode_u64(8), frame.slice(HEADER_BYTES).to_float32_array())


static func _image(frame: PackedByteArray, first: int, end: int) -> Image:
	if first == end:
		return null
	var image := Image.new()
	image.load_jpg_from_buffer(frame.slice(first, end))
	return image
