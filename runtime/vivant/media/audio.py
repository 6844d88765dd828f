"""Sound from any common audio or video file, streamed as mono blocks in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from vivant.errors import ClosedError, InputError
from vivant.media.inputs import require_file
from vivant.types import AudioChunk, Float32Array

MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 192_000

_CONTAINERS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,loas,matroska,mov,mp3,mpeg,mpegts,ogg,tta,voc,w64,wav,wv"
_OPTIONS = {
    # Playlists and scripts (hls, concat, ...) can make FFmpeg read other files and addresses; sound files need neither.
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
}
_MIN_GAP_S = 0.1
_MAX_GAP_S = 3600.0
_DECODE_ERRORS = (FFmpegError, OSError, ValueError)


class AudioFile:
    """A file with sound, readable any number of times; made and closed by ``open_audio``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passes = ExitStack()
        self._closed = False
        with _open(path) as container:
            stream = container.streams.audio[0]
            first = next(_frames(container, path), None)
            if first is None:
                raise InputError(f"the sound in {path} has no samples; record or export it again")
            self.sample_rate_hz: int = first.sample_rate
            """Samples per second of every chunk, the file's own."""
            self.duration_s: float | None = _seconds(stream.duration, stream.time_base) or _seconds(
                container.duration, Fraction(1, av.time_base)
            )
            """Length that the file declares, None if it does not say; only ``chunks`` knows for certain."""
        if not MIN_RATE_HZ <= self.sample_rate_hz <= MAX_RATE_HZ:
            raise InputError(
                f"the sound in {path} has {self.sample_rate_hz} samples per second; convert it to 48000"
                f" (anything from {MIN_RATE_HZ} to {MAX_RATE_HZ} works)"
            )

    def chunks(self, block_ms: int = 100) -> Iterator[AudioChunk]:
        """All samples from the beginning in blocks of ``block_ms`` (the last may be shorter), mono by the mean of channels.

        Every call starts a pass of its own. Where the time stamps of the file jump ahead there is silence. Damage in the middle
        raises InputError with its time, after all samples before it have been given out.
        """
        if block_ms < 1:
            raise InputError(f"block_ms must be at least 1, got {block_ms}")
        return self._chunks(max(1, self.sample_rate_hz * block_ms // 1000))

    def _chunks(self, block: int) -> Iterator[AudioChunk]:
        self._require_open()
        container = self._passes.enter_context(_open(self._path))
        start_sample = 0
        for samples in _regroup(_samples(container, self._path), block):
            yield AudioChunk(samples, self.sample_rate_hz, start_sample)
            start_sample += len(samples)
            self._require_open()
        container.close()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError(f"{self._path} was closed; read its chunks inside the with block")

    def _close(self) -> None:
        self._closed = True
        self._passes.close()


@contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    """Open any common audio file, or a video file with sound, of 8 to 192 kHz.

    Raises InputError for a file that is missing, empty, without sound, without samples, or damaged at its start.
    """
    audio = AudioFile(path)
    try:
        yield audio
    finally:
        audio._close()


def read_sound(path: Path) -> tuple[Float32Array, int]:
    """A whole file: mono samples (n,) in [-1, 1] and their rate. Raises InputError."""
    with open_audio(path) as audio:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in audio.chunks())]), audio.sample_rate_hz


def _open(path: Path) -> InputContainer:
    require_file(path, "audio")
    try:
        # The prefix keeps a colon in a relative name from being taken for an address.
        container = av.open(f"file:{path}", "r", options=_OPTIONS, metadata_errors="replace")
    except _DECODE_ERRORS as error:
        raise InputError(_no_sound(path)) from error
    # Without a decoder there is no codec context, and old PyAV crashes when asked to decode all the same.
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        container.close()
        raise InputError(_no_sound(path))
    return container


def _no_sound(path: Path) -> str:
    return f"{path} holds no sound that can be read; give a whole audio file such as WAV, MP3, FLAC, Ogg or M4A"


def _frames(container: InputContainer, path: Path) -> Iterator[AudioFrame]:
    """Decoded frames that hold samples. Raises InputError with its time where decoding fails or the rate changes.

    Packets before the first that decodes are skipped: a stream cut from a longer one often starts with a broken one.
    """
    n_samples, rate_hz = 0, 0
    packets = container.demux(container.streams.audio[0])
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


def _samples(container: InputContainer, path: Path) -> Iterator[Float32Array]:
    """Mono samples, with silence for what is missing (lost pages, recorders that skip pauses) so that the rest stays in time.

    Only a jump from one frame to the next counts: slow drift between stamps and samples is harmless and is let pass.
    """
    expected_s: float | None = None
    for frame in _frames(container, path):
        if frame.time is not None:
            gap_s = 0.0 if expected_s is None else frame.time - expected_s
            if gap_s > _MAX_GAP_S:
                raise InputError(f"the time stamps in {path} jump at {expected_s:.2f} s; export it again")
            if gap_s > _MIN_GAP_S:
                n_missing = round(gap_s * frame.sample_rate)
                for start in range(0, n_missing, frame.sample_rate):
                    yield np.zeros(min(frame.sample_rate, n_missing - start), np.float32)
            expected_s = frame.time + frame.samples / frame.sample_rate
        yield _mono(frame)


def _at(n_samples: int, rate_hz: int) -> str:
    return f"{n_samples / max(rate_hz, 1):.2f} s"


def _mono(frame: AudioFrame) -> Float32Array:
    """(n,) in [-1, 1]: integers scaled by their full range, floats clipped, NaN silent."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    mean: NDArray[np.float64] = samples.mean(axis=0, dtype=np.float64)
    if samples.dtype.kind == "f":
        return np.clip(np.nan_to_num(mean), -1.0, 1.0).astype(np.float32)
    middle = 128.0 if samples.dtype == np.uint8 else 0.0
    return ((mean - middle) / 2.0 ** (8 * samples.dtype.itemsize - 1)).astype(np.float32)


def _regroup(pieces: Iterator[Float32Array], block: int) -> Iterator[Float32Array]:
    """The same samples in arrays of ``block``; what came before an InputError is given out before it is raised."""
    pending = np.zeros(0, np.float32)
    end: Exception | None = None
    while end is None:
        try:
            pending = np.concatenate((pending, next(pieces)))
        except (StopIteration, InputError) as error:
            end = error
        n_whole = len(pending) // block * block
        yield from np.split(pending[:n_whole], range(block, n_whole, block)) if n_whole else ()
        pending = pending[n_whole:]
    if len(pending):
        yield pending
    if isinstance(end, InputError):
        raise end


def _seconds(duration: int | None, time_base: Fraction | None) -> float | None:
    return float(duration * time_base) if duration and duration > 0 and time_base else None
