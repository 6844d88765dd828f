"""Toys: one of everything that another package can bring, in some twenty lines each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from vivant import AudioChunk, Controls, InputError, MotionFrame, Output, PixelFormat, VideoFrame, arkit_weights
from vivant.drive.driver import Seen
from vivant.portrait import Cutout, Provider, default_analyser
from vivant.portrait import DetectedFace as FoundFace
from vivant.size import Size
from vivant.types import UInt8Array, frame_pts_us
from vivant.voices import VoiceCard
from vivant_bridge.device_registry import SinkRequest, SourceRequest
from vivant_bridge.sound.source import SampleFormat

COLOUR = (200, 40, 120)
TOY_RATE_HZ = 16_000
JAW_ROWS = 0.25
"""Of a picture's height, at its middle: black as far as the jaw is open."""


class ToyMotion:
    """`SpeechMotion`: the jaw opens as the voice is loud."""

    name, look_ahead_ms = "toy motion 1.2", 0

    def open(self, fps: Fraction, seed: int, face: object = None) -> ToyState:
        return ToyState(fps)


class ToyState:
    def __init__(self, fps: Fraction) -> None:
        self._fps, self._index = fps, 0

    def push(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        heard_us = (chunk.start_sample + len(chunk.samples)) * 1_000_000 // chunk.sample_rate_hz
        jaw = min(1.0, 4 * float(np.abs(chunk.samples).mean())) if len(chunk.samples) else 0.0
        frames = []
        while (pts_us := frame_pts_us(self._index, self._fps)) < heard_us:
            frames.append(MotionFrame(self._index, pts_us, arkit_weights(jawOpen=jaw)))
            self._index += 1
        return frames

    def flush(self, controls: Controls) -> list[MotionFrame]:
        return []

    def reset(self) -> None:
        pass


class ToyVoice:
    """`Voice`: a beep for each word, in any language."""

    def __init__(self, argument: str) -> None:
        self._hz = float(argument or 440)
        self.card = VoiceCard("toy voice 1.2", "the toy makers", "CC0-1.0")

    def speaks(self, language: str) -> bool:
        return True

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        time_s = np.arange(TOY_RATE_HZ // 5) / TOY_RATE_HZ
        beep = (0.3 * np.sin(2 * np.pi * self._hz * time_s)).astype(np.float32)
        for number, _ in enumerate(text.split()):
            yield AudioChunk(beep, TOY_RATE_HZ, number * len(beep))


class ToyDriver:
    """`Driver`: somebody whose mouth is open, all the time."""

    kind = "toy"

    def __init__(self, argument: str) -> None:
        self.name, self._jaw, self._held = f"a toy that opens by {argument}", float(argument), False

    def open(self, look_ahead_us: int) -> ToyDriver:
        return self

    def at(self, pts_us: int) -> Seen | None:
        return Seen(pts_us, MotionFrame(0, pts_us, arkit_weights(jawOpen=self._jaw))) if self._held else None

    def state(self) -> str:
        return "the toy plays"

    def __enter__(self) -> ToyDriver:
        self._held = True
        return self

    def __exit__(self, *_: object) -> None:
        self._held = False


class ToyFace:
    """`DetectedFace`: one colour, and a black mouth that opens in its middle. Cut out, only its middle half is there."""

    name, face_box, notes = "toy face 1.2", None, ("a toy face",)

    def __init__(self, portrait_sha256: str, transparent: bool) -> None:
        self.portrait_sha256, self._transparent = portrait_sha256, transparent

    def open(self, size_px: int | tuple[int, int]) -> ToyRenderer:
        return ToyRenderer(Size.of(size_px), self._transparent)


class ToyRenderer:
    def __init__(self, size: Size, transparent: bool) -> None:
        self._picture = np.full((size.height, size.width, 4), (*COLOUR, 255), np.uint8)
        if transparent:
            self._picture[:, : size.width // 4, 3] = self._picture[:, size.width * 3 // 4 :, 3] = 0

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        pixels = self._picture.copy()
        height, width = pixels.shape[:2]
        rows = round(JAW_ROWS * height * float(motion.weights.max()))
        pixels[(height - rows) // 2 : (height + rows) // 2, width * 3 // 8 : width * 5 // 8, :3] = 0
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)


def open_face(picture: Path | bytes, /, *, transparent: bool = False, **_: object) -> ToyFace:
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    return ToyFace(hashlib.sha256(data).hexdigest(), transparent)


class ToyAnalyser:
    """`PortraitAnalyser`: our networks, and nobody looks away."""

    name = "toy analyser 1.2"

    def __init__(self, provider: Provider) -> None:
        self._ours = default_analyser(provider)
        self.provider = f"toys on {self._ours.provider}"

    def faces(self, pixels: UInt8Array) -> list[FoundFace]:
        return [replace(face, gaze_deg=np.zeros((2, 2), np.float32)) for face in self._ours.faces(pixels)]

    def follow(self, pixels: UInt8Array, face: FoundFace) -> FoundFace | None:
        return self._ours.follow(pixels, face)

    def cutout(self, pixels: UInt8Array, face: FoundFace) -> Cutout:
        return self._ours.cutout(pixels, face)


class ToySink:
    """`FrameSink`: raw RGBA, one picture after the other, in a file."""

    pixel_format = PixelFormat.RGBA

    def __init__(self, path: Path) -> None:
        self.name, self._path = f"the toy {path.name}", path
        self._file: IO[bytes] | None = None

    def open(self, width: int, height: int, fps: Fraction) -> None:
        self._file, self._shape = self._path.open("wb"), (height, width, 4)

    def send(self, frame: UInt8Array, due_us: int) -> None:
        assert self._file is not None and frame.shape == self._shape
        self._file.write(frame.tobytes())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def open_sink(request: SinkRequest) -> ToySink:
    return ToySink(Path(request.argument))


class ToySource:
    """`AudioSource`: a square wave in the left channel, as a device would give it."""

    name, rate_hz, latency_us, sample_format = "a toy wave", 16_000, 0, SampleFormat.S16

    def __init__(self, request: SourceRequest) -> None:
        self._clock, self._level = request.clock, int(request.argument)

    def open(self) -> None:
        self._start_us, self._given = self._clock.now_us(), 0

    def read(self) -> Any:  # noqa: ANN401
        due = (self._clock.now_us() - self._start_us) * self.rate_hz // 1_000_000
        wave = np.where(np.arange(self._given, due) // 50 % 2, self._level, -self._level)
        self._given = due
        return np.stack([wave, np.zeros_like(wave)], axis=1).astype(np.int16)

    def close(self) -> None:
        pass


def open_source(request: SourceRequest) -> ToySource:
    return ToySource(request)


class ToyReceiver:
    """`MotionReceiver`: a line of JSON per frame."""

    def __init__(self, argument: str) -> None:
        self.name, self._path = f"the toy {argument}", Path(argument)
        self._file: IO[str] | None = None

    def open(self) -> None:
        self._file = self._path.open("a", encoding="utf-8")

    def send(self, output: Output) -> None:
        assert self._file is not None
        self._file.write(json.dumps({"pts_us": output.pts_us, "jaw": float(output.motion.weights.max())}) + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class BrokenReceiver(ToyReceiver):
    """One that cannot be opened."""

    def open(self) -> None:
        raise InputError(f"{self.name} takes no motion today")


def toy() -> None:
    """Play."""
    print("a toy command")
