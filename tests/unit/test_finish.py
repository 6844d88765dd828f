"""A finish: what it may change, that its arrays are only numbers, and that a file keeps it."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import VOICE_RATE_HZ
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.finish.network import LAYERS, N_MOTION, SHAPES, SLOPE, STRIDES, Arrays, Finish, FinishCard, load
from vivant.finish.region import EYES, MOUTH, Region, Spot
from vivant.finish.renderer import FinishedRenderer, Patch
from vivant.render._kernel import lay_patch, lift_patch, patch_mask
from vivant.rig.canonical import LOWER_LIDS, N_SURFACE, UPPER_LIDS, canonical_face, mirrored
from vivant.rig.rig import Rig
from vivant.session.presenter import FADE, Presenter
from vivant.session.stream import FaceStream
from vivant.types import Float32Array, MotionFrame, Output, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIZE_PX = 256
REST = MotionFrame(0, 0, arkit_weights())
LIDS_DOWN = arkit_weights(jawOpen=0.5, eyeBlinkLeft=0.6, eyeBlinkRight=0.6)
OPEN = MotionFrame(0, 0, LIDS_DOWN, pose=Pose(yaw_deg=6.0, roll_deg=3.0))
HERE = np.array((1.0, 0.0, 8.0, 12.0), np.float32)


def arrays(seed: int = 0) -> Arrays:
    """Of a network that paints something, whatever it is."""
    chance = np.random.default_rng(seed)
    return {
        name: (chance.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 10)).astype(np.float16)
        for name, shape in SHAPES.items()
    }


@pytest.fixture(scope="session")
def finished(small_ada: Rig) -> RigFace:
    parts = {"mouth": arrays(), "eyes": arrays(1)}
    return RigFace(replace(small_ada, finish=Finish(parts, FinishCard(consent="me", seconds=40.0))))


def drawn(face: RigFace, motion: MotionFrame) -> UInt8Array:
    return face.open(SIZE_PX).render(motion).pixels


def test_a_face_at_rest_is_the_rigs_own_to_the_bit(finished: RigFace) -> None:
    np.testing.assert_array_equal(drawn(finished, REST), finished.open_rig(SIZE_PX).render(REST).pixels)


def test_nothing_changes_outside_the_masks(finished: RigFace) -> None:
    """Of mouth and eyes, each of which changes something."""
    plain = finished.open_rig(SIZE_PX)
    plain.render(REST)
    rest = plain.places(N_SURFACE)
    rig, points = plain.render(OPEN).pixels, plain.places(N_SURFACE)
    changed, known = (drawn(finished, OPEN) != rig).any(axis=2), np.zeros((SIZE_PX, SIZE_PX), bool)
    for spot in (MOUTH, *EYES):
        stencil = _stencil(spot, rest, points)
        assert (changed & stencil).any()
        known |= stencil
    assert not (changed & ~known).any()
    assert (drawn(finished, OPEN)[..., 3] == rig[..., 3]).all()


def _stencil(spot: Spot, rest: Float32Array, points: Float32Array) -> NDArray[np.bool_]:
    """Px of the frame that may be painted."""
    region = Region(spot, rest)
    place = region.place(points)
    mask, stencil = region.mask(points, place), np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8)
    assert mask is not None
    lay_patch(stencil, place.numbers(), np.stack([np.ones_like(mask)] * 3 + [(mask > 0).astype(np.float32)]))
    within: NDArray[np.bool_] = stencil[..., 0] > 0
    return within


def test_one_eye_alone_is_painted_when_it_winks(finished: RigFace) -> None:
    wink = MotionFrame(0, 0, arkit_weights(eyeBlinkLeft=0.8))
    changed = (drawn(finished, wink) != finished.open_rig(SIZE_PX).render(wink).pixels).any(axis=2)
    assert changed[:, SIZE_PX // 2 :].any() and not changed[:, : SIZE_PX // 2].any()


def test_a_left_eye_is_shown_to_the_network_as_a_right_one() -> None:
    """Of a face that is its own mirror image, mask, patch and what is told are the same."""
    points = canonical_face().points[:N_SURFACE, :2]
    rest = np.asarray((points + points[mirrored()[:N_SURFACE]] * (-1, 1)) * (50, -50) + 128, np.float32)
    twins = [Region(spot, rest) for spot in EYES]
    frame = np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX // 2, 4), np.uint8)
    picture = np.ascontiguousarray(np.concatenate([frame, frame[:, ::-1]], 1))
    motion = MotionFrame(0, 0, LIDS_DOWN)
    shut = rest.copy()
    for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        shut[list(upper)] = shut[list(lower)]
    right, left = (Patch.seen(region, shut) for region in twins)
    assert right is not None and left is not None
    np.testing.assert_allclose(left.lift(picture), right.lift(picture), atol=0.02)
    np.testing.assert_array_equal(twins[0].told(motion), twins[1].told(motion))


def test_the_mask_keeps_to_the_lips() -> None:
    """1 within the outline, falling to 0 at its reach, 0 at the patch's border."""
    square = np.array([(20, 16), (44, 16), (44, 32), (20, 32)], np.float32)
    mask = np.empty((48, 64), np.float32)
    patch_mask(square, 6.0, mask)
    assert (mask[17:31, 21:43] == 1).all() and (mask[:9] == 0).all() and (mask[:, 52:] == 0).all()
    assert (np.diff(mask[24, 43:51]) < 0).all()
    patch_mask(square * 10 - 200, 1000.0, mask)
    assert not mask[[0, -1]].any() and not mask[:, [0, -1]].any()


def test_what_is_lifted_and_laid_back_is_what_was_there() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (64, 80, 4), np.uint8)
    patch = np.ones((4, 32, 48), np.float32)
    lift_patch(frame, HERE, patch[:3])
    np.testing.assert_array_equal(np.round(patch[:3].transpose(1, 2, 0) * 255), frame[12:44, 8:56, :3])
    again = frame.copy()
    lay_patch(again, HERE, patch)
    np.testing.assert_array_equal(again, frame)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30])
def test_the_kernel_takes_any_numbers(wrong: float) -> None:
    """A file of somebody else's may hold weights that overflow."""
    frame, patch = np.full((32, 32, 4), 100, np.uint8), np.full((4, 16, 16), wrong, np.float32)
    for place in (HERE, np.full(4, wrong, np.float32), np.array((1, 0, wrong, wrong), np.float32)):
        lift_patch(frame, place, patch[:3].copy())
        lay_patch(frame, place, patch)
    patch_mask(np.full((5, 2), wrong, np.float32), 3.0, np.empty((16, 16), np.float32))
    assert (frame[..., 3] == 100).all()


def test_the_graph_computes_what_its_layers_say() -> None:
    chance, own = np.random.default_rng(2), arrays(3)
    patch, motion = chance.random((2, 4, 24, 32), np.float32), chance.random((2, N_MOTION), np.float32)
    (painted,) = load(own).run(patch, motion)
    np.testing.assert_allclose(painted, by_hand(own, patch, motion), atol=2e-3)


def by_hand(own: Arrays, patch: Float32Array, motion: Float32Array) -> Float32Array:
    """The same layers in NumPy."""

    def layer(name: str, x: Float32Array) -> Float32Array:
        weight, bias = own[f"{name}.weight"].astype(np.float32), own[f"{name}.bias"].astype(np.float32)
        if weight.ndim == 2:
            return (x @ weight.T + bias)[..., None, None]
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], (2, 3))
        step = STRIDES.get(name, 1)
        out: Float32Array = np.einsum("nchwij,ocij->nohw", windows[:, :, ::step, ::step], weight) + bias[:, None, None]
        return out

    def bent(x: Float32Array) -> Float32Array:
        return np.where(x > 0, x, SLOPE * x)

    def joined(x: Float32Array, beside: Float32Array) -> Float32Array:
        return np.concatenate([x.repeat(2, 2).repeat(2, 3), beside], 1)

    fine = bent(layer("enter", patch))
    middle = bent(layer("middle", bent(layer("down_middle", fine) + layer("motion_middle", motion))))
    coarse = bent(layer("down_coarse", middle) + layer("motion_coarse", motion))
    coarse = bent(coarse + layer("coarse_out", bent(layer("coarse_in", coarse))))
    leaves = layer("leave", bent(layer("up_fine", joined(bent(layer("up_middle", joined(coarse, middle))), fine))))
    n, _, h, w = leaves.shape
    leaves = leaves.reshape(n, 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, 4, 2 * h, 2 * w)
    colour = np.clip(patch[:, :3] + leaves[:, :3], 0, 1)
    return np.concatenate([colour, patch[:, 3:] / (1 + np.exp(-leaves[:, 3:]))], 1)


def test_a_file_keeps_it_and_the_manifest_names_it(finished: RigFace, tmp_path: Path) -> None:
    finished.rig.save(tmp_path / "me.vivant")
    back = Rig.load(tmp_path / "me.vivant")
    assert back.finish is not None and finished.rig.finish is not None and back.finish.card == finished.rig.finish.card
    assert RigFace(back).name == finished.name and finished.name.endswith(", personal finish")
    assert Finish(back.finish.parts).name == "synthetic finish"
    np.testing.assert_array_equal(drawn(RigFace(back), OPEN), drawn(finished, OPEN))
    assert back.finish.size_bytes < 5e6 and len(LAYERS) * 2 == len(SHAPES)


DAMAGES: dict[str, Callable[[NDArray[np.float16]], NDArray[np.generic] | None]] = {
    "lacks": lambda array: None,
    "not float16": lambda array: array[:-1],
    "float32": lambda array: array.astype(np.float32),
    "not finite": lambda array: np.full_like(array, np.nan),
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_damaged_arrays_are_refused(finished: RigFace, tmp_path: Path, reason: str) -> None:
    name = "finish.mouth.middle.weight.npy"
    finished.rig.save(tmp_path / "good.vivant")
    with zipfile.ZipFile(tmp_path / "good.vivant") as good, zipfile.ZipFile(tmp_path / "bad.vivant", "w") as bad:
        for member in good.namelist():
            data: bytes | None = good.read(member)
            if member == name:
                array, stream = DAMAGES[reason](np.load(io.BytesIO(good.read(member)))), io.BytesIO()
                np.save(stream, array if array is not None else 0)
                data = stream.getvalue() if array is not None else None
            if data is not None:
                bad.writestr(member, data)
    with pytest.raises(InputError, match=reason):
        Rig.load(tmp_path / "bad.vivant")


def test_an_unknown_array_is_refused(small_ada: Rig, tmp_path: Path) -> None:
    odd = Finish({"nose": {"enter.weight": np.zeros((24, 4, 4, 4), np.float16)}})
    replace(small_ada, finish=odd).save(tmp_path / "odd.vivant")
    with pytest.raises(InputError, match="unknown array"):
        Rig.load(tmp_path / "odd.vivant")


def test_it_fades_with_the_level_of_detail(finished: RigFace) -> None:
    presenter = Presenter(finished, size_px=SIZE_PX, consent="synthetic")

    def share() -> float:
        presenter.present(OPEN)
        *_, (renderer, _) = presenter._showing.renderers.values()
        assert isinstance(renderer, FinishedRenderer)
        return renderer.share

    assert share() == 1.0
    presenter.detail = 1
    shares = [share() for _ in range(10)]
    assert shares[0] == 1 - FADE and shares[-1] == 0.0 and all(a >= b for a, b in itertools.pairwise(shares))
    *_, (renderer, _) = presenter._showing.renderers.values()
    np.testing.assert_array_equal(renderer.render(OPEN).pixels, finished.open_rig(SIZE_PX // 2).render(OPEN).pixels)


def test_streamed_is_as_rendered_at_once(finished: RigFace, voice: Float32Array) -> None:
    def pictures(pieces: int) -> list[UInt8Array]:
        shown: list[UInt8Array] = []
        with FaceStream(
            presenter=Presenter(finished, size_px=SIZE_PX, consent="synthetic", session_id=1),
            face=finished,
            sample_rate_hz=VOICE_RATE_HZ,
            seed=1,
        ) as stream:
            for piece in np.array_split(voice[:VOICE_RATE_HZ], pieces):
                shown += [o.picture.pixels for o in stream.push(piece) if isinstance(o, Output) and o.picture is not None]
            shown += [o.picture.pixels for o in stream.finish() if isinstance(o, Output) and o.picture is not None]
        return shown

    once, streamed = pictures(1), pictures(17)
    assert len(once) == len(streamed) > 20
    for a, b in zip(once, streamed, strict=True):
        np.testing.assert_array_equal(a, b)
