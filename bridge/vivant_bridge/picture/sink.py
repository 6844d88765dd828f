"""Where pictures go. Ours take I420 (BT.601, limited range): Y, then U and V at half size, as one flat array."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from vivant.errors import OutputError
from vivant.types import PixelFormat, UInt8Array


class FrameSink(Protocol):
    """Opened and closed any number of times; one thread at a time."""

    name: str
    """For people."""
    pixel_format: PixelFormat
    """What `send` wants: I420 as one flat array, RGB, or RGBA with straight alpha."""

    def open(self, width: int, height: int, fps: Fraction) -> None:
        """Begin. Raises DeviceLostError when trying again may help, another VivantError when it will not."""
        ...

    def send(self, frame: UInt8Array, due_us: int) -> None:
        """Show ``frame``, (width * height * 3 / 2,) of I420 or (height, width, 3 or 4), due at that time.

        Raises DeviceLostError when nobody will see it.
        """
        ...

    def close(self) -> None:
        """End. Closing twice is fine."""
        ...


class MemoryCamera:
    """The twin of a camera: keeps its last frames and how often each picture came."""

    pixel_format = PixelFormat.I420

    def __init__(self, keep: int = 300) -> None:
        self.name = "memory"
        self.frames: list[UInt8Array] = []
        self.due_us: list[int] = []
        self.size = (0, 0)
        self.sent = 0
        self._keep = keep

    def open(self, width: int, height: int, fps: Fraction) -> None:
        self.size = (width, height)

    def send(self, frame: UInt8Array, due_us: int) -> None:
        require_i420(frame, *self.size)
        self.sent += 1
        self.frames = [*self.frames, frame][-self._keep :]
        self.due_us.append(due_us)

    def close(self) -> None:
        pass


class NullCamera:
    """A twin that keeps nothing but a count."""

    name = "null"
    pixel_format = PixelFormat.I420

    def __init__(self) -> None:
        self.sent = 0
        self._size = (0, 0)

    def open(self, width: int, height: int, fps: Fraction) -> None:
        self._size = (width, height)

    def send(self, frame: UInt8Array, due_us: int) -> None:
        require_i420(frame, *self._size)
        self.sent += 1

    def close(self) -> None:
        pass


class FileCamera:
    """A Y4M file (raw video that ffmpeg and most players read) of what a camera would have shown."""

    pixel_format = PixelFormat.I420

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._size = (0, 0)
        self._file: BinaryIO | None = None

    def open(self, width: int, height: int, fps: Fraction) -> None:
        self._size = (width, height)
        try:
            self._file = self._path.open("wb")
            self._file.write(y4m_header(width, height, fps))
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error

    def send(self, frame: UInt8Array, due_us: int) -> None:
        require_i420(frame, *self._size)
        assert self._file is not None
        try:
            self._file.write(b"FRAME\n" + frame.tobytes())
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def y4m_header(width: int, height: int, fps: Fraction) -> bytes:
    """The first line of raw video; each frame then follows the line ``FRAME``."""
    return f"YUV4MPEG2 W{width} H{height} F{fps.numerator}:{fps.denominator} Ip A1:1 C420jpeg\n".encode()


def require_i420(frame: UInt8Array, width: int, height: int) -> None:
    """Raises ValueError for what is no frame of that size; a fault of the caller."""
    if frame.dtype != np.uint8 or frame.shape != (width * height * 3 // 2,):
        raise ValueError(f"a frame must be uint8 ({width * height * 3 // 2},), got {frame.dtype} {frame.shape}")
