"""What the tests of the command line share: what a command leaves behind, and how to read what it made."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.conftest import portrait_path
from vivant.types import Float32Array, UInt8Array

ADA = str(portrait_path("ada"))
SHORT_S = 0.6
SMALL = ("--size", "96", "--fps", "24")
FRAMES = math.ceil(SHORT_S * 24)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind on the terminal."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one sentence of a failure; checks that there is nothing else."""
        assert self.code == 1
        assert "Traceback" not in self.err + self.out
        (line,) = self.err.strip().splitlines()
        assert line.startswith("error: ") and len(line) < 300
        return line


Run = Callable[..., Outcome]


def sine(n: int, rate_hz: int, hz: float = 440.0) -> Float32Array:
    """(n,) half as loud as can be."""
    wave: Float32Array = (0.5 * np.sin(2 * np.pi * hz * np.arange(n) / rate_hz)).astype(np.float32)
    return wave


def write_wav(path: Path, samples: Float32Array, rate_hz: int, channels: int = 1) -> Path:
    """(n,) or (n, channels) as 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def frames_of(path: Path) -> list[UInt8Array]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def pictures(folder: Path) -> list[UInt8Array]:
    return [pixels(path) for path in sorted(folder.glob("*.png"))]


def pixels(path: Path | str) -> UInt8Array:
    with Image.open(path) as image:
        return np.asarray(image)
