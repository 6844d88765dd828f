"""The words of the command line that name devices."""

from __future__ import annotations

import sys
from pathlib import Path

from vivant import Clock, InputError
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.camera import VirtualCamera
from vivant_bridge.picture.sink import FileCamera, FrameSink, NullCamera
from vivant_bridge.picture.stream import StreamCamera
from vivant_bridge.sound import source
from vivant_bridge.sound.output import AudioSink, NullSink
from vivant_bridge.sound.pipe import network, standard_input
from vivant_bridge.sound.portaudio import PULSE, Microphone, Speaker, find_device, sound_devices, sounddevice
from vivant_bridge.sound.source import AudioSource, FileSource

BACKENDS = ("obs", "unitycapture", "v4l2loopback")


def choose_source(text: str, clock: Clock, *, pcm_rate_hz: int, pcm_channels: int) -> AudioSource:
    """As the option ``--mic`` of ``vivant cam`` says it."""
    kind, _, rest = text.partition(":")
    match kind:
        case "none":
            return source.silence(clock)
        case "tone":
            return source.tone(clock)
        case "-":
            return standard_input(pcm_rate_hz, pcm_channels)
        case "file" | "loop" if rest:
            return FileSource(Path(rest), clock, repeat=kind == "loop")
        case "tcp":
            return network(rest, pcm_rate_hz, pcm_channels)
        case "monitor":
            if not sys.platform.startswith("linux"):
                raise InputError("monitors exist on Linux; here send the program's sound to a virtual cable and give its name")
            text = f"{PULSE}{rest}.monitor" if rest else f"{PULSE}@DEFAULT_MONITOR@"
    sounddevice()
    return Microphone(text, clock)


def choose_speaker(text: str, clock: Clock) -> AudioSink | None:
    """``none``, ``null`` (a twin that plays nowhere), ``default``, or an output's name.

    Raises InputError for a name that no output has: a call without the delayed voice looks right and is not.
    """
    if text == "none":
        return None
    if text == "null":
        return NullSink(clock)
    sounddevice()
    if text != "default" and not text.startswith(PULSE):
        _require_output(text)
    return Speaker(text, clock)


def _require_output(name: str) -> None:
    devices = sound_devices()
    try:
        find_device(name, output=True, devices=devices)
    except DeviceLostError as error:
        known = ", ".join(dict.fromkeys(repr(device.name) for device in devices if device.outputs)) or "none"
        raise InputError(f"no output is called {name!r}; there are: {known} (and pulse:SINK on Linux)") from error


def choose_camera(text: str, device: str | None) -> FrameSink:
    """As the option ``--camera`` of ``vivant cam`` says it."""
    kind, _, rest = text.partition(":")
    if text == "auto" or text in BACKENDS:
        return VirtualCamera(device, None if text == "auto" else text)
    if text == "null":
        return NullCamera()
    if kind == "file" and rest:
        return FileCamera(Path(rest))
    if kind == "tcp":
        return StreamCamera(rest)
    raise InputError(f"--camera is auto, {', '.join(BACKENDS)}, tcp:127.0.0.1:PORT, file:OUT.y4m or null; got {text!r}")
