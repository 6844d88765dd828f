"""A synthetic voice as the source of a bridge: it says one text after another, and is silent in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np

from vivant import VivantError
from vivant.clock import Clock
from vivant.types import Float32Array
from vivant.voices import Voice
from vivant_bridge.sound.resample import Resampler
from vivant_bridge.sound.source import NOTHING, SampleClock, SampleFormat

RATE_HZ = 48_000
AHEAD_S = 1.0
"""With less than this in store the next piece is made; chosen: a synthesiser that stalls for so long is not heard."""
PAUSE_S = 0.3
"""Of silence after a text, which also brings out what the resampler holds; chosen."""

Choose = Callable[[str], Voice]
"""The voice for a language; raises a VivantError for one that nobody here speaks."""


class SpokenSource:
    """`AudioSource` that is told what to say, by one thread; pieces are made on another."""

    name = "a synthetic voice"
    rate_hz = RATE_HZ
    sample_format = SampleFormat.F32
    latency_us = 0

    def __init__(
        self, choose: Choose, clock: Clock, report: Callable[[str], None] = lambda _: None, executor: Executor | None = None
    ) -> None:
        """``report`` hears in a sentence why a voice failed in the middle of a text."""
        self._choose, self._clock, self._report = choose, clock, report
        self._executor = executor
        self._lines: deque[Iterator[Float32Array]] = deque()
        """Pieces of the texts that are not made to their end, the first being made."""
        self._store = NOTHING
        self._making: Future[Float32Array | None] | None = None

    def say(self, text: str, language: str) -> None:
        """After what is said already. Raises InputError and UnavailableError for what cannot be said."""
        self._lines.append(_pieces(self._choose(language), text, language))

    def open(self) -> None:
        self._maker = self._executor or ThreadPoolExecutor(1, "voice")
        self._pace = SampleClock(self._clock, RATE_HZ)

    def read(self) -> Float32Array:
        self._make_more()
        due = self._pace.due()
        heard, self._store = self._store[:due], self._store[due:]
        return np.pad(heard, (0, due - len(heard)))

    def close(self) -> None:
        if self._executor is None:
            self._maker.shutdown(wait=False, cancel_futures=True)

    def _make_more(self) -> None:
        """Store the piece that was made, and have the next one made."""
        if self._making is not None and self._making.done():
            piece = self._made(self._making)
            self._making = None
            if piece is None:
                self._lines.popleft()
            else:
                self._store = np.concatenate([self._store, piece])
        if self._lines and self._making is None and len(self._store) < AHEAD_S * RATE_HZ:
            self._making = self._maker.submit(next, self._lines[0], None)

    def _made(self, making: Future[Float32Array | None]) -> Float32Array | None:
        try:
            return making.result()
        except Exception as error:  # of code that is often not ours
            self._report(str(error) if isinstance(error, VivantError) else f"the voice failed: {error or type(error).__name__}")
            return None


def _pieces(voice: Voice, text: str, language: str) -> Iterator[Float32Array]:
    """(n,) at ``RATE_HZ``, with a pause at the end."""
    resampler, rate_hz = None, RATE_HZ
    for chunk in voice.speak(text, language):
        rate_hz = chunk.sample_rate_hz
        resampler = resampler or Resampler(rate_hz, RATE_HZ)
        resampler.push(chunk.samples)
        yield resampler.pull(resampler.ready)
    if resampler is not None:
        resampler.push(np.zeros(round(PAUSE_S * rate_hz), np.float32))
        yield resampler.pull(resampler.ready)
