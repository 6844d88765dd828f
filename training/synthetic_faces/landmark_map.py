"""Tie the 478 face-mesh points to the ICT mesh: three vertices and weights each.

    python -m training.synthetic_faces.landmark_map --assets HEADS --canonical canonical_face.npz

The points and their displacement fields were measured by `training.fields`; here each point is put back onto the face
triangle that both lies there and moves like it (the lips touch at rest, so position alone does not tell them apart).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.fields import surface
from training.fields.head import Floats, Head, Ints
from training.fields.measure import ARKIT, expression

DATA = Path(__file__).parent / "data" / "landmarks.npz"


def candidates(head: Head, points: Floats) -> list[surface.Attachment]:
    """Closest places of the points (468, 3) cm on the whole face, on the upper and on the lower half."""
    tris = head.triangles[head.part_triangles("face")]
    side = surface.lip_sides(head)[tris].sum(1)
    return [surface.nearest(head, points, tris[keep]) for keep in (side == side, side > 0, side < 0)]


def choose(head: Head, points: Floats, moves: Floats) -> tuple[surface.Attachment, Floats]:
    """The candidate with the least error in position and in motion, and that error in cm."""
    options = candidates(head, points)
    errors = []
    for at in options:
        gap = np.linalg.norm(at.interpolate(head.vertices) - points, axis=1)
        wrong = [np.linalg.norm(at.interpolate(expression(head, n)) - m, axis=1) for n, m in zip(ARKIT, moves, strict=True)]
        errors.append(gap + np.mean(wrong, axis=0))
    best = np.argmin(errors, axis=0)
    rows = np.arange(len(points))
    vertices = np.stack([o.vertices for o in options])[best, rows]
    weights = np.stack([o.weights for o in options])[best, rows]
    return surface.Attachment(vertices, weights), np.min(errors, axis=0)


def irises(head: Head, points: Floats) -> surface.Attachment:
    """The ten iris points (right eye first) on the eyeball meshes."""
    parts = []
    for eye, name in enumerate(("sclera_right", "sclera_left")):
        tris = head.triangles[head.part_triangles(name)]
        parts.append(surface.nearest(head, points[5 * eye : 5 * eye + 5], tris))
    return surface.Attachment(np.concatenate([p.vertices for p in parts]), np.concatenate([p.weights for p in parts]))


def tie(head: Head, canonical: Path) -> dict[str, NDArray[np.generic]]:
    """`vertices` (478, 3) and `weights` (478, 3)."""
    with np.load(canonical, allow_pickle=False) as data:
        unit, origin = np.float32(data["cm_per_unit"]), data["origin_cm"].astype(np.float32)
        points = (data["points"] * unit + origin).astype(np.float32)
        moves = data["fields"].astype(np.float32) * unit
    skin, error = choose(head, points[:468], moves[:, :468])
    iris = irises(head, points[468:])
    gap = np.linalg.norm(iris.interpolate(head.vertices) - points[468:], axis=1)
    print(f"position + motion error, mm: median {10 * np.median(error):.3f}, worst {10 * error.max():.3f}")
    print(f"irises, distance to the eyeball, mm: worst {10 * gap.max():.2f}")
    vertices: Ints = np.concatenate([skin.vertices, iris.vertices])
    return {"vertices": vertices.astype(np.int32), "weights": np.concatenate([skin.weights, iris.weights]).astype(np.float32)}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder of the head assets")
    parser.add_argument("--canonical", type=Path, required=True, help="canonical_face.npz of training.fields")
    parser.add_argument("--out", type=Path, default=DATA)
    args = parser.parse_args(argv)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **tie(Head(args.assets), args.canonical))  # type: ignore[arg-type]  # a name could be that of its option


if __name__ == "__main__":
    main()
