"""What a soak sees of one face: what must never be wrong, how far picture and sound drift, how long the face stood still."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

import numpy as np

from vivant.client import Event
from vivant.types import Interrupted, Marker, Output, UtteranceEnd, UtteranceStart, frame_pts_us

SETTLED_MS = 700.0
"""After a line its lead over idle time, 100 ms as the contract announces, is gone by then."""
BACK_S = 0.2
"""A face is back after a pause once a picture comes with no more lateness than this; chosen: five frames."""


@dataclass
class Drift:
    """Of one call, in ms. Only calm times are judged: a machine that is too busy is late, which is another matter."""

    fps: float
    calm: bool = True
    said_ms: dict[str, float] = field(default_factory=dict)
    """Sound of lines that were sent whole."""
    off_by_ms: list[float] = field(default_factory=list)
    """Of lines that were spoken whole: the picture's length against the sound's, and how its time ran against the clock's."""
    idle_ms: list[float] = field(default_factory=list)
    """When the frames between lines came, against their own time."""
    _spoke_ms: float = 0.0
    _line: str = ""
    _began_ms: float = 0.0
    _whole: bool = False
    """Times have been calm since the line began."""
    _late_ms: list[float] = field(default_factory=list)

    def frame(self, now_ms: float, pts_us: int, utterance_id: str) -> None:
        late_ms = now_ms - pts_us / 1000
        if not utterance_id:
            if self.calm and pts_us / 1000 - self._spoke_ms > SETTLED_MS:
                self.idle_ms.append(late_ms)
            return
        self._spoke_ms = pts_us / 1000
        self._whole &= self.calm
        if utterance_id != self._line or not self.calm:
            self._line, self._late_ms = utterance_id, []
        if self.calm:
            self._late_ms.append(late_ms)

    def began(self, position_us: int) -> None:
        self._began_ms, self._whole = position_us / 1000, self.calm

    def finished(self, utterance_id: str, position_us: int) -> None:
        if self._whole and utterance_id in self.said_ms:
            self.off_by_ms.append(abs(position_us / 1000 - self._began_ms - self.said_ms[utterance_id]))
        half = len(self._late_ms) // 2
        if half >= self.fps:
            # The least late of each half: drift moves it, a busy machine does not.
            self.off_by_ms.append(abs(min(self._late_ms[half:]) - min(self._late_ms[:half])))

    @property
    def worst_ms(self) -> float:
        """The worst line, and idle time from the first quarter of the calm times to the last."""
        quarter = max(1, len(self.idle_ms) // 4)
        first, last = (np.median(part or [0.0]) for part in (self.idle_ms[:quarter], self.idle_ms[-quarter:]))
        return max(abs(float(last - first)), *self.off_by_ms, 0.0)


class Watch:
    """One call of an honest client, told of all that it says and all that it gets. Faults are sentences."""

    def __init__(self, fps: Fraction, size_px: int, delay_us: int, began_s: float) -> None:
        self.drift = Drift(float(fps))
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        """Outputs, pictures, and lines that were finished or cut short."""
        self.late_s: list[tuple[bool, float]] = []
        """Of every picture: whether times were calm, and how late it was."""
        self.scene = ""
        """What befalls the server now."""
        self.stillness = 0.0, ""
        """Longest time without a new picture while the server ran, s, and the scene it ended in."""
        self.back_s: list[float] = []
        """After each pause of the server: when the face was back in time."""
        self._fps, self._sizes, self._delay_us, self._began_s = fps, (size_px, size_px // 2), delay_us, began_s
        self._index, self._pts_us = -1, -1
        self._epoch = self._said_epoch = 0
        self._line: str | None = None
        """The one that is spoken."""
        self._awaited: deque[tuple[str, int]] = deque()
        """Lines that were said and have not begun, with their epochs."""
        self._begins_us = 0
        self._picture_s = began_s
        self._resumed_s: float | None = None

    # What the client says

    def says(self, utterance_id: str, whole_s: float | None) -> None:
        """A line; so long if all of its sound is sent at once."""
        self._awaited.append((utterance_id, self._said_epoch))
        if whole_s is not None:
            self.drift.said_ms[utterance_id] = 1000 * whole_s

    def interrupts(self) -> None:
        self._said_epoch += 1

    def resumes(self, now_s: float) -> None:
        """The server had been stopped and runs again."""
        self._picture_s = self._resumed_s = now_s

    def stands_still(self, now_s: float) -> None:
        """Since the last picture; also asked at the end, when none comes any more."""
        self.stillness = max(self.stillness, (now_s - self._picture_s, self.scene))

    # What it gets

    def hears(self, item: object, now_s: float) -> None:
        match item:
            case Output():
                self._output(item, now_s)
            case UtteranceStart() | UtteranceEnd() | Interrupted():
                self._marker(item)
            case Event() if item.kind == "PORTRAIT_FAILED":
                self._require(False, f"a bundled portrait failed: {item.detail}")

    def _output(self, output: Output, now_s: float) -> None:
        index, pts_us = output.motion.index, output.pts_us
        self._require(index > self._index, f"frame {index} came behind frame {self._index}")
        self._require(pts_us == frame_pts_us(index, self._fps), f"frame {index} has the time {pts_us} us")
        self._require(output.epoch == self._epoch, f"a frame of epoch {output.epoch} in epoch {self._epoch}")
        spoken = self._line or ""
        self._require(output.utterance_id == spoken, f"a frame of line {output.utterance_id!r} in line {spoken!r}")
        self._require(pts_us >= self._begins_us, f"a frame of {pts_us} us behind a marker of {self._begins_us} us")
        self._index, self._pts_us = index, pts_us
        self.counts["outputs"] += 1
        if output.picture is not None:
            self._picture(output, now_s)

    def _picture(self, output: Output, now_s: float) -> None:
        assert output.picture is not None
        width, height = output.picture.size_px
        self._require(width == height and width in self._sizes, f"a picture of {width} x {height} px")
        self.counts["pictures"] += 1
        self.stands_still(now_s)
        self._picture_s = now_s
        late_s = now_s - self._began_s - (output.pts_us + self._delay_us) / 1e6
        self.late_s.append((self.drift.calm, late_s))
        if self._resumed_s is not None and late_s < BACK_S:
            self.back_s.append(now_s - self._resumed_s)
            self._resumed_s = None
        self.drift.frame(1000 * (now_s - self._began_s), output.pts_us, output.utterance_id)

    def _marker(self, marker: Marker) -> None:
        # An interruption has the time of the last frame, which may be before a line that had just begun.
        least_us = self._pts_us if isinstance(marker, Interrupted) else self._begins_us
        self._require(marker.position_us >= least_us, f"a marker of {marker.position_us} us behind {least_us} us")
        self._begins_us = max(self._begins_us, marker.position_us)
        match marker:
            case UtteranceStart():
                self._begin(marker)
            case UtteranceEnd():
                self._require(marker.utterance_id == self._line, f"the end of {marker.utterance_id!r} in line {self._line!r}")
                self.drift.finished(marker.utterance_id, marker.position_us)
                self._line = None
                self.counts["lines"] += 1
            case Interrupted():
                told = self._epoch < marker.epoch <= self._said_epoch  # of two in a row a client gets the last
                self._require(told, f"epoch {marker.epoch} after epoch {self._epoch}, {self._said_epoch} said")
                self.counts["interruptions"] += 1
                self._epoch, self._line = marker.epoch, None
                while self._awaited and self._awaited[0][1] < marker.epoch:
                    self._awaited.popleft()

    def _begin(self, marker: UtteranceStart) -> None:
        expected = self._awaited.popleft() if self._awaited else ("none", self._epoch)
        begun = (marker.utterance_id, marker.epoch)
        self._require(self._line is None and begun == expected, f"line {begun} began, expected {expected} after {self._line!r}")
        self._require(marker.position_us > self._pts_us, f"line {begun} began at {marker.position_us} us behind its frame")
        self._line = marker.utterance_id
        self.drift.began(marker.position_us)

    def _require(self, condition: bool, fault: str) -> None:
        if not condition:
            self.faults.append(f"{fault} ({self.scene})" if self.scene else fault)


def growth_share(values: Sequence[float]) -> float:
    """How much a series grows over its last two thirds, as a share of their median. By the median of all slopes between two of
    its values (Theil and Sen), which a few peaks do not move."""
    settled = np.asarray(values[len(values) // 3 :], float)
    if len(settled) < 2:
        return 0.0
    slopes = [(settled[b] - settled[a]) / (b - a) for a, b in combinations(range(len(settled)), 2)]
    return float(np.median(slopes) * (len(settled) - 1) / np.median(settled))
