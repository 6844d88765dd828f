"""Frame pacer: frames leave for the camera at their time, for ever: programs drop a camera that stalls."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from vivant.errors import VivantError
from vivant.types import UInt8Array, frame_pts_us
from vivant_bridge.delay import PresentationClock
from vivant_bridge.devices import retry_us
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.sink import FrameSink

log = logging.getLogger(__name__)
STALE_US = 1_000_000
"""Without a new picture for so long, the standby picture takes its place."""
RESYNC_US = 500_000
"""A schedule missed by more is given up and begun anew: the machine slept."""
NAP_US = 100_000
"""How soon `stop` is noticed while there is no camera."""


@dataclass
class PacerStats:
    """For observers; written by the pacer's thread."""

    sent: int = 0
    repeated: int = 0
    """Sent again because the next picture was not there."""
    late: int = 0
    """Pictures that came after their time and were never shown."""
    behind: int = 0
    """Shown, but a frame or more after their time."""
    gaps: int = 0
    """Intervals of more than one and a half frames between two sends."""
    delays_us: deque[int] = field(default_factory=lambda: deque(maxlen=1800))
    """From a time on the timeline until the driver had its picture; of pictures that were new."""
    sent_us: deque[int] = field(default_factory=lambda: deque(maxlen=120))

    skipped: int = 0
    """Not drawn at all, for they would have been late."""

    @property
    def new(self) -> int:
        """Pictures that were shown for the first time."""
        return self.sent - self.repeated

    @property
    def tardy(self) -> int:
        """All that were not there when they were due, though they were made or could have been."""
        return self.late + self.behind + self.skipped

    @property
    def fps(self) -> float:
        """Of the last seconds."""
        times = list(self.sent_us)
        return 1e6 * (len(times) - 1) / max(1, times[-1] - times[0]) if len(times) > 1 else 0.0


class Pacer:
    """`run` belongs on an event loop and thread of its own; everything else may be called by any thread."""

    def __init__(
        self,
        sink: FrameSink,
        size: tuple[int, int],
        fps: Fraction,
        *,
        presentation: PresentationClock,
        standby: UInt8Array,
        report: Callable[[str], None],
    ) -> None:
        """``standby`` is shown while there is nothing new."""
        self.stats = PacerStats()
        self.standby = standby
        self.paused = False
        """True shows the standby picture whatever comes."""
        self.opened = False
        self._sink, self._size, self._fps = sink, size, fps
        self._presentation, self._clock = presentation, presentation.clock
        self._report = report
        self._waiting: deque[tuple[int, UInt8Array]] = deque(maxlen=64)
        self._lock = threading.Lock()
        self._shown = (-STALE_US, standby)
        """When it was new, on the timeline, and the picture."""
        self._index = 0
        self._stopped = False
        self._period_us = frame_pts_us(1, fps)

    def show(self, time_us: int, picture: UInt8Array) -> None:
        """A picture (as the sink wants it) of a time on the timeline; shown one `AdaptiveDelay` after it. Times ascend."""
        with self._lock:
            self._waiting.append((time_us, picture))

    def is_late(self, time_us: int) -> bool:
        """Whether a picture of that time would come a frame or more too late; counts those that would."""
        late = frame_pts_us(self._index, self._fps) > time_us + self._period_us
        self.stats.skipped += late
        return late

    def lag_us(self, time_us: int) -> int:
        """How long ago a picture of that time should have been shown; negative before."""
        return self._presentation.lag_us(time_us)

    def stop(self) -> None:
        self._stopped = True

    async def run(self) -> None:
        """Until `stop`. A camera that is lost is opened again and again; raises what only the user can mend at the start."""
        tries = 0
        while not self._stopped:
            try:
                self._sink.open(*self._size, self._fps)
                log.info("%s opened at %d x %d, %s fps", type(self._sink).__name__, *self._size, self._fps)
                if tries:
                    self._report(f"{self._sink.name} shows the picture again")
                self.opened, tries = True, 0
                await self._pace()
            except VivantError as error:
                if not isinstance(error, DeviceLostError) and not self.opened and not tries:
                    raise
                log.info("%s lost: %s", type(self._sink).__name__, type(error).__name__)
                if not tries:
                    self._report(f"{error}; trying again")
                await self._rest(self._clock.now_us() + retry_us(tries))
                tries += 1
            finally:
                self._sink.close()

    async def _pace(self) -> None:
        self._catch_up()
        while not self._stopped:
            due_us = self._presentation.due_us(frame_pts_us(self._index, self._fps))
            await self._clock.sleep_until(due_us)
            if self._clock.now_us() > due_us + RESYNC_US:
                self._catch_up()
            time_us, picture = self._pick(frame_pts_us(self._index, self._fps))
            self._sink.send(picture, due_us)
            self._note(time_us)
            self._index += 1

    async def _rest(self, until_us: int) -> None:
        while not self._stopped and (now_us := self._clock.now_us()) < until_us:
            await self._clock.sleep_until(min(until_us, now_us + NAP_US))

    def _catch_up(self) -> None:
        """The next frame is the first one that is not late."""
        self._index = max(self._index, math.ceil(self._presentation.lag_us(0) * self._fps / 1_000_000))

    def _pick(self, time_us: int) -> tuple[int | None, UInt8Array]:
        """The newest picture that is due, with its time if it has not been shown before."""
        fresh = None
        with self._lock:
            while self._waiting and self._waiting[0][0] <= time_us + self._period_us // 2:
                self.stats.late += fresh is not None
                fresh = self._waiting.popleft()
        if fresh is not None:
            self._shown = fresh
            self.stats.behind += fresh[0] < time_us - self._period_us // 2
        if self.paused or time_us - self._shown[0] > STALE_US:
            return None, self.standby
        return (fresh[0] if fresh is not None else None), self._shown[1]

    def _note(self, time_us: int | None) -> None:
        stats, now_us = self.stats, self._clock.now_us()
        if stats.sent_us and now_us - stats.sent_us[-1] > 1.5 * self._period_us:
            stats.gaps += 1
        stats.sent += 1
        stats.sent_us.append(now_us)
        if time_us is None:
            stats.repeated += 1
        else:
            stats.delays_us.append(now_us - self._presentation.start_us - time_us)
