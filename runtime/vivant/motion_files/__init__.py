"""Motion files: what a face does, for engines and editors; three formats are read again. One module per format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import IO

from vivant.drive.driver import Seen
from vivant.errors import InputError
from vivant.media.atomic import replacing, reporting
from vivant.media.inputs import require_file
from vivant.motion_files.gltf_animation import write_gltf_animation
from vivant.motion_files.godot_animation import write_godot_animation
from vivant.motion_files.json_lines import read_json_lines, write_json_lines
from vivant.motion_files.live_link_csv import read_live_link_csv, write_live_link_csv
from vivant.motion_files.unity_clip import write_unity_clip
from vivant.motion_files.vmc_recording import read_vmc, write_vmc
from vivant.motion_files.vrm_animation import write_vrm_animation
from vivant.plain import plain
from vivant.types import MotionFrame

MAX_NAME_CHARS = 255
"""Longer, no file system's names are."""

Writer = Callable[[IO[bytes], Iterable[MotionFrame], Fraction, str], None]
"""``write(file, frames, fps, name)``; frames of the whole file in order, at a constant rate."""

FORMATS: Mapping[str, Writer] = {
    ".csv": write_live_link_csv,
    ".jsonl": write_json_lines,
    ".vmc": write_vmc,
    ".anim": write_unity_clip,
    ".vrma": write_vrm_animation,
    ".tres": write_godot_animation,
    ".glb": write_gltf_animation,
}

Reader = Callable[[IO[bytes], str], Iterator[Seen | None]]
"""``read(file, name)``: what was seen, line by line or packet by packet; None for one that cannot be read."""

READERS: Mapping[str, Reader] = {".csv": read_live_link_csv, ".jsonl": read_json_lines, ".vmc": read_vmc}


def is_motion(path: PurePath) -> bool:
    """Whether a file of that name holds motion, and no pictures."""
    return path.suffix.lower() in FORMATS


def writer_of(path: Path) -> Writer:
    """By the name's suffix. Raises InputError for one that no format has."""
    if not is_motion(path):
        raise InputError(f"a motion file ends in {', '.join(FORMATS)}; got {path.name!r}")
    return FORMATS[path.suffix.lower()]


def write_motion(path: Path, frames: Iterable[MotionFrame], fps: Fraction) -> None:
    """Write a motion file of at least one frame; it appears complete or not at all. Raises InputError and OutputError."""
    write, some = writer_of(path), iter(frames)
    first = list(islice(some, 1))
    if not first:
        raise InputError(f"there is no frame of motion to write into {path}")
    with replacing(path) as part, reporting(path), part.open("wb") as file:
        write(file, chain(first, some), fps, plain(path.stem, MAX_NAME_CHARS))


def reads_motion(path: Path) -> bool:
    """Whether a file of that name is read as motion."""
    return path.suffix.lower() in READERS


def read_motion(path: Path) -> tuple[list[Seen], int]:
    """What was seen in a motion file, times ascending from 0, and how many lines were left out because they cannot be.

    Raises InputError for a file that is none.
    """
    require_file(path, "motion")
    sights: list[Seen] = []
    n_lines = 0
    with path.open("rb") as file:
        for seen in READERS[path.suffix.lower()](file, path.name):
            n_lines += 1
            if seen is not None and (not sights or seen.time_us > sights[-1].time_us):
                sights.append(seen)
    return sights, n_lines - len(sights)
