"""Outflow: what is on its way to one client: how many frames may be, and how long it may read nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

import grpc

from vivant.clock import Clock
from vivant.server.status import StatusError
from vivant.wire.responses import Response

Context: TypeAlias = grpc.aio.ServicerContext

FIRST_FRAMES = 4
"""On their way before anything is known of the network; chosen."""
LONGEST_WAIT_US = 200_000
"""That a frame may wait behind others on its way, or half the network's own time, for that varies; chosen. A client confirms at
least every tenth of a second."""
PATIENCE = 3
"""Frames in time, before one more is tried where that was once too many; chosen."""
LOOK_US = 500_000
"""Between two looks at whether the client reads."""
LATE_LOOK_US, STOOD_STILL_US = 100_000, 1_000_000
"""A look so much too late does not count, for this process had no core and read nothing itself meanwhile; after one so much too
late, when it was stopped, the time begins anew. Chosen, the second above what a busy loop makes it wait."""
HOLD_US = 3_000_000
"""Without reading: from then on nothing is made for it. Chosen above what one picture of 1 MiB takes at 3 Mbit/s."""


class SendWindow:
    """Congestion window, in frames, steered by delay like TCP Vegas (Brakmo and Peterson, 1995).

    A frame that is confirmed later than the network alone would take has waited behind others: then one fewer is sent at a
    time. Frames alone on their way say how long the network takes.
    """

    def __init__(self) -> None:
        self.size = FIRST_FRAMES
        self._sent: deque[tuple[int, int, int]] = deque()
        """Number, time, and how many were on their way before it, of each that is not confirmed."""
        self._network_us: int | None = None
        self._in_time, self._patience = 0, 1
        self._judged_to = 0
        """Frames up to this number say nothing new: they were on their way when the window was made smaller."""

    @property
    def is_full(self) -> bool:
        return len(self._sent) >= self.size

    @property
    def oldest_us(self) -> int | None:
        """When the frame was sent that has been on its way for longest."""
        return self._sent[0][1] if self._sent else None

    def sent(self, number: int, now_us: int) -> None:
        self._sent.append((number, now_us, len(self._sent)))

    def confirmed(self, number: int, now_us: int) -> bool:
        """All up to ``number`` have come. False where nothing new is said."""
        come = []
        while self._sent and self._sent[0][0] <= number:
            come.append(self._sent.popleft())
        if come:
            last, sent_us, n_before = come[-1]
            newest = self._sent[-1][0] if self._sent else last
            self._judge(now_us - sent_us, n_before, len(come), is_news=last > self._judged_to, newest=newest)
        return bool(come)

    def _judge(self, took_us: int, n_before: int, n_come: int, *, is_news: bool, newest: int) -> None:
        self._network_us = min(took_us, self._network_us or took_us) if n_before else took_us
        if took_us > self._network_us + max(LONGEST_WAIT_US, self._network_us // 2):
            if is_news:
                self.size, self._in_time, self._patience, self._judged_to = max(1, self.size // 2), 0, PATIENCE, newest
        elif n_before + 1 >= self.size:  # it is the window that holds them up
            more, self._in_time = divmod(self._in_time + n_come, self._patience)
            self.size += more


class Outflow:
    """Outflow: the writing side of one call. One task writes. On the event loop.

    That a client reads is seen by what it confirms, and by writes that end: gRPC takes a message only when the ones before it
    have left its buffers. What the system's own buffers hold counts as read.
    """

    def __init__(self, context: Context, clock: Clock, unread_s: float) -> None:
        self._context, self._clock, self._unread_s = context, clock, unread_s
        self._is_writing = False
        self._has_taken = False
        """Since the last look."""
        self._unread_us = 0
        """For so long the client has taken nothing of what was there for it, in looks that were in time."""
        self._window: SendWindow | None = None

    async def write(self, response: Response) -> None:
        """Waits while the client takes nothing."""
        self._is_writing = True
        await self._context.write(response)
        self._is_writing = False
        if not self._waits_for_confirmation:
            self._has_taken = True

    def expect_confirmations(self, *, expected: bool) -> None:
        """Whether the client says what has come. Once it has closed its side it can say nothing any more."""
        self._window = SendWindow() if expected else None

    @property
    def has_room(self) -> bool:
        """Whether a frame sent now would come soon, as far as that is known."""
        return self._window is None or not self._window.is_full

    def sent(self, number: int) -> None:
        """A frame with that number, counted from 1, was written."""
        if self._window is not None:
            self._window.sent(number, self._clock.now_us())

    def confirmed(self, number: int) -> None:
        """The client has all frames up to ``number``."""
        if self._window is not None and self._window.confirmed(number, self._clock.now_us()):
            self._has_taken = True

    @property
    def _waits_for_confirmation(self) -> bool:
        return self._window is not None and self._window.oldest_us is not None

    async def watch(self, wanted: asyncio.Event) -> None:
        """Until cancelled: clears ``wanted`` while nothing need be made. Raises StatusError for a client that reads nothing."""
        while True:
            look_us = self._clock.now_us() + LOOK_US
            await self._clock.sleep_until(look_us)
            self._look(self._clock.now_us() - look_us)
            (wanted.clear if self._unread_us > HOLD_US else wanted.set)()
            if self._unread_us > 1e6 * self._unread_s:
                sentence = f"the client has read nothing for {self._unread_s:g} seconds; read what comes, also while you send"
                raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence)

    def _look(self, late_us: int) -> None:
        is_waiting = self._is_writing or self._waits_for_confirmation
        if self._has_taken or not is_waiting or late_us > STOOD_STILL_US:
            self._unread_us = 0
        elif late_us <= LATE_LOOK_US:
            self._unread_us += LOOK_US
        self._has_taken = False
