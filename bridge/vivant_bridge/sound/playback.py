"""The delayed voice: the timeline is read so that each sample is heard when the picture of its time is shown."""

from __future__ import annotations

import numpy as np

from vivant.types import Float32Array
from vivant_bridge.delay import PresentationClock
from vivant_bridge.sound.output import AudioSink
from vivant_bridge.sound.resample import Resampler
from vivant_bridge.sound.timeline import AudioTimeline

AHEAD_US = 30_000
"""Kept in the sink's store, so that nothing starves while something else computes."""
BLOCK_S = 0.01
"""Written at once: the bridge's tick."""
JUMP_US = 40_000
"""A greater error is mended at once, a smaller one by reading up to `MOST_DRIFT` faster or slower."""
MOST_DRIFT = 0.006
"""More than the half percent by which the delay itself changes, so that the voice can follow it; not heard in speech."""
_SMOOTH = 0.05
"""Of each new measurement of the error in its mean; chosen: the jumps of a driver's report average out in 0.2 s."""


class Playback:
    """One opened sink. ``tick`` is called about every 10 ms."""

    def __init__(self, timeline: AudioTimeline, sink: AudioSink, presentation: PresentationClock, offset_us: int = 0) -> None:
        """A positive ``offset_us`` plays that much later than the picture."""
        self.jumps = 0
        self.delay_us: float | None = None
        """Measured: from the time on the timeline until it is heard."""
        self._timeline, self._sink = timeline, sink
        self._delay, self._start_us, self._offset_us = presentation.delay, presentation.start_us, offset_us
        self._resampler = Resampler(timeline.rate_hz, sink.rate_hz)
        self._block = round(BLOCK_S * sink.rate_hz)
        self._next: float | None = None
        """Position on the timeline of the next sample."""
        self._error_us = 0.0

    def tick(self, now_us: int) -> None:
        """Write whatever is needed now. Raises DeviceLostError."""
        while self._sink.queued_us() < AHEAD_US and self._write(now_us, self._sink.heard_at_us()):
            pass

    def _write(self, now_us: int, heard_us: int) -> bool:
        """False, and nothing written, while the timeline itself is late."""
        wanted_us, block_us = self._wanted_us(now_us, heard_us), round(1e6 * BLOCK_S)
        missing_us = wanted_us + block_us - (now_us - self._start_us)
        if missing_us > 0:  # a device so slow that the voice would be heard before it was spoken
            self._delay.raise_to(self._delay.at(now_us) + missing_us + 10_000)
            wanted_us = self._wanted_us(now_us, heard_us)
        if wanted_us + block_us > self._timeline.written_us:
            return False
        if self._next is None or abs(self._time_us(self._next) - wanted_us) > JUMP_US:
            self._jump(wanted_us)
        assert self._next is not None
        self._error_us += _SMOOTH * (self._time_us(self._next) - wanted_us - self._error_us)
        delay_us = heard_us - self._start_us - self._time_us(self._next)
        self.delay_us = delay_us if self.delay_us is None else self.delay_us + _SMOOTH * (delay_us - self.delay_us)
        self._sink.write(self._read(self._next, float(np.clip(-self._error_us / 1e6, -MOST_DRIFT, MOST_DRIFT))))
        return True

    def _wanted_us(self, now_us: int, heard_us: int) -> int:
        return heard_us - self._start_us - self._delay.at(now_us) - self._offset_us

    def _jump(self, to_us: int) -> None:
        self.jumps += 1
        self._fed = self._timeline.position(to_us)
        self._next = float(self._fed)
        self._resampler = Resampler(self._timeline.rate_hz, self._sink.rate_hz)
        self._error_us, self.delay_us = 0.0, None

    def _read(self, position: float, drift: float) -> Float32Array:
        need = round(BLOCK_S * self._timeline.rate_hz)
        while self._resampler.ready < self._block + 10:
            self._resampler.push(self._timeline.read(self._fed, need))
            self._fed += need
        self._next = position + self._block * self._timeline.rate_hz / self._sink.rate_hz * (1 + drift)
        return self._resampler.pull(self._block, drift)

    def _time_us(self, position: float) -> float:
        return position * 1e6 / self._timeline.rate_hz
