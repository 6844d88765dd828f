"""Sound and picture on one axis of time: what a listener's programs get of them, and when."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from scipy.signal import butter, correlate, resample_poly, sosfiltfilt

from tests.conftest import VOICE_RATE_HZ
from vivant import Talker
from vivant.face import RigFace
from vivant.types import ARKIT_INDEX, Float32Array, UInt8Array

RATE_HZ = 8_000
"""At which sounds are compared; pictures are compared at `COURSE_HZ`."""
COURSE_HZ = 1_000
SMALL_PX = 64
LIPS_HZ = (1.0, 8.0)
"""How fast mouths open and close. Heads move slower."""


@dataclass(frozen=True)
class Lips:
    """What speech changes in the pictures of a face, and its course while it speaks a voice."""

    weights: Float32Array
    """(64, 64): how much each part darkens or lightens with the jaw."""
    times_s: Float32Array
    course: Float32Array

    @classmethod
    def speaking(cls, face: RigFace, voice: Float32Array, fps: int) -> Lips:
        """Made offline, so the times are those of the voice itself."""
        pictures, jaw, times_s = [], [], []
        with Talker(face, fps=fps) as talker:
            renderer = face.open(512)
            silence = np.zeros(VOICE_RATE_HZ, np.float32)
            for motion in talker.push_for_motion(np.concatenate([voice, silence]), VOICE_RATE_HZ):
                rgb = renderer.render(motion).pixels[..., :3].astype(np.float32)
                pictures.append(small(rgb @ np.array([0.257, 0.504, 0.098], np.float32)))
                jaw.append(motion.weights[ARKIT_INDEX["jawOpen"]])
                times_s.append(motion.pts_us / 1e6)
        changes = np.array(pictures) - np.mean(pictures, axis=0)
        weights = np.tensordot(np.array(jaw) - np.mean(jaw), changes, 1)
        return cls(weights, np.array(times_s, np.float32), np.tensordot(changes, weights, 2))


class Camera(threading.Thread):
    """Reads the camera ``file:PATH`` of ``vivant cam``, where PATH is a FIFO, and notes when each picture came."""

    def __init__(self, fifo: Path) -> None:
        super().__init__(daemon=True)
        self.times_s: list[float] = []
        self.pictures: list[Float32Array] = []
        """(64, 64) luma."""
        self._fifo = fifo

    def run(self) -> None:
        with self._fifo.open("rb") as stream:
            found = re.search(rb" W(\d+) H(\d+) ", stream.readline())
            assert found is not None
            width, height = map(int, found.groups())
            while len(frame := stream.read(6 + width * height * 3 // 2)) > 6:
                now_s = time.monotonic()
                luma = np.frombuffer(frame, np.uint8, width * height, 6).reshape(height, width)
                self.pictures.append(small(luma))
                self.times_s.append(now_s)


class Recording(threading.Thread):
    """Reads mono float samples that a recorder prints, and notes when they came."""

    def __init__(self, stream: IO[bytes], rate_hz: int) -> None:
        super().__init__(daemon=True)
        self._stream, self._rate_hz = stream, rate_hz
        self._pieces: list[Float32Array] = []
        self._began_s: list[float] = []

    def run(self) -> None:
        n = 0
        while data := self._stream.read1(1 << 16):  # type: ignore[attr-defined]
            self._pieces.append(np.frombuffer(data, np.float32))
            n += len(self._pieces[-1])
            self._began_s.append(time.monotonic() - n / self._rate_hz)

    @property
    def began_s(self) -> float:
        """When the first sample came, by the pieces that came with the least delay."""
        return float(np.percentile(self._began_s, 5))

    @property
    def samples(self) -> Float32Array:
        """(n,)."""
        return np.concatenate(self._pieces)


def picture_began_s(camera: Camera, lips: Lips) -> tuple[float, float]:
    """When the picture of the voice's beginning was shown, and the correlation that says so."""
    course = np.tensordot(np.array(camera.pictures), lips.weights, 2)
    lag, likeness = lag_s(_even(camera.times_s, course), _even(lips.times_s, lips.course), COURSE_HZ)
    return camera.times_s[0] + lag, likeness


def sound_began_s(recording: Recording, voice: Float32Array, rate_hz: int) -> tuple[float, float]:
    """When the voice's beginning was heard, and the correlation that says so."""
    heard = resample_poly(recording.samples, 1, rate_hz // RATE_HZ)
    lag, likeness = lag_s(heard, resample_poly(voice, 1, VOICE_RATE_HZ // RATE_HZ), RATE_HZ)
    return recording.began_s + lag, likeness


def lag_s(long: Float32Array, short: Float32Array, rate_hz: int) -> tuple[float, float]:
    """Where in a course a shorter one is found, and how alike they are there, up to 1."""
    short = short - short.mean()
    match = correlate(long, short, "valid")
    best = int(match.argmax())
    there = long[best : best + len(short)] - long[best : best + len(short)].mean()
    return best / rate_hz, float(there @ short / (np.linalg.norm(there) * np.linalg.norm(short)))


def small(picture: Float32Array | UInt8Array) -> Float32Array:
    """(64, 64) means of a square one."""
    side = len(picture) // SMALL_PX
    means: Float32Array = picture.reshape(SMALL_PX, side, SMALL_PX, side).mean((1, 3), dtype=np.float32)
    return means


def _even(times_s: Sequence[float] | Float32Array, course: Float32Array) -> Float32Array:
    times = np.asarray(times_s, np.float64) - times_s[0]
    even = np.interp(np.arange(0, times[-1], 1 / COURSE_HZ), times, course)
    band: Float32Array = sosfiltfilt(butter(2, LIPS_HZ, "bandpass", fs=COURSE_HZ, output="sos"), even)
    return band
