"""Self-check of the renderer's truth.

python -m training.synthetic_faces.check --assets HEADS
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.synthetic_faces import names
from training.synthetic_faces.assets import Assets, Floats
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.rig import gaze_weights
from training.synthetic_faces.sample import Sample

OUTER_EYES = [names.RIGHT_OUTER_EYE, names.LEFT_OUTER_EYE]


def bare(plan: Plan, size: float = 0.7, **weights: float) -> Plan:
    """The same person unobstructed, near, looking ahead, with the given face."""
    gaze = np.zeros((2, 2), np.float32)
    face = replace(plan.face, weights=gaze_weights(names.arkit_weights(**weights), gaze), gaze=gaze)
    hair = replace(plan.hair, card="", strands=0, fur=(0.0, 0.0, 0.0))
    wear = replace(plan.wear, glasses=None, object="", hat="")
    view = replace(plan.view, face=size, centre=(0.5, 0.5), pose=(0.0, 0.0, 0.0), body=(0.0, 0.0, 0.0), distance=120.0)
    return replace(plan, face=face, hair=hair, wear=wear, view=view)


def unit(sample: Sample) -> float:
    """Outer-eye distance in px, in 3D."""
    a, b = sample.points[OUTER_EYES]
    return float(np.linalg.norm(a - b))


def gap(sample: Sample, upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
    """Mean height between two rows of points (their ends left out), share of the outer-eye distance."""
    y = sample.points[:, 1]
    return float((y[list(lower[1:-1])] - y[list(upper[1:-1])]).mean()) / unit(sample)


def depth_error(sample: Sample) -> Floats:
    """(visible skin points,) |depth at the point - depth buffer| in cm, where the buffer is flat enough to tell."""
    focal, _, _, distance = sample.camera
    rows = np.flatnonzero(sample.visible[:468])
    x, y = (np.clip(sample.points[rows, k].astype(int), 1, len(sample.labels) - 2) for k in (0, 1))
    around = np.stack([sample.depth[y + j, x + i].astype(np.float32) for j in (-1, 0, 1) for i in (-1, 0, 1)])
    inner = np.isfinite(around).all(0) & (np.ptp(np.where(np.isfinite(around), around, 0), axis=0) < 0.6)
    height = sample.points[rows, 2] / (focal / distance)
    return np.abs(height - np.median(around, axis=0))[inner]


def check_projection(studio: Studio, count: int) -> None:
    """Visible points lie on the depth buffer; labels and matte agree; irises lie on irises."""
    errors, hits, total, seen = [], 0, 0, []
    for k in range(count):
        sample = studio.sample(studio.plan(11, k), k)
        assert sample.labels.max() < len(names.LABELS), "an unknown label"
        one_hot = sample.labels[..., None] == np.arange(len(names.LABELS))
        assert (one_hot.sum(-1) == 1).all(), "a pixel without exactly one label"
        back = sample.labels == names.LABEL["background"]
        assert (np.isinf(sample.depth.astype(np.float32)) == back).all(), "depth and background disagree"
        if not back.all():
            solid = (sample.alpha > 250) & back
            assert solid.mean() < 0.01, f"opaque background: {solid.mean():.3f}"
            assert ((sample.alpha < 100) & ~back).mean() < 0.01, "transparent person"
        errors.append(depth_error(sample))
        seen.append(sample.visible.mean())
        for first in names.IRISES:
            x, y = sample.points[first, :2].astype(int)
            if sample.visible[first] and unit(sample) > 40:
                total += 1
                hits += sample.labels[y, x] in (names.LABEL["iris"],)
    every = np.concatenate(errors)
    print(f"depth buffer against points: median {10 * np.median(every):.2f} mm, 95 % {10 * np.percentile(every, 95):.2f} mm, "
          f"99 % {10 * np.percentile(every, 99):.2f} mm ({len(every)} points)")  # fmt: skip
    print(f"visible points: {100 * np.mean(seen):.0f} %; visible iris centres on the iris label: {hits} of {total}")
    assert np.percentile(every, 95) < 0.25, "points and depth buffer disagree"
    assert hits >= 0.95 * total, "irises are not where they are said to be"


def check_face(studio: Studio, count: int) -> None:
    """Lids shut at a blink, lips open with the jaw, tongue and teeth appear."""
    shut, opened, lips = [], [], []
    for k in range(count):
        plan = studio.plan(12, k)
        calm = studio.sample(bare(plan), k)
        blink = studio.sample(bare(plan, eyeBlinkLeft=1.0, eyeBlinkRight=1.0), k)
        eyes = [names.LABEL["eyeball"], names.LABEL["iris"]]
        ratio = np.isin(blink.labels, eyes).sum() / max(int(np.isin(calm.labels, eyes).sum()), 1)
        assert ratio < 0.1, f"person {k}: {100 * ratio:.0f} % of the eyes still seen at blink 1"
        for up, low in zip(names.UPPER_LIDS, names.LOWER_LIDS, strict=True):
            shut.append(gap(blink, up, low))
            opened.append(gap(calm, up, low))
        talks = [studio.sample(bare(plan, jawOpen=j), k) for j in (0, 0.3, 0.6, 0.9)]
        row = [gap(s, names.UPPER_INNER_LIP, names.LOWER_INNER_LIP) for s in talks]
        assert (np.diff(row) > 0.01).all(), f"person {k}: lip gap {row} does not grow with jawOpen"
        lips.append(row)
        out = studio.sample(bare(plan, tongueOut=1.0, jawOpen=0.5), k)
        assert (out.labels == names.LABEL["tongue"]).sum() > 100, f"person {k}: no tongue"
    print(f"lid gap, % of the outer-eye distance: open {100 * np.mean(opened):.1f}, shut {100 * np.mean(shut):.1f}")
    print("lip gap at jawOpen 0, .3, .6, .9, %:", np.round(100 * np.mean(lips, axis=0), 1))


def check_pose(studio: Studio, count: int) -> None:
    """Pose signs: yaw to the image right, pitch up, roll clockwise."""
    for k in range(count):
        plan = bare(studio.plan(13, k))
        nose, chin, top = 1, 152, 10
        ahead = studio.sample(plan, k)
        for pose, axis, sign in (((25.0, 0.0, 0.0), 0, 1), ((0.0, 20.0, 0.0), 1, -1)):
            turned = studio.sample(replace(plan, view=replace(plan.view, pose=pose)), k)
            shift = turned.points[nose, axis] - np.mean(turned.points[OUTER_EYES, axis])
            still = ahead.points[nose, axis] - np.mean(ahead.points[OUTER_EYES, axis])
            assert sign * (shift - still) > 0, f"pose {pose}: the nose moves by {shift - still:.1f} px"
            assert np.allclose(turned.pose, pose, atol=1e-3), f"pose {turned.pose} is not {pose}"
        face = replace(plan.face, gaze=np.tile(np.array([[15.0, 10.0]], np.float32), (2, 1)))
        looking = studio.sample(replace(plan, face=face), k)
        for first in names.IRISES:
            moved = looking.points[first] - ahead.points[first]
            assert moved[0] > 0 > moved[1], f"gaze to the image right and up moves the iris by {moved[:2]} px"
        rolled = studio.sample(replace(plan, view=replace(plan.view, pose=(0.0, 0.0, 20.0))), k)
        assert rolled.points[top, 0] > rolled.points[chin, 0], "roll > 0 must tilt clockwise in the image"


def check_same(assets: Assets, size: int) -> None:
    """Same seed, same bytes, also from a fresh context and out of order."""
    first, second = Studio(assets, size), Studio(assets, size)
    rows = range(6)
    ones = {k: first.sample(first.plan(5, k), k).arrays() for k in rows}
    others = {k: second.sample(second.plan(5, k), k).arrays() for k in reversed(rows)}
    for k in rows:
        for name, value in ones[k].items():
            assert value.tobytes() == others[k][name].tobytes(), f"picture {k}: {name} differs"
    print("same seed, same bytes")


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, default=40, help="random pictures looked at")
    args = parser.parse_args(argv)
    assets = Assets(args.assets)
    studio = Studio(assets, args.size)
    check_projection(studio, args.count)
    check_face(studio, max(args.count // 8, 2))
    check_pose(studio, 2)
    check_same(assets, args.size)
    print("all well")


if __name__ == "__main__":
    main()
