"""Sound from any common audio or video file, streamed in blocks and constant memory: a voice, and what ears get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from os import PathLike
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from vivant.arguments import as_path, whole_number
from vivant.errors import ClosedError, InputError
from vivant.media.inputs import require_file
from vivant.media.mixing import mix, regroup
from vivant.media.opening import openings
from vivant.plain import plain
from vivant.types import MAX_RATE_HZ, MIN_RATE_HZ, AudioChunk, Float32Array

_CONTAINERS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,loas,matroska,mov,mp3,mpeg,mpegts,ogg,tta,voc,w64,wav,wv"
_OPTIONS = {
    # Playlists and scripts (hls, concat, ...) can make FFmpeg read other files and addresses; sound files need neither.
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
}
_MIN_GAP_S = 0.1
_MAX_GAP_S = 3600.0
MAX_TRACKS = 1_000_000
"""More than any file has; chosen."""
_DEFAULT = 1
"""FFmpeg's flag of a track that is to be played unless another is chosen."""
_DECODE_ERRORS = (FFmpegError, OSError, ValueError)


@dataclass(frozen=True, slots=True, eq=False)
class SoundBlock:
    """A stretch of a file, for lips and for ears."""

    voice: AudioChunk
    """Mono: one voice of all channels, as loud as the loudest."""
    sound: AudioChunk
    """The same stretch as it is to be heard: samples (n,), or (n, 2) when ``AudioFile.n_channels`` is 2."""


class AudioFile:
    """A file with sound, readable any number of times; made and closed by ``open_audio``."""

    def __init__(self, path: Path, track: int | None = None) -> None:
        self._path = path
        self._track = track
        self._passes = ExitStack()
        self._closed = False
        with _open(path, track) as source:
            first = next(_frames(source, path), None)
            if first is None:
                raise InputError(f"the sound in {path} has no samples; record or export it again")
            self.sample_rate_hz: int = first.sample_rate
            """Samples per second of every chunk, the file's own."""
            self.n_channels: int = min(len(first.layout.channels), 2)
            """Of what is to be heard: 1, or 2 for stereo and everything wider."""
            self.duration_s: float | None = source.duration_s
            """Length that the file declares, None if it does not say; only ``chunks`` knows for certain."""
            self.notes: tuple[str, ...] = source.notes
            """Sentences for people: which of several tracks was taken, what is wrong with the header."""
        if not MIN_RATE_HZ <= self.sample_rate_hz <= MAX_RATE_HZ:
            raise InputError(
                f"the sound in {path} has {self.sample_rate_hz} samples per second; convert it to 48000"
                f" (anything from {MIN_RATE_HZ} to {MAX_RATE_HZ} works)"
            )

    def chunks(self, block_ms: int = 100) -> Iterator[AudioChunk]:
        """The voice of ``blocks``: mono, for the lips."""
        return (block.voice for block in self.blocks(block_ms))

    def blocks(self, block_ms: int = 100) -> Iterator[SoundBlock]:
        """All samples from the beginning in blocks of ``block_ms`` (the last may be shorter), by `vivant.media.mixing.mix`.

        Every call starts a pass of its own. Where the time stamps of the file jump ahead there is silence. Damage in the middle
        raises InputError with its time, after all samples before it have been given out.
        """
        if block_ms < 1:
            raise InputError(f"block_ms must be at least 1, got {block_ms}")
        return self._blocks(max(1, self.sample_rate_hz * block_ms // 1000))

    def _blocks(self, block: int) -> Iterator[SoundBlock]:
        self._require_open()
        source = self._passes.enter_context(_open(self._path, self._track))
        start_sample = 0
        for voice, left, right in regroup(_mixed(source, self._path, self.sample_rate_hz), block):
            sound = voice if self.n_channels == 1 else np.stack([left, right], axis=1)
            yield SoundBlock(
                AudioChunk(voice, self.sample_rate_hz, start_sample), AudioChunk(sound, self.sample_rate_hz, start_sample)
            )
            start_sample += len(voice)
            self._require_open()
        source.container.close()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError(f"{self._path} was closed; read its chunks inside the with block")

    def _close(self) -> None:
        self._closed = True
        self._passes.close()


@contextmanager
def open_audio(path: str | PathLike[str], track: int | None = None) -> Iterator[AudioFile]:
    """Open any common audio file, or a video file with sound, of 8 to 192 kHz.

    ``track`` counts the sound tracks of the file from 1; without it the one that the file marks as default is taken, or else
    the first. Raises InputError for a file that is missing, empty, without sound, without samples, or damaged at its start,
    and for a track that is not there.
    """
    audio = AudioFile(as_path("a sound file", path), track)
    try:
        yield audio
    finally:
        audio._close()


def has_sound(path: str | PathLike[str]) -> bool:
    """Whether a file has a sound track that can be read; GIFs hold pictures alone. Raises InputError where none is."""
    file = as_path("a sound file", path)
    require_file(file, "video")
    try:
        container, _ = _container(file)
    except InputError:
        return False
    with container:
        return len(container.streams.audio) > 0


def read_sound(path: str | PathLike[str], track: int | None = None) -> tuple[Float32Array, int]:
    """A whole file: mono samples (n,) in [-1, 1] and their rate. Raises InputError."""
    with open_audio(path, track) as audio:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in audio.chunks())]), audio.sample_rate_hz


@dataclass(frozen=True, slots=True)
class _Source:
    """An open file and the track of it that is read; a context manager."""

    container: InputContainer
    stream: AudioStream
    notes: tuple[str, ...]

    @property
    def duration_s(self) -> float | None:
        """Of the track, or else of the file."""
        return _seconds(self.stream.duration, self.stream.time_base) or _seconds(
            self.container.duration, Fraction(1, av.time_base)
        )

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.container.close()


def _open(path: Path, track: int | None) -> _Source:
    require_file(path, "audio")
    container, notes = _container(path)
    try:
        stream = _choose(container.streams.audio, track, path)
        if len(container.streams.audio) > 1 and track is None:
            notes += (f"{path} has {_tracks(container.streams.audio, stream)}; --track N takes another",)
        # Without a decoder there is no codec context, and old PyAV crashes when asked to decode all the same.
        if stream.codec_context is None:
            raise InputError(_no_sound(path))
    except InputError:
        container.close()
        raise
    return _Source(container, stream, notes)


def _container(path: Path) -> tuple[InputContainer, tuple[str, ...]]:
    """The file as FFmpeg opens it, and what is to be said of its header."""
    try:
        for way in openings(path):
            with suppress(*_DECODE_ERRORS):
                container = av.open(way.address, "r", options=_OPTIONS | way.options, metadata_errors="replace")
                return container, (f"{path}: {way.note}",) if way.note else ()
    except OSError as error:
        raise InputError(_no_sound(path)) from error
    raise InputError(_no_sound(path))


def _choose(streams: Sequence[AudioStream], track: int | None, path: Path) -> AudioStream:
    if not streams:
        raise InputError(_no_sound(path))
    if track is None:
        able = [stream for stream in streams if stream.codec_context is not None] or list(streams)
        return next((stream for stream in able if _is_default(stream)), able[0])
    track = whole_number("track", track, -MAX_TRACKS, MAX_TRACKS)
    if not 1 <= track <= len(streams):
        held = "1 sound track" if len(streams) == 1 else f"{len(streams)} sound tracks"
        raise InputError(f"{path} holds {held}; choose one from 1 to {len(streams)}, got {track}")
    return streams[track - 1]


def _is_default(stream: AudioStream) -> bool:
    disposition = getattr(stream, "disposition", None)  # since PyAV 14.1; before it, the first track
    return disposition is not None and bool(disposition & type(disposition)(_DEFAULT))


def _tracks(streams: Sequence[AudioStream], taken: AudioStream) -> str:
    number = list(streams).index(taken) + 1
    return f"{len(streams)} sound tracks; number {number}{_title(taken)} was taken"


def _title(stream: AudioStream) -> str:
    words = [stream.metadata[key] for key in ("language", "title") if stream.metadata.get(key, "und") != "und"]
    name = plain(", ".join(words), 60)
    return f" ({name})" if name else ""


def _no_sound(path: Path) -> str:
    return f"{path} holds no sound that can be read; give a whole audio file such as WAV, MP3, FLAC, Ogg or M4A"


def _frames(source: _Source, path: Path) -> Iterator[AudioFrame]:
    """Decoded frames that hold samples. Raises InputError with its time where decoding fails or the rate changes.

    Packets before the first that decodes are skipped: a stream cut from a longer one often starts with a broken one.
    """
    n_samples, rate_hz = 0, 0
    packets = source.container.demux(source.stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            return
        except _DECODE_ERRORS as error:
            if rate_hz == 0:
                continue
            position = _at(n_samples, rate_hz)
            raise InputError(f"the sound in {path} is damaged at {position}; repair or export it again") from error
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            if rate_hz not in (0, frame.sample_rate):
                raise InputError(f"the sample rate of {path} changes at {_at(n_samples, rate_hz)}; export it with one rate")
            rate_hz = frame.sample_rate
            n_samples += frame.samples
            if frame.samples:
                yield frame


def _mixed(source: _Source, path: Path, rate_hz: int) -> Iterator[Float32Array]:
    """(3, n): voice, left, right. Where the channels of a stream change it is mixed anew."""
    for channels, pieces in groupby(_pieces(source, path), key=itemgetter(0)):
        yield from mix((samples for _, samples in pieces), channels, rate_hz)


def _pieces(source: _Source, path: Path) -> Iterator[tuple[tuple[str, ...], Float32Array]]:
    """Names and samples (channels, n), with silence for what is missing (lost pages, recorders that skip pauses) so that the
    rest stays in time.

    Only a jump from one frame to the next counts: slow drift between stamps and samples is harmless and is let pass.
    """
    expected_s: float | None = None
    for frame in _frames(source, path):
        channels = tuple(channel.name for channel in frame.layout.channels)
        if frame.time is not None:
            gap_s = 0.0 if expected_s is None else frame.time - expected_s
            if gap_s > _MAX_GAP_S:
                raise InputError(f"the time stamps in {path} jump at {expected_s:.2f} s; export it again")
            if gap_s > _MIN_GAP_S:
                n_missing = round(gap_s * frame.sample_rate)
                for start in range(0, n_missing, frame.sample_rate):
                    n = min(frame.sample_rate, n_missing - start)
                    yield channels, np.zeros((len(channels), n), np.float32)
            expected_s = frame.time + frame.samples / frame.sample_rate
        yield channels, _planes(frame)


def _at(n_samples: int, rate_hz: int) -> str:
    return f"{n_samples / max(rate_hz, 1):.2f} s"


def _planes(frame: AudioFrame) -> Float32Array:
    """(channels, n) in [-1, 1]: integers scaled by their full range, floats clipped, NaN silent."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype.kind == "f":
        finite: Float32Array = np.clip(np.nan_to_num(samples), -1.0, 1.0).astype(np.float32)
        return finite
    middle = 128.0 if samples.dtype == np.uint8 else 0.0
    scaled: Float32Array = ((samples.astype(np.float64) - middle) / 2.0 ** (8 * samples.dtype.itemsize - 1)).astype(np.float32)
    return scaled


def _seconds(duration: int | None, time_base: Fraction | None) -> float | None:
    return float(duration * time_base) if duration and duration > 0 and time_base else None
