"""Pictures of a stream are labelled unless a reason is given, and mirrored when asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.pixels import decoded
from vivant.session.background import Background
from vivant.session.presenter import LEAST_DETAIL, Look, Presenter
from vivant.testing import PlainFace, index_in
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame, arkit_weights

pytestmark = pytest.mark.unit

TINT = 128


def picture(**how: str | bool) -> UInt8Array:
    """(256, 256, 4) of a face of one colour."""
    shown = Presenter(PlainFace(TINT), size_px=256, **how).present(MotionFrame(5, 0, arkit_weights()))  # type: ignore[arg-type]
    assert shown is not None
    return shown.pixels


def plate(pixels: UInt8Array) -> NDArray[np.intp]:
    """Which columns of the upper half are much darker than the face."""
    return np.flatnonzero((pixels[:100, :, 0] < TINT - 40).any(axis=0))


def test_a_picture_has_a_label_unless_somebody_says_why_not() -> None:
    assert len(plate(picture())) > 20
    assert len(plate(picture(label_off_reason="a character of our own game"))) == 0


def test_a_mirrored_picture_has_a_label_that_can_be_read() -> None:
    assert np.array_equal(plate(picture(mirror=True)), plate(picture()))
    assert index_in(picture(mirror=True)[:, ::-1]) == index_in(picture())


def test_the_label_stands_where_it_is_wanted() -> None:
    assert plate(picture(label_corner="top left")).max() < 128 < plate(picture(label_corner="top right")).min()
    with pytest.raises(InputError, match="the label goes to one of"):
        picture(label_corner="middle")


MOTION = MotionFrame(4, 0, arkit_weights())


class Ghost(PlainFace):
    """Its left half is transparent."""

    def open(self, size_px: object) -> Any:  # noqa: ANN401
        renderer = super().open(size_px)  # type: ignore[arg-type]
        render = renderer.render

        def half(motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
            frame = render(motion, out)
            frame.pixels[:, : frame.size_px[0] // 2, 3] = 0
            return frame

        renderer.render = half  # type: ignore[method-assign]
        return renderer


def test_a_jpeg_may_bring_its_alpha_as_a_second_one() -> None:
    presenter = Presenter(Ghost(TINT), size_px=128, pixel_format=PixelFormat.JPEG, jpeg_alpha=True, label_corner="bottom right")
    shown = presenter.present(MOTION)
    assert shown is not None and shown.jpeg_alpha is not None and shown.size_px == (128, 128)
    alpha = decoded(VideoFrame(0, 0, shown.jpeg_alpha, PixelFormat.JPEG))[..., 0]
    assert alpha[:, :56].max() < 10 and alpha[:, 72:].min() > 245
    assert decoded(shown).shape == (128, 128, 4)


def test_another_look_while_it_lives_also_at_half_the_size() -> None:
    presenter = Presenter(Ghost(TINT), size_px=256, pixel_format=PixelFormat.JPEG)
    blue = Background(np.broadcast_to(np.array((0, 0, 255), np.uint8), (256, 256, 3)))
    presenter.show(Ghost(TINT), look=Look(background=blue, label_corner="bottom right"))
    presenter.show(Ghost(TINT))  # keeps its look
    for detail, side_px in ((0, 256), (LEAST_DETAIL, 128)):
        presenter.detail = detail
        shown = presenter.present(MOTION)
        assert shown is not None and shown.jpeg_alpha is None
        pixels = decoded(shown)
        assert pixels.shape[:2] == (side_px, side_px)
        assert np.abs(pixels[10, 10, :3].astype(int) - (0, 0, 255)).max() < 20
    presenter.show(Ghost(TINT), look=Look(mirror=True, background=blue, label_corner="bottom right"))
    mirrored = presenter.present(MOTION)
    assert mirrored is not None
    assert np.abs(decoded(mirrored)[10, 118, :3].astype(int) - (0, 0, 255)).max() < 20
