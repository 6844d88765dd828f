"""What draws the face: a session in this process or a server elsewhere, alike to everything above."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from vivant.types import Controls, Float32Array, UInt8Array

MOST_SKIPPED = 3
"""Late pictures in a row that are left out."""


class Frame(Protocol):
    """Drawn here, or sent by a server and not decoded yet."""

    @property
    def pixels(self) -> UInt8Array:
        """(s, s, 3 or 4)."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished square: labelled and marked."""

    pts_us: int
    """In audio time, from the first sample pushed into the stream."""
    frame: Frame
    """Ask for its pixels on a worker thread: they may have to be decoded first."""
    portrait: int
    """Which of the portraits it shows."""


class FaceStream(Protocol):
    """One stream of voice on one face. Pushed by one task, iterated by another."""

    async def push(self, samples: Float32Array) -> None:
        """The next (n,) samples; pictures come for what was pushed only, as soon as they are drawn."""
        ...

    async def steer(self, controls: Controls) -> None: ...

    async def show(self, portrait: int) -> None:
        """Another portrait from now on."""
        ...

    def __aiter__(self) -> AsyncIterator[Picture]: ...


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What a bridge asks of a runtime."""

    fps: Fraction
    size_px: int
    rate_hz: int
    seed: int
    is_late: Callable[[int], bool]
    """Whether the picture of a ``pts_us`` need not be drawn any more."""


class CatchUp:
    """Late pictures are left out, but never more than `MOST_SKIPPED`: on a slow machine the face goes on, in fewer pictures."""

    def __init__(self, is_late: Callable[[int], bool]) -> None:
        self._is_late, self._skipped = is_late, 0

    def leaves_out(self, pts_us: int) -> bool:
        """Whether the next picture, of that time, should not be drawn, or not be decoded."""
        self._skipped = (self._skipped + 1) % (MOST_SKIPPED + 1) if self._is_late(pts_us) else 0
        return self._skipped > 0


class Runtime(Protocol):
    """Opens streams; after one has failed, another."""

    name: str
    n_portraits: int
    delay_us: int
    """From a sound's arrival until its picture can be counted on."""

    def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AbstractAsyncContextManager[FaceStream]:
        """Entering raises a VivantError when the runtime cannot be had."""
        ...
