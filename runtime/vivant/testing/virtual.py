"""Virtual time: an event loop whose clock jumps to the next deadline as soon as nothing else can run, and helpers on it.

Unlike `VirtualClock`, which jumps whenever anybody sleeps, several tasks may sleep here at once and wake up in order. A test
that would hang ends in an error instead.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
P = ParamSpec("P")


class _Selector(selectors.DefaultSelector):
    """Never waits: a wait moves the time instead."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("deadlock: every task waits, and none for the clock")
        if not ready:
            self.now_s += timeout or 0.0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; ``time()`` starts at zero."""

    def __init__(self) -> None:
        self._clockwork = _Selector()
        super().__init__(self._clockwork)

    def time(self) -> float:
        return self._clockwork.now_s

    def stand_still(self, seconds: float) -> None:
        """Time goes on and nothing runs, as when the machine sleeps."""
        self._clockwork.now_s += seconds


class LoopClock:
    """`vivant.Clock` over the running loop's time."""

    def now_us(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e6)

    async def sleep_until(self, deadline_us: int) -> None:
        await asyncio.sleep(max(0, deadline_us - self.now_us()) / 1e6)


class Inline(Executor):
    """Runs work at once, in the caller's thread."""

    def submit(self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def run_virtual(story: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
