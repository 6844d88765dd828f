"""Motion receivers: other avatars and programs, which get each output when its picture is shown."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from vivant import Output, VivantError, arkit_weights
from vivant_bridge.delay import PresentationClock
from vivant_bridge.devices import retry_us
from vivant_bridge.errors import DeviceLostError

LOOK_US = 5_000
"""How soon an output that comes at the last moment is seen, and `stop`."""
REPEAT_US = 500_000
"""Where no motion comes, the last is sent again: VTube Studio forgets after a second what is not."""


class MotionReceiver(Protocol):
    """Opened and closed any number of times; used by one thread, its own, which it may hold up."""

    name: str
    """For people."""

    def open(self) -> None:
        """Begin. Raises DeviceLostError when trying again may help, another VivantError when it will not."""
        ...

    def send(self, output: Output) -> None:
        """The motion that is shown now, with its utterance and epoch; its picture is None where none was drawn."""
        ...

    def close(self) -> None:
        """End. Closing twice is fine."""
        ...


class MotionSender:
    """Feeds one receiver. `run` belongs on an event loop and thread of its own; everything else may be called by any thread.

    A receiver is often another package's: whatever it raises is said in a sentence and never stops the face.
    """

    def __init__(self, receiver: MotionReceiver, presentation: PresentationClock, report: Callable[[str], None]) -> None:
        self.paused = False
        """True keeps motion from the receiver, as the picture is kept from the camera; the face comes to rest first."""
        self._receiver, self._report = receiver, report
        self._presentation, self._clock = presentation, presentation.clock
        self._waiting: deque[tuple[int, Output]] = deque(maxlen=64)
        self._lock = threading.Lock()
        self._stopped = False
        self._tries = 0
        self._last: Output | None = None
        """What the receiver shows; None before the first, and at rest."""
        self._sent_us = 0

    def take(self, time_us: int, output: Output) -> None:
        """An output of a time on the timeline; sent one `AdaptiveDelay` after it. Times ascend."""
        with self._lock:
            self._waiting.append((time_us, output))

    def stop(self) -> None:
        self._stopped = True

    async def run(self) -> None:
        """Until `stop`, or until the receiver says that it will never open."""
        while not self._stopped and await self._serve():
            await self._rest(self._clock.now_us() + retry_us(self._tries))
            self._tries += 1

    async def _serve(self) -> bool:
        """Until the receiver fails; whether trying again may help."""
        try:
            self._receiver.open()
            await self._send_all()
        except Exception as error:  # of code that is not ours
            is_hopeless = isinstance(error, VivantError) and not isinstance(error, DeviceLostError)
            if is_hopeless or not self._tries:
                end = "it gets no motion" if is_hopeless else "trying again"
                self._report(f"{_sentence(error, self._receiver.name)}; {end}")
            return not is_hopeless
        finally:
            with suppress(Exception):
                self._receiver.close()
        return True

    async def _send_all(self) -> None:
        while not self._stopped:
            for output in self._wanted():
                self._receiver.send(output)
                if self._tries:
                    self._tries = 0
                    self._report(f"{self._receiver.name} gets the motion again")
            await self._rest(min(self._clock.now_us() + LOOK_US, self._next_us()))

    def _wanted(self) -> list[Output]:
        """What the receiver should get now."""
        due, last, now_us = self._due(), self._last, self._clock.now_us()
        if self.paused:
            self._last = None
            return [_at_rest(last)] if last is not None else []
        if not due and last is not None and now_us - self._sent_us >= REPEAT_US:
            due = [last]
        if due:
            self._last, self._sent_us = due[-1], now_us
        return due

    def _due(self) -> list[Output]:
        """All whose time has come."""
        due = []
        while self._next_us() <= self._clock.now_us():
            with self._lock:
                due.append(self._waiting.popleft()[1])
        return due

    def _next_us(self) -> float:
        """When the first one that waits is due, on the clock; never if none does."""
        with self._lock:
            if not self._waiting:
                return float("inf")
            return self._presentation.due_us(self._waiting[0][0])

    async def _rest(self, until_us: float) -> None:
        while not self._stopped and (now_us := self._clock.now_us()) < until_us:
            await self._clock.sleep_until(round(min(until_us, now_us + LOOK_US)))


def _at_rest(output: Output) -> Output:
    """The same head with a face that does nothing."""
    return replace(output, motion=replace(output.motion, weights=arkit_weights(), tongue=(0.0, 0.0)), picture=None)


def _sentence(error: Exception, name: str) -> str:
    return str(error) if isinstance(error, VivantError) else f"{name} took no motion: {str(error) or type(error).__name__}"
