"""A portrait and a sound file become a video file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

from vivant.arguments import as_path, instance
from vivant.arguments import text as as_text
from vivant.clock import Clock, MonotonicClock
from vivant.errors import InputError
from vivant.face import Face, RigFace, as_fps, default_motion
from vivant.media import Silence, SoundBlock, open_audio, open_video
from vivant.media.apart import require_apart
from vivant.media.atomic import Complete
from vivant.media.formats import folder_of, format_of
from vivant.motion.model import SpeechMotion, TextAware
from vivant.session.background import Background
from vivant.session.presenter import Presenter
from vivant.session.stream import FaceStream
from vivant.size import USUAL_SIDE_PX
from vivant.types import Controls, Item, MotionFrame, Output, PixelFormat, VideoFrame


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


def render_file(
    face: Face,
    audio: str | PathLike[str] | Silence,
    out: str | PathLike[str],
    *,
    fps: int | float | str | Fraction,
    size_px: int | tuple[int, int] = USUAL_SIDE_PX,
    seed: int | None = None,
    track: int | None = None,
    controls: Controls | None = None,
    motion: SpeechMotion | None = None,
    text: str = "",
    language: str = "",
    background: Background | None = None,
    presenter: Presenter | None = None,
    complete: Complete | None = None,
    clock: Clock | None = None,
    progress: Callable[[float, float | None], None] = lambda done_s, total_s: None,
) -> RenderReport:
    """Speak a sound file, or its track number ``track``; stereo stays stereo. `Silence` is a face that only lives, or is driven
    (`DrivenMotion`); the video then has no sound. A known ``text`` sharpens the lips (`FaceStream.say_text`).

    ``progress`` hears seconds done and seconds in all (None where the file does not say). Every frame is labelled and marked
    by ``presenter`` (default: one of ``size_px`` with ``background``). Memory is constant however long the file. ``out``
    appears complete or not at all; ``complete``, as in ``media.atomic``, has the last word (`Production.complete` signs).
    Raises InputError, also where ``out`` is one of the inputs, and OutputError.
    """
    out, rate_fps = as_path("out", out), as_fps(fps)
    audio = audio if isinstance(audio, Silence) else as_path("audio", audio)
    presenter = presenter or presenter_of_files(face, size_px, background)
    _require_inputs_apart(face, audio, out, presenter.background)
    clock = clock or MonotonicClock()
    began_us, frames, samples = clock.now_us(), 0, 0
    with nullcontext(audio) if isinstance(audio, Silence) else open_audio(audio, track) as sound:
        rate, has_sound = sound.sample_rate_hz, format_of(out).has_sound and sound is not audio
        stream = FaceStream(
            face, fps=rate_fps, sample_rate_hz=rate, seed=seed, controls=controls, motion=motion, presenter=presenter
        )
        stream.begin("", text, language)
        with open_video(
            out,
            width=presenter.size.width,
            height=presenter.size.height,
            fps=rate_fps,
            sample_rate_hz=rate if has_sound else None,
            n_channels=sound.n_channels,
            alpha=presenter.pixel_format is PixelFormat.RGBA,
            complete=complete,
        ) as video:
            for block, items in _spoken(stream, sound.blocks()):
                if block is not None and has_sound:
                    video.write_audio(block.sound)
                for picture in _pictures(items):
                    video.write(picture)
                    frames += 1
                samples += len(block.voice.samples) if block is not None else 0
                progress(samples / rate, sound.duration_s)
            if samples == 0:  # raised in here, so that no empty video stays
                raise InputError(f"{audio} holds no sound; choose another file")
    return RenderReport(frames, samples / rate, (clock.now_us() - began_us) / 1e6)


def motion_of(
    audio: Path,
    fps: Fraction,
    *,
    seed: int | None = None,
    track: int | None = None,
    controls: Controls | None = None,
    motion: SpeechMotion | None = None,
    text: str = "",
    language: str = "",
) -> Iterator[MotionFrame]:
    """The motion of a sound file, as no face in particular; without ``seed`` decided by the sound. Raises InputError.

    A known ``text`` sharpens the lips (`FaceStream.say_text`).
    """
    controls = controls or Controls()
    with open_audio(audio, track) as sound:
        state = (motion or default_motion()).open(fps, seed_of_sound(audio) if seed is None else seed)
        if isinstance(state, TextAware):
            state.say_text(as_text("text", text), as_text("language", language))
        samples = 0
        for block in sound.blocks():
            samples += len(block.voice.samples)
            yield from state.push(block.voice, controls)
        if samples == 0:
            raise InputError(f"{audio} holds no sound; choose another file")
        yield from state.flush(controls)


def seed_of_sound(audio: Path) -> int:
    """Of motion without a portrait: the same file, the same motion; two lines of a dialogue, two of them."""
    with audio.open("rb") as file:
        return int.from_bytes(hashlib.file_digest(file, "sha256").digest()[:4], "big")


def presenter_of_files(
    face: Face,
    size_px: int | tuple[int, int],
    background: Background | None,
    **disclosure: Any,  # noqa: ANN401
) -> Presenter:
    """Of frames as files want them: opaque, unless the background is to stay transparent. ``disclosure`` as for `Presenter`."""
    keeps_alpha = background is not None and instance("background", Background, background).pixels is None
    pixel_format = PixelFormat.RGBA if keeps_alpha else PixelFormat.RGB
    return Presenter(face, size_px=size_px, background=background, pixel_format=pixel_format, **disclosure)


def _require_inputs_apart(face: Face, audio: Path | Silence, out: Path, background: Background | None) -> None:
    inputs = {
        "portrait": face.source if isinstance(face, RigFace) else None,
        "sound": None if isinstance(audio, Silence) else audio,
        "background": background.source if background else None,
    }
    require_apart(folder_of(out) or out, inputs, folder=folder_of(out) is not None)


def _spoken(stream: FaceStream, blocks: Iterator[SoundBlock]) -> Iterator[tuple[SoundBlock | None, Iterator[Item]]]:
    for block in blocks:
        yield block, stream.push(block.voice.samples)
    yield None, stream.finish()


def _pictures(items: Iterator[Item]) -> Iterator[VideoFrame]:
    return (item.picture for item in items if isinstance(item, Output) and item.picture is not None)
