"""A portrait and a sound file become a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.clock import Clock, MonotonicClock
from vivant.errors import InputError
from vivant.face import Face, RigFace
from vivant.honest.finisher import FrameFinisher, live_session_id
from vivant.media import SoundBlock, open_audio, open_video
from vivant.media.apart import require_apart
from vivant.media.atomic import Complete
from vivant.media.formats import folder_of, format_of
from vivant.media.images import load_image
from vivant.size import Size
from vivant.talker import Talker
from vivant.types import Controls, PixelFormat, UInt8Array, VideoFrame


@dataclass(frozen=True)
class RenderReport:
    """What a finished file cost."""

    frames: int
    duration_s: float
    elapsed_s: float

    @property
    def frames_per_s(self) -> float:
        return self.frames / max(self.elapsed_s, 1e-9)

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of video; below 1 is faster than real time."""
        return self.elapsed_s / max(self.duration_s, 1e-9)


@dataclass(frozen=True)
class Background:
    """What lies behind a cut-out person."""

    pixels: UInt8Array | None
    """(h, w, 3), or None to keep the alpha."""
    source: Path | None = None
    """The image file, if it comes from one."""

    @classmethod
    def parse(cls, text: str, size_px: int | tuple[int, int]) -> Background | None:
        """``original`` (None), ``transparent``, a colour such as ``#00ff00``, or an image file."""
        width, height = Size.of(size_px)
        if text == "original":
            return None
        if text == "transparent":
            return cls(None)
        if text.startswith("#") and len(text) == 7 and all(c in "0123456789abcdefABCDEF" for c in text[1:]):
            rgb = tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))
            return cls(np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)))
        if text.startswith("#") or not Path(text).exists():
            raise InputError(
                f"background must be original, transparent, a colour such as #00ff00 or an image file, got {text!r}"
            )
        picture = Image.fromarray(load_image(Path(text)).pixels)
        share = min(picture.width / width, picture.height / height)
        wide, high = min(picture.width, round(share * width)), min(picture.height, round(share * height))
        left, top = (picture.width - wide) // 2, (picture.height - high) // 2
        return cls(np.asarray(picture.resize((width, height), box=(left, top, left + wide, top + high))), Path(text))

    def behind(self, frame: VideoFrame) -> VideoFrame:
        """The frame with this background: RGBA as it is, or RGB."""
        if self.pixels is None:
            return frame
        alpha = frame.pixels[..., 3:].astype(np.uint16)
        mixed = (frame.pixels[..., :3] * alpha + self.pixels * (255 - alpha) + 127) // 255
        return VideoFrame(frame.index, frame.pts_us, mixed.astype(np.uint8), PixelFormat.RGB)


def render_file(
    face: Face,
    audio: Path,
    out: Path,
    *,
    fps: Fraction,
    size_px: int | tuple[int, int] = 512,
    seed: int = 0,
    track: int | None = None,
    controls: Controls | None = None,
    background: Background | None = None,
    finisher: FrameFinisher | None = None,
    complete: Complete | None = None,
    clock: Clock | None = None,
    progress: Callable[[float, float | None], None] = lambda done_s, total_s: None,
) -> RenderReport:
    """Speak a sound file, or its track number ``track``; stereo stays stereo.

    ``progress`` hears seconds done and seconds in all (None where the file does not say).
    Every frame is labelled and marked by ``finisher`` (default: with a label and a fresh session id).
    Memory is constant however long the file. ``out`` appears complete or not at all; ``complete``, as in ``media.atomic``, has
    the last word (`Production.complete` signs). Raises InputError, also where ``out`` is one of the inputs, and OutputError.
    """
    inputs = {
        "portrait": face.source if isinstance(face, RigFace) else None,
        "sound": audio,
        "background": background.source if background else None,
    }
    require_apart(folder_of(out) or out, inputs, folder=folder_of(out) is not None)
    clock = clock or MonotonicClock()
    finisher = finisher or FrameFinisher.for_face(face, live_session_id())
    keep_alpha = background is not None and background.pixels is None
    began_us, frames, samples = clock.now_us(), 0, 0
    with open_audio(audio, track) as sound:
        rate = sound.sample_rate_hz
        width, height = Size.of(size_px)
        layout = {"width": width, "height": height, "fps": fps, "alpha": keep_alpha, "n_channels": sound.n_channels}
        with (
            Talker(face, fps=fps, size_px=size_px, seed=seed, controls=controls) as talker,
            open_video(out, **layout, sample_rate_hz=rate if format_of(out).has_sound else None, complete=complete) as video,  # type: ignore[arg-type]
        ):
            for block, pictures in _spoken(talker, sound.blocks()):
                if block is not None and format_of(out).has_sound:
                    video.write_audio(block.sound)
                for picture in pictures:
                    video.write(finisher.finish(background.behind(picture) if background else _opaque(picture)))
                    frames += 1
                samples += len(block.voice.samples) if block is not None else 0
                progress(samples / rate, sound.duration_s)
            if samples == 0:  # raised in here, so that no empty video stays
                raise InputError(f"{audio} holds no sound; choose another file")
    return RenderReport(frames, samples / rate, (clock.now_us() - began_us) / 1e6)


def _spoken(talker: Talker, blocks: Iterator[SoundBlock]) -> Iterator[tuple[SoundBlock | None, Iterator[VideoFrame]]]:
    for block in blocks:
        yield block, talker.push(block.voice.samples, block.voice.sample_rate_hz)
    yield None, talker.end()


def _opaque(frame: VideoFrame) -> VideoFrame:
    return VideoFrame(frame.index, frame.pts_us, frame.pixels[..., :3], PixelFormat.RGB)
