"""The sound in video files: both sides of it, and enough bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.examples import some
from vivant.media import VideoSink, open_audio, open_video
from vivant.types import AudioChunk, PixelFormat, VideoFrame

pytestmark = pytest.mark.unit

RATE_HZ = 48000
FRAME = VideoFrame(0, 0, np.zeros((64, 96, 3), np.uint8), PixelFormat.RGB)


def _open(path: Path, n_channels: int) -> AbstractContextManager[VideoSink]:
    return open_video(path, width=96, height=64, fps=Fraction(25), sample_rate_hz=RATE_HZ, alpha=False, n_channels=n_channels)


def _two_sides(start: int, n: int) -> AudioChunk:
    """A tone on the left, a higher and quieter one on the right."""
    t = np.arange(start, start + n) / RATE_HZ
    sides = [0.4 * np.sin(2 * np.pi * 440 * t), 0.2 * np.sin(2 * np.pi * 880 * t)]
    return AudioChunk(np.stack(sides, axis=1).astype(np.float32), RATE_HZ, start)


@pytest.mark.parametrize("name", some(["clip.mp4", "clip.webm", "frames", "clip.mov", "clip.mkv"], 3))
def test_stereo_stays_stereo(name: str, tmp_path: Path) -> None:
    with _open(tmp_path / name, 2) as sink:
        sink.write(FRAME)
        sink.write_audio(_two_sides(0, 24_000))
        sink.write_audio(_two_sides(33_600, 48_000))
    with open_audio(tmp_path / name / "audio.wav" if name == "frames" else tmp_path / name) as audio:
        sound = np.concatenate([block.sound.samples for block in audio.blocks()])
    assert sound.shape == (pytest.approx(81_600, abs=2100), 2)
    for side, (hz, peak) in enumerate([(440, 0.4), (880, 0.2)]):
        middle = sound[40_000:64_000, side]
        assert np.abs(np.fft.rfft(middle)).argmax() * 2 == hz
        assert np.abs(middle).max() == pytest.approx(peak, abs=0.05)
    assert np.abs(sound[27_000:31_000]).max() < 0.01


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
@pytest.mark.parametrize(("n_channels", "least_bits_per_s"), [(1, 145_000), (2, 230_000)])
def test_sound_keeps_its_bit_rate(name: str, n_channels: int, least_bits_per_s: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (5 * RATE_HZ, n_channels)).astype(np.float32)
    with _open(tmp_path / name, n_channels) as sink:
        sink.write(FRAME)
        sink.write_audio(AudioChunk(noise if n_channels == 2 else noise[:, 0], RATE_HZ))
    with av.open(str(tmp_path / name)) as container:
        n_bytes = sum(packet.size for packet in container.demux(container.streams.audio[0]))
    assert n_bytes * 8 / 5 > least_bits_per_s
