"""Godot animations (.tres): blend shapes of a mesh, and the turning of a head.

In the text format of Godot 3, which Godot 4 reads too: value tracks of ``Face:blend_shapes/jawOpen`` and so on, and of
``Head:rotation_degrees``, from the node that the AnimationPlayer's ``root_node`` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import IO

import numpy as np

from vivant.avatars import all_weights
from vivant.motion_files.thinning import corners
from vivant.types import ARKIT_NAMES, FloatArray, MotionFrame

FACE, HEAD = "Face", "Head"
"""Nodes: rename them in the file to the paths of your own."""
TOLERANCE, TOLERANCE_DEG = 0.002, 0.2
"""Of a weight, and of an angle: keys that a straight line between others meets so closely are left out, and flat curves."""


def write_godot_animation(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """An animation of linear keys; shapes that never move are left out."""
    listed = list(frames)
    times_s = np.array([frame.pts_us / 1e6 for frame in listed])
    weights = np.array([all_weights(frame) for frame in listed], np.float64)
    # Godot's x points to the left of whoever looks along z, and turns are right-handed.
    turns = np.array([(-f.pose.pitch_deg, f.pose.yaw_deg, -f.pose.roll_deg) for f in listed])
    lines = [
        '[gd_resource type="Animation" format=2]',
        "",
        "[resource]",
        f"resource_name = {_quoted(name)}",
        f"length = {times_s[-1] + float(1 / fps):.6g}",
        f"step = {float(1 / fps):.6g}",
    ]
    tracks = [*_shapes(times_s, weights), _head(times_s, turns)]
    for number, track in enumerate(tracks):
        lines += [f"tracks/{number}/{line}" for line in track]
    file.write(("\n".join(lines) + "\n").encode())


def _shapes(times_s: FloatArray, weights: FloatArray) -> Iterator[list[str]]:
    for name, curve in zip(ARKIT_NAMES, weights.T, strict=True):
        if curve.max(initial=0.0) > TOLERANCE:
            kept = corners(times_s, curve, TOLERANCE)
            yield _track(f"{FACE}:blend_shapes/{name}", times_s[kept], [f"{value:.5f}" for value in curve[kept]])


def _head(times_s: FloatArray, turns_deg: FloatArray) -> list[str]:
    """One curve of three: a key stays where any of them needs it."""
    kept = sorted({index for axis in turns_deg.T for index in corners(times_s, axis, TOLERANCE_DEG)})
    values = [f"Vector3( {x:.4f}, {y:.4f}, {z:.4f} )" for x, y, z in turns_deg[kept]]
    return _track(f"{HEAD}:rotation_degrees", times_s[kept], values)


def _track(path: str, times_s: FloatArray, values: list[str]) -> list[str]:
    times, transitions = ", ".join(f"{time_s:.6g}" for time_s in times_s), ", ".join(["1"] * len(values))
    keys = f'"times": PoolRealArray( {times} ), "transitions": PoolRealArray( {transitions} ), "update": 0'
    return [
        'type = "value"',
        f"path = NodePath({_quoted(path)})",
        "interp = 1",
        "loop_wrap = false",
        "imported = false",
        "enabled = true",
        f'keys = {{ {keys}, "values": [ {", ".join(values)} ] }}',
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
