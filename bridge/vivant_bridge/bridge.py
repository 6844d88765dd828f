"""The bridge itself: one clock, one timeline, and whoever writes or reads it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from vivant import Clock, InputError, MonotonicClock
from vivant.drive.driver import Driver
from vivant.types import UInt8Array
from vivant_bridge.delay import AdaptiveDelay, PresentationClock
from vivant_bridge.devices import ReconnectingDevice
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.compositor import Compositor
from vivant_bridge.picture.pacer import Pacer
from vivant_bridge.picture.sink import FrameSink
from vivant_bridge.picture.slate import blank, with_word
from vivant_bridge.receiver import MotionReceiver, MotionSender
from vivant_bridge.runtime.runtime import Runtime
from vivant_bridge.sound.jitter_buffer import JitterBuffer
from vivant_bridge.sound.noise_gate import NoiseGate
from vivant_bridge.sound.output import AudioSink
from vivant_bridge.sound.playback import Playback
from vivant_bridge.sound.source import AudioSource, voice_of
from vivant_bridge.sound.spoken import SpokenSource
from vivant_bridge.sound.timeline import AudioTimeline
from vivant_bridge.supervisor import FaceSupervisor

log = logging.getLogger(__name__)
RATE_HZ = 48_000
"""Of the timeline: what sound cards and calls use."""
TICK_US = 10_000
"""Chosen: the block of most sound cards and of calls."""
SLEPT_US = 500_000
"""A tick that is late by more: the machine slept, and what it would have heard is silence."""
WATCH_US = 2_000_000
"""Between two judgements of lateness; chosen."""
START_US = 10_000_000
"""The first face may be behind for so long, on a slow machine; a greater delay would not have helped it."""
LATE_SHARE = 0.05
"""When more pictures than this come late, the delay grows."""
CALM = 30
"""Watches in a row without a late picture, after which it shrinks."""

Story = Coroutine[Any, Any, None]
Spawn = Callable[[Callable[[], Story]], Story]

UNHEARD = "until it is there nobody hears the delayed voice; trying again"


@dataclass(frozen=True, slots=True)
class Figures:
    """How a bridge is doing now. Times in ms."""

    fps: float
    delay_ms: float
    """From a sound's arrival at the microphone until its picture is with the camera's driver, on average."""
    delay_p95_ms: float
    offset_ms: float | None
    """Picture minus sound, positive = picture late; None without an output."""
    repeated: int
    late: int
    gaps: int
    sound_gaps: int
    level_db: float
    lives: int
    driver: str = ""
    """How whoever drives the face does, in words."""


def _starting(compositor: Compositor) -> UInt8Array:
    size, pixel_format = (compositor.width, compositor.height), compositor.pixel_format
    return with_word(blank(*size, pixel_format), *size, "starting", pixel_format)


async def on_a_thread(story: Callable[[], Story]) -> None:
    """Run a coroutine on an event loop and thread of its own."""
    await asyncio.to_thread(lambda: asyncio.run(story()))


class Bridge:
    """`run` it; steer it from the same event loop by its parts. Devices are opened and closed here."""

    def __init__(
        self,
        runtime: Runtime,
        source: AudioSource,
        camera: FrameSink,
        compositor: Compositor,
        speaker: AudioSink | None = None,
        *,
        receivers: Sequence[MotionReceiver] = (),
        driver: Driver | None = None,
        fps: Fraction = Fraction(30),
        seed: int | None = None,
        sync_offset_ms: float = 0.0,
        gate: NoiseGate | None = None,
        clock: Clock | None = None,
        executor: Executor | None = None,
        report: Callable[[str], None] = lambda _: None,
        spawn: Spawn = on_a_thread,
    ) -> None:
        """A positive ``sync_offset_ms`` plays the voice so much later than the picture. ``receivers`` get the motion when its
        picture is shown; ``driver`` is whom the runtime's motion follows. The compositor has the camera's pixel format.

        ``report`` hears one sentence about whatever goes wrong or is well again; ``spawn`` runs the camera's pacing, and
        each receiver's.
        """
        clock = clock or MonotonicClock()
        presentation = PresentationClock(clock, clock.now_us(), AdaptiveDelay(runtime.delay_us))
        self.timeline, self.jitter_buffer = AudioTimeline(RATE_HZ), JitterBuffer(RATE_HZ)
        self.gate = gate or NoiseGate(RATE_HZ)
        self.source = ReconnectingDevice(source, clock, report, executor)
        self.speaker = ReconnectingDevice(speaker, clock, report, executor, meanwhile=UNHEARD) if speaker is not None else None
        self.playback: Playback | None = None
        size = (compositor.width, compositor.height)
        self.pacer = Pacer(camera, size, fps, presentation=presentation, standby=_starting(compositor), report=report)
        self.senders = [MotionSender(receiver, presentation, report) for receiver in receivers]
        self.supervisor = FaceSupervisor(
            runtime,
            self.timeline,
            self.pacer,
            compositor,
            fps,
            seed,
            senders=self.senders,
            clock=clock,
            executor=executor,
            report=report,
        )
        self.driver = driver
        self.presentation, self._clock, self._spawn = presentation, clock, spawn
        self._offset_us = round(1000 * sync_offset_ms)
        self._quit = asyncio.Event()

    def pause(self, on: bool) -> None:
        """Show that the face is away, and be silent."""
        self.pacer.paused = self.gate.paused = on
        for sender in self.senders:
            sender.paused = on

    async def say(self, text: str, language: str) -> None:
        """Speak a text, after what is being said; the first one when a face is there. Raises InputError where another voice
        than a synthetic one is the source, and for a text that it cannot say."""
        if not isinstance(self.source.wanted, SpokenSource):
            raise InputError("the voice comes from elsewhere; start `vivant cam` with --say for one that says texts")
        await self.supervisor.opened.wait()
        self.source.wanted.say(text, language)
        await self.supervisor.say_text(text, language)

    def quit(self) -> None:
        """End `run`."""
        self._quit.set()

    async def run(self) -> None:
        """Until `quit`. Raises what only the user can mend."""
        with self.driver or nullcontext():
            await self._run()

    async def _run(self) -> None:
        stories = [self._spawn(self.pacer.run), self._hear(), self.supervisor.run(), self._judge(), self.source.run()]
        stories += [self.speaker.run()] if self.speaker is not None else []
        tasks = [asyncio.ensure_future(story) for story in stories]
        sending = [asyncio.ensure_future(self._spawn(sender.run)) for sender in self.senders]
        leaving = asyncio.ensure_future(self._quit.wait())
        try:
            await asyncio.wait([*tasks, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.pacer.stop()
            for sender in self.senders:
                sender.stop()
            for work in (*tasks[1:], leaving):
                work.cancel()
            ended = await asyncio.gather(*tasks, *sending, leaving, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _hear(self) -> None:
        """Every 10 ms: what has arrived goes on the timeline, and what is due goes out."""
        block = RATE_HZ * TICK_US // 1_000_000
        while True:
            tick_us = self.presentation.start_us + self.timeline.written_us
            await self._clock.sleep_until(tick_us)
            now_us = self._clock.now_us()
            if now_us - tick_us > SLEPT_US:
                self.timeline.skip_to(self.timeline.position(now_us - self.presentation.start_us) // block * block)
            self._take_in()
            self.timeline.append(self.gate(self.jitter_buffer.block(block)))
            self.supervisor.heard()
            self._play(now_us)

    def _take_in(self) -> None:
        source = self.source.device
        if source is not None:
            try:
                self.jitter_buffer.push(voice_of(source.read(), source.sample_format), source.rate_hz)
            except DeviceLostError as error:
                self.source.lose(error)

    def _play(self, now_us: int) -> None:
        sink = self.speaker.device if self.speaker is not None else None
        if self.speaker is None or sink is None:
            self.playback = None
            return
        try:
            if self.playback is None:
                self.playback = Playback(self.timeline, sink, self.presentation, self._offset_us)
            self.playback.tick(now_us)
        except DeviceLostError as error:
            self.speaker.lose(error)

    async def _judge(self) -> None:
        """When pictures keep coming late, everything is delayed a little more; when none has for long, a little less."""
        stats, calm = self.pacer.stats, 0
        started = False
        while True:
            sent, new, tardy = stats.sent, stats.new, stats.tardy
            await self._clock.sleep_until(self._clock.now_us() + WATCH_US)
            calm = calm + 1 if stats.tardy == tardy else 0
            if stats.tardy > tardy:
                log.info("%d pictures were late, %d were sent in two seconds", stats.tardy - tardy, stats.sent - sent)
            is_late = stats.tardy - tardy > LATE_SHARE * (stats.sent - sent)
            waited_us = self._clock.now_us() - self.presentation.start_us
            started = started or waited_us > START_US or (stats.new > new and not is_late)
            if is_late and started:
                self.presentation.delay.grow(self._clock.now_us())
            elif calm == CALM:
                self.presentation.delay.shrink(self._clock.now_us())
                calm = 0

    def figures(self) -> Figures:
        """For people and benchmarks."""
        stats = self.pacer.stats
        delays_ms = np.array(list(stats.delays_us) or [self.presentation.delay.at(self._clock.now_us())]) / 1000
        before_ms = (self.jitter_buffer.held_us + self.source.wanted.latency_us) / 1000
        offset_ms = None
        if self.playback is not None and self.playback.delay_us is not None:
            offset_ms = float(delays_ms[-60:].mean()) - self.playback.delay_us / 1000
        return Figures(
            fps=stats.fps,
            delay_ms=before_ms + float(delays_ms[-60:].mean()),
            delay_p95_ms=before_ms + float(np.percentile(delays_ms, 95)),
            offset_ms=offset_ms,
            repeated=stats.repeated,
            late=stats.late,
            gaps=stats.gaps,
            sound_gaps=self.jitter_buffer.gaps,
            level_db=self.gate.level_db,
            lives=self.supervisor.lives,
            driver=self.driver.state() if self.driver is not None else "",
        )
