"""Files whose header is not at the front, or not true, are heard whole."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from tests.examples import some
from vivant.errors import InputError
from vivant.media import open_audio, read_sound

pytestmark = pytest.mark.unit

RATE_HZ = 8000
PCM = np.asarray(12000 * np.sin(np.arange(2 * RATE_HZ) / 3) * np.linspace(0.1, 1, 2 * RATE_HZ), "<i2")


def _id3(size: int) -> bytes:
    digits = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + digits + b"TPE1" + bytes(size - 4)


def _ape(size: int) -> bytes:
    return b"APETAGEX" + b"".join(value.to_bytes(4, "little") for value in (2000, size, 1, 0xA0000000, 0, 0)) + b"x" * size


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        writer.writeframes(PCM.tobytes())
    return file.getvalue()


def _encoded(folder: Path, suffix: str) -> bytes:
    """The same samples in another lossless container."""
    path = folder / f"source{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream({".flac": "flac", ".aiff": "pcm_s16be", ".mkv": "flac"}[suffix], rate=RATE_HZ)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout, stream.codec_context.format = "mono", "s16"
        frame = av.AudioFrame.from_ndarray(PCM[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        for source in (frame, None):
            container.mux(stream.encode(source))
    return path.read_bytes()


def _heard(path: Path, content: bytes) -> np.ndarray:
    path.write_bytes(content)
    samples, rate_hz = read_sound(path)
    assert rate_hz == RATE_HZ
    return np.rint(samples * 32768)


FRONTS = [
    _id3(20),
    _id3(300_000),
    _id3(20) + _id3(90),
    _ape(100),
    _ape(200_000),
    bytes(512),
    b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n",
    np.random.default_rng(5).bytes(60_000),
    b"ID3",
]


@pytest.mark.parametrize("suffix", some([".wav", ".flac", ".aiff", ".mkv"], 2))
@pytest.mark.parametrize("front", FRONTS, ids=range(len(FRONTS)))
def test_what_stands_before_the_header(suffix: str, front: bytes, tmp_path: Path) -> None:
    content = _wav() if suffix == ".wav" else _encoded(tmp_path, suffix)
    for name in (f"voice{suffix}", "voice.mp3", "a,b: voice"):
        np.testing.assert_array_equal(_heard(tmp_path / name, front + content), PCM)


@pytest.mark.parametrize("tag", [b"TAG" + bytes(125), _ape(30), _ape(40_000), _id3(3000)])
def test_tags_behind_a_wav_are_no_sound(tag: bytes, tmp_path: Path) -> None:
    np.testing.assert_array_equal(_heard(tmp_path / "voice.wav", _wav() + tag), PCM)


def test_chunks_behind_a_wav_are_no_sound(tmp_path: Path) -> None:
    for chunk in (b"LIST", b"bext", b"id3 "):
        content = _wav() + chunk + (6000).to_bytes(4, "little") + bytes(6000)
        np.testing.assert_array_equal(_heard(tmp_path / "voice.wav", content), PCM)


@pytest.mark.parametrize("share", [0.01, 1 / 3, 2 / 3, 0.95])
@pytest.mark.parametrize("front", [b"", _id3(50)])
def test_a_header_that_claims_too_little(share: float, front: bytes, tmp_path: Path) -> None:
    content = bytearray(_wav())
    claimed = int(share * PCM.size) * 2
    content[40:44] = claimed.to_bytes(4, "little")
    np.testing.assert_array_equal(_heard(tmp_path / "voice.wav", front + content), PCM)
    with open_audio(tmp_path / "voice.wav") as audio:
        (note,) = audio.notes
    assert f"claims {claimed} bytes of sound, the file holds {2 * PCM.size}" in note


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
@pytest.mark.parametrize("front", [b"", _id3(50)])
@pytest.mark.parametrize("claimed", [0, 2000, PCM.size, 2 * PCM.size, 2 * PCM.size + 7000, 2**40])
def test_long_headers_that_claim_anything(name: bytes, front: bytes, claimed: int, tmp_path: Path) -> None:
    """In these the length of the sound stands in a chunk of its own; a recorder that died has left it too small, or 0."""
    lengths = b"ds64" + b"".join(
        value.to_bytes(size, "little") for value, size in ((28, 4), (claimed + 64, 8), (claimed, 8), (0, 8), (0, 4))
    )
    content = bytearray(_wav())
    content[40:44] = b"\xff" * 4
    content = bytearray(name + b"\xff" * 4 + b"WAVE" + lengths + content[12:])
    np.testing.assert_array_equal(_heard(tmp_path / "voice.wav", front + content), PCM)
    with open_audio(tmp_path / "voice.wav") as audio:
        assert bool(audio.notes) == (claimed < 2 * PCM.size)


@pytest.mark.parametrize("claimed", [0, 2 * PCM.size, 2 * PCM.size + 7000, 0xFFFFFFFF])
def test_other_lengths_in_headers_need_no_words(claimed: int, tmp_path: Path) -> None:
    content = bytearray(_wav())
    content[40:44] = claimed.to_bytes(4, "little")
    np.testing.assert_array_equal(_heard(tmp_path / "voice.wav", bytes(content)), PCM)
    with open_audio(tmp_path / "voice.wav") as audio:
        assert audio.notes == ()


def test_a_header_far_behind_junk_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "voice.wav").write_bytes(bytes(200_000) + _wav())
    with pytest.raises(InputError, match="holds no sound"):
        read_sound(tmp_path / "voice.wav")
