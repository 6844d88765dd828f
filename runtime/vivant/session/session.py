"""Session: a `FaceStream` as an asyncio task. Audio in on one side, pictures and markers out on the other.

push ──► Intake ──► FaceStream (OutputLoop, on an executor) ──► PlayoutBuffer (until due) ──► async for
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
from vivant.session.intake import Intake
from vivant.session.old_names import OldNames
from vivant.session.output_loop import OutputLoop
from vivant.session.pace import pace_of
from vivant.session.playout import PlayoutBuffer
from vivant.session.presenter import Presenter
from vivant.types import Act, Controls, Item

log = logging.getLogger(__name__)


class Session(OldNames):
    """Use as ``async with``; push from one task, iterate from another. All on one event loop.

    Three verbs stop it, and never mean the same: `end` (finish what is queued), `interrupt` (forget it now), `close`.
    ``executor`` runs inference and rendering (default: a thread for each core, shared by all sessions). ``is_late`` says which
    pictures are left out where a newer one can be had (default: those that come late).
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
        self._intake = Intake(self.stream)
        self.pace = pace_of(config, self.stream, clock, self._intake.fed)
        self.stream.is_late = is_late or self.pace.is_late
        self.playout = PlayoutBuffer(self.pace, config.fps)
        self.stats = self.playout.stats
        self.outputs = OutputLoop(self.stream, self.pace, self._intake, self.playout, executor)
        self._task: asyncio.Task[None] | None = None

    @property
    def delay_ms(self) -> int:
        """A live frame comes this long after the sound it belongs to was due."""
        return self.pace.delay_ms

    async def push(self, samples: ArrayLike) -> None:
        """Add mono audio (n,), floats in [-1, 1] or int16, at the session's rate; waits while two seconds are queued."""
        await self._intake.push(samples, self.pace)

    def push_nowait(self, samples: ArrayLike) -> None:
        """The same without waiting, however much is queued: for callers that bound their queue themselves."""
        self._intake.tell(self.stream.push, samples, self.pace.now_us)

    async def begin(self, utterance_id: str, text: str = "", language: str = "") -> None:
        """Name the utterance that the next audio begins, and say its text as by `say_text`; the one before it is complete."""
        self._intake.tell(self.stream.begin, utterance_id, text, language)

    async def say_text(self, text: str, language: str = "") -> None:
        """The text of the utterance, or more of it, where it is known: it sharpens the lips of the sound pushed after it.

        It may come in pieces, cut anywhere. ``language`` is a tag such as ``de``, guessed if empty. A wrong text does little
        harm.
        """
        self._intake.tell(self.stream.say_text, text, language)

    async def end(self) -> None:
        """The utterance is complete: everything queued is spoken, then an `UtteranceEnd` comes out."""
        self._intake.tell(self.stream.end)

    async def interrupt(self, epoch: int | None = None) -> None:
        """Stop speaking now: what is not yet shown is forgotten, the mouth eases shut, an `Interrupted` comes out.

        A new epoch begins, one later than the last or the named one.
        """
        await self.playout.interrupt(self._intake.tell(self.stream.interrupt, epoch))

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
        self.playout.abandon()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> AsyncIterator[Item]:
        """Outputs and markers in order, until the session is over. Raises what made it fail."""
        return aiter(self.playout)

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise ClosedError("a session runs once; open a new one")
        log.info("session opened: %s", self.config)
        self._task = asyncio.create_task(self.outputs.run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.close()
        # A failure closes the session; whoever pushed then knows only that.
        if self.playout.failure is not None and (kind is None or issubclass(kind, ClosedError)):
            raise self.playout.failure
