"""What is heard in a video: channels, tracks, and the usual size of a GIF."""

from __future__ import annotations

import math
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import SHORT_S, Run, frames_of
from vivant.types import Float32Array

pytestmark = pytest.mark.session

QUICK = ("--size", "64", "--fps", "12")


def _file(path: Path, tracks: list[list[Float32Array]], layout: str) -> Path:
    """A Matroska file with one FLAC track for each list of channels."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("flac", rate=VOICE_RATE_HZ) for _ in tracks]
        for stream in streams:
            assert isinstance(stream, AudioStream)
            stream.codec_context.layout, stream.codec_context.format = layout, "s16"
        for stream, channels in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(np.stack(channels), format="fltp", layout=layout)
            frame.sample_rate, frame.pts = VOICE_RATE_HZ, 0
            for source in (frame, None):
                container.mux(stream.encode(source))
    return path


def _heard(folder: Path) -> NDArray[np.float64]:
    """(n, channels)"""
    with wave.open(str(folder / "audio.wav"), "rb") as file:
        pcm = np.frombuffer(file.readframes(10**7), "<i2").reshape(-1, file.getnchannels())
    return np.asarray(pcm / 32768)


@pytest.mark.parametrize("case", ["opposite", "left", "centre"])
def test_a_voice_is_heard_on_both_sides_as_loud_as_alone(run: Run, voice: Float32Array, case: str) -> None:
    spoken = voice[: round(SHORT_S * VOICE_RATE_HZ)]
    nothing = np.zeros_like(spoken)
    channels, layout = {
        "opposite": ([spoken, -spoken], "stereo"),
        "left": ([spoken, nothing], "stereo"),
        "centre": ([nothing, nothing, spoken, nothing, nothing, nothing], "5.1"),
    }[case]
    outcome = run("render", "ada", _file(Path("voice.mkv"), [channels], layout), "-o", "frames", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    for side in _heard(Path("frames")).T:
        np.testing.assert_allclose(side, spoken, atol=2e-3)


def test_the_track_is_chosen_and_named(run: Run, voice: Float32Array) -> None:
    spoken = voice[: round(SHORT_S * VOICE_RATE_HZ)]
    file = _file(Path("voice.mkv"), [[spoken], [0.5 * spoken]], "mono")
    outcome = run("render", "ada", file, "-o", "first", *QUICK)
    assert outcome.out.startswith("note: voice.mkv has 2 sound tracks; number 1 was taken; --track N takes another\n")
    np.testing.assert_allclose(_heard(Path("first"))[:, 0], spoken, atol=1e-3)
    outcome = run("render", "ada", file, "-o", "second", "--track", "2", *QUICK)
    assert "note" not in outcome.out
    np.testing.assert_allclose(_heard(Path("second"))[:, 0], 0.5 * spoken, atol=1e-3)
    for arguments in (("render", "ada", file, "-o", "x.mp4"), ("inspect", "--audio", file, "-o", "x.png")):
        assert "holds 2 sound tracks; choose one from 1 to 2, got 3" in run(*arguments, "--track", "3").sentence()
    assert run("inspect", "--audio", file, "-o", "x.png", "--track", "2").code == 0


def test_a_film_has_the_rate_of_films(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "film.mp4", "--size", "64", "--fps", "23.976").code == 0
    with av.open("film.mp4") as container:
        assert container.streams.video[0].average_rate == Fraction(24000, 1001)


def test_a_gif_is_small_unless_asked_and_keeps_its_mark(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "face.gif").out.startswith(f"face.gif: {math.ceil(15 * SHORT_S)} frames")
    assert frames_of(Path("face.gif"))[0].shape == (320, 320, 3)
    assert "watermark: Vivant, session" in run("verify", "face.gif").out
    assert run("render", "ada", short, "-o", "large.gif", "--size", "400", "--fps", "20").code == 0
    assert frames_of(Path("large.gif"))[0].shape == (400, 400, 3)
