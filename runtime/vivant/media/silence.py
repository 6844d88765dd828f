"""Silence, read as a file with sound is: what a face hears that is driven and does not speak."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vivant.media.audio import SoundBlock
from vivant.types import AudioChunk

RATE_HZ = 16_000


class Silence:
    """Like an `AudioFile`, of a length in seconds."""

    sample_rate_hz, n_channels = RATE_HZ, 1

    def __init__(self, duration_s: float) -> None:
        self.duration_s = duration_s

    def blocks(self, block_ms: int = 100) -> Iterator[SoundBlock]:
        total, block = round(self.duration_s * RATE_HZ), RATE_HZ * block_ms // 1000
        for start in range(0, total, block):
            chunk = AudioChunk(np.zeros(min(block, total - start), np.float32), RATE_HZ, start)
            yield SoundBlock(chunk, chunk)
