"""Do eyes and brows move as people's do? ``python -m benchmarks eyes [--minutes 20] [--portraits ada bram ...] [--write]``

Gaze is read from the motion of that much of the bundled voice, and of as much silence; brows from rendered pixels, over one run
of the voice: by mediapipe where this environment has it, as people's were, for our own analyser shows less of what brows do.
Ranges are those over people: 19 in video calls (Dembinsky et al., ETRA 2024), for the brows seven who talk to a camera.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

import vivant
from benchmarks.report import PORTRAITS, ROOT, Row, analyser, put, quiet, show, table, voice
from benchmarks.voice import drive, energy_curve
from benchmarks.yardstick import Mediapipe
from vivant.face import RigFace
from vivant.portrait import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.types import FloatArray, MotionFrame

FPS = Fraction(50)
AWAY_DEG, ASIDE_DEG = 5.0, 2.0
"""From the partner: away, as it was measured; and how far to a side for it to be that side."""
STILL_DEG = 0.02
"""Within a frame, of eyes that rest."""
SAME_DEG = 1.0
"""Fixations that are no farther apart are one. In the recordings, nearer ones are the unrest of eye and tracker: all of them
counted, their median from one to the next is .29 s."""
SIDE_PX, EVERY = 512, 4
"""Of the frames that are drawn for the brows."""
BROWS = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336)

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Habit:
    """Where somebody looks while speaking or while listening."""

    away: float
    """Share of the time."""
    left: float
    right: float
    up: float
    down: float
    """Shares of the time away, the person's own sides."""
    fixation_s: tuple[float, float, float]
    """From the beginning of one fixation to the next: 10, 50, 90 %."""


def habit(where: FloatArray, counts: NDArray[np.bool_], fps: float) -> Habit:
    """Of looks (n, 2) in degrees from the partner, over the frames that count."""
    away = where[counts & (np.hypot(*where.T) > AWAY_DEG)]
    yaw, pitch = away.T
    parts = (yaw > ASIDE_DEG, yaw < -ASIDE_DEG, pitch > ASIDE_DEG, pitch < -ASIDE_DEG)
    left, right, up, down = (float(np.mean(part)) for part in parts)
    starts = fixations(where)
    lengths = np.diff(starts)[counts[starts[:-1]]] / fps
    low, middle, high = np.percentile(lengths, (10, 50, 90)).tolist()
    return Habit(len(away) / int(counts.sum()), left, right, up, down, (low, middle, high))


def fixations(where: FloatArray) -> NDArray[np.intp]:
    """(m,) frames in which the eyes come to rest elsewhere; places less than `SAME_DEG` apart are one."""
    still = np.linalg.norm(np.diff(where, axis=0), axis=1) <= STILL_DEG
    rests = np.flatnonzero(still & ~np.append(False, still[:-1]))
    starts = [int(rests[0])]
    for rest in rests[1:].tolist():
        if np.hypot(*(where[rest] - where[starts[-1]])) >= SAME_DEG:
            starts.append(rest)
    return np.array(starts)


def looks(frames: Sequence[MotionFrame]) -> FloatArray:
    """(n, 2) degrees from the camera: what the eyes meet, whatever the head does."""
    return np.array([(f.gaze[0] + f.pose.yaw_deg, f.gaze[1] + f.pose.pitch_deg) for f in frames])


def gaze_rows(minutes: float) -> list[Row]:
    """While speaking and while listening."""
    samples, rate_hz = voice()
    talk = np.tile(samples, round(minutes * 60 * rate_hz / len(samples)))
    frames, _ = drive(talk, rate_hz, FPS)
    energy = energy_curve(talk, rate_hz, 2 * len(frames) + 40)
    talks = np.array([energy[max(0, 2 * k - 20) : 2 * k + 20].max() > 0.1 for k in range(len(frames))])
    silent, _ = drive(np.zeros(round(minutes * 60) * 16_000, np.float32), 16_000, FPS)
    speaking = habit(looks(frames), talks, float(FPS))
    listening = habit(looks(silent), np.ones(len(silent), bool), float(FPS))
    sides = (speaking.left, speaking.right, speaking.up, speaking.down)
    return [
        Row("away from the partner, speaking", ".41 (people .07-.82)", f"{speaking.away:.2f}"),
        Row("  listening", ".06 (0-.24)", f"{listening.away:.2f}"),
        Row("  of it left, right, up, down", ".54, .32, .50, .22", ", ".join(f"{share:.2f}" for share in sides)),
        Row("fixation to fixation, 10/50/90 %, s, speaking", ".19/.48/1.5", _join(speaking.fixation_s)),
        Row("  listening", ".20/.53/1.6", _join(listening.fixation_s)),
    ]


def brow_rows(names: Sequence[str]) -> list[Row]:
    """Height of the brows in the picture, each portrait's in turn."""
    tracker: PortraitAnalyser = Mediapipe() if find_spec("mediapipe") else analyser()
    frames, _ = drive(*voice(), Fraction(25))
    spreads, relative = [], []
    for path in PORTRAITS:
        if path.stem in names:
            heights = brow_heights(vivant.open_portrait(path), frames[::EVERY], tracker)
            spreads.append(f"{heights.std():.3f}")
            relative.append(f"{heights.std() / heights.mean():.2f}")
    return [
        Row(f"brow height by {tracker.name}, standard deviation", ".02-.045 (people .016-.045)", " / ".join(spreads)),
        Row("  over its mean", ".09 (people .01-.16)", " / ".join(relative)),
    ]


def brow_heights(face: RigFace, frames: Sequence[MotionFrame], tracker: PortraitAnalyser) -> Curve:
    """(n,) mean height of both brows above the line through the outer corners of the eyes, in eye distances."""
    renderer, heights = face.open(SIDE_PX), []
    for frame in frames:
        found = tracker.faces(np.ascontiguousarray(renderer.render(frame).pixels[..., :3]))
        if found:
            points = found[0].landmarks[:, :2].astype(np.float64)
            right, left = points[c.RIGHT_OUTER_EYE], points[c.LEFT_OUTER_EYE]
            along = (left - right) / np.linalg.norm(left - right)
            up = np.array((along[1], -along[0]))
            heights.append(((points[list(BROWS)] - right) @ up).mean() / np.linalg.norm(left - right))
    return np.array(heights)


def _join(values: Sequence[float]) -> str:
    return "/".join(f"{value:.2f}" for value in values)


def main(words: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="of speech, and of silence")
    parser.add_argument("--portraits", nargs="*", default=["ada", "bram", "lena", "noor", "tomas"])
    parser.add_argument("--write", action="store_true", help="into docs/speech.md")
    args = parser.parse_args(words)
    with quiet():
        rows = [*gaze_rows(args.minutes), *brow_rows(args.portraits)]
    show(rows)
    if args.write:
        put(ROOT / "docs" / "speech.md", "eyes", table(rows))
