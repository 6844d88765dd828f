"""Reader of a call's responses, which a writer can set going where nobody takes any."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any

import grpc

HELD_UP_S = 0.2
"""A write that takes longer may wait for what nobody reads."""


class Reader:
    """Responses in order, one read at a time. One event loop."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401
        """``call`` is one of grpc.aio with a stream of responses."""
        self._call = call
        self._reading: asyncio.Future[Any] | None = None
        self._early: deque[Any] = deque()
        """Read before anybody wanted them."""
        self._n_waiting = 0

    async def next(self) -> Any:  # noqa: ANN401
        """The next response, or `grpc.aio.EOF`; raises AioRpcError when the call has failed."""
        if self._early:
            return self._early.popleft()
        reading, self._reading = self._begun(), None
        self._n_waiting += 1
        try:
            return await reading
        finally:
            self._n_waiting -= 1

    async def during(self, write: Awaitable[None]) -> None:
        """Finish a write. While it is held up and nobody takes responses, read ahead.

        gRPC tells that a call is over only after every response before was read: whoever pushes first and reads later would
        wait for ever at a server that has refused.
        """
        writing = asyncio.ensure_future(write)
        await asyncio.wait({writing}, timeout=HELD_UP_S)
        while not writing.done() and not self._n_waiting:
            reading = self._reading = self._begun()
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
            if self._reading is not reading or not reading.done():
                continue  # somebody takes it now, or the write came through
            if reading.cancelled() or reading.exception() is not None or reading.result() is grpc.aio.EOF:
                break  # over; `next` will say how
            self._early.append(reading.result())
            self._reading = None
        await writing

    def _begun(self) -> asyncio.Future[Any]:
        return self._reading or asyncio.ensure_future(self._call.read())
