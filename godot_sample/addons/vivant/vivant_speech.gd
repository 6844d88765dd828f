## A line's sound: heard through an AudioStreamGenerator while it still comes, and raised to the rate of the door.
extends RefCounted

## The door's highest rate; the server resamples with a filter of its own.
const DOOR_RATE_HZ := 48000
const BUFFER_S := 0.2

## Nothing more will come.
var is_complete := false

var _rate_hz: int
var _samples := PackedFloat32Array()
var _generator: AudioStreamGenerator
var _playback: AudioStreamGeneratorPlayback
var _capacity := 0
var _n_played := 0
## Place of the next sample for the door among those of the line.
var _place := 0.0


func _init(rate_hz: int) -> void:
	_rate_hz = rate_hz


## Mono samples of a 16-bit clip.
static func samples_of(clip: AudioStreamWAV) -> PackedFloat32Array:
	var channels := 2 if clip.stereo else 1
	var n_frames := clip.data.size() / (2 * channels)
	var samples := PackedFloat32Array()
	samples.resize(n_frames)
	for i in n_frames:
		var sum := 0
		for channel in channels:
			sum += clip.data.decode_s16(2 * (i * channels + channel))
		samples[i] = sum / (32768.0 * channels)
	return samples


## Keeps them to be heard; returns what has become certain for the door: PCM of 16 bit. Rates above the door's are not taken.
func push(samples: PackedFloat32Array) -> PackedByteArray:
	_samples.append_array(samples)
	var step := float(_rate_hz) / DOOR_RATE_HZ
	var n := maxi(0, ceili((_samples.size() - 1 - _place) / step))
	var pcm := PackedByteArray()
	pcm.resize(2 * n)
	for i in n:
		var before := int(_place)
		var share := _place - before
		var value := _samples[before] * (1.0 - share) + _samples[mini(before + 1, _samples.size() - 1)] * share
		pcm.encode_s16(2 * i, int(round(clampf(value, -1.0, 1.0) * 32767.0)))
		_place += step
	return pcm


func stream() -> AudioStreamGenerator:
	_generator = AudioStreamGenerator.new()
	_generator.mix_rate = _rate_hz
	_generator.buffer_length = BUFFER_S
	return _generator


## Gives the player as much as it has room for.
func play(playback: AudioStreamGeneratorPlayback) -> void:
	if playback != _playback:
		_playback = playback
		_capacity = playback.get_frames_available()
	var n := mini(playback.get_frames_available(), _samples.size() - _n_played)
	var frames := PackedVector2Array()
	frames.resize(n)
	for i in n:
		frames[i] = Vector2.ONE * _samples[_n_played + i]
	playback.push_buffer(frames)
	_n_played += n


## How much of it has been heard, pauses not counted.
func heard_us() -> int:
	if _playback == null:
		return 0
	var waiting := _capacity - _playback.get_frames_available()
	var late_s := AudioServer.get_output_latency() - AudioServer.get_time_since_last_mix()
	return maxi(0, int(1e6 * (float(_n_played - waiting) / _rate_hz - late_s)))


func is_over() -> bool:
	if not is_complete or _playback == null or _n_played < _samples.size():
		return false
	return _capacity - _playback.get_frames_available() <= 0
