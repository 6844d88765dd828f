"""Live Link Face recordings (CSV), as Epic's phone app writes them: Unreal, Maya, Blender add-ons.

61 curves per frame under Apple's names: 52 weights in [0, 1], then head and eyes in radians.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import IO

from vivant.avatars import all_weights, live_link_turns
from vivant.types import ARKIT_NAMES, MotionFrame

TURNS = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch",
    "RightEyeRoll",
)  # fmt: skip
COLUMNS = ("Timecode", "BlendShapeCount", *(name[0].upper() + name[1:] for name in ARKIT_NAMES), *TURNS)


def write_live_link_csv(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A header, then a row per frame; the time code begins with 0 and counts the sound's own time."""
    file.write(",".join(COLUMNS).encode() + b"\n")
    for frame in frames:
        weights = all_weights(frame)
        values = [*weights, *live_link_turns(frame, weights)]
        cells = [_time_code(frame.index, fps), str(len(values)), *(f"{float(value):.6f}" for value in values)]
        file.write(",".join(cells).encode() + b"\n")


def _time_code(index: int, fps: Fraction) -> str:
    """``HH:MM:SS:FF.sss``: frames count within the second at the rounded rate, as cameras do."""
    base = round(fps)
    seconds, frame = divmod(index, base)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.000"
