"""Measure ARKit displacement fields of the 478 face-mesh points on the ICT FaceKit head.

Run as `python -m training.fields.measure --assets HEADS --out canonical_face.npz`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.fields import parts, surface, topology
from training.fields.head import Camera, Floats, Head, Ints, bary_in, rasterise, render

ARKIT: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight",
    "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward",
    "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight",
    "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
SKINS: tuple[str, ...] = (
    "young_lightskinned_female_diffuse2", "young_lightskinned_male_diffuse",
    "young_darkskinned_male_diffuse", "middleage_lightskinned_female_diffuse2",
    "middleage_darkskinned_male_diffuse", "middleage_lightskinned_male_diffuse2",
    "young_lightskinned_female_diffuse3",
)  # fmt: skip
EYES: tuple[str, ...] = ("brown_eye", "blue_eye", "grey_eye", "brownlight_eye")
OPEN_MOUTHS: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.3}, {"jawOpen": 0.45}, {"jawOpen": 0.6},
    {"jawOpen": 0.4, "mouthSmile_L": 0.5, "mouthSmile_R": 0.5},
    {"jawOpen": 0.3, "mouthLowerDown_L": 0.5, "mouthLowerDown_R": 0.5,
     "mouthUpperUp_L": 0.4, "mouthUpperUp_R": 0.4},
)  # fmt: skip
CALM: tuple[dict[str, float], ...] = (
    {}, {}, {"browInnerUp_L": 0.4, "browInnerUp_R": 0.4}, {"mouthSmile_L": 0.3, "mouthSmile_R": 0.3},
    {"eyeWide_L": 0.6, "eyeWide_R": 0.6},
)  # fmt: skip
SIZE = 640


def turn(yaw: float, pitch: float, roll: float) -> Floats:
    """Rotation matrix from degrees."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (about_z @ about_y @ about_x).astype(np.float32)


def detect(head: Head, count: int, seed: int = 7) -> tuple[Floats, Ints, Floats]:
    """Render `count` calm and `count` open-mouth heads and un-project the detected points.

    Returns neutral-mesh positions (2 * count, 478, 3), face triangles hit (2 * count, 478) and
    iris points (2 * count, 10, 2) in the head frame, for checking. Missed renders are NaN / -1.
    """
    import mediapipe as mp

    rng = np.random.default_rng(seed)
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True)
    face = head.triangles[head.part_triangles("face")]
    where = np.full((2 * count, 478, 3), np.nan, np.float32)
    which = np.full((2 * count, 478), -1, np.int64)
    iris = np.full((2 * count, 10, 2), np.nan, np.float32)
    camera = Camera(SIZE)
    for i in range(2 * count):
        shapes = (CALM, OPEN_MOUTHS)[i // count]
        delta = head.delta(shapes[i % len(shapes)], rng.normal(0, 0.7, 40).astype(np.float32))
        rotation = turn(*rng.uniform(-1, 1, 3) * (10, 7, 4))
        brow, lash = f"eyebrow{rng.integers(1, 13):03d}", f"eyelashes{rng.integers(1, 5):02d}"
        look = head.look(SKINS[i % len(SKINS)], EYES[i % len(EYES)], brow, lash)
        found = mesh.process(render(head, look, delta, rotation, camera)).multi_face_landmarks
        if not found:
            continue
        pixels = np.array([(p.x, p.y) for p in found[0].landmark], np.float32) * SIZE
        posed = ((head.vertices + delta) @ rotation.T).astype(np.float32)
        screen, depth = camera.project(posed)
        hit, bary = bary_in(rasterise(screen, depth, face, (SIZE, SIZE)), screen, face, pixels)
        where[i] = (head.vertices[face[hit]] * bary[..., None]).sum(1)
        which[i] = hit
        iris[i] = pixels[468:] - pixels[[468] * 5 + [473] * 5]
    return where, which, iris


def consensus(head: Head, where: Floats, which: Ints, count: int) -> tuple[Floats, Floats]:
    """Median neutral position per point, symmetrised, and the spread (samples, 478)."""
    side = surface.lip_sides(head)[head.triangles[head.part_triangles("face")]]
    wanted = topology.lip_side()
    samples = where.copy()
    lips = topology.lip_points()
    samples[count:, np.setdiff1d(np.arange(478), lips)] = np.nan
    samples[:count, lips] = np.nan
    tri_side = np.sign(side.sum(1))
    wrong = (wanted != 0) & (tri_side[which] != wanted)
    samples[wrong] = np.nan
    middle = np.nanmedian(samples, axis=0)
    spread = np.linalg.norm(samples - middle, axis=2)
    return middle, spread


def expression(head: Head, name: str) -> Floats:
    """ICT displacement of all vertices for one ARKit name."""
    if name == "tongueOut":
        return np.zeros_like(head.vertices)
    if name in ("browInnerUp", "cheekPuff"):
        return head.expressions[f"{name}_L"] + head.expressions[f"{name}_R"]
    for word, suffix in (("Left", "_L"), ("Right", "_R")):
        short = name.removesuffix(word) + suffix
        if name.endswith(word) and short in head.expressions:
            return head.expressions[short]
    return head.expressions[name]


def fields(head: Head, at: surface.Attachment, iris: Floats) -> dict[str, Floats]:
    """Displacement and normal fields in cm at the attached points and the iris points."""
    smooth = surface.SmoothNormals(head, at)
    neutral = smooth(head.vertices)
    neutral[468:] = parts.iris_normals(head, iris)
    moves, bends = [], []
    for name in ARKIT:
        delta = expression(head, name)
        move = at.interpolate(delta)
        move[468:] = parts.iris_delta(head, name, iris)
        moves.append(move)
        bend = smooth(head.vertices + delta) - neutral
        bend[468:] = parts.iris_normals(head, iris + move[468:]) - neutral[468:]
        bends.append(bend)
    return {
        "fields": np.stack(moves),
        "normals": neutral.astype(np.float16),
        "normal_fields": np.stack(bends).astype(np.float16),
    }


def measure(head: Head, count: int) -> tuple[dict[str, NDArray[Any]], Floats]:
    """All arrays of the data file, and the spread of the consensus in cm."""
    where, which, iris = detect(head, count)
    print(f"renders with a face: {int((which[:, 0] >= 0).sum())} of {2 * count}")
    middle, spread = consensus(head, where, which, count)
    pairs = topology.mirror_pairs(middle)
    uneven = np.linalg.norm(middle - middle[pairs] * (-1, 1, 1), axis=1)
    print(f"left-right error before symmetrising: median {np.median(uneven):.3f} cm, "
          f"95 % {np.percentile(uneven, 95):.3f} cm")  # fmt: skip
    middle = 0.5 * (middle + middle[pairs] * (-1, 1, 1)).astype(np.float32)
    at = surface.attach(head, middle, pairs)
    points = at.interpolate(head.vertices)
    points[468:] = parts.iris_points(head, np.nanmedian(iris, axis=0))
    origin = 0.5 * (points[33] + points[263])
    unit = float(np.linalg.norm(points[33] - points[263]))
    out: dict[str, NDArray[Any]] = {"names": np.array(ARKIT), "points": points}
    out |= fields(head, at, points[468:])
    out |= parts.teeth(head) | parts.eyes(head) | {"profile": parts.profile(head, points)}
    place = ("points", "teeth_upper", "teeth_lower", "gum_upper", "gum_lower", "profile", "jaw_hinge")
    shift = ("fields", "jaw_open_shift", "jaw_forward", "jaw_left", "jaw_right", "iris_radius")
    for key in place:
        out[key] = ((out[key] - origin) / unit).astype(np.float32)
    for key in shift:
        out[key] = (out[key] / unit).astype(np.float32)
    out["eyes"] = np.concatenate([out["eyes"][:, :3] - origin, out["eyes"][:, 3:]], 1) / unit
    out["eyes"] = out["eyes"].astype(np.float32)
    out["fields"] = out["fields"].astype(np.float16)
    out["triangles"] = topology.triangles(out["points"])
    out["cm_per_unit"], out["origin_cm"] = np.array(unit, np.float32), origin.astype(np.float32)
    return out, spread


def report(data: dict[str, NDArray[Any]], spread: Floats) -> None:
    """Print the sanity figures."""
    points, moves = data["points"], data["fields"].astype(np.float32)
    share = 100 * np.nanmedian(spread, axis=0)[:468] / float(data["cm_per_unit"])
    print(f"consensus spread, % of unit: median {np.median(share):.2f}, "
          f"95 % {np.percentile(share, 95):.2f}")  # fmt: skip
    for label, shape, rows in (
        ("lip gap", "jawOpen", topology.LIP_PAIRS),
        ("right lid gap", "eyeBlinkRight", topology.LID_PAIRS[0]),
        ("left lid gap", "eyeBlinkLeft", topology.LID_PAIRS[1]),
    ):
        moved = points + moves[ARKIT.index(shape)]
        still = [points[a, 1] - points[b, 1] for a, b in rows]
        after = [moved[a, 1] - moved[b, 1] for a, b in rows]
        print(label, "neutral", np.round(still, 4), shape, np.round(after, 4))
    print("loops", [len(loop) for loop in topology.loops(data["triangles"])],
          "triangles", len(data["triangles"]))  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder of the ICT head")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--renders", type=int, default=40, help="calm renders, and open-mouth ones")
    args = parser.parse_args(argv)
    data, spread = measure(Head(args.assets), args.renders)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **data)  # type: ignore[arg-type]  # a name could be that of its option
    for key, value in data.items():
        print(key, value.shape, value.dtype)
    report(data, spread)


if __name__ == "__main__":
    main()
