"""Intake: what callers want of a session reaches its stream here, and wakes whoever works for it. On its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numpy.typing import ArrayLike

from vivant.errors import ClosedError
from vivant.samples import mono_samples
from vivant.session.pace import Pace
from vivant.session.stream import BLOCK_MS, FaceStream

AUDIO_MS = 2000.0
"""From how much queued sound on `Intake.push` waits; chosen."""
Result = TypeVar("Result")
P = ParamSpec("P")


class Intake:
    """The verbs of a stream, with back-pressure."""

    def __init__(self, stream: FaceStream) -> None:
        self.fed = asyncio.Event()
        """Set whenever something has come."""
        self._stream, self._room = stream, asyncio.Event()
        self._closed = False

    async def push(self, samples: ArrayLike, pace: Pace) -> None:
        """Waits while two seconds are queued; what an interruption finds waiting is not wanted any more."""
        stream, epoch = self._stream, self._stream.epoch
        step = stream.sample_rate_hz * BLOCK_MS // 1000
        own = mono_samples(samples)
        for first in range(0, len(own), step):
            while stream.queued_ms >= AUDIO_MS and epoch == stream.epoch and not self._closed:
                self._room.clear()
                await self._room.wait()
            if epoch != stream.epoch:
                return
            self.tell(stream.push, own[first : first + step], pace.now_us)

    def tell(self, verb: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Do it now. Raises ClosedError once nothing can come of it."""
        if self._closed:
            raise ClosedError("this session was closed; open a new one")
        result = verb(*args, **kwargs)
        self.fed.set()
        self._room.set()  # an interruption has emptied the queue
        return result

    def heard(self) -> None:
        """There may be room again."""
        self._room.set()

    def close(self) -> None:
        """Nothing more is taken; who waits for room is told so."""
        self._closed = True
        self._room.set()
