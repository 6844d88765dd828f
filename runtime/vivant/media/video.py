"""Video files and PNG folders from frames and sound: ``with open_video(...) as sink: sink.write(frame)``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Protocol

import numpy as np

from vivant.arguments import as_path
from vivant.errors import ClosedError, InputError
from vivant.media.atomic import Complete, replacing, replacing_folder, reporting
from vivant.media.containers import ContainerWriter
from vivant.media.formats import VideoLayout, folder_of, format_of, require_supported
from vivant.media.sequence import DEFAULT_PATTERN, SequenceWriter, is_sequence_file
from vivant.types import AudioChunk, Float32Array, PixelFormat, UInt8Array, VideoFrame

_SILENCE_BLOCK_S = 1


class _Writer(Protocol):
    """Where the pictures and the sound of one video go; may raise OSError or FFmpegError."""

    def picture(self, index: int, pixels: UInt8Array) -> None: ...
    def sound(self, samples: Float32Array) -> None: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...


class VideoSink:
    """Takes the frames and the sound of one video, each in order, in any interleaving; made by ``open_video``."""

    def __init__(self, path: Path, layout: VideoLayout, writer: _Writer) -> None:
        self._path = path
        self._layout = layout
        self._writer = writer
        self._channels = (2,) if layout.n_channels == 2 else ()
        self._next_index = 0
        self._next_sample = 0
        self._closed = False

    def write(self, frame: VideoFrame) -> None:
        """Add a frame, shown from ``frame.index / fps`` until the next one.

        Raises InputError for another size or format than announced or an index that does not rise, and OutputError.
        """
        self._require_open()
        expected = PixelFormat.RGBA if self._layout.alpha else PixelFormat.RGB
        shape = (self._layout.height, self._layout.width, 4 if self._layout.alpha else 3)
        if frame.format is not expected or frame.pixels.shape != shape or frame.pixels.dtype != np.uint8:
            got = f"{frame.format.name} {frame.pixels.dtype} {frame.pixels.shape}"
            raise InputError(f"{self._path} takes {expected.name} uint8 frames of shape {shape}, got {got}")
        if frame.index < self._next_index:
            raise InputError(f"frames must come in order: expected index {self._next_index} or more, got {frame.index}")
        with reporting(self._path):
            self._writer.picture(frame.index, np.ascontiguousarray(frame.pixels))
        self._next_index = frame.index + 1

    def write_audio(self, chunk: AudioChunk) -> None:
        """Add sound, heard from ``chunk.start_sample`` on; a jump forward becomes silence.

        Samples are (n,), or (n, 2) in a video that was opened with two channels. Raises InputError for another rate or shape
        than announced, a jump back or samples that are not numbers, and OutputError.
        """
        self._require_open()
        if chunk.sample_rate_hz != self._layout.sample_rate_hz:
            announced = "a silent video" if self._layout.sample_rate_hz is None else f"{self._layout.sample_rate_hz} Hz"
            raise InputError(f"{self._path} was opened for {announced}, got sound of {chunk.sample_rate_hz} Hz")
        if chunk.samples.shape[1:] != self._channels:
            raise InputError(
                f"{self._path} takes sound of shape (n{', 2' if self._channels else ','}), got {chunk.samples.shape}"
            )
        if chunk.start_sample < self._next_sample:
            raise InputError(f"sound must come in order: expected sample {self._next_sample}, got {chunk.start_sample}")
        if not np.isfinite(chunk.samples).all():
            raise InputError(f"the sound at sample {chunk.start_sample} holds values that are not numbers; check its source")
        while self._next_sample < chunk.start_sample:
            n_missing = min(chunk.start_sample - self._next_sample, chunk.sample_rate_hz * _SILENCE_BLOCK_S)
            self._sound(np.zeros((n_missing, *self._channels), np.float32))
        if len(chunk.samples):
            self._sound(chunk.samples)

    def _sound(self, samples: Float32Array) -> None:
        with reporting(self._path):
            self._writer.sound(samples)
        self._next_sample += len(samples)

    def _finish(self) -> None:
        self._closed = True
        if self._next_index == 0:
            raise InputError(f"no frame was written, so there is no video {self._path}; check that the sound is not empty")
        with reporting(self._path):
            self._writer.finish()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError(f"{self._path} is finished; write inside the with block")


@contextmanager
def open_video(
    path: str | PathLike[str],
    *,
    width: int,
    height: int,
    fps: Fraction,
    sample_rate_hz: int | None,
    alpha: bool,
    n_channels: int = 1,
    complete: Complete | None = None,
) -> Iterator[VideoSink]:
    """Write a video that appears as ``path`` when the block ends well, and leaves nothing behind when it raises.

    ``.mp4``, ``.mov``, ``.mkv`` (H.264 and AAC; ``.mov`` with alpha: ProRes 4444), ``.webm`` (VP9 and Opus), ``.gif``, or for
    PNG frames a folder name without suffix or a pattern such as ``out/frame_%06d.png``, which make a folder with
    ``audio.wav``. The same input gives the same bytes. ``sample_rate_hz`` is None for a silent video, ``n_channels`` 2 for
    left and right. ``complete`` has the last word before the result appears, as in ``media.atomic``. Raises InputError for
    what the format cannot hold and OutputError when it cannot be written.
    """
    path = as_path("a video file", path)
    kind = format_of(path)
    layout = VideoLayout(width, height, Fraction(fps), sample_rate_hz, alpha, n_channels)
    require_supported(path, kind, layout)
    folder, pattern = folder_of(path), path.name if path.suffix else DEFAULT_PATTERN
    target = folder or path
    place: AbstractContextManager[Path] = (
        replacing(path, complete=complete)
        if folder is None
        else replacing_folder(folder, partial(is_sequence_file, pattern=pattern), complete)
    )
    with place as temporary:
        with reporting(target):
            writer: _Writer = (
                ContainerWriter(temporary, kind.muxer, layout) if kind.muxer else SequenceWriter(temporary, pattern, layout)
            )
        sink = VideoSink(target, layout, writer)
        try:
            yield sink
            sink._finish()
        except BaseException:
            sink._closed = True
            writer.abort()
            raise
