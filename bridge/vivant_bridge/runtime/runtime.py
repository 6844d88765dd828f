"""What draws the face: a session in this process or on a server, alike to everything above."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from vivant.types import Act, Controls, Float32Array


class FaceSession(Protocol):
    """Session, here or on a server, as far as a bridge uses it. Pushed by one task, iterated by another."""

    async def push(self, samples: Float32Array) -> None:
        """The next (n,) samples; outputs come for what was pushed only, as soon as they are drawn."""
        ...

    async def say_text(self, text: str, language: str = "") -> None: ...

    async def set_controls(self, controls: Controls) -> None: ...

    async def act(self, act: Act) -> None: ...

    def __aiter__(self) -> AsyncIterator[Any]:
        """`vivant.Output` and markers; pictures are labelled and marked, and may have to be decoded."""
        ...


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What a bridge asks of a runtime."""

    fps: Fraction
    size_px: int
    rate_hz: int
    seed: int | None
    is_late: Callable[[int], bool]
    """Whether the picture of a ``pts_us`` need not be drawn any more."""


class Runtime(Protocol):
    """Opens sessions; after one has failed, another."""

    name: str
    n_portraits: int
    draws: bool
    """Whether outputs have pictures; False where a face is driven that other programs draw."""
    delay_us: int
    """From a sound's arrival until its picture can be counted on."""

    def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AbstractAsyncContextManager[FaceSession]:
        """Entering raises a VivantError when the runtime cannot be had."""
        ...

    async def set_portrait(self, session: FaceSession, portrait: int) -> None:
        """Another portrait from now on, in a session that this runtime has opened."""
        ...
