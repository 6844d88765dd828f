"""Sound files: any codec, rate and channel count as mono chunks; damage is named with its time."""

from __future__ import annotations

import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.examples import examples, some
from vivant.errors import ClosedError, InputError
from vivant.media import SoundBlock, has_sound, open_audio
from vivant.types import AudioChunk

pytestmark = pytest.mark.unit

Samples = NDArray[np.float32]

_CODECS = {
    ".wav": ("pcm_s16le", "s16", 48000),
    ".flac": ("flac", "s16", 48000),
    ".mp3": ("libmp3lame", "fltp", 44100),
    ".ogg": ("libopus", "flt", 48000),
    ".m4a": ("aac", "fltp", 44100),
    ".webm": ("libopus", "flt", 48000),
    ".mkv": ("flac", "s16", 48000),
    ".ac3": ("ac3", "fltp", 48000),
    ".aiff": ("pcm_s16be", "s16", 48000),
}
_ANY_PATH = examples(40, HealthCheck.function_scoped_fixture)


def _tone(rate_hz: int, seconds: float = 1.0, amplitude: float = 0.4, noise: float = 0.0) -> Samples:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    wobble = noise * np.random.default_rng(0).normal(size=t.size)
    samples: Samples = (amplitude * np.sin(2 * np.pi * 440 * t) + wobble).astype(np.float32)
    return samples


def _encode(path: Path, samples: Samples, rate_hz: int, codec: str, sample_format: str, layout: str = "mono") -> Path:
    """``samples`` (channels, n) or (n,)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = layout
        stream.codec_context.format = sample_format
        frame = av.AudioFrame.from_ndarray(np.atleast_2d(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        for source in (frame, None):
            container.mux(stream.encode(source))
    return path


def _wav(path: Path, pcm: NDArray[np.int16], rate_hz: int) -> Path:
    """``pcm`` (n,) or (n, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1 if pcm.ndim == 1 else pcm.shape[1], 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


def _read(path: Path, block_ms: int = 100) -> tuple[list[AudioChunk], int]:
    with open_audio(path) as audio:
        return list(audio.chunks(block_ms)), audio.sample_rate_hz


def _joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def _correlation(decoded: Samples, original: Samples) -> float:
    """Best match within 60 ms, as codecs shift the sound a little."""
    n = min(len(decoded), len(original)) - 3000
    scores = [np.corrcoef(decoded[shift : shift + n], original[:n])[0, 1] for shift in range(0, 2900, 8)]
    return float(np.max(scores))


@pytest.mark.parametrize("suffix", some(_CODECS, 2))
def test_codecs(suffix: str, tmp_path: Path) -> None:
    codec, sample_format, rate_hz = _CODECS[suffix]
    original = _tone(rate_hz, noise=0.05)
    path = _encode(tmp_path / f"voice{suffix}", original, rate_hz, codec, sample_format)
    with open_audio(path) as audio:
        chunks = list(audio.chunks())
        assert audio.sample_rate_hz == rate_hz
        assert audio.duration_s == pytest.approx(1.0, abs=0.06)
    samples = _joined(chunks)
    assert len(samples) == pytest.approx(rate_hz, abs=0.06 * rate_hz)
    assert samples.dtype == np.float32
    assert _correlation(samples, original) > 0.98


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
def test_rates_are_kept(rate_hz: int, tmp_path: Path) -> None:
    pcm = (_tone(rate_hz, 0.25) * 32767).astype(np.int16)
    chunks, rate = _read(_wav(tmp_path / "voice.wav", pcm, rate_hz))
    assert rate == rate_hz == chunks[0].sample_rate_hz
    np.testing.assert_allclose(_joined(chunks), pcm / 32768, atol=1e-7)


@pytest.mark.parametrize("rate_hz", [4000, 384000])
def test_rates_out_of_range(rate_hz: int, tmp_path: Path) -> None:
    path = _wav(tmp_path / "voice.wav", np.ones(1000, np.int16), rate_hz)
    with pytest.raises(InputError, match=f"{rate_hz} samples per second"):
        _read(path)


@pytest.mark.parametrize("sample_format", ["u8", "s16le", "s24le", "s32le", "f32le", "f64le"])
def test_sample_formats(sample_format: str, tmp_path: Path) -> None:
    original = _tone(16000, 0.1)
    inner = {"u8": "u8", "s16le": "s16", "s24le": "s32", "s32le": "s32", "f32le": "flt", "f64le": "dbl"}[sample_format]
    chunks, _ = _read(_encode(tmp_path / "voice.wav", original, 16000, f"pcm_{sample_format}", inner))
    np.testing.assert_allclose(_joined(chunks), original, atol=0.01 if sample_format == "u8" else 1e-4)


@pytest.mark.parametrize(("n_channels", "rate_hz"), [(2, 44100), (2, 192000), (6, 48000), (5, 48000)])
def test_channels_are_averaged(n_channels: int, rate_hz: int, tmp_path: Path) -> None:
    pcm = np.zeros((2000, n_channels), np.int16)
    pcm[:, 0], pcm[:, 1] = 12000, -3000
    chunks, _ = _read(_wav(tmp_path / "voice.wav", pcm, rate_hz))
    np.testing.assert_allclose(_joined(chunks), 9000 / 32768 / n_channels, rtol=1e-6)


def test_planar_surround(tmp_path: Path) -> None:
    tone = _tone(48000)
    planes = np.stack([tone, tone, tone, 0 * tone, tone, tone])
    path = _encode(tmp_path / "voice.m4a", planes, 48000, "alac", "s16p", "5.1")
    np.testing.assert_allclose(_joined(_read(path)[0]), tone, atol=1e-4)


def _blocks(path: Path) -> list[SoundBlock]:
    with open_audio(path) as audio:
        return list(audio.blocks())


@pytest.mark.parametrize(("layout", "n_channels"), [("mono", 1), ("stereo", 2), ("5.1", 2)])
def test_ears_get_one_or_two_channels_in_step_with_the_voice(layout: str, n_channels: int, tmp_path: Path) -> None:
    planes = np.stack([_tone(48000, amplitude=0.1 + 0.05 * i) for i in range(len(av.AudioLayout(layout).channels))])
    path = _encode(tmp_path / "voice.mkv", planes, 48000, "flac", "s16", layout)
    with open_audio(path) as audio:
        assert audio.n_channels == n_channels
    for block in _blocks(path):
        assert block.sound.start_sample == block.voice.start_sample
        assert block.sound.samples.shape == ((4800,) if n_channels == 1 else (4800, 2))
    if layout == "stereo":
        np.testing.assert_allclose(np.concatenate([block.sound.samples for block in _blocks(path)]), planes.T, atol=1e-4)


def test_opposite_phase_in_a_file_is_heard(tmp_path: Path) -> None:
    pcm = np.asarray(_tone(16000, 2.0, noise=0.02) * 32767, np.int16)
    path = _wav(tmp_path / "voice.wav", np.stack([pcm, -pcm], axis=1), 16000)
    np.testing.assert_allclose(_joined(_read(path)[0]), pcm / 32768, atol=1e-4)
    for block in _blocks(path):
        np.testing.assert_allclose(block.sound.samples[:, 0], block.sound.samples[:, 1], atol=1e-4)


def test_channels_that_change_within_a_file(tmp_path: Path) -> None:
    """A broadcast that goes from mono to stereo: two MPEG streams in a row."""
    path = tmp_path / "voice.mp2"
    data = b""
    for layout, n in (("mono", 1), ("stereo", 2)):
        part = _encode(tmp_path / f"{layout}.mp2", np.stack([_tone(48000)] * n), 48000, "mp2", "s16", layout)
        data += part.read_bytes()
    path.write_bytes(data)
    samples = _joined(_read(path)[0])
    assert len(samples) > 90_000
    assert all(np.abs(samples[start : start + 9600]).max() == pytest.approx(0.4, abs=0.02) for start in (20_000, 70_000))


def test_floats_are_clipped_and_finite(tmp_path: Path) -> None:
    wild = np.array([0.5, 3.0, -7.0, np.nan, np.inf, -np.inf] * 200, np.float32)
    samples = _joined(_read(_encode(tmp_path / "wild.wav", wild, 16000, "pcm_f32le", "flt"))[0])
    np.testing.assert_array_equal(samples[:6], np.array([0.5, 1, -1, 0, 1, -1], np.float32))


@_ANY_PATH
@given(n=st.integers(1, 40000), block_ms=st.integers(1, 700), rate_hz=st.sampled_from([8000, 22050, 48000]))
def test_blocks(tmp_path: Path, n: int, block_ms: int, rate_hz: int) -> None:
    pcm = (np.arange(n) % 30000).astype(np.int16)
    chunks, _ = _read(_wav(tmp_path / "voice.wav", pcm, rate_hz), block_ms)
    block = rate_hz * block_ms // 1000
    assert [chunk.start_sample for chunk in chunks] == list(range(0, n, block))
    assert all(len(chunk.samples) == block for chunk in chunks[:-1])
    np.testing.assert_array_equal(np.rint(_joined(chunks) * 32768), pcm)


def test_every_pass_starts_anew_and_passes_overlap(tmp_path: Path) -> None:
    path = _encode(tmp_path / "voice.mp3", _tone(44100), 44100, "libmp3lame", "fltp")
    with open_audio(path) as audio:
        first, second = audio.chunks(), audio.chunks()
        next(first)
        np.testing.assert_array_equal(_joined(list(second))[4410:], _joined(list(first)))


def test_use_after_close(tmp_path: Path) -> None:
    path = _wav(tmp_path / "voice.wav", np.ones(48000, np.int16), 48000)
    with open_audio(path) as audio:
        running = audio.chunks()
        next(running)
    for chunks in (running, audio.chunks()):
        with pytest.raises(ClosedError, match="was closed"):
            next(chunks)


def test_block_must_be_positive(tmp_path: Path) -> None:
    path = _wav(tmp_path / "voice.wav", np.ones(10, np.int16), 48000)
    with open_audio(path) as audio, pytest.raises(InputError, match="block_ms"):
        audio.chunks(0)


def test_sound_of_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=48000)
        sound.codec_context.layout = "mono"
        for index in range(25):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            container.mux(video.encode(picture))
        frame = av.AudioFrame.from_ndarray(_tone(48000)[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        container.mux(video.encode(None))
    assert len(_joined(_read(path)[0])) == pytest.approx(48000, abs=2048)


def test_a_gap_in_the_time_stamps_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "pause.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.codec_context.layout = "mono"
        for start in (0, 20000):
            frame = av.AudioFrame.from_ndarray(np.full((1, 4000), 8192, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
            for packet in stream.encode(frame):
                container.mux(packet)
    samples = _joined(_read(path)[0])
    assert len(samples) == 24000
    assert (samples[4000:20000] == 0).all()
    assert (samples[20000:] == 0.25).all()


@pytest.mark.full
@pytest.mark.parametrize("hours", some([0.15, 2.0]))
def test_two_hours_in_constant_memory(hours: float, tmp_path: Path) -> None:
    """A sparse file: 58 MB an hour of samples that take no disk, 115 MB if they were all kept as float32."""
    resource = pytest.importorskip("resource")
    n = round(3600 * hours) * 8000
    path = _wav(tmp_path / "long.wav", np.zeros(0, np.int16), 8000)
    header = bytearray(path.read_bytes())
    header[4:8], header[40:44] = (36 + 2 * n).to_bytes(4, "little"), (2 * n).to_bytes(4, "little")
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(len(header) + 2 * n)
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with open_audio(path) as audio:
        assert audio.duration_s == 3600 * hours
        assert sum(len(chunk.samples) for chunk in audio.chunks(1000)) == n
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before < 12e6


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.wav", b"", "empty"),
        ("text.wav", b"Dear reader, this is not a sound.\n" * 50, "no sound"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nother.wav\n#EXT-X-ENDLIST\n", "no sound"),
        ("script.wav", b"ffconcat version 1.0\nfile other.wav\n", "no sound"),
        ("zeros.mp3", bytes(5000), "no sound"),
    ],
)
def test_not_a_sound(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    _wav(tmp_path / "other.wav", np.ones(8000, np.int16), 8000)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        _read(tmp_path / name)


def test_missing_folder_picture_and_silent_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        _read(tmp_path / "none.wav")
    with pytest.raises(InputError, match="is a folder"):
        _read(tmp_path)
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.gif")
    for name in ("picture.png", "picture.gif"):
        with pytest.raises(InputError, match="holds no sound"):
            _read(tmp_path / name)
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for frame in (av.VideoFrame(64, 64, "yuv420p"), None):
            container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="holds no sound"):
        _read(tmp_path / "silent.mp4")


def test_unknown_codec(tmp_path: Path) -> None:
    path = _wav(tmp_path / "voice.wav", np.ones(8000, np.int16), 8000)
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x77\x77"  # the codec tag
    path.write_bytes(data)
    with pytest.raises(InputError, match="holds no sound that can be read"):
        _read(path)


def test_no_samples(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no samples"):
        _read(_wav(tmp_path / "nothing.wav", np.zeros(0, np.int16), 48000))


def test_names_that_look_like_addresses_or_patterns(tmp_path: Path) -> None:
    for name in ("http:voice.wav", "concat:a|b.wav", "voice%03d.wav", "naïve 声.wav"):
        assert len(_joined(_read(_wav(tmp_path / name, np.ones(800, np.int16), 8000))[0])) == 800


@pytest.mark.parametrize(("suffix", "codec", "sample_format"), [(".m4a", "alac", "s16p"), (".mp3", "libmp3lame", "fltp")])
def test_damage_in_the_middle_is_named_after_what_was_good(suffix: str, codec: str, sample_format: str, tmp_path: Path) -> None:
    path = _encode(tmp_path / f"voice{suffix}", _tone(48000, 3.0, noise=0.05), 48000, codec, sample_format)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    n_good = 0
    with open_audio(path) as audio, pytest.raises(InputError, match=r"damaged at 1\.\d\d s"):
        for chunk in audio.chunks():
            assert chunk.start_sample == n_good
            n_good += len(chunk.samples)
    assert 1.2 * 48000 < n_good < 1.6 * 48000


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("encoded")
    return {
        suffix: _encode(folder / f"voice{suffix}", _tone(rate, 0.5, noise=0.05), rate, codec, kind).read_bytes()
        for suffix, (codec, kind, rate) in _CODECS.items()
    }


@examples(150, HealthCheck.function_scoped_fixture)
@given(
    suffix=st.sampled_from(list(_CODECS)),
    share=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=60)), max_size=5),
)
def test_damage_never_escapes(
    encoded: dict[str, bytes], tmp_path: Path, suffix: str, share: float, changes: list[tuple[float, bytes]]
) -> None:
    data = bytearray(encoded[suffix])
    for where, junk in changes:
        start = int(where * len(data))
        data[start : start + len(junk)] = junk
    path = tmp_path / f"voice{suffix}"
    path.write_bytes(data[: int(share * len(data))] if not changes else data)
    try:
        with open_audio(path) as audio:
            for number, chunk in enumerate(audio.chunks()):
                assert np.abs(chunk.samples).max() <= 1
                if number > 100:  # a damaged time stamp may ask for an hour of silence
                    break
    except InputError as error:
        assert str(error).count("\n") == 0


@examples(80, HealthCheck.function_scoped_fixture)
@given(
    st.sampled_from([b"", b"RIFF\x99\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb\x90\x64", b"\0\0\0\x18ftyp"]),
    st.binary(),
)
def test_random_bytes_never_escape(tmp_path: Path, magic: bytes, body: bytes) -> None:
    path = tmp_path / "voice.bin"
    path.write_bytes(magic + body)
    with pytest.raises(InputError):
        _read(path)


def test_a_film_of_pictures_alone_has_no_sound(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "film.gif", save_all=True, append_images=[Image.new("RGB", (16, 16), "red")])
    assert not has_sound(tmp_path / "film.gif")
