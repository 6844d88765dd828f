"""What befalls a video on its way: real encoders, scaling, cropping, screens."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame as Picture
from av.video.stream import VideoStream
from PIL import Image

from vivant.types import UInt8Array

SIZE_PX, FPS = 512, 30
CALL_BIT_RATE = 500_000
Clip = list[UInt8Array]
Attack = Callable[[Clip], Clip]


def coded(frames: Clip, codec: str, options: dict[str, str], bit_rate: int = CALL_BIT_RATE, fps: int = FPS) -> Clip:
    """Through a real encoder and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream(codec, rate=Fraction(fps))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.options = "yuv420p", bit_rate, dict(options)
        stream.codec_context.thread_count = 1
        for frame in frames:
            out.mux(stream.encode(Picture.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as made:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in made.decode(video=0)]


def h264(frames: Clip) -> Clip:
    """As a call does: one pass, no look-ahead, one key frame."""
    return coded(
        frames, "libx264", {"preset": "veryfast", "tune": "zerolatency", "g": "300", "maxrate": "500k", "bufsize": "500k"}
    )


def vp8(frames: Clip) -> Clip:
    return coded(frames, "libvpx", {"deadline": "realtime", "cpu-used": "6", "maxrate": "500k", "minrate": "500k", "g": "300"})


def jpeg(frames: Clip) -> Clip:
    made = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=50)
        made.append(np.asarray(Image.open(file)))
    return made


def resized(side_px: int) -> Attack:
    return lambda frames: [
        np.asarray(Image.fromarray(frame).resize((side_px, side_px), Image.Resampling.BICUBIC)) for frame in frames
    ]


def cropped(left: float, top: float) -> Attack:
    """A fifth of each side goes, by these shares on the left and on top; the rest on the other side."""
    x, y, side = round(SIZE_PX * left), round(SIZE_PX * top), round(SIZE_PX * 0.8)
    return lambda frames: [np.ascontiguousarray(frame[y : y + side, x : x + side]) for frame in frames]


def mirrored(frames: Clip) -> Clip:
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def letterboxed(frames: Clip) -> Clip:
    made = []
    for frame in frames:
        screen = np.zeros((720, 1280, 3), np.uint8)
        screen[:, 280:1000] = np.asarray(Image.fromarray(frame).resize((720, 720), Image.Resampling.BILINEAR))
        made.append(screen)
    return made


def screenshot(frames: Clip) -> Clip:
    """One frame in a window on a bright desktop of 1366x768, 11 % larger, saved as JPEG 85."""
    desktop = np.full((768, 1366, 3), 236, np.uint8)
    desktop[:40], desktop[60:740, 40:300] = 60, 250
    window = Image.fromarray(frames[len(frames) // 2]).resize((568, 568), Image.Resampling.BILINEAR)
    desktop[93 : 93 + 568, 401 : 401 + 568] = np.asarray(window)
    file = io.BytesIO()
    Image.fromarray(desktop).save(file, "JPEG", quality=85)
    return [np.asarray(Image.open(file))]


def rate_changed(frames: Clip) -> Clip:
    """30 to 24 frames per second by blending neighbours, then a call's H.264."""
    made = []
    for number in range(int(len(frames) * 24 / FPS)):
        at = number * FPS / 24
        first, share = int(at), at - int(at)
        second = frames[min(first + 1, len(frames) - 1)]
        made.append((frames[first] * (1 - share) + second * share).round().astype(np.uint8))
    return coded(made, "libx264", {"preset": "veryfast", "tune": "zerolatency", "g": "300"}, fps=24)


ATTACKS: dict[str, Attack] = {
    "none": lambda frames: frames,
    "H.264, 500 kbit/s": h264,
    "VP8, 500 kbit/s": vp8,
    "JPEG 50": jpeg,
    "resized to 50 %": resized(256),
    "resized to 73 %": resized(374),
    "resized to 200 %": resized(1024),
    "cropped by 20 %, middle": cropped(0.1, 0.1),
    "cropped by 20 %, corner": cropped(0.0, 0.2),
    "mirrored": mirrored,
    "letterbox in 720p": letterboxed,
    "screenshot (one frame)": screenshot,
    "24 fps, H.264 500 kbit/s": rate_changed,
    "one frame": lambda frames: frames[30:31],
    "one frame, JPEG 50": lambda frames: jpeg(frames[30:31]),
    "mirrored, letterbox, H.264 500 kbit/s": lambda frames: h264(letterboxed(mirrored(frames))),
    "cropped, 70 %, VP8 500 kbit/s": lambda frames: vp8(resized(288)(cropped(0.1, 0.1)(frames))),
}
PROMISED = tuple(ATTACKS)[:13]
