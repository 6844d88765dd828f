"""Pictures of a video file or of a camera, one after the other, with their times."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vivant.drive.checks import DAY_US
from vivant.errors import InputError, UnavailableError
from vivant.media.inputs import require_file
from vivant.media.opening import openings
from vivant.types import UInt8Array

Source = Path | str
"""A video file, or a camera: ``"webcam"`` (the first) or ``"webcam:N"``, counted from 0."""
Picture = tuple[UInt8Array, int]
"""RGB (height, width, 3), and its time in microseconds since the first."""

MOST_PX = 1280
"""Longer side of what is given out: more than a face network looks at shows nothing more; chosen."""
LEAST_STEP_US = 1_000
"""Between two pictures of files whose time stamps stand still or go back."""
USUAL_RATE_HZ = 30
"""Of files without time stamps that do not say their rate, either."""
CAMERA_RATE_HZ, CAMERA_SIZE = 30, "640x480"
"""Asked of a camera."""
_WEBCAM = re.compile(r"webcam(?::(\d{1,3}))?")
_CONTAINERS = "asf,avi,flac,flv,gif,h264,ivf,matroska,mov,mp3,mpeg,mpegts,mxf,ogg,wav,yuv4mpegpipe"
"""Those of sound alone too: it is said that they hold no video."""
_OPTIONS = {
    # Playlists and scripts can make FFmpeg read other files and addresses; films need neither.
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
}
_BUSY = "camera {name} is in use by another program; close that one, or name another camera with webcam:N"
_ABSENT = "there is no camera {name}; plug one in, or name another one with webcam:N"
_GONE = "the camera {name} has gone; plug it in again"
_DENIED = "no permission to use camera {name}; allow it in the system's settings (Linux: join the group video)"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a source says of itself."""

    fps: Fraction | None
    """Mean rate; None where the file does not say."""
    duration_s: float | None
    """None for cameras, and where the file does not say, or says more than a day."""


def is_camera(source: Source) -> bool:
    """Whether a source is a camera and no file."""
    return isinstance(source, str) and _WEBCAM.fullmatch(source) is not None


def facts_of(source: Source) -> VideoFacts:
    """Rate and length. Raises as `open_frames`; a camera is not opened."""
    if is_camera(source):
        return VideoFacts(Fraction(CAMERA_RATE_HZ), None)
    with _opened(source) as (container, stream):
        fps = stream.average_rate or stream.guessed_rate
        length, base = stream.duration, stream.time_base
        if length is not None and base is not None:
            return VideoFacts(fps, _believed_s(float(length * base)))
        return VideoFacts(fps, _believed_s(container.duration / av.time_base) if container.duration else None)


def open_frames(source: Source) -> Iterator[Picture]:
    """All pictures, upright, at most `MOST_PX` a side, by the file's own times: any rate, a variable one too.

    What is damaged in the middle is left out. Raises InputError for what is no video or holds no picture, and UnavailableError
    for a camera that is not there, taken or not allowed.
    """
    with _opened(source) as (container, stream):
        usual_step_us = round(1e6 / (stream.average_rate or stream.guessed_rate or USUAL_RATE_HZ))
        start_us: int | None = None
        least_us = next_us = 0
        for frame in _decoded(_packets(source, container, stream)):
            at_us = _time_us(frame)
            if at_us is not None:
                start_us = at_us - next_us if start_us is None else start_us
                next_us = max(least_us, at_us - start_us)
            if next_us > DAY_US:
                raise InputError(
                    f"{source} has pictures more than a day apart; no recording is so long, so its times are damaged"
                )
            yield _upright(frame), next_us
            least_us, next_us = next_us + LEAST_STEP_US, next_us + usual_step_us
        if least_us == 0:
            raise InputError(f"{source} holds no picture that can be read; record or export it again")


def _believed_s(said_s: float) -> float | None:
    """A length that a file says; None for one that no recording has."""
    return said_s if 0 <= said_s <= DAY_US / 1e6 else None


@contextmanager
def _opened(source: Source) -> Iterator[tuple[InputContainer, VideoStream]]:
    container = _camera(source) if isinstance(source, str) and is_camera(source) else _film(Path(source))
    with container:
        streams = [stream for stream in container.streams.video if stream.codec_context is not None]
        if not streams:
            raise InputError(f"{source} holds no video; give a film of a face, or webcam")
        streams[0].thread_type = "NONE" if is_camera(source) else "AUTO"  # threads hold pictures back
        yield container, streams[0]


def _film(path: Path) -> InputContainer:
    require_file(path, "video")
    for way in openings(path):
        try:
            return av.open(way.address, "r", options=_OPTIONS | way.options, metadata_errors="replace")
        except (FFmpegError, OSError, ValueError):
            continue
    raise InputError(f"{path} is no video that can be read; give an MP4, MOV, MKV, WebM or AVI file")


def _camera(source: str) -> InputContainer:
    number = int(source.partition(":")[2] or 0)
    kind, address = _device(number)
    name = address if sys.platform == "linux" else str(number)
    asked = {} if _is_virtual(address) else {"framerate": str(CAMERA_RATE_HZ), "video_size": CAMERA_SIZE}
    try:
        try:
            return av.open(address, "r", format=kind, options=asked)
        except OSError as error:
            if error.errno != errno.EINVAL:  # other sizes than asked are welcome
                raise
            return av.open(address, "r", format=kind)
    except OSError as error:
        sentence = {errno.EBUSY: _BUSY, errno.EACCES: _DENIED, errno.EPERM: _DENIED}.get(error.errno or 0, _ABSENT)
        raise UnavailableError(sentence.format(name=name)) from error


def _is_virtual(address: str) -> bool:
    """Whether another program writes what a camera shows: v4l2loopback takes a size that is asked for, and garbles pictures."""
    return "virtual" in Path("/sys/class/video4linux", Path(address).name).resolve().parts


def _device(number: int) -> tuple[str, str]:
    """FFmpeg's format and address of a camera."""
    if sys.platform == "linux":
        return "v4l2", f"/dev/video{number}"
    if sys.platform == "darwin":
        return "avfoundation", f"{number}:none"
    names = [device.name for device in av.enumerate_input_devices("dshow") if "video" in device.media_types]
    if number >= len(names):
        raise UnavailableError(_ABSENT.format(name=number))
    return "dshow", f"video={names[number]}"


def _packets(source: Source, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Until the end. Raises UnavailableError for a camera that goes; a film that breaks off ends there."""
    try:
        yield from container.demux(stream)
    except (FFmpegError, OSError) as error:
        if is_camera(source):
            raise UnavailableError(_GONE.format(name=source)) from error


def _decoded(packets: Iterator[Packet[VideoStream]]) -> Iterator[VideoFrame]:
    for packet in packets:
        try:
            yield from packet.decode()
        except FFmpegError:  # damaged here, perhaps not further on
            continue


def _time_us(frame: VideoFrame) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return round(frame.pts * frame.time_base * 1_000_000)


def _upright(frame: VideoFrame) -> UInt8Array:
    scale = min(1.0, MOST_PX / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
    pixels = np.asarray(frame.reformat(width=width, height=height, format="rgb24").to_ndarray(), np.uint8)
    quarters = round(getattr(frame, "rotation", 0) / 90) % 4  # since PyAV 14
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels
