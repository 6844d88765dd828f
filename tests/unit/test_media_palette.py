"""Small GIFs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vivant.media import open_video
from vivant.types import PixelFormat, VideoFrame

pytestmark = pytest.mark.unit

WIDTH, HEIGHT = 96, 64


def test_a_gif_writes_only_what_moves(tmp_path: Path) -> None:
    """A grainy picture in which a small square moves, and whose grain trembles by less than anybody sees."""
    path = tmp_path / "clip.gif"
    rng = np.random.default_rng(0)
    grain = rng.integers(60, 190, (HEIGHT, WIDTH, 3))
    sizes = []
    for n_frames in (1, 100):
        with open_video(path, width=WIDTH, height=HEIGHT, fps=Fraction(25), sample_rate_hz=None, alpha=False) as sink:
            for index in range(n_frames):
                pixels = (grain + rng.integers(-2, 3, grain.shape)).astype(np.uint8)
                pixels[20:28, 5 + index % 80 : 13 + index % 80] = 250
                sink.write(VideoFrame(index, 0, pixels, PixelFormat.RGB))
        sizes.append(path.stat().st_size)
    assert sizes[1] < 15 * sizes[0]
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 100
    for index in (0, 50, 63, 64, 99):
        square = pictures[index][20:28, 5 + index % 80 : 13 + index % 80]
        np.testing.assert_allclose(square, 250, atol=8)
