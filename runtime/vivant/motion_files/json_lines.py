"""JSON lines: our own motion, whole and readable by anything. The first line says what the others hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import IO, Any

from vivant.drive.checks import DAY_US, seen_of
from vivant.drive.driver import Seen
from vivant.errors import InputError
from vivant.types import ARKIT_NAMES, MotionFrame, Pose

VERSION = 1
DIGITS = 5
POSE = tuple(asdict(Pose()))


def write_json_lines(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A header, then a line per frame: ``pts_us``, ``weights`` in the header's order, ``tongue``, ``pose``, ``gaze`` and, where
    the frame has one, ``body``."""
    _write_line(file, {"vivant_motion": VERSION, "name": name, "fps": str(fps), "weights": list(ARKIT_NAMES)})
    for frame in frames:
        line: dict[str, object] = {
            "pts_us": frame.pts_us,
            "weights": [_rounded(weight) for weight in frame.weights],
            "tongue": [_rounded(value) for value in frame.tongue],
            "pose": _of_pose(frame.pose),
            "gaze": [_rounded(angle) for angle in frame.gaze],
        }
        if frame.body is not None:
            line["body"] = _of_pose(frame.body)
        _write_line(file, line)


def read_json_lines(file: IO[bytes], name: str) -> Iterator[Seen | None]:
    """A sight for each line of `write_json_lines`; None for one that cannot be read. Raises InputError for another file."""
    try:
        header = json.loads(next(file, b""))
        order = [header["weights"].index(shape) for shape in ARKIT_NAMES]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{name} is no motion of Vivant's: its first line does not name the 52 weights") from error
    for line in file:
        yield _seen(line, order)


def _seen(line: bytes, order: list[int]) -> Seen | None:
    try:
        said = json.loads(line)
        time_us = said["pts_us"]
        return seen_of(time_us, _values(said, order)) if type(time_us) is int and 0 <= time_us < DAY_US else None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        return None


def _values(said: dict[str, Any], order: list[int]) -> list[float]:
    weights = [said["weights"][place] for place in order]
    return [*weights, *said["tongue"], *(said["pose"][axis] for axis in POSE), *said["gaze"]]


def _write_line(file: IO[bytes], values: dict[str, object]) -> None:
    file.write(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


def _of_pose(pose: Pose) -> dict[str, float]:
    return {axis: _rounded(value) for axis, value in asdict(pose).items()}


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
