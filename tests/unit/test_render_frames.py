"""Whatever the motion, a frame is finite, whole and the same every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.examples import examples
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.types import MotionFrame, PixelFormat, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SHARED = examples(25, HealthCheck.function_scoped_fixture)


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32)


weights = st.one_of(
    st.lists(number(0, 1), min_size=52, max_size=52),
    st.lists(st.sampled_from([0.0, 1.0]), min_size=52, max_size=52),
).map(lambda values: np.array(values, np.float32))
poses = st.builds(
    Pose, number(-22, 22), number(-15, 15), number(-12, 12), number(-0.125, 0.125), number(-0.125, 0.125), number(0.875, 1.125)
)
frames = st.builds(
    MotionFrame,
    index=st.just(3),
    pts_us=st.just(100_000),
    weights=weights,
    tongue=st.tuples(number(0, 1), number(0, 1)),
    pose=poses,
    gaze=st.tuples(number(-30, 30), number(-30, 30)),
)


def prefilled(size_px: int, value: int) -> UInt8Array:
    return np.full((size_px, size_px, 4), value, np.uint8)


@SHARED
@given(motion=frames, size_px=st.sampled_from([64, 97, 128]))
def test_every_byte_is_written(ada: RigFace, cut_out: RigFace, motion: MotionFrame, size_px: int) -> None:
    for face in (ada, cut_out):
        renderer = face.open(size_px)
        first, second = (renderer.render(motion, prefilled(size_px, value)).pixels for value in (0x00, 0xA5))
        assert first.tobytes() == second.tobytes()
        if face is ada:
            assert (first[..., 3] == 255).all()


@SHARED
@given(motion=frames)
def test_a_cut_out_person_keeps_straight_alpha(cut_out: RigFace, motion: MotionFrame) -> None:
    pixels = cut_out.open(96).render(motion).pixels
    assert (pixels[[0, 0], [0, -1], 3] == 0).all()  # the upper corners; the body fills the lower ones
    assert (pixels[pixels[..., 3] == 0] == 0).all()


def test_a_cut_out_person_over_its_alpha_is_as_bright_as_the_whole_picture(ada: RigFace, cut_out: RigFace) -> None:
    whole, cut = (face.open(256).render(still()).pixels.astype(float) for face in (ada, cut_out))
    edge = (cut[..., 3] > 120) & (cut[..., 3] < 200)
    assert edge.any()
    # Premultiplied colours would be darker by the alpha.
    assert cut[edge][:, :3].mean() > 0.5 * whole[edge][:, :3].mean()
    inner = cut[..., 3] == 255
    assert np.abs(cut[inner] - whole[inner]).max() <= 2


@pytest.mark.parametrize("size_px", [64, 65, 333, 512, 1024])
def test_all_sizes(ada: RigFace, size_px: int) -> None:
    frame = ada.open(size_px).render(still(jawOpen=0.5), prefilled(size_px, 7))
    assert frame.pixels.shape == (size_px, size_px, 4)
    assert (frame.pixels[..., 3] == 255).all()
    assert frame.format is PixelFormat.RGBA


@pytest.mark.parametrize("size_px", [0, -1, 63, 2049])
def test_other_sizes_are_refused(ada: RigFace, size_px: int) -> None:
    with pytest.raises(InputError, match="64 to 2048"):
        ada.open(size_px)


def test_a_frame_carries_the_time_of_its_motion(ada: RigFace) -> None:
    frame = ada.open(64).render(MotionFrame(7, 233_333, arkit_weights()))
    assert (frame.index, frame.pts_us) == (7, 233_333)


def test_nothing_is_left_of_earlier_frames(ada: RigFace) -> None:
    renderer = ada.open(128)
    fresh = renderer.render(still()).pixels.tobytes()
    renderer.render(MotionFrame(0, 0, np.ones(52, np.float32), (1, 1), Pose(15, 10, 10, 0.1, 0.1, 1.1), (30, 30)))
    assert renderer.render(still()).pixels.tobytes() == fresh == ada.open(128).render(still()).pixels.tobytes()


def test_threads_draw_what_one_thread_draws(ada: RigFace) -> None:
    motions = [still(jawOpen=k / 40, eyeBlinkLeft=(k % 7) / 7) for k in range(40)]

    def draw(part: list[MotionFrame]) -> list[bytes]:
        renderer = ada.open(128)
        return [renderer.render(motion).pixels.tobytes() for motion in part]

    serial = draw(motions)
    with ThreadPoolExecutor(4) as pool:
        for drawn in pool.map(draw, [motions] * 4):
            assert drawn == serial


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["weights", "tongue", "gaze"])
def test_what_is_not_finite_is_refused(ada: RigFace, place: str, bad: float) -> None:
    """A `Pose` refuses it itself."""
    wrong = {"weights": np.full(52, bad, np.float32), "tongue": (0.0, bad), "gaze": (bad, 0.0)}
    values: dict[str, Any] = {"weights": arkit_weights(), place: wrong[place]}
    with pytest.raises(InputError, match="not finite"):
        ada.open(64).render(MotionFrame(0, 0, **values))


@SHARED
@given(shape=st.lists(st.integers(0, 60), min_size=0, max_size=3))
def test_weights_of_another_shape_are_refused(ada: RigFace, shape: list[int]) -> None:
    if shape != [52]:
        with pytest.raises((InputError, TypeError, ValueError)):
            ada.open(64).render(MotionFrame(0, 0, np.zeros(shape, np.float32)))


@pytest.mark.parametrize("shape", [(64, 64, 3), (64, 65, 4), (65, 64, 4), (64, 64), (0, 0, 4)])
def test_an_out_of_another_shape_is_refused(ada: RigFace, shape: tuple[int, ...]) -> None:
    with pytest.raises((InputError, TypeError, ValueError)):
        ada.open(64).render(still(), np.zeros(shape, np.uint8))


@pytest.mark.parametrize("kind", ["float", "sliced"])
def test_an_out_that_cannot_be_drawn_into_is_refused(ada: RigFace, kind: str) -> None:
    out: Any = np.zeros((64, 64, 4), np.float32) if kind == "float" else prefilled(128, 0)[::2, ::2]
    with pytest.raises((InputError, TypeError, ValueError)):
        ada.open(64).render(still(), out)


def test_beyond_the_limits_is_clamped(ada: RigFace) -> None:
    renderer = ada.open(96)
    far = MotionFrame(0, 0, np.full(52, 9, np.float32), pose=Pose(80, scale=5))
    limit = MotionFrame(0, 0, np.ones(52, np.float32), pose=Pose(22, scale=1.12))
    assert renderer.render(far).pixels.tobytes() == renderer.render(limit).pixels.tobytes()


def still(**values: float) -> MotionFrame:
    return MotionFrame(0, 0, arkit_weights(**values))


@pytest.mark.parametrize(
    "odd",
    [
        {"weights": np.zeros(51, np.float32)},
        {"weights": np.zeros((52, 1), np.float32)},
        {"weights": None},
        {"weights": ["jawOpen"] * 52},
        {"tongue": None},
        {"tongue": (0.0,)},
        {"gaze": ("left", 0)},
        {"gaze": 3.0},
        {"pose": None},
    ],
)
def test_a_motion_frame_that_cannot_be_drawn_is_one_sentence(ada: RigFace, odd: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="motion frame") as caught:
        ada.open(64).render(replace(MotionFrame(0, 0, arkit_weights()), **odd))
    assert len(str(caught.value)) < 250
