"""What callers hand in as sound and as amounts: the same thing in many types, and what is refused."""

from __future__ import annotations

import array
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from vivant.errors import InputError
from vivant.testing import PlainFace
from vivant.types import AudioChunk, Controls, Emotion

RATE_HZ = 16_000
WAVE = (np.round(110 * np.sin(np.arange(RATE_HZ // 2) / 17)) / 128).astype(np.float32)
"""(8000,), half a second at ``RATE_HZ``; int16 and float16 hold it without loss."""
MOST_CHARS = 250


class Tensor:
    """Something with ``__array__``, as tensors of other libraries are."""

    def __init__(self, values: Any) -> None:  # noqa: ANN401
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: ANN401
        if isinstance(self._values, Exception):
            raise self._values
        return np.asarray(self._values, dtype)


def read_only() -> Any:  # noqa: ANN401
    wave = WAVE.copy()
    wave.flags.writeable = False
    return wave


SAME: dict[str, Any] = {
    "float32": WAVE,
    "float64": WAVE.astype(np.float64),
    "float16": WAVE.astype(np.float16),
    "longdouble": WAVE.astype(np.longdouble),
    "int16": (WAVE * 32768).astype(np.int16),
    "big-endian float": WAVE.astype(">f4"),
    "big-endian int16": (WAVE * 32768).astype(">i2"),
    "read-only": read_only(),
    "strided": np.repeat(WAVE, 3)[::3],
    "backwards": WAVE[::-1].copy()[::-1],
    "column of a sound card": WAVE[:, None],
    "row of a tensor": WAVE[None],
    "list": WAVE.tolist(),
    "tuple": tuple(WAVE.tolist()),
    "list of NumPy's": list(WAVE),
    "array.array": array.array("f", WAVE.tolist()),
    "array.array of int16": array.array("h", (WAVE * 32768).astype(np.int16).tolist()),
    "memoryview of floats": memoryview(WAVE.tobytes()).cast("f"),
    "tensor": Tensor(WAVE),
}


REFUSED: dict[str, tuple[Any, str]] = {
    "bytes": (b"\0\0" * 50_000, r"got 100000 bytes; .*np.frombuffer"),
    "bytearray": (bytearray(9), "got 9 bytes"),
    "memoryview": (memoryview(bytes(8)), "got 8 bytes"),
    "text": ("hello" * 50_000, "got str"),
    "nothing": (None, "got NoneType"),
    "one number": (0.5, r"got float of float64, shape \(\)"),
    "0-d": (np.float32(0.5), r"got float32"),
    "stereo": (np.zeros((10, 2), np.float32), r"got float32, shape \(10, 2\); give one of the channels"),
    "stereo, channels first": (np.zeros((2, 10), np.int16), r"got int16, shape \(2, 10\); give one of the channels"),
    "3-d": (np.zeros((1, 1, 10), np.float32), r"one channel .*shape \(1, 1, 10\)"),
    "uint8": (np.zeros(10, np.uint8), "got uint8, .*full range"),
    "int8": (np.zeros(10, np.int8), "got int8, .*full range"),
    "uint16": (np.zeros(10, np.uint16), "got uint16, .*full range"),
    "int32": (np.zeros(10, np.int32), "got int32, .*full range"),
    "int64": (np.zeros(10, np.int64), "got int64, .*full range"),
    "list of whole numbers": ([0, 1000, -1000], "got list of int64, .*full range"),
    "bool": (np.zeros(10, bool), "got bool"),
    "complex": (np.zeros(10, np.complex64), "got complex64"),
    "objects": (np.array([None, 1.0]), "got object"),
    "texts": (["0.1"] * 9, "got list of <U3"),
    "ragged": ([[0.1], [0.1, 0.2]], "got a list of 2"),
    "dates": (np.zeros(3, "M8[s]"), "got datetime64"),
    "generator": ((x for x in WAVE), "got generator"),
    "chunk": (AudioChunk(WAVE, 16_000), "an AudioChunk; give its samples"),
    "tensor elsewhere": (Tensor(TypeError("can't convert cuda:0 device type tensor to numpy" * 99)), "got Tensor, which NumPy"),
    "NaN": (np.where(np.arange(len(WAVE)) == 7, np.nan, WAVE), "finite numbers, got 1 of 8000"),
    "infinity": (np.array([np.inf, -np.inf, 0]), "finite numbers, got 2 of 3"),
    "int16 that was only cast": (WAVE * 32767, r"in \[-1, 1\], got some beyond 16"),
    "float64 beyond float32": (np.array([1e300]), "got some beyond 16"),
}

NO_AMOUNTS: list[Any] = [
    None, True, "0.5", "x" * 200_000, b"1", float("nan"), float("inf"), -float("inf"), 10**400, 1j, [1], (1, 2, 3), {}, {1.0},
    object(), np.zeros(3), np.array("x"), np.float64("nan"), Decimal("NaN"), Path("x"), Emotion.HAPPY, Emotion, print,
]  # fmt: skip
"""What stands for no amount."""

NO_FLAGS: list[Any] = [None, 0, 1, "no", "True", [], np.zeros(1)]
NO_CONTROLS: list[Any] = [None, "happy", {"emotion": "happy"}, 1.0, Controls, ("happy",)]
NO_FACES: list[Any] = [None, "ada", Path("ada.jpg"), b"jpeg", PlainFace, 7, np.zeros((80, 80, 3), np.uint8)]
NO_NAMES: list[Any] = [None, 7, b"line", ["line"]]


def refused(error: InputError) -> str:
    """The sentence of a refusal, which is short and in one line."""
    sentence = str(error)
    assert 0 < len(sentence) < MOST_CHARS and "\n" not in sentence
    return sentence
