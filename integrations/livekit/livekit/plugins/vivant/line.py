"""Line: one segment of an agent's voice that is spoken by this clock while a server draws its lips."""

from __future__ import annotations

BYTES = 2
"""Of a sample."""


class Line:
    """Line: its sound as far as it has come, what of it was said where, and when it began. Times are the event loop's, in s."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.is_complete = False
        """No more of its sound will come."""
        self.n_given = 0
        """Samples that went out."""
        self.started_s: float | None = None
        """When its first sample was due."""
        self._pcm = bytearray()
        self.send_from(0)

    def send_from(self, first: int) -> None:
        """A server gets it from that sample on; what it had before is nobody's."""
        self.name, self.first, self.n_sent = "", first, first
        self.sent_s: float | None = None
        """When the server got the first of it."""
        self.is_ended = False
        """As the server was told."""
        self.origin_us: int | None = None
        """Where it begins on the server's timeline."""
        self.is_seen = False
        """A picture of it came."""

    @property
    def n(self) -> int:
        """Samples that have come."""
        return len(self._pcm) // BYTES

    def add(self, pcm: bytes | memoryview) -> None:
        self._pcm.extend(pcm)

    def pcm(self, first: int, end: int) -> bytes:
        return bytes(self._pcm[BYTES * first : BYTES * end])

    def position_s(self, now_s: float) -> float:
        """Of what is due now; 0 before it started."""
        return 0.0 if self.started_s is None else now_s - self.started_s

    def is_over(self, now_s: float) -> bool:
        """All of it was given, and its last sample was due."""
        return self.is_complete and self.n_given == self.n and self.position_s(now_s) * self.rate_hz >= self.n

    def fill(self, until_s: float) -> None:
        """With silence up to that position, where no sound has come for it and more of it will."""
        missing = int(until_s * self.rate_hz) - self.n
        if missing > 0 and not self.is_complete:
            self._pcm.extend(bytes(BYTES * missing))

    def give(self, until_s: float) -> bytes:
        """The next of it, up to that position."""
        first, self.n_given = self.n_given, max(self.n_given, min(self.n, int(until_s * self.rate_hz)))
        return self.pcm(first, self.n_given)

    def send(self, until: int) -> bytes:
        """The next of it for the server, up to that sample."""
        first, self.n_sent = self.n_sent, max(self.n_sent, min(self.n, until))
        return self.pcm(first, self.n_sent)

    def due_s(self, pts_us: int) -> float | None:
        """When a picture of the server's timeline is due; None where that is not known."""
        if self.started_s is None or self.origin_us is None:
            return None
        return self.started_s + self._place_s(pts_us)

    def start(self, pts_us: int, now_s: float) -> None:
        """A picture of that time is shown now."""
        self.started_s = now_s - self._place_s(pts_us)

    def _place_s(self, pts_us: int) -> float:
        return self.first / self.rate_hz + (pts_us - (self.origin_us or 0)) / 1e6
