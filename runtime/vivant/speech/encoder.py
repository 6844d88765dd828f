"""Which phone is spoken: our network over mel levels, in which no tick depends on how many are heard at once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivant.render import _kernel
from vivant.speech.phones import PHONES
from vivant.speech.spectrum import CepstralMeanNormaliser, mel_db
from vivant.types import Float32Array

DELAY_TICKS = 8
"""The network speaks of the tick this long ago,"""
GUESSES = 5
"""and with less to go by of this many after it."""
_REACH_TICKS = 240
"""How far the network looks back."""


@cache
def network() -> _kernel.Encoder:
    """The encoder that ships (`training/speech`), loaded once; immutable and shared by all threads."""
    with (files("vivant") / "weights" / "encoder.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _kernel.Encoder(**arrays, n_phones=len(PHONES))


class PhoneEncoder:
    """One stream. Power spectra in; for each, (1 + GUESSES, phones) probabilities.

    Row 0 speaks of the tick DELAY_TICKS before its own, row g of the g-th after that one.
    """

    def __init__(self) -> None:
        self._normaliser = CepstralMeanNormaliser()
        self._memory = np.zeros(network().memory_shape, np.float32)
        self._heard = np.zeros((1, CepstralMeanNormaliser.INPUTS), np.float32)
        self._unchanged = 0
        self._latest = np.zeros((1, (1 + GUESSES) * len(PHONES)), np.float32)

    def push(self, power: NDArray[np.float64]) -> Float32Array:
        """Take the (n, 513) spectra of the next ticks; give (n, 1 + GUESSES, phones)."""
        # Row by row: what a library's matrix product gives for a row may depend on how many rows there are.
        bands_db = np.stack([mel_db(row) for row in power])
        levels = self._normaliser.push(bands_db[None])[0].astype(np.float32)
        asks = self._asks(levels)
        probabilities = np.empty((np.count_nonzero(asks), self._latest.shape[1]), np.float32)
        if len(probabilities):
            network().hear(levels[asks], self._memory, probabilities)
        known = np.concatenate([self._latest, probabilities])
        self._latest = known[-1:]
        return known[np.cumsum(asks)].reshape(len(levels), 1 + GUESSES, len(PHONES))

    def _asks(self, levels: Float32Array) -> NDArray[np.bool_]:
        """(n,) for which ticks the network is asked.

        In digital silence nothing changes any more once the network sees nothing else: it need not be asked again.
        """
        is_same = (levels == np.concatenate([self._heard, levels[:-1]])).all(1)
        self._heard = levels[-1:]
        unchanged = []
        for same in is_same.tolist():
            self._unchanged = self._unchanged + 1 if same else 0
            unchanged.append(self._unchanged)
        return np.array(unchanged) <= _REACH_TICKS
