"""Which phone is spoken: our network over mel levels, one tick at a time, so that streaming equals offline to the bit."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivant.providers import Network, Provider, load_network
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
def network() -> Network:
    """The encoder that ships (`training/speech`), loaded once. Raises UnavailableError without onnxruntime."""
    return load_network((files("vivant") / "weights" / "encoder.onnx").read_bytes(), Provider.CPU)


class PhoneEncoder:
    """One stream. Power spectra in; after each, (1 + GUESSES, phones) probabilities.

    Row 0 speaks of the tick DELAY_TICKS before the newest, row g of the g-th after that one.
    """

    def __init__(self) -> None:
        self._network = network()
        self._normaliser = CepstralMeanNormaliser()
        _, *memory_shape = self._network.runner.get_inputs()[1].shape
        self._memory = np.zeros((1, *memory_shape), np.float32)
        self._heard = np.zeros((1, CepstralMeanNormaliser.INPUTS), np.float32)
        self._unchanged = 0
        self._probabilities = np.zeros((1 + GUESSES, len(PHONES)), np.float32)

    def push(self, power: NDArray[np.float64]) -> Float32Array:
        """Take the (513,) spectrum of the next tick."""
        levels = self._normaliser.push(mel_db(power)[None]).astype(np.float32)
        self._unchanged = self._unchanged + 1 if np.array_equal(levels, self._heard) else 0
        self._heard = levels
        # In digital silence nothing changes any more once the network sees nothing else: it need not be asked again.
        if self._unchanged <= _REACH_TICKS:
            probabilities, self._memory = self._network.run(levels[None], self._memory)
            self._probabilities = probabilities[0, 0]
        return self._probabilities
