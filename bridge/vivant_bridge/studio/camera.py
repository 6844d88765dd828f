"""Camera of the studio: a virtual camera that shows what a page's face shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction

from vivant import Clock, VivantError
from vivant.web.frames import PICTURE
from vivant_bridge.bridge import on_a_thread
from vivant_bridge.delay import AdaptiveDelay, PresentationClock
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.pacer import Pacer
from vivant_bridge.picture.sink import FrameSink
from vivant_bridge.picture.slate import blank, with_word
from vivant_bridge.studio.recording import picture_of
from vivant_bridge.studio.show import Piece, Show

SIZE = (1280, 720)
FPS = Fraction(30)
DELAY_US = 40_000
"""From a picture's arrival here until it is shown, so that those that come unevenly leave evenly; chosen."""


class StudioCamera:
    """A camera from `start` until `stop`. On the event loop."""

    def __init__(self, sink: FrameSink, clock: Clock, report: Callable[[str], None]) -> None:
        presentation = PresentationClock(clock, clock.now_us(), AdaptiveDelay(DELAY_US))
        self._presentation, self._clock = presentation, clock
        self._compositor = Compositor(*SIZE, Fill("blur"), pixel_format=sink.pixel_format)
        card = with_word(blank(*SIZE, sink.pixel_format), *SIZE, "paused", sink.pixel_format)
        self._pacer = Pacer(sink, SIZE, FPS, presentation=presentation, standby=card, report=report)
        self._show: Show | None = None
        self._composing: asyncio.Task[None] | None = None
        self._pacing: asyncio.Task[None] | None = None

    @property
    def fps(self) -> float:
        return self._pacer.stats.fps

    async def start(self, show: Show) -> None:
        """Raises what only the user can mend: no driver, no permission."""
        self._pacing = asyncio.ensure_future(on_a_thread(self._pacer.run))
        while not self._pacer.opened and not self._pacing.done():
            await asyncio.wait([self._pacing], timeout=0.02)
        if self._pacing.done():
            error = self._pacing.exception()
            raise error if error is not None else VivantError("the camera ended at once")
        self.follow(show)

    def follow(self, show: Show) -> None:
        """Another face of the page."""
        self._forget()
        self._show = show
        show.watchers.add(self._take)
        show.on_end.add(self._forget)

    async def stop(self) -> None:
        self._forget()
        self._pacer.stop()
        if self._pacing is not None:
            await asyncio.gather(self._pacing, return_exceptions=True)

    def _forget(self) -> None:
        show, self._show = self._show, None
        if show is not None:
            show.watchers.discard(self._take)
            show.on_end.discard(self._forget)

    def _take(self, piece: Piece, _: bytes) -> None:
        """The newest picture; one that comes while another is placed is left out."""
        if piece.kind == PICTURE and (self._composing is None or self._composing.done()):
            time_us = self._clock.now_us() - self._presentation.start_us
            self._composing = asyncio.ensure_future(asyncio.to_thread(self._place, piece, time_us))

    def _place(self, piece: Piece, time_us: int) -> None:
        portrait = self._show.portrait if self._show is not None else ""
        self._pacer.show(time_us, self._compositor.compose(picture_of(piece), portrait, piece.pts_us))
