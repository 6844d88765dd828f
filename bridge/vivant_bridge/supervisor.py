"""Supervisor: a face is fed from the timeline, its pictures go to the pacer, and when it is gone another takes its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from fractions import Fraction
from functools import partial
from typing import Any

from vivant import Clock, Controls, InputError, Output, VivantError
from vivant.pixels import decoded
from vivant.types import CAMERA_EYE_CONTACT, Act, UInt8Array, frame_pts_us
from vivant_bridge.devices import retry_us
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.compositor import Compositor
from vivant_bridge.picture.pacer import Pacer
from vivant_bridge.picture.slate import with_word
from vivant_bridge.receiver import MotionSender
from vivant_bridge.runtime.runtime import FaceSession, Runtime, StreamConfig
from vivant_bridge.sound.timeline import AudioTimeline

log = logging.getLogger(__name__)
BEHIND_S = 1.5
"""A face that has not taken so much of the voice is given up: the machine slept, or the way to the server is blocked."""
LAG_US = 1_000_000
"""And one whose pictures come so long after their time."""
STALL_S = 3.0
"""Or from which none comes for so long."""
SETTLED_US = 5_000_000
"""A face that fails sooner was never really there: no second sentence about it, and a longer wait before the next."""


class FaceSupervisor:
    """Supervisor of face sessions: feeds one, watches it, opens the next when it fails. On one event loop."""

    def __init__(
        self,
        runtime: Runtime,
        timeline: AudioTimeline,
        pacer: Pacer,
        compositor: Compositor,
        fps: Fraction,
        seed: int | None,
        *,
        senders: Sequence[MotionSender] = (),
        clock: Clock,
        executor: Executor | None,
        report: Callable[[str], None],
    ) -> None:
        self.controls = Controls(eye_contact=CAMERA_EYE_CONTACT)
        self.portrait = 0
        self.lives = 0
        """How many faces were opened."""
        self.opened = asyncio.Event()
        """Set when the first is."""
        self._runtime, self._timeline, self._pacer, self._compositor = runtime, timeline, pacer, compositor
        self._fps, self._seed, self._senders = fps, seed, senders
        self._clock, self._executor, self._report = clock, executor, report
        self._grown = asyncio.Event()
        self._face: FaceSession | None = None
        self._standby_of: str | None = None

    def heard(self) -> None:
        """The timeline has grown."""
        self._grown.set()

    async def set_controls(self, controls: Controls) -> None:
        self.controls = controls
        if self._face is not None:
            await self._tell(self._face.set_controls(controls))

    async def act(self, act: Act) -> None:
        if self._face is not None:
            await self._tell(self._face.act(act))

    async def say_text(self, text: str, language: str) -> None:
        """What the voice is going to say: it sharpens the lips."""
        if self._face is not None:
            await self._tell(self._face.say_text(text, language))

    async def set_portrait(self, portrait: int) -> None:
        self.portrait = portrait
        if self._face is not None:
            await self._tell(self._runtime.set_portrait(self._face, portrait))

    async def _tell(self, wish: Coroutine[Any, Any, None]) -> None:
        try:
            await wish
        except InputError as error:
            self._report(str(error))
        except VivantError:
            pass  # this face is gone, which `run` hears too; the next one begins with the wish

    async def run(self) -> None:
        """For ever. Raises InputError when the first face cannot be opened for what it was given."""
        tries = 0
        while True:
            born_us = self._clock.now_us()
            try:
                await self._live(announce=tries > 0)
            except* VivantError as errors:
                error = _first(errors)
                log.info("the face is gone: %s", type(error).__name__)
                if isinstance(error, InputError) and not self.lives:
                    raise error from None
                if self._clock.now_us() - born_us > SETTLED_US:
                    tries = 0
                if not tries:
                    self._report(f"{error}; trying again")
            finally:
                self._face = None
            await self._clock.sleep_until(self._clock.now_us() + retry_us(tries))
            tries += 1

    async def _live(self, *, announce: bool) -> None:
        base_us = self._next_frame_us()

        def is_late(pts_us: int) -> bool:
            return self._pacer.is_late(base_us + pts_us)

        config = StreamConfig(self._fps, self._compositor.square_px, self._timeline.rate_hz, self._seed, is_late)
        async with self._runtime.open(config, self.portrait, self.controls) as face, asyncio.TaskGroup() as tasks:
            self._face = face
            self.lives += 1
            self.opened.set()
            log.info("face %d opened, seed %s, %d px", self.lives, self._seed, config.size_px)
            if announce:
                self._report(f"the face {self._runtime.name} is back")
            tasks.create_task(self._feed(face, self._timeline.position(base_us)))
            tasks.create_task(self._watch(face, base_us))

    def _next_frame_us(self) -> int:
        """The first frame time that has not been heard yet: pictures then fall on the pacer's own times."""
        index = -(-self._timeline.written_us * self._fps.numerator // (1_000_000 * self._fps.denominator))
        return frame_pts_us(index, self._fps)

    async def _feed(self, face: FaceSession, position: int) -> None:
        while True:
            self._grown.clear()
            while (waiting := self._timeline.written - position) > 0:
                if waiting > BEHIND_S * self._timeline.rate_hz:
                    raise DeviceLostError(f"the face {self._runtime.name} could not keep up with the voice")
                await face.push(self._timeline.read(position, waiting))
                position += waiting
            await self._grown.wait()

    async def _watch(self, face: FaceSession, base_us: int) -> None:
        outputs = aiter(face)
        while True:
            try:
                async with asyncio.timeout(STALL_S):
                    output = await self._next(outputs, base_us)
            except TimeoutError:
                raise DeviceLostError(f"no picture came from the face {self._runtime.name} for {STALL_S:.0f} s") from None
            except StopAsyncIteration:
                raise DeviceLostError(f"the face {self._runtime.name} has stopped") from None
            if self._pacer.lag_us(base_us + output.pts_us) > LAG_US:
                raise DeviceLostError(f"the face {self._runtime.name} could not keep up with the voice")
            if output.picture is None:
                continue
            frame = await self._off_loop(partial(self._compose, output))
            self._pacer.show(base_us + output.pts_us, frame)
            await self._dress(output, frame)

    async def _next(self, outputs: AsyncIterator[Any], base_us: int) -> Output:
        """The next output that has a picture, where there are any; motion without one is for the receivers alone."""
        while True:
            item = await anext(outputs)
            if not isinstance(item, Output):
                continue
            for sender in self._senders:
                sender.take(base_us + item.pts_us, item)
            if item.picture is not None or not self._runtime.draws:
                return item

    def _compose(self, output: Output) -> UInt8Array:
        assert output.picture is not None
        return self._compositor.compose(decoded(output.picture), output.portrait, output.pts_us)

    async def _dress(self, output: Output, frame: UInt8Array) -> None:
        """The standby picture shows whom the last pictures showed."""
        if self._standby_of != output.portrait:
            self._standby_of = output.portrait
            compositor = self._compositor
            card = partial(with_word, frame, compositor.width, compositor.height, "paused", compositor.pixel_format)
            self._pacer.standby = await self._off_loop(card)

    async def _off_loop(self, work: Callable[[], UInt8Array]) -> UInt8Array:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _first(errors: BaseExceptionGroup[VivantError]) -> VivantError:
    """One of those that made a group fail."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
