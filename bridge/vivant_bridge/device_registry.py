"""The words of the command line that name devices: ``NAME[:ARGUMENT]``, ours and those that other packages register."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from vivant import Clock, InputError
from vivant.registry import RECEIVERS, SINKS, SOURCES, find, has, names
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.camera import VirtualCamera
from vivant_bridge.picture.sink import FileCamera, FrameSink, NullCamera
from vivant_bridge.picture.stream import StreamCamera
from vivant_bridge.receiver import MotionReceiver
from vivant_bridge.sound import source
from vivant_bridge.sound.output import AudioSink, NullSink
from vivant_bridge.sound.pipe import network, standard_input
from vivant_bridge.sound.portaudio import PULSE, Microphone, Speaker, find_device, sound_devices, sounddevice
from vivant_bridge.sound.source import AudioSource, FileSource

BACKENDS = ("obs", "unitycapture", "v4l2loopback")
OUR_CAMERAS = ("auto", *BACKENDS, "tcp", "file", "null")


@dataclass(frozen=True, slots=True)
class SinkRequest:
    """What a maker of the group ``vivant.sinks`` is given."""

    name: str
    argument: str
    """What stands behind the colon; empty without one."""
    device: str | None = None
    """As the option ``--device`` says it."""


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a maker of the group ``vivant.sources`` is given."""

    name: str
    argument: str
    clock: Clock
    pcm_rate_hz: int = 48_000
    """Of raw PCM, as ``--pcm-rate`` and ``--pcm-channels`` say it."""
    pcm_channels: int = 1


# Sources


def choose_source(text: str, clock: Clock, *, pcm_rate_hz: int, pcm_channels: int) -> AudioSource:
    """As the option ``--mic`` of ``vivant cam`` says it: a registered name, or else a microphone's."""
    name, _, argument = text.partition(":")
    if not has(SOURCES, name) or (name in ("file", "loop") and not argument):
        return _microphone(text, clock)
    make = cast(Callable[[SourceRequest], AudioSource], find(SOURCES, name))
    return make(SourceRequest(name, argument, clock, pcm_rate_hz, pcm_channels))


def no_source(request: SourceRequest) -> AudioSource:
    return source.silence(request.clock)


def tone_source(request: SourceRequest) -> AudioSource:
    return source.tone(request.clock)


def standard_input_source(request: SourceRequest) -> AudioSource:
    return standard_input(request.pcm_rate_hz, request.pcm_channels)


def file_source(request: SourceRequest) -> AudioSource:
    """Once (``file``), or again and again (``loop``)."""
    return FileSource(Path(request.argument), request.clock, repeat=request.name == "loop")


def tcp_source(request: SourceRequest) -> AudioSource:
    return network(request.argument, request.pcm_rate_hz, request.pcm_channels)


def monitor_source(request: SourceRequest) -> AudioSource:
    """What another program plays. Raises InputError where PulseAudio's monitors do not exist."""
    if not sys.platform.startswith("linux"):
        raise InputError("monitors exist on Linux; here send the program's sound to a virtual cable and give its name")
    name = f"{PULSE}{request.argument}.monitor" if request.argument else f"{PULSE}@DEFAULT_MONITOR@"
    return _microphone(name, request.clock)


def _microphone(name: str, clock: Clock) -> Microphone:
    sounddevice()
    return Microphone(name, clock)


# Outputs


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


# Sinks


def choose_camera(text: str, device: str | None) -> FrameSink:
    """As the option ``--camera`` of ``vivant cam`` says it. Raises InputError for a name that nobody has registered."""
    name, _, argument = text.partition(":")
    if not has(SINKS, name):
        raise _no_camera(text)
    return cast(Callable[[SinkRequest], FrameSink], find(SINKS, name))(SinkRequest(name, argument, device))


def system_camera(request: SinkRequest) -> FrameSink:
    """``auto``, or a backend by its name."""
    if request.argument:
        raise _no_camera(f"{request.name}:{request.argument}")
    return VirtualCamera(request.device, None if request.name == "auto" else request.name)


def null_camera(request: SinkRequest) -> FrameSink:
    if request.argument:
        raise _no_camera(f"{request.name}:{request.argument}")
    return NullCamera()


def file_camera(request: SinkRequest) -> FrameSink:
    if not request.argument:
        raise _no_camera(request.name)
    return FileCamera(Path(request.argument))


def tcp_camera(request: SinkRequest) -> FrameSink:
    return StreamCamera(request.argument)


def _no_camera(text: str) -> InputError:
    others = "".join(f", {name}" for name in names(SINKS) if name not in OUR_CAMERAS)
    return InputError(
        f"--camera is auto, {', '.join(BACKENDS)}, tcp:127.0.0.1:PORT, file:OUT.y4m{others} or null; got {text!r}"
    )


# Motion receivers


def choose_receiver(text: str) -> MotionReceiver:
    """As the option ``--send`` of ``vivant cam`` says it. Raises InputError for a name that nobody has registered."""
    name, _, argument = text.partition(":")
    return cast(Callable[[str], MotionReceiver], find(RECEIVERS, name))(argument)
