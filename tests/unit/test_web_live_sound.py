"""Live sound: what came late is left out until little waits, and by how much the rest moved is told."""

from __future__ import annotations

import pytest

from vivant.web.live_sound import LEAST_AHEAD_MS, MOST_AHEAD_MS, LiveSound

pytestmark = pytest.mark.unit

PIECE_MS = 10.0


def live() -> LiveSound:
    sound = LiveSound()
    sound.is_live = True
    sound.begin(0.0)
    return sound


def queued_after(sound: LiveSound, queued_ms: float, n: int, *, passing_ms: float) -> float:
    """What waits after so many pieces, while so much of it is heard with each."""
    for _ in range(n):
        queued_ms = max(0.0, queued_ms + PIECE_MS * sound.takes(PIECE_MS, queued_ms) - passing_ms)
    return queued_ms


def test_a_burst_is_left_out_and_what_follows_is_in_time() -> None:
    sound = live()
    burst_ms = queued_after(sound, 0.0, 200, passing_ms=0.0)
    assert burst_ms == MOST_AHEAD_MS + PIECE_MS
    assert sound.news_ms(0.0) == burst_ms - 200 * PIECE_MS
    assert queued_after(sound, burst_ms, 20, passing_ms=PIECE_MS) <= LEAST_AHEAD_MS
    assert queued_after(sound, LEAST_AHEAD_MS, 100, passing_ms=PIECE_MS) == LEAST_AHEAD_MS, "and stays so"


def test_what_is_read_out_may_wait() -> None:
    sound = LiveSound()
    sound.begin(0.0)
    assert queued_after(sound, 0.0, 200, passing_ms=0.0) == 200 * PIECE_MS


def test_silence_that_was_put_in_is_told_once_and_each_utterance_counts_anew() -> None:
    sound = live()
    assert sound.news_ms(0.0) is None
    assert (sound.news_ms(120.0), sound.news_ms(120.0)) == (120.0, None)
    sound.begin(120.0)
    assert sound.news_ms(120.0) is None
    assert sound.news_ms(150.0) == 30.0
