"""Reconnecting devices: microphones, cameras and outputs come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, Protocol, TypeVar

from vivant import Clock, VivantError
from vivant_bridge.errors import DeviceLostError

log = logging.getLogger(__name__)
RETRY_US = (500_000, 1_000_000, 2_000_000, 5_000_000)
"""Waits before the next attempts; chosen: at once for a plug that was moved, rarely for one that stays out."""
SETTLED_S = 2.0
"""A device that is lost sooner than this after it was opened again was never really back."""


class Device(Protocol):
    """What can be opened again and again."""

    name: str

    def open(self) -> None: ...

    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=Device)


def retry_us(tries: int) -> int:
    """How long to wait after so many attempts in vain."""
    return RETRY_US[min(tries, len(RETRY_US) - 1)]


def _kind(device: Device) -> str:
    """For logs, which say no names: a device may be called after its owner, and a recording is a file."""
    return type(device).__name__


class ReconnectingDevice(Generic[Opened]):
    """Reconnecting device: opened, and again whenever it was lost. On one event loop; opening, which may be slow, off it."""

    def __init__(
        self,
        device: Opened,
        clock: Clock,
        report: Callable[[str], None],
        executor: Executor | None = None,
        *,
        meanwhile: str = "trying again",
    ) -> None:
        """``meanwhile`` says what goes on without the device."""
        self.device: Opened | None = None
        """While it is open."""
        self.wanted = device
        self._clock, self._report, self._executor, self._meanwhile = clock, report, executor, meanwhile
        self._lost: DeviceLostError | None = None
        self._changed = asyncio.Event()

    def lose(self, error: DeviceLostError) -> None:
        """The device has failed in use."""
        log.info("%s lost in use", _kind(self.wanted))
        self._lost, self.device = error, None
        self._changed.set()

    async def run(self) -> None:
        """For ever. Raises what only the user can mend, if the first attempt fails."""
        tries, known = 0, False
        while True:
            try:
                await self._run_off_loop(self.wanted.open)
                settled = await self._use(again=tries > 0)
                tries, known = 1 if settled else tries + 1, True
            except VivantError as error:
                if not isinstance(error, DeviceLostError) and not known:
                    raise
                log.info("%s cannot be opened: %s, attempt %d", _kind(self.wanted), type(error).__name__, tries + 1)
                if not tries:
                    self._report(f"{error}; {self._meanwhile}")
                tries += 1
            finally:
                self.device = None
                self.wanted.close()
            await self._clock.sleep_until(self._clock.now_us() + retry_us(tries - 1))

    async def _use(self, *, again: bool) -> bool:
        """Until the device is lost; False if it was never really there."""
        self._changed.clear()
        self.device = self.wanted
        log.info("%s opened%s", _kind(self.wanted), " again" if again else "")
        if again:
            try:
                async with asyncio.timeout(SETTLED_S):
                    await self._changed.wait()
                return False
            except TimeoutError:
                self._report(f"{self.wanted.name} is back")
        await self._changed.wait()
        self._report(f"{self._lost}; {self._meanwhile}")
        return True

    async def _run_off_loop(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, work)
