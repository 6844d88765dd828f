"""How a landmark network answers to heads whose motion is known: ``python -m training.fields.detector --assets DIR``.

The round trip of the rig is judged with such a network, so its own slope belongs beside the rig's. Heads of several
identities are rendered in three dimensions, with the scanned shapes; what the network finds is compared with the mesh.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from training.fields.head import Camera, Floats, Head, render
from training.fields.measure import EYES, SIZE, SKINS, turn
from vivant.portrait import default_analyser
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, UInt8Array

N_HEADS = 6
Measure = Callable[[Floats], float]


def lip_gap(points: Floats) -> float:
    """Between the inner lips, over the outer-eye distance."""
    return float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.linalg.norm(points[33, :2] - points[263, :2]))


def eye_opening(points: Floats) -> float:
    """Height over width, mean of both eyes."""
    eyes = ((159, 145, 33, 133), (386, 374, 263, 362))
    gaps = [
        np.linalg.norm(points[u, :2] - points[v, :2]) / np.linalg.norm(points[a, :2] - points[b, :2]) for u, v, a, b in eyes
    ]
    return float(np.mean(gaps))


def gaze(points: Floats) -> float:
    """Iris beside the middle of the eye, in eye widths, mean of both eyes."""
    eyes = ((468, 33, 133), (473, 362, 263))
    shifts = [(points[i, 0] - (points[a, 0] + points[b, 0]) / 2) / abs(points[a, 0] - points[b, 0]) for i, a, b in eyes]
    return float(np.mean(shifts))


def response(
    head: Head, find: Callable[[UInt8Array], Floats], measure: Measure, steps: Sequence[float], shapes: Sequence[str]
) -> list[str]:
    """Slope and correlation of found over true, per head, for shapes at the given weights (gaze: degrees)."""
    chance = np.random.default_rng(3)
    face, lines = c.canonical_face(), []
    for number in range(N_HEADS):
        identity = chance.normal(0, 0.6, 40).astype(np.float32)
        look = head.look(
            SKINS[number % len(SKINS)], EYES[number % len(EYES)], f"eyebrow{number + 1:03d}", f"eyelashes0{number % 4 + 1}"
        )
        true, found = [], []
        for step in steps:
            weights = dict.fromkeys(shapes, step)
            delta = head.delta(weights, identity)
            moved = face.points + sum(
                (step * face.fields[ARKIT_INDEX[_arkit(name)]] for name in shapes), np.zeros((478, 3), np.float32)
            )
            if not shapes:
                _turn_eyes(head, delta, step)
                moved = face.points.copy()
                moved[468:, 0] += face.eyes[0, 3] * np.sin(np.radians(step))
            found.append(measure(find(render(head, look, delta, turn(0, 0, 0), Camera(SIZE)))))
            true.append(measure(moved))
        lines.append(f"slope {np.polyfit(true, found, 1)[0]:.2f}, correlation {np.corrcoef(true, found)[0, 1]:.3f}")
    return lines


def _arkit(name: str) -> str:
    return name.replace("_L", "Left").replace("_R", "Right")


def _turn_eyes(head: Head, delta: Floats, yaw_deg: float) -> None:
    """Rotate both eyeballs about their centres, in place; the scan model leaves them still."""
    for ball, side in enumerate(("left", "right")):
        for part in (f"eyeball_{side}", f"sclera_{side}", f"iris_{side}"):
            where = head.part_range(part)
            arm = head.vertices[where] - head.eye_spheres[ball, :3]
            delta[where] = arm @ turn(yaw_deg, 0, 0).T - arm


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True)
    network = default_analyser()
    head = Head(parser.parse_args(argv).assets)

    def find(pixels: UInt8Array) -> Floats:
        return network.faces(np.ascontiguousarray(pixels))[0].landmarks

    trials: dict[str, tuple[Measure, Sequence[float], Sequence[str]]] = {
        "mouth opening": (lip_gap, np.linspace(0, 0.7, 9).tolist(), ("jawOpen",)),
        "eye opening": (eye_opening, np.linspace(0, 1, 9).tolist(), ("eyeBlink_L", "eyeBlink_R")),
        "gaze": (gaze, np.linspace(-18, 18, 9).tolist(), ()),
    }
    for name, (measure, steps, shapes) in trials.items():
        print(name, *response(head, find, measure, steps, shapes), sep="\n  ")


if __name__ == "__main__":
    main()
