"""Another portrait while a picture is being drawn: the picture keeps the name of the face that it shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import MotionFrame, Output, UInt8Array, VideoFrame

pytestmark = pytest.mark.unit

SIZE_PX, RATE_HZ = 64, 16_000


class Disturbed(PlainFace):
    """While its picture of index 5 is drawn, something else happens."""

    def __init__(self, tint: int, happens: Callable[[], None]) -> None:
        super().__init__(tint)
        self._happens = happens

    def open(self, size_px):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        renderer, draw = super().open(size_px), super().open(size_px).render

        def render(motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
            if motion.index == 5:
                self._happens()
            return draw(motion, out)

        renderer.render = render  # type: ignore[method-assign]
        return renderer


def test_a_picture_is_named_after_the_face_that_it_shows() -> None:
    bright = PlainFace(200)
    with FaceStream(
        Disturbed(60, lambda: stream.set_face(bright, "bright")), size_px=SIZE_PX, sample_rate_hz=RATE_HZ
    ) as stream:
        items = [*stream.push(np.zeros(RATE_HZ, np.float32)), *stream.finish()]
    outputs = [item for item in items if isinstance(item, Output)]
    shown = [output.picture.pixels[0, 0, 0] > 130 for output in outputs if output.picture is not None]
    assert len(shown) == len(outputs) > 10
    assert shown == [output.motion.index > 5 for output in outputs]
    assert [output.portrait == "bright" for output in outputs] == shown


def test_without_pictures_the_name_changes_with_the_next_frame() -> None:
    with FaceStream(PlainFace(), size_px=SIZE_PX, sample_rate_hz=RATE_HZ, pictures=False) as stream:
        before = list(stream.push(np.zeros(RATE_HZ, np.float32)))
        stream.set_face(PlainFace(), "another")
        after = list(stream.finish())
    assert {item.portrait for item in before if isinstance(item, Output)} == {""}
    assert {item.portrait for item in after if isinstance(item, Output)} == {"another"}
