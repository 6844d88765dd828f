"""Does every shape move as on the scans? ``python -m benchmarks.shapes`` prints the 52 ARKit shapes one by one.

``rig``: cosine of the rig's displacements with the measured ones over the landmarks that move noticeably. The rig is made of
the measured ones, so this shows what fitting them to a portrait has changed. ``seen``: the same for the landmarks that the
network finds in the rendered pixels. It knows nothing of the rig; its own noise counts against shapes that move little.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row, analyser, markdown, quiet
from benchmarks.rig import SIZE_PX, Built, bundled
from vivant.face import RigFace
from vivant.render.renderer import RigRenderer
from vivant.rig import canonical as c
from vivant.types import ARKIT_NAMES, FloatArray, MotionFrame, arkit_weights

LEAST = 0.8
NOTICEABLE = 0.1
"""Points that move by less than this share of a shape's largest displacement do not count."""
UNDER: Mapping[str, Mapping[str, float]] = {"mouthClose": {"jawOpen": 1.0}}
"""Shapes that do something only on top of another."""
REMARKS = {name: "fitted to the portrait's lids" for name in ARKIT_NAMES if name.startswith("eye")} | {
    "mouthClose": "on an open jaw",
    "tongueOut": "not measured: the scanned heads have no tongue",
}


def rig_cosines(built: Built) -> dict[str, float]:
    """Per measured shape, from the rig's own arrays."""
    measured, own = _measured(built), _landmark_moves(built)
    return {name: _cosine(measured[k], own[k]) for k, name in enumerate(ARKIT_NAMES) if measured[k].any()}


def seen_cosines(built: Built) -> dict[str, float]:
    """Per measured shape, at weight 1, from the pixels; x and y only. NaN where no face is found."""
    renderer, measured = RigFace(built.rig).open_rig(SIZE_PX), _measured(built)[..., :2]
    found = {}
    for k, name in enumerate(ARKIT_NAMES):
        if measured[k].any():
            under = UNDER.get(name, {})
            moved = _seen(renderer, {**under, name: 1.0}) - _seen(renderer, under)
            found[name] = _cosine(measured[k], moved)
    return found


def _measured(built: Built) -> FloatArray:
    """(52, 468, 3) px, turned as the portrait is."""
    return built.fit.direction(c.canonical_face().fields[:, : c.N_SURFACE]).astype(np.float64)


def _landmark_moves(built: Built) -> FloatArray:
    """(52, 468, 3) px: the landmarks are the first vertices of a rig."""
    moves = np.zeros((len(ARKIT_NAMES), c.N_SURFACE, 3))
    arrays = built.rig.arrays
    for drive, first, count, offset in arrays["move_blocks"]:
        if drive < len(ARKIT_NAMES) and first < c.N_SURFACE:
            reached = min(count, c.N_SURFACE - first)
            moves[drive, first : first + reached] += arrays["moves"][offset : offset + reached]
    return moves


def _seen(renderer: RigRenderer, weights: Mapping[str, float]) -> FloatArray:
    """(468, 2) px of the landmarks in a rendered frame."""
    pixels = renderer.render(MotionFrame(0, 0, arkit_weights(**weights))).pixels
    faces = analyser().faces(np.ascontiguousarray(pixels[..., :3]))
    return faces[0].landmarks[: c.N_SURFACE, :2].astype(np.float64) if faces else np.full((c.N_SURFACE, 2), np.nan)


def _cosine(measured: FloatArray, own: FloatArray) -> float:
    length = np.linalg.norm(measured, axis=1)
    moving: NDArray[np.bool_] = length > NOTICEABLE * length.max()
    a, b = measured[moving].ravel(), own[moving].ravel()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))


@cache
def table() -> dict[str, tuple[float, float]]:
    """Per measured shape: the lowest cosine of the rigs and the median of the seen ones, over the bundled portraits."""
    rigs, seen = [rig_cosines(one) for one in bundled()], [seen_cosines(one) for one in bundled()]
    return {name: (min(r[name] for r in rigs), float(np.median([s[name] for s in seen]))) for name in rigs[0]}


def rows() -> list[Row]:
    """The summary."""
    cosines = table()
    lowest = min(cosines, key=lambda name: cosines[name][0])
    seen = np.array([pair[1] for pair in cosines.values()])
    below = sum(pair[0] < LEAST for pair in cosines.values())
    return [
        Row(f"cosine with the measured field, lowest of {len(cosines)}", f">= {LEAST}", f"{cosines[lowest][0]:.2f} ({lowest})"),
        Row(f"shapes below {LEAST}", "0", str(below)),
        Row("the same seen in the pixels, median and 10 %", "", f"{np.median(seen):.2f} and {np.percentile(seen, 10):.2f}"),
    ]


def shape_lines() -> list[list[str]]:
    """The 52 shapes, one line each, after a head."""
    cosines = table()
    lines = [["ARKit shape", f"rig, lowest of {len(bundled())}", f"seen, median of {len(bundled())}", "remark"]]
    for name in ARKIT_NAMES:
        figures = [f"{value:.2f}" for value in cosines[name]] if name in cosines else ["", ""]
        lines.append([name, *figures, REMARKS.get(name, "")])
    return lines


def main() -> None:
    with quiet():
        lines = shape_lines()
    sys.stdout.write(markdown(lines) + "\n")


if __name__ == "__main__":
    main()
