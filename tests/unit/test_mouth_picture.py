"""Mouths in rendered pixels: what parts the lips, what narrows them, and what does neither."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.test_speech_articulation import track
from vivant.face import RigFace
from vivant.portrait import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.speech.articulation import MOUTH_TO_ARKIT
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, arkit_weights

pytestmark = pytest.mark.unit

UPPER, LOWER = [13, 82, 312], [14, 87, 317]
Look = Callable[[Float32Array], tuple[float, float]]


@pytest.fixture(scope="module")
def look(ada: RigFace, analyser: PortraitAnalyser) -> Look:
    """(gap of the inner lips, width of the mouth) in outer-eye distances that the analyser sees in a frame of `ada`."""
    renderer = ada.open(384)

    def see(weights: Float32Array) -> tuple[float, float]:
        pixels = renderer.render(MotionFrame(0, 0, weights)).pixels
        points = analyser.faces(np.ascontiguousarray(pixels[..., :3]))[0].landmarks[:, :2]
        eyes = np.linalg.norm(points[c.LEFT_OUTER_EYE] - points[c.RIGHT_OUTER_EYE])
        gap = np.linalg.norm(points[UPPER] - points[LOWER], axis=1).mean()
        return float(gap / eyes), float(np.linalg.norm(points[c.MOUTH_LEFT] - points[c.MOUTH_RIGHT]) / eyes)

    return see


def held(phone: str) -> Float32Array:
    """(52,) weights of a sound that lasts."""
    mouth: NDArray[np.float64] = track(("_", 20), (phone, 40), ("_", 20))[40]
    return np.asarray(np.clip(mouth @ MOUTH_TO_ARKIT, 0, 1), np.float32)


def test_rounded_vowels_are_narrow_and_hardly_parted(look: Look) -> None:
    seen = {phone: look(held(phone)) for phone in ("a", "i", "s", "o", "u")}
    gap, width = ({phone: pair[k] for phone, pair in seen.items()} for k in (0, 1))
    assert gap["u"] < 0.4 * gap["a"] and gap["u"] < 0.7 * min(gap["i"], gap["s"])
    assert gap["o"] < 0.7 * gap["a"]
    assert min(gap["i"], gap["s"]) > 0.04
    assert max(width["o"], width["u"]) < 0.92 * min(width["a"], width["i"])


def test_a_pucker_parts_no_lips(look: Look) -> None:
    rest, pucker = look(arkit_weights()), look(arkit_weights(mouthPucker=0.95))
    assert pucker[0] < rest[0] + 0.01 and pucker[1] < 0.93 * rest[1]


def test_rounding_draws_the_lips_together_beside_their_middle(ada: RigFace) -> None:
    def beside(**weights: float) -> float:
        """The opening halfway to the corners over that in the middle."""
        arrays = ada.rig.arrays
        points = arrays["rest"].astype(np.float64)
        for drive, first, count, offset in arrays["move_blocks"]:
            name_weight = {ARKIT_INDEX[name]: weight for name, weight in weights.items()}.get(int(drive), 0.0)
            points[first : first + count] += name_weight * arrays["moves"][offset : offset + count]
        gaps = (points[list(c.LOWER_INNER_LIP)] - points[list(c.UPPER_INNER_LIP)])[:, 1]
        return float((gaps[2] + gaps[-3]) / 2 / gaps[5])

    assert beside(jawOpen=0.25, mouthFunnel=0.3, mouthPucker=0.5) < 0.5 * beside(jawOpen=0.25)
