"""Speech as the encoder learns it, on disk: mel levels and phones every 10 ms, many utterances to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivant.speech.phones import SILENCE
from vivant.types import Float32Array, UInt8Array

NOISE = "noise"
"""The voice of what is none."""
UNKNOWN = 255
"""Label of ticks whose phone nobody knows: not learnt, not counted."""


@dataclass(frozen=True)
class Shard:
    """Utterances one after the other."""

    mel: NDArray[np.float16]
    """(n, 40) dB."""
    phone: UInt8Array
    """(n,) index into PHONES or UNKNOWN."""
    starts: NDArray[np.int64]
    """(m + 1,) first row of each utterance, then n."""
    voices: tuple[str, ...]
    """(m,)."""

    @property
    def seconds(self) -> float:
        return len(self.phone) / 100

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        draft = path.with_suffix(".part.npz")
        np.savez(draft, mel=self.mel, phone=self.phone, starts=self.starts, voices=np.array(self.voices))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Shard:
        with np.load(path) as data:
            return cls(data["mel"], data["phone"], data["starts"], tuple(str(voice) for voice in data["voices"]))


class ShardWriter:
    """Collects utterances."""

    def __init__(self) -> None:
        self._mel: list[Float32Array] = []
        self._phone: list[UInt8Array] = []
        self._voices: list[str] = []

    @property
    def seconds(self) -> float:
        return sum(map(len, self._phone)) / 100

    def add(self, mel: Float32Array, phones: Sequence[tuple[int, float, float]], voice: str) -> None:
        """(n, 40) levels and (phone, start_s, end_s); where no phone is told there is silence."""
        label = np.full(len(mel), SILENCE, np.uint8)
        for phone, start_s, end_s in phones:
            label[int(np.ceil(start_s * 100)) : int(np.ceil(end_s * 100))] = phone
        self.add_labels(mel, label, voice)

    def add_labels(self, mel: Float32Array, label: UInt8Array, voice: str) -> None:
        """(n, 40) levels and the (n,) phone of each tick."""
        self._mel.append(mel)
        self._phone.append(label)
        self._voices.append(voice)

    def shard(self) -> Shard:
        starts = np.cumsum([0, *map(len, self._phone)])
        return Shard(np.concatenate(self._mel).astype(np.float16), np.concatenate(self._phone), starts, tuple(self._voices))
