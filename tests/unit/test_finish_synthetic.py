"""The synthetic finish: worn where it is wanted, inside a portrait's own colours, and told in its name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vivant.errors import InputError
from vivant.face import RigFace
from vivant.finish.network import SHAPES
from vivant.finish.synthetic import LUMA, FinishKind, finished, shared, wanted, worn
from vivant.rig.rig import Rig
from vivant.types import MotionFrame, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIZE_PX = 256
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
    plain = RigFace(replace(small_ada, textures=tuple(_grey(texture) for texture in small_ada.textures)))
    own, rig = (drawn(face).astype(int) for face in (worn(plain, shared()), plain))
    assert (np.ptp(own, axis=2) - np.ptp(rig, axis=2)).max() <= 2
    assert np.abs(own - rig).max() > 20


def _grey(texture: UInt8Array) -> UInt8Array:
    out = texture.copy()
    out[..., :3] = np.round(texture[..., :3] @ LUMA)[..., None]
    return out


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
