"""Does captured motion follow the face? ``python -m benchmarks capture [--people HEADS] [--portraits NAME ...]``

Portraits of our own rig move by a known motion: the bundled voice, with smiles, brows, turns and gaze put in; a camera's noise,
light and frame rate are put on top. `FaceTracker` sees the pictures alone. "Pixels" means the whole way: another portrait is
drawn by what was captured, and the landmarks of both films are compared. With ``--people`` (the assets of
`training.synthetic_faces`, and its packages) rendered people that no network was trained on move by a known motion too; that
takes a third of a second for each picture. Biases of pose are those of portraits that are turned themselves. "Calibrated" films
begin with the acts of `vivant.capture.calibration`; glasses and the dark are those of `benchmarks.covered`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.covered import Cover, dark, glasses
from benchmarks.report import PORTRAITS, VOICE, Row, analyser, quiet, show
from vivant.capture import FaceTracker
from vivant.capture.calibration import ACT_US, ACTS, LENGTH_US, REACTION_US
from vivant.easing import smoothstep
from vivant.face import Face, open_portrait
from vivant.offline import motion_of
from vivant.portrait import DetectedFace
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, MotionFrame, Pose, UInt8Array, frame_pts_us

SIZE_PX = (640, 480)
SECONDS = 16
"""In films of 6 the r of the same jaws is lower by .02."""
WARM_S = 1.0
"""Left out: the person is learnt meanwhile."""
CAMERAS = ((30, 1.0, 3.0), (24, 0.6, 5.0), (60, 1.2, 4.0), (15, 0.35, 6.0))
"""Frame rate, brightness and noise (standard deviation, of 255) of each film."""
SMILE, BROWS, BLINK = (0.3, 0.7), (0.35, 0.8), (0.45, 1.0)
"""Events a second, and the weight of the largest."""
TURNS_DEG, TURN_HZ, GAZE_DEG = (9.0, 6.0, 4.0), 0.35, 9.0
BOTH = ("Left", "Right")
CHANNELS = {
    "jaw": ("jawOpen",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brows up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
}
FOUND = "r >= .95, slope .85 to 1.15"
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Film:
    """Pictures of one person with their motion: what was known, what was captured."""

    known: list[MotionFrame]
    captured: list[MotionFrame]
    seen: list[DetectedFace]
    """What the landmark network sees in the film itself."""
    cost_ms: Curve


def known_motion(seconds: float, fps: Fraction, seed: int) -> list[MotionFrame]:
    """The bundled voice's motion, with the rest of a face in it."""
    chance = np.random.default_rng(seed)
    spoken = list(islice(motion_of(VOICE, fps, seed=seed), int(seconds * fps)))
    t = np.arange(len(spoken)) / float(fps)
    smile, brows, blink = (_events(t, chance, *kind, width_s) for kind, width_s in ((SMILE, 0.6), (BROWS, 0.35), (BLINK, 0.08)))
    turns = np.stack([reach * _sway(t, chance, TURN_HZ) for reach in TURNS_DEG], 1)
    look = np.stack([GAZE_DEG * np.sign(_sway(t, chance, 0.5)), 0.5 * GAZE_DEG * _sway(t, chance, 0.4)], 1)
    moved = []
    for frame, s, b, lid, turn, gaze in zip(spoken, smile, brows, blink, turns.tolist(), look.tolist(), strict=True):
        weights = frame.weights.copy()
        for names, more in ((CHANNELS["smile"], s), (CHANNELS["brows up"], b), (CHANNELS["blink"], lid)):
            for name in names:
                weights[ARKIT_INDEX[name]] = min(1.0, float(weights[ARKIT_INDEX[name]]) + more)
        moved.append(replace(frame, weights=weights, pose=Pose(*turn), gaze=(gaze[0], gaze[1])))
    return moved


def acted(fps: Fraction) -> list[MotionFrame]:
    """What `vivant capture --calibrate` asks for, each act to the full."""
    frames = []
    for k in range(round(LENGTH_US / 1e6 * fps)):
        number, within_us = divmod(frame_pts_us(k, fps), ACT_US)
        weights = np.zeros(len(ARKIT_NAMES), np.float32)
        weights[list(ACTS[number].columns)] = smoothstep(within_us / REACTION_US) * smoothstep(
            (ACT_US - within_us) / REACTION_US
        )
        frames.append(MotionFrame(k, frame_pts_us(k, fps), weights))
    return frames


def _events(t: Curve, chance: np.random.Generator, rate_hz: float, most: float, width_s: float) -> Curve:
    """Bumps that come by chance, the first after a second."""
    out, at = np.zeros_like(t), WARM_S
    while (at := at + width_s + float(chance.exponential(1 / rate_hz))) < t[-1]:
        out = np.maximum(out, most * chance.uniform(0.5, 1.0) * np.exp(-(((t - at) / width_s) ** 4)))
    return out


def _sway(t: Curve, chance: np.random.Generator, hz: float) -> Curve:
    """About -1 to 1."""
    waves = [np.sin(2 * np.pi * chance.uniform(0.4, 1.6) * hz * t + chance.uniform(0, 2 * np.pi)) for _ in range(4)]
    out = np.sum(waves, axis=0) / np.sqrt(8)
    eased: Curve = out * np.clip(t / WARM_S, 0, 1)
    return eased


def filmed(face: Face, motion: Sequence[MotionFrame], light: float, noise: float, seed: int = 0) -> Iterator[UInt8Array]:
    """The pictures of a camera."""
    renderer, chance = face.open(SIZE_PX), np.random.default_rng(seed)
    for frame in motion:
        pixels = renderer.render(frame).pixels[..., :3] * np.float32(light)
        pixels += chance.normal(0, noise, pixels.shape).astype(np.float32)
        yield np.clip(pixels, 0, 255).astype(np.uint8)


def track(pictures: Iterator[UInt8Array], known: list[MotionFrame], fps: float, *, acts: int = 0) -> Film:
    """What `FaceTracker` says, and what the film shows; pictures in which no face is found are left out of both.

    The first ``acts`` frames calibrate; without any, the first second is left out.
    """
    tracker, look, rows = FaceTracker(fps, analyser(), calibrate=acts > 0), _Looker(), []
    for k, (frame, picture) in enumerate(zip(known, pictures, strict=True)):
        began = time.thread_time()
        tracked = tracker.track(picture, round(k * 1e6 / fps))
        spent = 1000 * (time.thread_time() - began)
        seen = look(picture)
        if tracked.motion is not None and seen is not None:
            rows.append((frame, tracked.motion, seen, spent))
    rows = rows[acts + int(WARM_S * fps) :]
    return Film([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], np.array([r[3] for r in rows]))


class _Looker:
    """Follows a face without the tracker."""

    def __init__(self) -> None:
        self._face: DetectedFace | None = None

    def __call__(self, picture: UInt8Array) -> DetectedFace | None:
        before = self._face or next(iter(analyser().faces(picture)), None)
        self._face = analyser().follow(picture, before) if before else None
        return self._face


def shown(faces: Sequence[DetectedFace]) -> dict[str, Curve]:
    """What pixels show of a face: lengths in outer-eye distances, degrees."""
    points = np.stack([face.landmarks[:, :2] for face in faces]).astype(np.float64)

    def apart(*pairs: tuple[int, int]) -> Curve:
        unit = np.linalg.norm(points[:, c.RIGHT_OUTER_EYE] - points[:, c.LEFT_OUTER_EYE], axis=1)
        lengths = np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=0)
        shares: Curve = lengths / unit
        return shares

    return {
        "gap of the lips": apart((13, 14), (82, 87), (312, 317)),
        "width of the mouth": apart((c.MOUTH_RIGHT, c.MOUTH_LEFT)),
        "lids": apart((159, 145), (386, 374)),
        "yaw": np.array([face.pose.yaw_deg for face in faces]),
        "pitch": np.array([face.pose.pitch_deg for face in faces]),
    }


def _follows(known: Curve, found: Curve) -> tuple[float, float]:
    """r and slope."""
    return float(np.corrcoef(known, found)[0, 1]), float(np.polyfit(known, found, 1)[0])


def _said(pairs: Sequence[tuple[float, float]]) -> str:
    r, slope = np.array(pairs).T
    return f"r {np.mean(r):.3f} (lowest {r.min():.3f}), slope {np.mean(slope):.2f} ({slope.min():.2f} to {slope.max():.2f})"


def channel_rows(films: Sequence[Film], who: str) -> Iterator[Row]:
    """Weights, pose and gaze against the known ones."""
    for name, shapes in CHANNELS.items():
        columns = [ARKIT_INDEX[shape] for shape in shapes]
        pairs = []
        for film in films:
            known, found = (
                np.stack([f.weights for f in frames])[:, columns].mean(axis=1) for frames in (film.known, film.captured)
            )
            pairs.append(_follows(known, found))
        yield Row(f"{who}: {name}", FOUND, _said(pairs))
    for axis in ("yaw_deg", "pitch_deg", "roll_deg"):
        turns = [
            [np.array([getattr(f.pose, axis) for f in frames]) for frames in (film.known, film.captured)] for film in films
        ]
        gap = [found - known for known, found in turns]
        error, moving = (float(np.mean([np.abs(g - less * g.mean()).mean() for g in gap])) for less in (0, 1))
        text = f"{error:.2f} ({moving:.2f} without what is constant); {_said([_follows(*pair) for pair in turns])}"
        yield Row(f"{who}: {axis.removesuffix('_deg')}, mean error in degrees", "<= 2", text)
    for k, name in enumerate(("yaw", "pitch")):
        pairs = [_follows(*(np.array([f.gaze[k] for f in frames]) for frames in (film.known, film.captured))) for film in films]
        yield Row(f"{who}: gaze, {name}", "", _said(pairs))


def pixel_rows(films: Sequence[Film], faces: Sequence[Face]) -> Iterator[Row]:
    """Each film's motion on the next portrait: both seen by the landmark network."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for film, face in zip(films, [*faces[1:], faces[0]], strict=True):
        look = _Looker()
        drawn = [look(picture) for picture in filmed(face, film.captured, 1.0, 0.0)]
        kept = [(a, b) for a, b in zip(film.seen, drawn, strict=True) if b is not None]
        known, found = (shown(list(side)) for side in zip(*kept, strict=True))
        for name in known:
            curves.setdefault(name, []).append(_follows(known[name], found[name]))
    least = {"gap of the lips": 0.95, "width of the mouth": 0.92, "lids": 0.9, "yaw": 0.95, "pitch": 0.95}
    for name, pairs in curves.items():
        yield Row(f"pixels of another portrait: {name}", f"r >= {least[name]}, slope .85 to 1.15", _said(pairs))


def cost_rows(films: Sequence[Film]) -> Iterator[Row]:
    """Of one core, beside the network alone in the same run."""
    spent = np.concatenate([film.cost_ms for film in films])
    face = analyser()
    picture = np.zeros((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    alone = []
    for _ in range(50):
        began = time.thread_time()
        face.follow(picture, films[0].seen[0])
        alone.append(1000 * (time.thread_time() - began))
    text = f"median {np.median(spent):.1f}, 90 % {np.percentile(spent, 90):.1f}; of it the network {np.median(alone):.1f}"
    yield Row("one picture of 640x480 on one core, ms", "<= 12", text)


def portrait_rows(faces: Sequence[Face], seconds: float) -> Iterator[Row]:
    """Each portrait by another camera."""
    films, calibrated = [], []
    for k, face in enumerate(faces):
        fps, light, noise = CAMERAS[k % len(CAMERAS)]
        motion, acts = known_motion(seconds, Fraction(fps), seed=k), acted(Fraction(fps))
        films.append(track(filmed(face, motion, light, noise, k), motion, fps))
        whole = [*acts, *motion]
        calibrated.append(track(filmed(face, whole, light, noise, k), whole, fps, acts=len(acts)))
    yield from channel_rows(films, "portraits")
    yield from islice(channel_rows(calibrated, "portraits, calibrated"), len(CHANNELS))
    yield from pixel_rows(films, faces)
    yield from cover_rows(faces[0], seconds)
    yield from cost_rows(films)


def cover_rows(face: Face, seconds: float) -> Iterator[Row]:
    """One portrait behind glasses, and in the dark."""
    motion = known_motion(seconds, Fraction(30), seed=0)
    for name, cover in (("glasses", glasses), ("a seventh of the light", dark)):
        rows = list(channel_rows([track(covered(filmed(face, motion, 1.0, 2.0), cover), motion, 30)], name))
        yield from (row for row in rows if row.what.split(": ")[1].startswith((*CHANNELS, "yaw", "pitch")))


def covered(pictures: Iterator[UInt8Array], cover: Cover) -> Iterator[UInt8Array]:
    """With what lies over the face."""
    look = _Looker()
    for picture in pictures:
        seen = look(picture)
        yield picture if seen is None else cover(picture, seen.landmarks)


def people_films(heads: Path, count: int, frames: int) -> Iterator[Film]:
    """Rendered people."""
    from training.synthetic_faces.assets import Assets
    from training.synthetic_faces.people import Studio
    from training.synthetic_faces.plan import Plan
    from training.synthetic_faces.rig import gaze_weights

    studio, fps = Studio(Assets(heads, "test"), SIZE_PX[1]), Fraction(12)
    for k in range(count):
        motion = known_motion(float(frames / fps), fps, seed=k)
        base = studio.plan(4242, k)
        base = replace(
            base, wear=replace(base.wear, object="", hat="", glasses=None), film=replace(base.film, filters=("jpeg", "noise"))
        )

        def pictures(motion: list[MotionFrame] = motion, base: Plan = base) -> Iterator[UInt8Array]:
            for frame in motion:
                gaze = np.array([frame.gaze, frame.gaze], np.float32)
                shape = replace(base.face, weights=gaze_weights(frame.weights, gaze), gaze=gaze)
                turn = (frame.pose.yaw_deg, frame.pose.pitch_deg, frame.pose.roll_deg)
                view = replace(base.view, pose=turn, body=(0, 0, 0), face=0.5, centre=(0.5, 0.5), distance=70.0)
                yield studio.sample(replace(base, face=shape, view=view), frame.index).image

        yield track(pictures(), motion, float(fps))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, metavar="HEADS")
    parser.add_argument("--count", type=int, default=6, help="of people")
    parser.add_argument("--portraits", nargs="*", default=["ada", "bram", "noor", "tomas"])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    args = parser.parse_args(argv)
    rows: list[Row] = []
    with quiet():
        if args.portraits:
            rows += portrait_rows([open_portrait(path) for path in PORTRAITS if path.stem in args.portraits], args.seconds)
        if args.people:
            rows += channel_rows(list(people_films(args.people, args.count, round(12 * args.seconds))), "rendered people")
    show(rows)


if __name__ == "__main__":
    main()
