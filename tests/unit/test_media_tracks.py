"""Files with several sound tracks: the default one, or the one that was asked for."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.stream import Disposition
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.media import open_audio, read_sound

pytestmark = pytest.mark.unit

RATE_HZ = 16000


def _tone(amplitude: float) -> NDArray[np.float32]:
    return np.asarray(amplitude * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ), np.float32)


def _tracks(path: Path, amplitudes: list[float], default: int | None) -> Path:
    """A file with one tone per track; the one of number ``default`` is marked so."""
    with av.open(str(path), "w") as container:
        streams = []
        for number in range(1, len(amplitudes) + 1):
            stream = container.add_stream("flac", rate=RATE_HZ)
            assert isinstance(stream, AudioStream)
            stream.codec_context.layout, stream.codec_context.format = "mono", "s16"
            stream.metadata["language"] = ["eng", "ger", "fre"][number - 1]
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        for stream, amplitude in zip(streams, amplitudes, strict=True):
            frame = av.AudioFrame.from_ndarray(_tone(amplitude)[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            for source in (frame, None):
                container.mux(stream.encode(source))
    return path


@pytest.mark.parametrize(("default", "taken"), [(None, 1), (1, 1), (2, 2), (3, 3)])
def test_the_default_track_is_taken_and_named(default: int | None, taken: int, tmp_path: Path) -> None:
    path = _tracks(tmp_path / "tracks.mkv", [0.1, 0.2, 0.3], default)
    with open_audio(path) as audio:
        assert np.abs(np.concatenate([chunk.samples for chunk in audio.chunks()])).max() == pytest.approx(taken / 10, abs=0.01)
        (note,) = audio.notes
    assert f"has 3 sound tracks; number {taken} ({['eng', 'ger', 'fre'][taken - 1]}) was taken; --track N" in note


def test_a_track_can_be_chosen(tmp_path: Path) -> None:
    path = _tracks(tmp_path / "tracks.mkv", [0.1, 0.2, 0.3], 1)
    for track in (1, 2, 3):
        samples, _ = read_sound(path, track)
        assert np.abs(samples).max() == pytest.approx(track / 10, abs=0.01)
    with open_audio(path, 2) as audio:
        assert audio.notes == ()
    for track in (0, -1, 4):
        with pytest.raises(InputError, match=f"holds 3 sound tracks; choose one from 1 to 3, got {track}"):
            read_sound(path, track)


def test_one_track_needs_no_words(tmp_path: Path) -> None:
    path = _tracks(tmp_path / "voice.mkv", [0.1], None)
    with open_audio(path, 1) as audio:
        assert audio.notes == ()
    with pytest.raises(InputError, match="holds 1 sound track; choose one from 1 to 1, got 2"):
        read_sound(path, 2)
