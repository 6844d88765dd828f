"""Session: a `FaceStream` as an asyncio task. Audio in on one side, pictures and markers out on the other.

push ──► Intake ──► FaceStream (on an executor) ──► PlayoutBuffer (until due) ──► async for
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor

from numpy.typing import ArrayLike

from vivant.arguments import instance
from vivant.clock import Clock
from vivant.errors import ClosedError
from vivant.face import Face
from vivant.motion.model import SpeechMotion
from vivant.session.config import SessionConfig as SessionConfig
from vivant.session.config import SessionStats
from vivant.session.intake import Intake
from vivant.session.old_names import OldNames
from vivant.session.pace import pace_of
from vivant.session.playout import PlayoutBuffer
from vivant.session.presenter import Presenter
from vivant.types import Act, Controls, Item

log = logging.getLogger(__name__)


class Session(OldNames):
    """Use as ``async with``; push from one task, iterate from another. All on one event loop.

    Three verbs stop it, and never mean the same: `end` (finish what is queued), `interrupt` (forget it now), `close`.
    ``executor`` runs inference and rendering (default: the loop's own). ``is_late`` says which pictures are left out where a
    newer one can be had (default: those that come late).
    """

    def __init__(
        self,
        face: Face,
        config: SessionConfig | None = None,
        *,
        motion: SpeechMotion | None = None,
        controls: Controls | None = None,
        presenter: Presenter | None = None,
        clock: Clock | None = None,
        executor: Executor | None = None,
        is_late: Callable[[int], bool] | None = None,
    ) -> None:
        self.config = config = instance("config", SessionConfig, SessionConfig() if config is None else config)
        self.stream = config.open(face, controls, motion, presenter)
        self.stats = SessionStats()
        self._intake = Intake(self.stream)
        self._pace = pace_of(config, self.stream, clock, self._intake.fed)
        self.stream.is_late = is_late or self._pace.is_late
        self._out = PlayoutBuffer(self._pace, config.fps, self.stats)
        self._executor = executor
        self.wanted = asyncio.Event()
        """Cleared, nothing is made: nobody takes it."""
        self.wanted.set()
        self.has_room: Callable[[], bool] = lambda: True
        """Whether a picture made now would soon be taken; asked before each."""
        self._task: asyncio.Task[None] | None = None

    @property
    def delay_ms(self) -> int:
        """A live frame comes this long after the sound it belongs to was due."""
        return self._pace.delay_ms

    def due_us(self, pts_us: int) -> int:
        """When a live frame should be given out, on the session's clock."""
        return self._pace.due_us(pts_us)

    async def push(self, samples: ArrayLike) -> None:
        """Add mono audio (n,), floats in [-1, 1] or int16, at the session's rate; waits while two seconds are queued."""
        await self._intake.push(samples, self._pace)

    def push_nowait(self, samples: ArrayLike) -> None:
        """The same without waiting, however much is queued: for callers that bound their queue themselves."""
        self._intake.tell(self.stream.push, samples, self._pace.now_us)

    async def begin(self, utterance_id: str) -> None:
        """Name the utterance that the next audio begins; the one before it is complete."""
        self._intake.tell(self.stream.begin, utterance_id)

    async def end(self) -> None:
        """The utterance is complete: everything queued is spoken, then an `UtteranceEnd` comes out."""
        self._intake.tell(self.stream.end)

    async def interrupt(self, epoch: int | None = None) -> None:
        """Stop speaking now: what is not yet shown is forgotten, the mouth eases shut, an `Interrupted` comes out.

        A new epoch begins, one later than the last or the named one.
        """
        await self._out.interrupt(self._intake.tell(self.stream.interrupt, epoch))

    async def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion and the like; eased from the next frame on."""
        self.stream.set_controls(controls)

    async def act(self, act: Act | str) -> None:
        """A nod, a laugh and so on, once, blended with speech."""
        self.stream.act(act)

    async def set_face(self, face: Face, portrait: str = "") -> None:
        """Another portrait from the next frame on."""
        self.stream.set_face(face, portrait)

    async def finish(self) -> None:
        """No more audio will come: the iterator ends after what is queued."""
        self._intake.tell(self.stream.finish)

    async def close(self) -> None:
        """Stop everything; what is queued is lost. Closing twice is fine."""
        self._intake.close()
        self._out.abandon()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> AsyncIterator[Item]:
        """Outputs and markers in order, until the session is over. Raises what made it fail."""
        return aiter(self._out)

    async def _run(self) -> None:
        """Until the audio is finished or the session is closed."""
        log.info("session opened: %s", self.config)
        try:
            async for _ in self._pace.jobs(self.stream):
                await self._make()
        except Exception as error:
            self._out.failure = error
            log.warning("session failed: %s", type(error).__name__)
        finally:
            self._intake.close()
            self._out.close()
            log.info("session closed: %s", self.stats)

    async def _make(self) -> None:
        """One picture a job, so that faces take turns; and none while nobody takes the last ones."""
        await self.wanted.wait()
        self.stream.draws = self.config.pictures and self.has_room() and not self._out.is_overdue
        items = await asyncio.get_running_loop().run_in_executor(self._executor, self._pace.take, self.stream)
        self._intake.heard()
        self.stats.late = self.stream.n_late + self._out.n_late
        await self._out.put(*items)

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise ClosedError("a session runs once; open a new one")
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.close()
        # A failure closes the session; whoever pushed then knows only that.
        if self._out.failure is not None and (kind is None or issubclass(kind, ClosedError)):
            raise self._out.failure
