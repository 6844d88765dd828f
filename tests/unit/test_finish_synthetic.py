"""The synthetic finish: worn where it is wanted, inside a portrait's own colours, and told in its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vivant.errors import InputError
from vivant.face import RigFace
from vivant.finish.network import SHAPES
from vivant.finish.synthetic import LUMA, FinishKind, finished, shared, wanted, worn
from vivant.learn.score import lab
from vivant.rig.rig import Rig
from vivant.types import FloatArray, MotionFrame, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIZE_PX = 256
AROUND_PX, SAME_HUE = 8, 2.0
"""Of a mouth, and of CIELAB's a and b: what nobody would see."""
REST = MotionFrame(0, 0, arkit_weights())
AH = MotionFrame(0, 0, arkit_weights(jawOpen=0.4, mouthUpperUpLeft=0.3, mouthUpperUpRight=0.3))


def drawn(face: RigFace, motion: MotionFrame = AH) -> UInt8Array:
    return face.open(SIZE_PX).render(motion).pixels[..., :3].copy()


@pytest.fixture(scope="session")
def plain(small_ada: Rig) -> RigFace:
    return RigFace(small_ada)


@pytest.fixture(scope="session")
def painted(plain: RigFace) -> RigFace:
    return worn(plain, shared())


def test_it_paints_a_mouth_and_leaves_a_face_at_rest(plain: RigFace, painted: RigFace) -> None:
    np.testing.assert_array_equal(drawn(painted, REST), drawn(plain, REST))
    changed = np.abs(drawn(painted).astype(int) - drawn(plain)).max(axis=2)
    assert changed.max() > 20 and 20 < (changed > 4).sum() < 0.05 * changed.size


def test_its_name_says_what_it_is(painted: RigFace, plain: RigFace) -> None:
    assert painted.name == f"{plain.name}, synthetic finish"


def test_a_grey_picture_stays_grey(small_ada: Rig) -> None:
    """No px is more colourful than the rig's own, but for the last bits, in which three channels may be rounded apart."""
    own, rig = _both(small_ada, lambda colours: _grey(colours) * np.ones(3))
    assert (np.ptp(own.astype(int), axis=2) - np.ptp(rig.astype(int), axis=2)).max() <= 2
    assert np.abs(own.astype(int) - rig).max() > 20


PALETTES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "sepia": lambda colours: _grey(colours) * (1.1, 0.97, 0.75),
    "cyanotype": lambda colours: _grey(colours) * (0.75, 0.97, 1.15),
    "faded": lambda colours: _grey(colours) + 0.4 * (colours - _grey(colours)),
    "of blue skin": lambda colours: colours[..., ::-1],
}


@pytest.mark.parametrize("palette", PALETTES)
def test_a_painting_keeps_its_palette(small_ada: Rig, painted: RigFace, palette: str) -> None:
    """What is painted has the hues of the mouth that the rig paints there; those of a photograph would not."""
    own, rig = _both(small_ada, PALETTES[palette])
    changed = np.abs(own.astype(int) - rig).max(axis=2) > 4
    rows, columns = (slice(where.min() - AROUND_PX, where.max() + AROUND_PX) for where in np.nonzero(changed))
    low, high = np.percentile(lab(rig[rows, columns])[..., 1:], (0.5, 99.5), axis=(0, 1))

    def beyond(picture: UInt8Array) -> FloatArray:
        """How far each px lies outside of it, CIELAB."""
        hues = lab(picture[changed])[:, 1:]
        return np.asarray(np.maximum(low - hues, hues - high).max(axis=1))

    assert np.mean(beyond(own) > SAME_HUE) < 0.2 and beyond(own).max() < 4 * SAME_HUE
    assert np.mean(beyond(drawn(painted)) > SAME_HUE) > 0.5


def _both(rig: Rig, recoloured: Callable[[FloatArray], FloatArray]) -> tuple[UInt8Array, UInt8Array]:
    """Another picture of the same face, with the finish and without."""
    textures = tuple(texture.copy() for texture in rig.textures)
    for texture in textures:
        texture[..., :3] = np.clip(np.round(recoloured(texture[..., :3].astype(np.float64))), 0, 255)
    plain = RigFace(replace(rig, textures=textures))
    return drawn(worn(plain, shared())), drawn(plain)


def _grey(colours: FloatArray) -> FloatArray:
    return np.asarray((colours @ LUMA)[..., None])


def test_an_option_goes_before_the_setting_and_that_before_none(plain: RigFace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finished(plain) is plain and wanted(FinishKind.SYNTHETIC) is FinishKind.SYNTHETIC
    monkeypatch.setenv("VIVANT_FINISH", "synthetic")
    assert finished(plain).name.endswith("synthetic finish") and finished(plain, FinishKind.NONE) is plain
    monkeypatch.setenv("VIVANT_FINISH", "glossy")
    with pytest.raises(InputError, match="the setting finish is none or synthetic, got 'glossy'"):
        finished(plain)


def test_a_personal_finish_stays(painted: RigFace) -> None:
    assert finished(painted, FinishKind.SYNTHETIC) is painted


def test_what_comes_along_fits_the_graph_and_the_budget() -> None:
    """Once told of a portrait; some 6 MB are allowed for all of them."""
    assert sum(array.nbytes for arrays in shared().values() for array in arrays.values()) < 6e6
    for arrays in shared().values():
        assert set(arrays) == set(SHAPES) and all(np.isfinite(array).all() for array in arrays.values())
