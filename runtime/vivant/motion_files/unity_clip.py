"""Unity animation clips (.anim, YAML): the 52 blend shapes of a skinned mesh, and the turning of a head below it.

After what Unity's editor itself writes (serializedVersion 7 of AnimationClip); blend shapes there go from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import IO

import numpy as np

from vivant.avatars import all_weights
from vivant.motion_files.thinning import corners
from vivant.types import ARKIT_NAMES, FloatArray, MotionFrame

SKINNED_MESH, TRANSFORM = 137, 4
"""Unity's class numbers."""
HEAD_PATH = "Head"
"""The child that the head's turning is written to: rename it in the clip to the bone's path."""
FULL = 100.0
TOLERANCE = 0.2
"""Of a shape's 100, and degrees: keys that a straight line between others meets so closely are left out, and flat curves."""


def write_unity_clip(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A clip of linear keys, one per frame; shapes that never move are left out."""
    listed = list(frames)
    times_s = np.array([frame.pts_us / 1e6 for frame in listed])
    shapes = FULL * np.array([all_weights(frame) for frame in listed])
    # Unity turns clockwise as seen along an axis, and its x points to the avatar's right.
    turns = np.array([(-f.pose.pitch_deg, -f.pose.yaw_deg, f.pose.roll_deg) for f in listed])
    file.write(_text(name, fps, times_s, shapes, turns).encode())


def _text(name: str, fps: Fraction, times_s: FloatArray, shapes: FloatArray, turns: FloatArray) -> str:
    curves = [
        line
        for shape, values in zip(ARKIT_NAMES, shapes.T, strict=True)
        if values.max(initial=0.0) > TOLERANCE
        for line in _curve(f"blendShape.{shape}", "", SKINNED_MESH, times_s, values)
    ]
    curves += [
        line
        for axis, values in zip("xyz", turns.T, strict=True)
        for line in _curve(f"localEulerAnglesRaw.{axis}", HEAD_PATH, TRANSFORM, times_s, values)
    ]
    return "\n".join([
        "%YAML 1.1",
        "%TAG !u! tag:unity3d.com,2011:",
        "--- !u!74 &7400000",
        "AnimationClip:",
        "  m_ObjectHideFlags: 0",
        f"  m_Name: {_quoted(name)}",
        "  serializedVersion: 7",
        "  m_Legacy: 0",
        "  m_Compressed: 0",
        "  m_RotationCurves: []",
        "  m_EulerCurves: []",
        "  m_PositionCurves: []",
        "  m_ScaleCurves: []",
        "  m_FloatCurves:" + ("" if curves else " []"),
        *curves,
        "  m_PPtrCurves: []",
        f"  m_SampleRate: {float(fps):g}",
        "  m_WrapMode: 0",
        "  m_Events: []",
        "",
    ])  # fmt: skip


def _curve(attribute: str, path: str, class_id: int, times_s: FloatArray, values: FloatArray) -> Iterator[str]:
    yield from ("  - serializedVersion: 2", "    curve:", "      serializedVersion: 2", "      m_Curve:")
    kept = corners(times_s, values, TOLERANCE)
    times_s, values = times_s[kept], values[kept]
    slopes = np.diff(values) / np.diff(times_s) if len(values) > 1 else np.zeros(0)
    before, after = np.concatenate([[0.0], slopes]), np.concatenate([slopes, [0.0]])
    for key in zip(times_s, values, before, after, strict=True):
        yield from _key(key)
    yield from ("      m_PreInfinity: 2", "      m_PostInfinity: 2", "      m_RotationOrder: 4")
    yield from (f"    attribute: {attribute}", f"    path: {path}", f"    classID: {class_id}", "    script: {fileID: 0}")


def _key(key: Sequence[float]) -> Iterator[str]:
    time_s, value, before, after = key
    yield "      - serializedVersion: 3"
    for name, number in (("time", time_s), ("value", value), ("inSlope", before), ("outSlope", after)):
        yield f"        {name}: {number:.6g}"
    yield from ("        tangentMode: 69", "        weightedMode: 0", "        inWeight: 0", "        outWeight: 0")


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
