"""Live sound: a voice that comes as it is spoken. What came late would keep all that follows it late, so it is left out."""

from __future__ import annotations

MOST_AHEAD_MS = 150
"""Of sound that waits for its time: a network's jitter. Chosen."""
LEAST_AHEAD_MS = 40
"""Down to which sound is left out once it was too much, so that there is not too much again at once. Chosen."""


class LiveSound:
    """Which pieces of one page's sound are taken, and by how much its utterance has moved against them."""

    def __init__(self) -> None:
        self.is_live = False
        """Whether the utterance is spoken just now; what is read out may wait."""
        self._leaves_out = False
        self._left_out_ms = self._filled0_ms = self._told_ms = 0.0

    def begin(self, filled_ms: float) -> None:
        """An utterance begins with the next piece; so much silence was put into those before it."""
        self._leaves_out = False
        self._left_out_ms, self._filled0_ms, self._told_ms = 0.0, filled_ms, 0.0

    def takes(self, length_ms: float, ahead_ms: float) -> bool:
        """A piece, where the time of so much before it has not come yet."""
        most_ms = LEAST_AHEAD_MS if self._leaves_out else MOST_AHEAD_MS
        self._leaves_out = self.is_live and ahead_ms > most_ms
        if self._leaves_out:
            self._left_out_ms += length_ms
        return not self._leaves_out

    def news_ms(self, filled_ms: float) -> float | None:
        """How much later the utterance's next piece is than those before it say, if that has changed."""
        moved_ms = filled_ms - self._filled0_ms - self._left_out_ms
        if moved_ms == self._told_ms:
            return None
        self._told_ms = moved_ms
        return moved_ms
