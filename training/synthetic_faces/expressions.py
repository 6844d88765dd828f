"""Random faces: speech, emotions, blinks and single shapes as ARKit weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from training.synthetic_faces.assets import Floats
from training.synthetic_faces.names import ARKIT_INDEX, ARKIT_NAMES

BOTH = "*"
VISEMES: tuple[Mapping[str, float], ...] = (
    {"jawOpen": 0.55, "mouthLowerDown*": 0.25, "mouthUpperUp*": 0.1},
    {"jawOpen": 0.25, "mouthStretch*": 0.35, "mouthSmile*": 0.25},
    {"jawOpen": 0.15, "mouthSmile*": 0.4, "mouthLowerDown*": 0.3, "mouthStretch*": 0.2},
    {"jawOpen": 0.35, "mouthFunnel": 0.7},
    {"jawOpen": 0.12, "mouthPucker": 0.8, "mouthFunnel": 0.3},
    {"mouthPress*": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.25},
    {"jawOpen": 0.06, "mouthRollLower": 0.5, "mouthUpperUp*": 0.25},
    {"jawOpen": 0.12, "mouthLowerDown*": 0.45, "mouthUpperUp*": 0.3},
    {"jawOpen": 0.2, "mouthShrugUpper": 0.3, "mouthFunnel": 0.35, "mouthUpperUp*": 0.2},
    {"jawOpen": 0.3, "mouthClose": 0.25},
    {"jawOpen": 0.2, "mouthLowerDown*": 0.2},
)  # fmt: skip
EMOTIONS: tuple[Mapping[str, float], ...] = (
    {"mouthSmile*": 0.75, "cheekSquint*": 0.6, "eyeSquint*": 0.3},
    {"mouthSmile*": 1.0, "jawOpen": 0.3, "cheekSquint*": 0.8, "mouthUpperUp*": 0.4, "mouthLowerDown*": 0.2},
    {"mouthFrown*": 0.7, "browInnerUp": 0.8, "mouthShrugLower": 0.4, "eyeSquint*": 0.2},
    {"browDown*": 0.9, "noseSneer*": 0.4, "mouthPress*": 0.4, "eyeSquint*": 0.3},
    {"browInnerUp": 0.9, "browOuterUp*": 0.9, "eyeWide*": 0.9, "jawOpen": 0.5},
    {"browInnerUp": 0.8, "eyeWide*": 0.7, "mouthStretch*": 0.6, "jawOpen": 0.15},
    {"noseSneer*": 0.9, "mouthUpperUp*": 0.5, "browDown*": 0.6, "mouthFrown*": 0.3},
    {"mouthSmileLeft": 0.5, "mouthDimpleLeft": 0.5},
    {"cheekPuff": 0.9, "mouthPucker": 0.3},
    {"mouthDimple*": 0.6, "mouthPress*": 0.4},
)  # fmt: skip
MOST = {"jawOpen": 0.9, "cheekPuff": 0.8, "jawForward": 0.6, "jawLeft": 0.6, "jawRight": 0.6, "mouthClose": 0.3}


def expand(shapes: Mapping[str, float]) -> Floats:
    """(52,) from names where * stands for both sides."""
    out = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in shapes.items():
        for side in ("Left", "Right") if name.endswith(BOTH) else ("",):
            out[ARKIT_INDEX[name.removesuffix(BOTH) + side]] = value
    return out


def lids(rng: np.random.Generator) -> Floats:
    """Blinks, half-closed and wide eyes, winks."""
    out = np.zeros(len(ARKIT_NAMES), np.float32)
    kind = rng.random()
    left = right = 0.0
    if kind < 0.12:
        left = right = 1.0
    elif kind < 0.32:
        left = right = float(rng.beta(1.1, 1.1))
    elif kind < 0.38:
        left, right = rng.permutation([1.0, float(rng.uniform(0, 0.25))])
    elif kind < 0.60:
        left = right = float(rng.uniform(0, 0.2))
    if left == right and left not in (0.0, 1.0):
        right = float(np.clip(left + rng.normal(0, 0.04), 0, 1))
    out[ARKIT_INDEX["eyeBlinkLeft"]], out[ARKIT_INDEX["eyeBlinkRight"]] = left, right
    if kind > 0.70:
        out += expand({"eyeWide*": float(rng.uniform(0.0, 1.0))})
    elif rng.random() < 0.2:
        out += expand({"eyeSquint*": float(rng.uniform(0.2, 1.0))})
    return out


def random_weights(rng: np.random.Generator) -> Floats:
    """One face (52,), without gaze."""
    out = np.zeros(len(ARKIT_NAMES), np.float32)
    if rng.random() < 0.7:
        a, b = rng.integers(len(VISEMES), size=2)
        share = rng.random()
        mix = share * expand(VISEMES[a]) + (1 - share) * expand(VISEMES[b])
        out += mix * rng.uniform(0.2, 1.3)
    if rng.random() < 0.55:
        out += expand(EMOTIONS[rng.integers(len(EMOTIONS))]) * rng.uniform(0.1, 1.1)
    if rng.random() < 0.35:
        rows = [i for i, n in enumerate(ARKIT_NAMES) if not n.startswith("eye") and n != "tongueOut"]
        some = rng.choice(rows, 3, replace=False)
        out[some] += rng.uniform(0, 0.8, 3).astype(np.float32)
    if rng.random() < 0.05:
        out += expand({"tongueOut": float(rng.uniform(0.3, 1.0))})
        out[ARKIT_INDEX["jawOpen"]] = max(out[ARKIT_INDEX["jawOpen"]], rng.uniform(0.3, 0.7))
        out[[ARKIT_INDEX[n] for n in ("mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthClose")]] = 0
    out *= np.exp(rng.normal(0, 0.12, len(out))).astype(np.float32)
    out += lids(rng)
    for name, most in MOST.items():
        out[ARKIT_INDEX[name]] = min(out[ARKIT_INDEX[name]], most)
    out[ARKIT_INDEX["mouthClose"]] = min(out[ARKIT_INDEX["mouthClose"]], out[ARKIT_INDEX["jawOpen"]])
    for side in ("Left", "Right"):
        shut = out[ARKIT_INDEX[f"eyeBlink{side}"]]
        out[ARKIT_INDEX[f"eyeWide{side}"]] *= 1 - shut
        out[ARKIT_INDEX[f"eyeSquint{side}"]] *= 1 - shut
    return np.clip(out, 0, 1).astype(np.float32)
