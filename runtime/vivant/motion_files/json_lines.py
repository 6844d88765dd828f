"""JSON lines: our own motion, whole and readable by anything. The first line says what the others hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from typing import IO

from vivant.types import ARKIT_NAMES, MotionFrame

VERSION = 1
DIGITS = 5


def write_json_lines(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A header, then a line per frame: ``pts_us``, ``weights`` in the header's order, ``tongue``, ``pose`` and ``gaze``."""
    _write_line(file, {"vivant_motion": VERSION, "name": name, "fps": str(fps), "weights": list(ARKIT_NAMES)})
    for frame in frames:
        line = {
            "pts_us": frame.pts_us,
            "weights": [_rounded(weight) for weight in frame.weights],
            "tongue": [_rounded(value) for value in frame.tongue],
            "pose": {axis: _rounded(value) for axis, value in asdict(frame.pose).items()},
            "gaze": [_rounded(angle) for angle in frame.gaze],
        }
        _write_line(file, line)


def _write_line(file: IO[bytes], values: dict[str, object]) -> None:
    file.write(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
