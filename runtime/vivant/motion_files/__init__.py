"""Motion files: what a voice does to a face, for engines and editors. One module per format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO

from vivant.errors import InputError
from vivant.media.atomic import replacing, reporting
from vivant.motion_files.gltf_animation import write_gltf_animation
from vivant.motion_files.godot_animation import write_godot_animation
from vivant.motion_files.json_lines import write_json_lines
from vivant.motion_files.live_link_csv import write_live_link_csv
from vivant.motion_files.unity_clip import write_unity_clip
from vivant.motion_files.vrm_animation import write_vrm_animation
from vivant.types import MotionFrame

Writer = Callable[[IO[bytes], Iterable[MotionFrame], Fraction, str], None]
"""``write(file, frames, fps, name)``; frames of the whole file in order, at a constant rate."""

FORMATS: Mapping[str, Writer] = {
    ".csv": write_live_link_csv,
    ".jsonl": write_json_lines,
    ".anim": write_unity_clip,
    ".vrma": write_vrm_animation,
    ".tres": write_godot_animation,
    ".glb": write_gltf_animation,
}


def writer_of(path: Path) -> Writer:
    """By the name's suffix. Raises InputError for one that no format has."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"a motion file ends in {', '.join(FORMATS)}; got {path.name!r}")
    return FORMATS[path.suffix.lower()]


def write_motion(path: Path, frames: Iterable[MotionFrame], fps: Fraction) -> None:
    """Write a motion file; it appears complete or not at all. Raises InputError and OutputError."""
    write = writer_of(path)
    with replacing(path) as part, reporting(path), part.open("wb") as file:
        write(file, frames, fps, path.stem)
