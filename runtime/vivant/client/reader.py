"""Reader of a call's responses, which a writer can set going where nobody takes any."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from vivant.errors import UnavailableError
from vivant.wire.responses import ReceivedFrame

HELD_UP_S = 0.2
"""A write that takes longer may wait for what nobody reads."""
MOST_EARLY = 64
"""Responses that are kept for whoever takes them later."""
GIVEN_UP_S = 10.0
"""After so long a write is given up that waits for what nobody takes."""


async def write(call: Any, request: Message) -> None:  # noqa: ANN401
    """Send a request. Raises InvalidStateError or `grpc.aio.InternalError` when the call is over.

    Not ``call.write``, where there is a way round it: when a call has ended, that puts "Internal error from Core" in the place
    of the server's own status.
    """
    await call.wait_for_connection()
    if call.done():
        raise asyncio.InvalidStateError("the call is over")
    send = bare_write(call)
    await (call.write(request) if send is None else send(request.SerializeToString()))


def bare_write(call: Any) -> Callable[[bytes], Awaitable[None]] | None:  # noqa: ANN401
    """What is under ``call.write``. No public part of gRPC, so None for one that has it no longer; a test says so."""
    return getattr(getattr(call, "_cython_call", None), "send_serialized_message", None)


class Reader:
    """Responses in order, one read at a time. One event loop."""

    def __init__(self, call: Any, *, is_live: bool) -> None:  # noqa: ANN401
        """``call`` is one of grpc.aio with a stream of responses. Of a live one's pictures the newest are kept, of another's
        all."""
        self._call, self._is_live = call, is_live
        self._reading: asyncio.Future[Any] | None = None
        self._early: deque[Any] = deque()
        """Read before anybody wanted them."""
        self._n_waiting = 0
        self._taken_s = 0.0

    @property
    def taken_s(self) -> float:
        """When somebody took a response, on the loop's clock; now, where somebody waits for one."""
        return asyncio.get_running_loop().time() if self._n_waiting else self._taken_s

    async def next(self) -> Any:  # noqa: ANN401
        """The next response, or `grpc.aio.EOF`; raises AioRpcError when the call has failed."""
        self._taken_s = asyncio.get_running_loop().time()
        if self._early:
            return self._early.popleft()
        reading, self._reading = self._begun(), None
        self._n_waiting += 1
        try:
            return await reading
        finally:
            self._n_waiting -= 1
            self._taken_s = asyncio.get_running_loop().time()

    async def during(self, write: Awaitable[Any]) -> Any:  # noqa: ANN401
        """Finish a write, or wait for the status. While that is held up and nobody takes responses, read ahead.

        gRPC tells that a call is over only after every response before was read: whoever pushes first and reads later would
        wait for ever at a server that has refused.
        """
        writing = asyncio.ensure_future(write)
        await asyncio.wait({writing}, timeout=HELD_UP_S)
        while not writing.done() and not self._n_waiting:
            if len(self._early) >= MOST_EARLY and not self._has_dropped_one():
                await self._until_given_up(writing)
                break
            reading = self._reading = self._begun()
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
            if self._reading is not reading or not reading.done():
                continue  # somebody takes it now, or the write came through
            if reading.cancelled() or reading.exception() is not None or reading.result() is grpc.aio.EOF:
                break  # over; `next` will say how
            self._early.append(reading.result())
            self._reading = None
        return await writing

    def _has_dropped_one(self) -> bool:
        oldest = next((place for place, each in enumerate(self._early) if isinstance(each, ReceivedFrame)), None)
        if not self._is_live or oldest is None:
            return False
        del self._early[oldest]
        return True

    async def _until_given_up(self, writing: asyncio.Future[Any]) -> None:
        await asyncio.wait({writing}, timeout=GIVEN_UP_S)
        if not writing.done() and not self._n_waiting:
            writing.cancel()
            raise UnavailableError("nobody takes what the server has sent; iterate the session while you push")

    def _begun(self) -> asyncio.Future[Any]:
        return self._reading or asyncio.ensure_future(self._call.read())
