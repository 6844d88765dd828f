"""How fast is a frame? ``python -m benchmarks.render``

A talking frame of 512x512 RGBA beside ``cv2.remap`` (linear, RGBA u8, 512x512, smooth map): one thread each, turn by turn in
one run, in time of that thread's processor, so that other work on the machine spoils neither.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np

from benchmarks.report import PORTRAITS, Row, quiet, show, voice
from vivant.face import RigFace, open_portrait
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.body import Body
from vivant.types import AudioChunk, Controls, Float32Array, MotionFrame

SIZE_PX = 512
OPENCV = "4.11.0.86"
"""Newer ones take another time for the same map."""
NOW_NS = time.thread_time_ns if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter_ns
N_FRAMES = 400
_GROWTH = """
import sys, pathlib
from vivant.face import RigFace
from vivant.rig.rig import Rig
def used(): return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
def opened(): face = RigFace(Rig.load(pathlib.Path(sys.argv[1]))); return face, face.open(512)
kept = [opened()]
before = used()
kept += [opened() for _ in range(8)]
print((used() - before) / 8)
"""


def motions() -> dict[str, list[MotionFrame]]:
    """What the first voice makes of silence and of the bundled voice, and the latter with the head turned as far as it goes."""
    samples, rate_hz = voice()
    talking = _drive(samples, rate_hz)
    turned = [replace(frame, pose=replace(frame.pose, yaw_deg=15.0, pitch_deg=5.0)) for frame in talking]
    return {"idle": _drive(np.zeros(15 * rate_hz, np.float32), rate_hz), "talking": talking, "talking, head turned": turned}


def _drive(samples: Float32Array, rate_hz: int) -> list[MotionFrame]:
    state, body = ArticulatoryMotion().open(Fraction(30), seed=1), Body(seed=1)
    frames = state.push(AudioChunk(samples, rate_hz), Controls()) + state.flush(Controls())
    return [body.follow(frame) for frame in frames]


def frame_ms(face: RigFace, frames: list[MotionFrame]) -> tuple[float, float]:
    """Median ms of a frame and of cv2.remap, measured turn by turn."""
    remap, renderer = remapping(), face.open(SIZE_PX)
    out = np.empty((SIZE_PX, SIZE_PX, 4), np.uint8)
    timed = np.array([(_ms(partial(renderer.render, frame, out)), _ms(remap)) for frame in frames[:N_FRAMES]])
    ours, theirs = np.median(timed[20:], axis=0)
    return float(ours), float(theirs)


def remapping() -> Callable[[], object]:
    """One call of cv2.remap on one thread."""
    cv2.setNumThreads(1)
    source = np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 4), np.uint8)
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)
    map_x, map_y = x + 6 * np.sin(y / 40), y + 6 * np.cos(x / 50)
    out = np.empty_like(source)
    return lambda: cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)


def _ms(work: Callable[[], object]) -> float:
    began = NOW_NS()
    work()
    return (NOW_NS() - began) / 1e6


def speed_rows() -> list[Row]:
    """Ratio for talking frames, frames per second for all kinds, over the bundled portraits."""
    faces = [open_portrait(path) for path in PORTRAITS]
    rows = []
    for kind, frames in motions().items():
        pairs = [frame_ms(face, frames) for face in faces]
        ours, theirs = np.median(pairs, axis=0)
        worst = max(pairs, key=lambda pair: pair[0] / pair[1])
        ratio = f"{ours / theirs:.2f} (worst portrait {worst[0] / worst[1]:.2f})"
        targets = ("<= 3, aim 2.5", "about 400") if kind == "talking" else ("", "")
        rows += [
            Row(f"frame time over cv2.remap's, {kind}", targets[0], ratio),
            Row(f"frames per second on one core, {kind}", targets[1], f"{1000 / ours:.0f}"),
            Row(f"one frame and one cv2.remap, {kind}, ms", "", f"{ours:.2f} and {theirs:.2f}"),
        ]
    return [*rows, Row("OpenCV compared with", OPENCV, opencv_version())]


def opencv_version() -> str:
    """Of the distribution that brought cv2."""
    for name in ("opencv-python-headless", "opencv-contrib-python", "opencv-python", "opencv-contrib-python-headless"):
        try:
            return f"{version(name)} ({name})" + ("" if version(name) == OPENCV else ": not comparable")
        except PackageNotFoundError:
            continue
    return f"{cv2.__version__}, unknown build"


def memory_rows() -> list[Row]:
    """What a rig takes, by its arrays and by what the process grows."""
    rig = open_portrait(PORTRAITS[0]).rig
    rows = [Row("memory of a rig's arrays, MB", "", f"{rig.size_bytes / 1e6:.1f}")]
    if Path("/proc/self/statm").exists():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "one.vivant"
            rig.save(path)
            command = [sys.executable, "-c", _GROWTH, str(path)]
            grown = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(Row("memory of an opened face with one renderer, MB", "", f"{grown:.1f}"))
    return rows


def rows() -> list[Row]:
    """All of this module."""
    return speed_rows() + memory_rows()


if __name__ == "__main__":
    with quiet():
        found = rows()
    show(found)
