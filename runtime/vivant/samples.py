"""Samples: whatever callers have as mono audio, as the one thing that is meant by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.types import Float32Array


def mono_samples(samples: NDArray[Any]) -> Float32Array:
    """(n,) float32: floats as they are, int16 (as sound cards and speech services give it) by its full range.

    Raises InputError, in one short sentence, for bytes, lists, other integers, whose range nobody knows (24 bits in 32 are as
    usual as 32), and more than one channel.
    """
    if not isinstance(samples, np.ndarray):
        hint = "; bytes of 16 bit are np.frombuffer(data, '<i2')" if isinstance(samples, bytes | bytearray | memoryview) else ""
        raise InputError(f"samples must be an array (n,) of floats in [-1, 1] or of int16, got {type(samples).__name__}{hint}")
    if samples.ndim != 1:
        raise InputError(f"samples must have shape (n,), one channel, got {samples.shape}")
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    if samples.dtype.kind != "f":
        raise InputError(f"samples must be floats in [-1, 1] or int16, got {samples.dtype}")
    return samples.astype(np.float32, copy=False)
