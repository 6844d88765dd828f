"""Session: a `FaceStream` as an asyncio task. Audio in on one side, pictures and markers out on the other.

    push ──► FaceStream ──► [animate] ──► [emit] ──► async for
                            pace          pace
                            executor: infer, draw

Three verbs stop it, and never mean the same: `end` (finish what is queued), `interrupt` (forget it now), `close`.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TypeVar

from numpy.typing import ArrayLike

from vivant.arguments import instance
from vivant.clock import Clock, MonotonicClock
from vivant.errors import ClosedError
from vivant.face import Face
from vivant.motion.model import SpeechMotion
from vivant.samples import mono_samples
from vivant.session.channel import Channel, Full
from vivant.session.config import SessionConfig as SessionConfig
from vivant.session.config import SessionStats
from vivant.session.pace import CatchUp, Immediate, LateLog, Live, Pace
from vivant.session.presenter import Presenter
from vivant.session.stream import BLOCK_MS, FaceStream
from vivant.types import Controls, Item, Output

log = logging.getLogger(__name__)
Result = TypeVar("Result")

AUDIO_MS, VIDEO_MS = 2000.0, 200.0
"""From how much queued sound on `push` waits, and how many pictures wait to be taken at most; chosen."""


class Session:
    """Use as ``async with``; push from one task, iterate from another. All on one event loop.

    ``executor`` runs inference and rendering (default: the loop's own); both release the GIL. ``is_late`` takes the place of
    the session's own rule for which pictures come too late to be drawn.
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
        self.stream = FaceStream(
            face,
            fps=config.fps,
            size_px=config.size_px,
            sample_rate_hz=config.sample_rate_hz,
            seed=config.seed,
            controls=controls,
            motion=motion,
            presenter=presenter,
            pictures=config.pictures,
            audio=config.audio,
        )
        self.stats = SessionStats()
        self._fed = asyncio.Event()
        self._room = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._pace: Pace = Immediate(self._fed)
        if config.paced:
            self._pace = Live(clock or MonotonicClock(), config.fps, self.stream.look_ahead_us, eager=config.eager)
        self._judge_late = is_late or CatchUp(self._pace.is_late).leaves_out
        self.stream.is_late = self._is_late
        self._executor = executor
        self._frame_ms = 1000.0 * config.fps.denominator / config.fps.numerator
        self._made: Channel[Item] = Channel(VIDEO_MS, Full.LATEST if config.paced else Full.BLOCK)
        self._out: Channel[Item] = Channel(self._frame_ms, Full.BLOCK)
        self._late_log = LateLog()
        self._last_pts_us = 0
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @property
    def delay_ms(self) -> int:
        """A live frame comes this long after the sound it belongs to was due."""
        return self._pace.delay_ms

    def due_us(self, pts_us: int) -> int:
        """When a live frame should be given out, on the session's clock."""
        return self._pace.due_us(pts_us)

    def draw_only_while(self, has_room: Callable[[], bool]) -> None:
        """Leave pictures out while ``has_room`` says that whoever takes them is behind."""
        is_late = self.stream.is_late
        self.stream.is_late = lambda pts_us: not has_room() or is_late(pts_us)

    def hold(self, held: bool) -> None:
        """Make nothing, from the next picture on, while ``held``: nobody takes it."""
        if held:
            self._wanted.clear()
        else:
            self._wanted.set()

    @property
    def controls(self) -> Controls:
        """Those in effect."""
        return self.stream.controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        """Deprecated, to go in 0.3: `set_controls`."""
        warnings.warn("await session.set_controls(...) instead (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        self.stream.set_controls(controls)

    async def push(self, samples: ArrayLike) -> None:
        """Add mono audio (n,), floats in [-1, 1] or int16, at the session's rate; waits while two seconds are queued."""
        epoch, step = self.stream.epoch, self.config.sample_rate_hz * BLOCK_MS // 1000
        own = mono_samples(samples)
        for first in range(0, len(own), step):
            while self.stream.queued_ms >= AUDIO_MS and epoch == self.stream.epoch and not self._out.closed:
                self._room.clear()
                await self._room.wait()
            if epoch != self.stream.epoch:
                return  # interrupted meanwhile: the rest is not wanted either
            self.push_nowait(own[first : first + step])

    def push_nowait(self, samples: ArrayLike) -> None:
        """The same without waiting, however much is queued: for callers that bound their queue themselves."""
        self._require_open()
        self.stream.push(samples, self._pace.now_us)
        self._fed.set()

    async def begin(self, utterance_id: str) -> None:
        """Name the utterance that the next audio begins; the one before it is complete."""
        self._require_open()
        self.stream.begin(utterance_id)
        self._fed.set()

    async def end(self) -> None:
        """The utterance is complete: everything queued is spoken, then an `UtteranceEnd` comes out."""
        self._require_open()
        self.stream.end()
        self._fed.set()

    async def interrupt(self, epoch: int | None = None) -> None:
        """Stop speaking now: what is not yet shown is forgotten, the mouth eases shut, an `Interrupted` comes out.

        A new epoch begins, one later than the last or the named one.
        """
        self._require_open()
        marker = self.stream.interrupt(epoch)
        for channel in (self._made, self._out):
            channel.clear()
        self._room.set()
        self._fed.set()
        log.info("interrupted at %d ms; epoch %d begins", self._last_pts_us // 1000, marker.epoch)
        await self._out.put(replace(marker, position_us=self._last_pts_us), 0)

    async def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion and the like; eased from the next frame on."""
        self.stream.set_controls(controls)

    async def set_face(self, face: Face, portrait: str = "") -> None:
        """Another portrait from the next frame on."""
        self.stream.set_face(face, portrait)

    async def finish(self) -> None:
        """No more audio will come: the iterator ends after what is queued."""
        self._require_open()
        self.stream.finish()
        self._fed.set()

    async def close(self) -> None:
        """Stop everything; what is queued is lost. Closing twice is fine."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for channel in (self._made, self._out):
            channel.close()
            channel.clear()

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Outputs and markers in order, until the session is over. Raises what made a stage fail."""
        async for item in self._out:
            if item.epoch != self.stream.epoch:
                continue  # it waited for its place while an interruption came
            if isinstance(item, Output):
                self._last_pts_us = item.motion.pts_us
                self.stats.frames += 1
            yield item
        if self._failure is not None:
            raise self._failure

    async def run(self) -> None:
        """Both stages, until the audio is finished or the session is closed."""
        log.info("session opened: %s", self.config)
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._animate())
                stages.create_task(self._emit())
        except ExceptionGroup as group:
            self._failure = group.exceptions[0]
            log.warning("session failed: %s", type(self._failure).__name__)
            raise self._failure from None
        finally:
            for channel in (self._made, self._out):
                channel.close()
            self._room.set()
            log.info("session closed: %s", self.stats)

    async def _animate(self) -> None:
        """Sound to pictures, one picture a job, so that faces take turns where much sound comes at once."""
        async for to_us in self._pace.steps(self.stream):
            await self._draw(to_us)
        await self._draw(None)
        self._made.close()

    async def _draw(self, to_us: int | None) -> None:
        while self.stream.has_more(to_us):
            await self._wanted.wait()
            items = await self._compute(partial(self.stream.take, to_us))
            self._room.set()
            for item in items:
                await self._put(self._made, item)
            self.stats.dropped = self._made.stats.dropped

    async def _emit(self) -> None:
        async for item in self._made:
            if isinstance(item, Output):
                await self._pace.until_due(item.motion.pts_us)
            await self._put(self._out, item)

    async def _put(self, channel: Channel[Item], item: Item) -> None:
        await channel.put(item, self._frame_ms if isinstance(item, Output) else 0)

    def _is_late(self, pts_us: int) -> bool:
        late = self._judge_late(pts_us)
        self.stats.late += late
        self._late_log.count(late, pts_us)
        return late

    def _require_open(self) -> None:
        if self._out.closed:
            raise ClosedError("this session was closed; open a new one")

    async def _compute(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise ClosedError("a session runs once; open a new one")
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        # A failed stage closes the channels; whoever pushed then knows only that.
        if self._failure is not None and (kind is None or issubclass(kind, ClosedError)):
            raise self._failure
