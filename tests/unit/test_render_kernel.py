"""The kernel's doors: wild numbers in, defined ones out; two threads in one object are told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.examples import examples
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.provenance.watermark_code import session_pattern
from vivant.render import _kernel
from vivant.render.renderer import RigRenderer
from vivant.types import ARKIT_NAMES, EYE_LOOK_FULL_DEG, Float32Array, MotionFrame, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIZE_PX = 64
REST_POSE, AHEAD = np.array([0, 0, 0, 0, 0, 1], np.float32), np.zeros(2, np.float32)
any_float = st.one_of(
    st.floats(-2, 2, width=32), st.floats(width=32), st.sampled_from([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45])
)


def floats(n: int) -> st.SearchStrategy[Float32Array]:
    return hnp.arrays(np.float32, n, elements=any_float)


@pytest.fixture(scope="module")
def renderer(ada: RigFace) -> _kernel.Renderer:
    return _kernel.Renderer(ada.rig.scene(), SIZE_PX, SIZE_PX, True)


def drawn(
    renderer: _kernel.Renderer,
    weights: Float32Array,
    tongue: Float32Array,
    pose: Float32Array = REST_POSE,
    gaze: Float32Array = AHEAD,
    body: Float32Array = REST_POSE,
) -> UInt8Array:
    out = np.full((SIZE_PX, SIZE_PX, 4), 0xA5, np.uint8)
    renderer.render(weights, tongue, pose, gaze, body, out)
    return out


@examples(40)
@given(weights=floats(52), tongue=floats(2))
def test_weights_outside_their_range_are_clamped(
    renderer: _kernel.Renderer, weights: Float32Array, tongue: Float32Array
) -> None:
    """What is no number counts as the lower end, here and below."""
    within = np.clip(np.where(np.isnan(weights), 0, weights), 0, 1)
    out = np.clip(within[51] + np.where(np.isnan(tongue[0]), -2, np.clip(tongue[0], -2, 2)), 0, 1)
    up = np.clip(np.where(np.isnan(tongue[1]), 0, tongue[1]), 0, 1)
    expected = drawn(renderer, np.append(within[:51], out).astype(np.float32), np.array([0, up], np.float32))
    np.testing.assert_array_equal(drawn(renderer, weights, tongue), expected)


@examples(40)
@given(pose=floats(6), gaze=floats(2))
def test_a_pose_beyond_the_limits_is_clamped(
    ada: RigFace, renderer: _kernel.Renderer, pose: Float32Array, gaze: Float32Array
) -> None:
    low, high = ada.rig.arrays["limits"].T
    within = np.clip(np.where(np.isnan(pose), low, pose), low, high)
    towards = np.clip(np.where(np.isnan(gaze), -28, gaze), -28, 28).astype(np.float32)
    rest = arkit_weights(), np.zeros(2, np.float32)
    np.testing.assert_array_equal(drawn(renderer, *rest, pose, gaze), drawn(renderer, *rest, within, towards))


@pytest.mark.parametrize("place", ["weights", "tongue", "pose", "gaze", "body"])
def test_a_motion_of_another_shape_or_type_is_refused(renderer: _kernel.Renderer, place: str) -> None:
    good: dict[str, Any] = {
        "weights": np.zeros(52, np.float32),
        "tongue": np.zeros(2, np.float32),
        "pose": REST_POSE,
        "gaze": AHEAD,
        "body": REST_POSE,
    }
    for bad in (good[place][:-1], good[place][None], None, "x", 5):
        with pytest.raises(TypeError):
            renderer.render(**good | {place: bad}, out=np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8))


def refused_in_two_threads(work: Callable[[], object], kind: type[Exception]) -> Exception:
    """What the slower of two threads gets; ends when they have met."""
    met = threading.Event()
    caught: list[Exception] = []

    def repeat() -> None:
        for _ in range(300):
            if met.is_set():
                return
            try:
                work()
            except kind as error:
                caught.append(error)
                met.set()

    threads = [threading.Thread(target=repeat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caught, "the threads never met"
    return caught[0]


def test_two_threads_on_one_renderer_are_told(ada: RigFace) -> None:
    renderer = RigRenderer(ada.rig.scene(), 1024, 1024)
    frame = MotionFrame(0, 0, arkit_weights(jawOpen=1.0))
    alone = renderer.render(frame).pixels
    refused = refused_in_two_threads(partial(renderer.render, frame), InputError)
    assert "open one for each" in str(refused)
    np.testing.assert_array_equal(renderer.render(frame).pixels, alone)  # and nothing is left locked


def test_two_threads_on_one_watermark_are_told() -> None:
    watermark, frame = _kernel.Watermark(session_pattern(1), 2048, 2048, 4), np.full((2048, 2048, 4), 200, np.uint8)
    refused_in_two_threads(lambda: watermark.apply(frame.copy()), RuntimeError)
    once, expected = np.full((2048, 2048, 4), 200, np.uint8), np.full((2048, 2048, 4), 200, np.uint8)
    watermark.apply(once)
    _kernel.Watermark(session_pattern(1), 2048, 2048, 4).apply(expected)
    np.testing.assert_array_equal(once, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -8.5])
def test_a_pattern_that_would_hide_or_cover_is_refused(value: float) -> None:
    pattern = session_pattern(1).copy()
    pattern[77, 3] = value
    with pytest.raises(ValueError, match="out of range"):
        _kernel.Watermark(pattern, 64, 64, 3)


@examples(60)
@given(
    pattern=hnp.arrays(np.float32, (128, 128), elements=st.floats(-8, 8, width=32), fill=st.floats(-8, 8, width=32)),
    size=st.tuples(st.integers(16, 300), st.integers(16, 300)),
    channels=st.sampled_from([3, 4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_mark_changes_little_whatever_the_pattern(
    pattern: Float32Array, size: tuple[int, int], channels: int, seed: int
) -> None:
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    pixels[..., 3:] |= 1  # what is wholly transparent loses its colour
    marked = pixels.copy()
    _kernel.Watermark(pattern, width, height, channels).apply(marked)
    assert np.abs(marked.astype(int) - pixels).max() <= 8
    np.testing.assert_array_equal(marked[..., 3:], pixels[..., 3:])


whole = st.one_of(st.integers(-5, 60), st.sampled_from([2**63 - 1, -(2**63), 2**31, -(2**31), 2**63 - 4]))


@examples(200)
@given(first=st.lists(whole, min_size=1, max_size=4), phase=st.lists(whole, min_size=4, max_size=4), taps=st.integers(0, 60))
def test_a_filter_reads_its_samples_only(first: list[int], phase: list[int], taps: int) -> None:
    chance = np.random.default_rng(taps)
    samples, filters = chance.random(50, np.float32), chance.random((3, taps), np.float32)
    where = np.array(first, np.int64), np.array(phase[: len(first)], np.int64)
    out = np.zeros(len(first), np.float32)
    if all(0 <= at <= 50 - taps and 0 <= row < 3 for at, row in zip(*where, strict=True)):
        _kernel.filter_at(samples, *where, filters, out)
        expected = [samples[at : at + taps] @ filters[row] for at, row in zip(*where, strict=True)]
        np.testing.assert_allclose(out, expected, rtol=1e-4)
    else:
        with pytest.raises(ValueError, match="outside the samples"):
            _kernel.filter_at(samples, *where, filters, out)


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 2), (2, 0), (2, 2), (34, 18)])
def test_frames_of_any_size_are_converted(width: int, height: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    rgb, planes = np.zeros(width * height * 3, np.uint8), np.zeros(width * height * 3 // 2, np.uint8)
    _kernel.rgb_from_rgba(pixels, rgb)
    _kernel.i420_from_rgba(pixels, planes)
    np.testing.assert_array_equal(rgb.reshape(height, width, 3), pixels[..., :3])
    for convert, out in ((_kernel.rgb_from_rgba, rgb), (_kernel.i420_from_rgba, planes)):
        with pytest.raises(ValueError, match="3 bytes"):
            convert(pixels, np.append(out, np.uint8(0)))


def test_the_kernel_and_the_types_mean_the_same_weights() -> None:
    assert _kernel.EYE_LOOK_FULL_DEG == EYE_LOOK_FULL_DEG
    assert (len(ARKIT_NAMES), len(ARKIT_NAMES) + 1) == (_kernel.TONGUE_UP, _kernel.MOUTH_CLOSED)
