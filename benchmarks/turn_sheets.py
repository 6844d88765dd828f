"""Heads that turn and talk, before and after a change: ``python -m benchmarks.turn_sheets BEFORE AFTER``

Both are folders of rigs of the same names (`NAME.vivant`), built by the two states of the code; those of the former turn as far
as the limits of the latter. Writes docs/pictures/turns_N.jpg, docs/pictures/talk_strip.jpg and, of a few at 512 px with lids,
gaze and brows, docs/pictures/close_NAME.jpg, the former above.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pictures import FOLDER
from benchmarks.report import voice
from benchmarks.turns import POSES, reaching
from vivant.face import RigFace
from vivant.rig.rig import Rig
from vivant.session.stream import FaceStream
from vivant.sheet import tile
from vivant.types import MotionFrame, Output, UInt8Array, arkit_weights
from vivant.visemes import EXPRESSIONS

CELL_PX, PER_SHEET = 256, 3
TALKERS = ("noor", "walter")
CLOSE_UP, CLOSE_LOOKS = ("bram", "mona_lisa", "sana_ink"), ("half blink", "blink", "gaze left", "brows up")
FIRST_S, N_SHOWN, EVERY = 8.0, 6, 6
"""Of the strip: where it begins, how many frames it shows, and every which of 30 a second."""


def _drawn(rig: Rig, motions: Sequence[MotionFrame], shrink: int = 2) -> list[UInt8Array]:
    renderer = RigFace(rig).open(2 * CELL_PX)
    frames = [Image.fromarray(renderer.render(motion).pixels[..., :3]) for motion in motions]
    return [np.asarray(frame.reduce(shrink)) for frame in frames]


def turned(before: Rig, after: Rig) -> list[tuple[str, UInt8Array]]:
    """Two rows of poses."""
    poses = [pose for pair in POSES.values() for pose in pair]
    motions = [MotionFrame(0, 0, arkit_weights(), pose=pose) for pose in poses]
    names = [f"yaw {pose.yaw_deg:+.0f}" if pose.yaw_deg else f"pitch {pose.pitch_deg:+.0f}" for pose in poses]
    return [
        (f"{name}, {state}", picture)
        for state, rig in (("before", reaching(before)), ("after", after))
        for name, picture in zip(names, _drawn(rig, motions), strict=True)
    ]


def close_up(before: Rig, after: Rig) -> list[tuple[str, UInt8Array]]:
    """Two rows of lids, gaze and brows, two of poses."""
    faces = [look.frame() for look in EXPRESSIONS if look.name in CLOSE_LOOKS]
    turns = [MotionFrame(0, 0, arkit_weights(), pose=pose) for pair in POSES.values() for pose in pair]
    states = (("before", reaching(before)), ("after", after))
    return [(state, picture) for row in (faces, turns) for state, rig in states for picture in _drawn(rig, row, shrink=1)]


def talking(before: Rig, after: Rig) -> list[tuple[str, UInt8Array]]:
    """Two rows of one second of the bundled voice."""
    samples, rate_hz = voice()
    with FaceStream(RigFace(after), sample_rate_hz=rate_hz, seed=1, pictures=False) as stream:
        items = [*stream.push(samples), *stream.finish()]
    motions = [item.motion for item in items if isinstance(item, Output)]
    first = round(FIRST_S * 30)
    shown = motions[first : first + N_SHOWN * EVERY : EVERY]
    still = [replace(motion, body=None) for motion in shown]
    pictures = [("before", _drawn(before, still)), ("after", _drawn(after, shown))]
    return [(state if not k else "", picture) for state, row in pictures for k, picture in enumerate(row)]


def main(before: Path, after: Path) -> None:
    rigs = {path.stem: (Rig.load(before / path.name), Rig.load(path)) for path in sorted(after.glob("*.vivant"))}
    names = list(rigs)
    for number, start in enumerate(range(0, len(names), PER_SHEET), 1):
        cells = [cell for name in names[start : start + PER_SHEET] for cell in turned(*rigs[name])]
        _save(f"turns_{number}", tile(cells, 4))
    for name in CLOSE_UP:
        _save(f"close_{name}", tile(close_up(*rigs[name]), 4))
    _save("talk_strip", tile([cell for name in TALKERS for cell in talking(*rigs[name])], N_SHOWN))


def _save(name: str, picture: UInt8Array) -> None:
    Image.fromarray(picture).save(FOLDER / f"{name}.jpg", quality=78, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
