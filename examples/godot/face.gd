# A face on a Vivant server, from Godot 3 without any plugin: gRPC is length-prefixed protobuf in HTTP/2 frames, and one call needs few
# of them. `godot3-server -s face.gd PORT WORDS.pcm OUT.png` says a file of PCM (16 kHz, 16 bit, mono) and saves the last picture of it.
extends SceneTree

const SIDE_PX = 256
const DATA = 0
const HEADERS = 1
const RESET = 3
const SETTINGS = 4
const PING = 6
const GO_AWAY = 7
const WINDOW = 8
const END_STREAM = 1
const END_HEADERS = 4

var peer = StreamPeerTCP.new()
var received = PoolByteArray()
var pictures = 0
var last_pts_us = -1
var last_picture = PoolByteArray()


func _init():
	var arguments = Array(OS.get_cmdline_args())
	arguments = arguments.slice(arguments.size() - 3, arguments.size() - 1)
	peer.big_endian = true
	require(peer.connect_to_host("127.0.0.1", int(arguments[0])) == OK, "no server on port " + arguments[0])
	while peer.get_status() == StreamPeerTCP.STATUS_CONNECTING:
		OS.delay_msec(1)
	open_call()
	var file = File.new()
	require(file.open(arguments[1], File.READ) == OK, "cannot read " + arguments[1])
	# SessionConfig: portrait, size, JPEG, as fast as possible. Then the voice, and the end of the request side.
	send(field(1, field(1, field(1, "ada".to_utf8())) + number(3, SIDE_PX) + number(4, 4) + number(10, 2)))
	send(field(2, field(1, file.get_buffer(file.get_len()))))
	frame(DATA, END_STREAM, 1, PoolByteArray())
	while not read_frame():
		pass
	require(pictures > 0, "no pictures came")
	var image = Image.new()
	require(image.load_jpg_from_buffer(last_picture) == OK and image.get_width() == SIDE_PX, "no JPEG of the size asked for")
	require(image.save_png(arguments[2]) == OK, "cannot write " + arguments[2])
	print(pictures, " pictures, the last at ", last_pts_us, " us")
	quit(0)


# HTTP/2

func open_call():
	peer.put_data("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_ascii())
	frame(SETTINGS, 0, 0, PoolByteArray([0, 4, 0x3f, 0xff, 0xff, 0xff]))  # the server may send as much as it wants
	frame(WINDOW, 0, 0, PoolByteArray([0x3f, 0xff, 0, 0]))
	var headers = PoolByteArray()
	for pair in [[":method", "POST"], [":scheme", "http"], [":path", "/vivant.v1.FaceService/Animate"],
			[":authority", "localhost"], ["content-type", "application/grpc"], ["te", "trailers"]]:
		headers.append(0)  # a literal, not to be remembered
		for text in pair:
			headers.append(text.length())
			headers.append_array(text.to_ascii())
	frame(HEADERS, END_HEADERS, 1, headers)


func frame(kind, flags, stream, payload):
	peer.put_data(PoolByteArray([payload.size() >> 16 & 255, payload.size() >> 8 & 255, payload.size() & 255, kind, flags]))
	peer.put_32(stream)
	peer.put_data(payload)


# True when the call is over.
func read_frame():
	var head = peer.get_data(9)
	require(head[0] == OK, "the server hung up")
	head = head[1]
	var length = head[0] << 16 | head[1] << 8 | head[2]
	var payload = peer.get_data(length)[1] if length > 0 else PoolByteArray()
	match head[3]:
		SETTINGS:
			if not head[4] & 1:
				frame(SETTINGS, 1, 0, PoolByteArray())
		PING:
			if not head[4] & 1:
				frame(PING, 1, 0, payload)
		DATA:
			received.append_array(payload)
			take_messages()
		RESET, GO_AWAY:
			require(false, "the server ended the call")
	return head[3] in [DATA, HEADERS] and head[4] & END_STREAM


# gRPC

func send(message):
	var body = PoolByteArray([0, message.size() >> 24, message.size() >> 16 & 255, message.size() >> 8 & 255, message.size() & 255])
	body.append_array(message)
	for first in range(0, body.size(), 16384):
		frame(DATA, 0, 1, body.subarray(first, int(min(first + 16384, body.size())) - 1))


func take_messages():
	while received.size() >= 5:
		var length = received[1] << 24 | received[2] << 16 | received[3] << 8 | received[4]
		if received.size() < 5 + length:
			return
		if length > 0:
			take(fields(received.subarray(5, 4 + length)))
		received = received.subarray(5 + length, received.size() - 1) if received.size() > 5 + length else PoolByteArray()


func take(response):
	if response.has(2):  # a Frame
		var picture = fields(response[2])
		var pts_us = picture.get(2, 0)
		require(pts_us > last_pts_us, "time went backwards")
		last_pts_us = pts_us
		last_picture = picture[8]
		pictures += 1


# Protobuf

func varint(value):
	var out = PoolByteArray()
	while value > 127:
		out.append(value & 127 | 128)
		value >>= 7
	out.append(value)
	return out


func number(tag, value):
	return varint(tag << 3) + varint(value)


func field(tag, bytes):
	return varint(tag << 3 | 2) + varint(bytes.size()) + bytes


func fields(bytes):
	var found = {}
	var at = 0
	while at < bytes.size():
		var key = 0
		var value = 0
		for turn in 2:
			var shift = 0
			var read = 0
			if turn == 1 and key & 7 == 5:
				at += 4
				break
			while true:
				read |= (bytes[at] & 127) << shift
				shift += 7
				at += 1
				if bytes[at - 1] < 128:
					break
			if turn == 0:
				key = read
			else:
				value = read
		if key & 7 == 2:
			found[key >> 3] = bytes.subarray(at, at + value - 1) if value > 0 else PoolByteArray()
			at += value
		else:
			found[key >> 3] = value
	return found


func require(condition, sentence):
	if not condition:
		printerr(sentence)
		OS.kill(OS.get_process_id())
