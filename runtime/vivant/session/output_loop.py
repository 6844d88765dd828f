"""Output loop: what makes a session's outputs, a job at a time. On its event loop; the jobs on an executor."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor

from vivant.cores import session_threads
from vivant.session.intake import Intake
from vivant.session.pace import Pace
from vivant.session.playout import PlayoutBuffer
from vivant.session.stream import FaceStream

log = logging.getLogger(__name__)


class OutputLoop:
    """From a stream to the playout buffer, whenever the pace says that there is something to do."""

    def __init__(
        self,
        stream: FaceStream,
        pace: Pace,
        intake: Intake,
        playout: PlayoutBuffer,
        executor: Executor | None,
    ) -> None:
        self._stream, self._pace, self._intake, self._playout = stream, pace, intake, playout
        self._draws, self._executor = stream.draws, executor or session_threads()
        self._asked_us: int | None = None
        """When the job was handed in that is not done yet."""

    @property
    def waits_us(self) -> int:
        """For so long the executor has had the job that makes the next picture."""
        return 0 if self._asked_us is None else self._pace.now_us - self._asked_us

    async def run(self) -> None:
        """Until the audio is finished or this is cancelled; a failure is raised to whoever takes."""
        try:
            async for _ in self._pace.jobs(self._stream):
                await self._make()
        except Exception as error:
            self._playout.failure = error
            log.warning("session failed: %s", type(error).__name__)
        finally:
            self._intake.close()
            self._playout.close()
            log.info("session closed: %s", self._playout.stats)

    async def _make(self) -> None:
        """One picture a job, so that faces take turns; and none while nobody takes the last ones."""
        await self._playout.wanted.wait()
        self._stream.draws = self._draws and self._playout.has_room
        self._asked_us = self._pace.now_us
        items = await asyncio.get_running_loop().run_in_executor(self._executor, self._pace.take, self._stream)
        self._asked_us = None
        self._intake.heard()
        self._playout.stats.late = self._stream.n_late + self._playout.n_late
        await self._playout.put(*items)
