"""Live Link Face recordings (CSV), as Epic's phone app writes them: Unreal, Maya, Blender add-ons.

61 curves per frame under Apple's names: 52 weights in [0, 1], then head and eyes in radians.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import IO

from vivant.avatars import all_weights, live_link_turns
from vivant.drive.checks import DAY_US, seen_by_phone
from vivant.drive.driver import Seen
from vivant.errors import InputError
from vivant.types import ARKIT_NAMES, MotionFrame

TURNS = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch",
    "RightEyeRoll",
)  # fmt: skip
COLUMNS = ("Timecode", "BlendShapeCount", *(name[0].upper() + name[1:] for name in ARKIT_NAMES), *TURNS)
READ = [name.casefold() for name in (*COLUMNS[2 : 2 + len(ARKIT_NAMES)], *TURNS[:3])]
"""Columns that are read again; the eyes' turning is in the weights, too."""
TIME_CODE = re.compile(r"(\d\d):(\d\d):(\d\d)[:;](\d\d\d?)(?:\.(\d{1,6}))?", re.ASCII)
RATES = (24, 25, 30, 48, 50, 60, 100, 120)
"""Frames that a second of a time code may count."""


def write_live_link_csv(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A header, then a row per frame; the time code begins with 0 and counts the sound's own time."""
    file.write(",".join(COLUMNS).encode() + b"\n")
    for frame in frames:
        weights = all_weights(frame)
        values = [*weights, *live_link_turns(frame, weights)]
        cells = [_time_code(frame.index, fps), str(len(values)), *(f"{float(value):.6f}" for value in values)]
        file.write(",".join(cells).encode() + b"\n")


def read_live_link_csv(file: IO[bytes], name: str) -> Iterator[Seen | None]:
    """A sight for each row; None for one that cannot be read, or whose time code goes back. Its first time code is 0; a row
    without curves is a lost face.

    Time codes do not say how many frames a second has: the least usual rate that holds them all.
    Raises InputError for another file.
    """
    table = _rows(csv.reader(line.decode("utf-8-sig", "replace") for line in file), name)
    places = _places(next(table, []), name)
    rows = [row for row in table if row]
    codes = [TIME_CODE.fullmatch(row[places[0]].strip()) if places[0] < len(row) else None for row in rows]
    most = max((int(code[4]) for code in codes if code), default=0)
    rate = next((rate for rate in RATES if rate > most), most + 1)
    last_us, passed_us = None, 0
    for row, code in zip(rows, codes, strict=True):
        time_us = None if code is None else _time_us(code, rate)
        step_us = 0 if time_us is None or last_us is None else (time_us - last_us) % DAY_US
        if time_us is None or step_us > DAY_US // 2:  # midnight is passed forwards
            yield None
            continue
        last_us, passed_us = time_us, passed_us + step_us
        yield _seen(passed_us, row, places)


def _rows(table: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    """Raises InputError."""
    try:
        yield from table
    except csv.Error as error:
        raise InputError(f"{name} is no table: {error}") from error


def _places(header: list[str], name: str) -> list[int]:
    """Of the time code, then of `READ`. Raises InputError."""
    known = [cell.strip().casefold() for cell in header]
    missing = next((cell for cell in ("timecode", *READ) if cell not in known), None)
    if missing is not None:
        raise InputError(f"{name} is no recording of Live Link Face: it has no column {missing!r}")
    return [known.index(cell) for cell in ("timecode", *READ)]


def _seen(time_us: int, row: Sequence[str], places: Sequence[int]) -> Seen | None:
    cells = [row[place].strip() if place < len(row) else "" for place in places[1:]]
    if not any(cells):
        return Seen(time_us, None)
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    weights, turned = values[: len(ARKIT_NAMES)], values[len(ARKIT_NAMES) :]
    return seen_by_phone(time_us, weights, [math.degrees(angle) for angle in turned])


def _time_us(code: re.Match[str], rate: int) -> int:
    hours, minutes, seconds, frame = (int(code[group]) for group in range(1, 5))
    part = Fraction(int(code[5]), 10 ** len(code[5])) if code[5] else Fraction(0)
    return (3600 * hours + 60 * minutes + seconds) * 1_000_000 + round((frame + part) * 1_000_000 / rate)


def _time_code(index: int, fps: Fraction) -> str:
    """``HH:MM:SS:FF.sss``: frames count within the second at the rounded rate, as cameras do."""
    base = round(fps)
    seconds, frame = divmod(index, base)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.000"
