"""Video files through FFmpeg: encode, multiplex, tag the colours.

Bytes depend on the input alone: thread counts are fixed, because encoders cut the work differently for each count, and
``bitexact`` keeps dates, random identifiers and version strings out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from vivant.media.formats import VideoLayout
from vivant.media.palette import Palette
from vivant.types import Float32Array, UInt8Array

_N_THREADS = 4
_BITEXACT = {"flags": "+bitexact"}
_BT709_CODE = 1
_BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "color_range": "tv"}


@dataclass(frozen=True, slots=True)
class _Codec:
    name: str
    pixel_format: str
    options: dict[str, str] = field(default_factory=dict)


_H264 = _Codec("libx264", "yuv420p", {"crf": "18", "preset": "veryfast"} | _BT709)
_VP9_OPTIONS = {"crf": "20", "b": "0", "deadline": "realtime", "cpu-used": "6", "auto-alt-ref": "0"} | _BT709
_VP9 = _Codec("libvpx-vp9", "yuv420p", _VP9_OPTIONS)
_VP9_ALPHA = _Codec("libvpx-vp9", "yuva420p", _VP9_OPTIONS)
_PRORES_ALPHA = _Codec("prores_ks", "yuva444p10le", {"profile": "4444", "vendor": "apl0"} | _BT709)
_GIF = _Codec("gif", "pal8")
_AAC = _Codec("aac", "fltp")
_OPUS = _Codec("libopus", "flt")
_BITS_PER_S = {1: "160000", 2: "256000"}
"""Of the sound, by its channels; more than most recordings come with."""

_AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_FALLBACK_RATE_HZ = 48_000
_SIDES = {1: "mono", 2: "stereo"}


def _codecs(muxer: str, alpha: bool) -> tuple[_Codec, _Codec]:
    """(video, audio) for an FFmpeg muxer."""
    if muxer == "webm":
        return (_VP9_ALPHA if alpha else _VP9), _OPUS
    if muxer == "gif":
        return _GIF, _AAC
    return (_PRORES_ALPHA if alpha else _H264), _AAC


class ContainerWriter:
    """One video file being written. Every method may raise OSError or FFmpegError."""

    def __init__(self, path: Path, muxer: str, layout: VideoLayout) -> None:
        video, audio = _codecs(muxer, layout.alpha)
        options = {"fflags": "+bitexact"}
        if muxer in ("mp4", "mov"):
            options["movflags"] = "+faststart"
        # The prefix keeps a colon in a relative name from being taken for an address.
        self._container: OutputContainer = av.open(f"file:{path}", "w", format=muxer, options=options)
        self._video = _video_stream(self._container, video, layout)
        self._audio = _audio_stream(self._container, audio, layout) if layout.sample_rate_hz else None
        self._time_base = 1 / layout.fps
        self._source_format = "rgba" if layout.alpha else "rgb24"
        self._convert = Palette(layout) if video is _GIF else _Yuv(video.pixel_format)
        self._sample_rate_hz = layout.sample_rate_hz
        self._sides = _SIDES[layout.n_channels]
        self._n_samples = 0

    def picture(self, index: int, pixels: UInt8Array) -> None:
        """Encode one frame, to be shown from ``index / fps`` on."""
        frame = VideoFrame.from_ndarray(pixels, format=self._source_format)
        frame.pts, frame.time_base = index, self._time_base
        self._encode_pictures(self._convert.push(frame))

    def sound(self, samples: Float32Array) -> None:
        """Encode (n,) or (n, 2) samples that follow on the ones before."""
        assert self._audio is not None and self._sample_rate_hz is not None
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.reshape(1, -1), np.float32), format="flt", layout=self._sides
        )
        frame.sample_rate = self._sample_rate_hz
        frame.pts, frame.time_base = self._n_samples, Fraction(1, self._sample_rate_hz)
        self._n_samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def finish(self) -> None:
        """Write what the encoders still hold and the index, and close the file."""
        self._encode_pictures(self._convert.flush())
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def abort(self) -> None:
        """Let go of the file, which is about to be deleted."""
        with suppress(OSError, FFmpegError):
            self._container.close()

    def _encode_pictures(self, frames: Iterator[VideoFrame]) -> None:
        for frame in frames:
            self._container.mux(self._video.encode(frame))


def _video_stream(container: OutputContainer, codec: _Codec, layout: VideoLayout) -> VideoStream:
    stream = container.add_stream(codec.name, rate=layout.fps, options=codec.options | _BITEXACT)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = layout.width, layout.height, codec.pixel_format
    stream.codec_context.time_base = 1 / layout.fps
    stream.codec_context.thread_count = _N_THREADS
    return stream


def _audio_stream(container: OutputContainer, codec: _Codec, layout: VideoLayout) -> AudioStream:
    """A stream at the given rate if the codec has it; PyAV resamples otherwise."""
    assert layout.sample_rate_hz is not None
    kept = codec is _AAC and layout.sample_rate_hz in _AAC_RATES_HZ
    rate_hz = layout.sample_rate_hz if kept else _FALLBACK_RATE_HZ
    options = codec.options | _BITEXACT | {"b": _BITS_PER_S[layout.n_channels]}
    stream = container.add_stream(codec.name, rate=rate_hz, options=options)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = _SIDES[layout.n_channels]
    stream.codec_context.format = codec.pixel_format
    return stream


class _Yuv:
    """RGB to limited-range BT.709, which players assume for video of any size once it is tagged so."""

    def __init__(self, pixel_format: str) -> None:
        self._pixel_format = pixel_format
        self._reformatter = VideoReformatter()

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        converted = self._reformatter.reformat(
            frame, format=self._pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        if hasattr(converted, "color_primaries"):  # since PyAV 14, and from then on ProRes takes its tags from here
            converted.color_primaries = converted.color_trc = _BT709_CODE
        yield converted

    def flush(self) -> Iterator[VideoFrame]:
        return iter(())
