"""Damaged pictures, sounds and signed files: read or refused in one sentence, never another error or a signal."""

from __future__ import annotations

import ast
import datetime
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

from tests.conftest import portrait_path
from vivant.provenance.credentials import Claim, sign
from vivant.types import UInt8Array

pytestmark = pytest.mark.unit

CODECS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "ogg": "libopus"}
RATE_HZ = 48_000
SMALL_PX, SEARCHED_PX = 60, 96
"""Too small for the search for a mark, which takes long; and large enough for it."""


def _folder(tmp_path: Path, side_px: int) -> Path:
    """One small file of each kind; two of them signed."""
    (made := tmp_path / "made").mkdir()
    with Image.open(portrait_path("bram")) as image:
        small = image.convert("RGB").resize((side_px, side_px))
    for suffix in ("webp", "gif", "bmp", "tif"):
        small.save(made / f"picture.{suffix}")
    for suffix in ("png", "jpg"):
        small.save(tmp_path / f"plain.{suffix}")
        claim = Claim("11" * 32, "22" * 32, "synthetic", 7, ("test",))
        sign(tmp_path / f"plain.{suffix}", made / f"signed.{suffix}", claim, datetime.datetime(2026, 8, 2, tzinfo=datetime.UTC))
    for suffix, codec in CODECS.items():
        _sound(made / f"sound.{suffix}", codec)
    _film(made / "film.mp4", np.asarray(small))
    return made


def _sound(path: Path, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE_HZ)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = "mono"
        samples = (8000 * np.sin(np.arange(RATE_HZ // 4) / 20)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        resampled = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=RATE_HZ).resample(frame)
        for source in (*resampled, None):
            container.mux(stream.encode(source))


def _film(path: Path, picture: UInt8Array) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = len(picture), len(picture), "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("side_px", "first_seed", "count"),
    [
        (SMALL_PX, 0, 55),
        pytest.param(SMALL_PX, 0, 110, marks=pytest.mark.full),
        pytest.param(SEARCHED_PX, 2200, 1100, marks=pytest.mark.slow),
    ],
)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, side_px: int, first_seed: int, count: int) -> None:
    folder = _folder(tmp_path, side_px)
    command = [sys.executable, "-m", "tests.wild_media", str(folder), str(first_seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600)
    said = done.stdout.splitlines()
    assert done.returncode == 0, f"after {said[-1:]}: {done.stderr[-3000:]}"
    results = ast.literal_eval(said[-1])
    assert sum(results.values()) == count
    assert min(results["read"], results["refused"]) > count // 10  # or nothing was tried
