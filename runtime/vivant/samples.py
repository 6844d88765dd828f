"""Samples: whatever callers have as mono audio, as the one thing that is meant by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vivant.arguments import shown, whole_number
from vivant.errors import InputError
from vivant.types import MAX_RATE_HZ, MIN_RATE_HZ, AudioChunk, Float32Array

MOST_AMPLITUDE = 16.0
"""Of floats, 24 dB above full scale; chosen: no decoder or synthesiser overshoots so far, while integers that were only cast to
float are beyond it with the first word."""
_WANTED = "samples must be one channel (n,) of floats in [-1, 1] or of int16"
_SUM = "; give one of the channels, or their sum where you know that they are in phase"
_RANGE = "; divide it by its full range"


def mono_samples(samples: ArrayLike) -> Float32Array:
    """(n,) float32 in [-1, 1], an array of its own: floats clipped, int16 (as sound cards and speech services give it) by its
    full range.

    Anything that NumPy reads as such an array counts: lists of floats, tensors on the CPU, (n, 1) and (1, n). Raises
    InputError, in one short sentence, for bytes, other integers (whose range nobody knows: 24 bits in 32 are as usual as 32),
    more than one channel (whose sum may be silence), NaN, and floats far beyond [-1, 1].
    """
    array = _array(samples)
    if array.ndim == 2 and 1 in array.shape:  # as sound cards and tensors have one channel
        array = array.reshape(-1)
    if array.ndim != 1:
        raise InputError(f"{_WANTED}, got {_described(samples, array)}{_SUM if array.ndim == 2 else ''}")
    if array.dtype.kind == "i" and array.dtype.itemsize == 2:
        return array.astype(np.float32) / np.float32(32768)
    if array.dtype.kind != "f":
        raise InputError(f"{_WANTED}, got {_described(samples, array)}{_RANGE if array.dtype.kind in 'iu' else ''}")
    loudest = float(np.abs(array).max(initial=0))
    if not np.isfinite(loudest):
        raise InputError(
            f"samples must be finite numbers, got {np.count_nonzero(~np.isfinite(array))} of {len(array)} that are not"
        )
    if loudest > MOST_AMPLITUDE:
        raise InputError(
            f"samples must be floats in [-1, 1], got some beyond {MOST_AMPLITUDE:g}; divide integers by their full range"
        )
    clipped: Float32Array = np.clip(array, -1, 1).astype(np.float32, copy=False)
    return clipped


def pcm_s16le(samples: Float32Array) -> bytes:
    """(n,) in [-1, 1] as PCM of 16 bits, little endian: what `mono_samples` was given as int16 comes back to the bit."""
    pcm: bytes = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype("<i2").tobytes()
    return pcm


def as_sample_rate(sample_rate_hz: object) -> int:
    """Raises InputError for a rate at which nothing is heard, and for text."""
    return whole_number("sample_rate_hz", sample_rate_hz, MIN_RATE_HZ, MAX_RATE_HZ)


def _array(samples: Any) -> NDArray[Any]:  # noqa: ANN401
    if isinstance(samples, AudioChunk):
        raise InputError(f"{_WANTED}, got an AudioChunk; give its samples")
    if isinstance(samples, bytes | bytearray) or (isinstance(samples, memoryview) and samples.format in ("B", "b", "c")):
        raise InputError(f"{_WANTED}, got {len(samples)} bytes; PCM of 16 bits is np.frombuffer(data, '<i2')")
    try:
        return np.asarray(samples)
    except Exception as error:  # whatever a foreign __array__ raises: tensors on a device, ragged lists
        raise InputError(f"{_WANTED}, got {shown(samples)}, which NumPy cannot read") from error


def _described(samples: object, array: NDArray[Any]) -> str:
    given = "" if isinstance(samples, np.ndarray) else f"{type(samples).__name__} of "
    return f"{given}{array.dtype}, shape {array.shape}"
