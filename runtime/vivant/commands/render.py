"""``vivant render PORTRAIT AUDIO -o OUT``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from vivant.commands.options import (
    DEFAULT_ANALYSER,
    AnalyserOption,
    BackgroundOption,
    ConsentOption,
    DistanceOption,
    DriveConsentOption,
    DriveOption,
    EmotionOption,
    EyeContactOption,
    FaceOption,
    GazeOption,
    GeneratorOption,
    HeadMotionOption,
    IntensityOption,
    LabelOption,
    LanguageOption,
    LipsOption,
    MotionOption,
    MouthOption,
    ProviderOption,
    SayOption,
    SeedOption,
    SizeOption,
    TextEmotionOption,
    TextLanguageOption,
    TextOption,
    TrackOption,
    VoiceOption,
    begin_drive,
    begin_production,
    console,
    note,
    open_with_progress,
    say,
    say_notes,
    text_file,
)
from vivant.commands.speech import spoken
from vivant.drive.choose import choose_driver
from vivant.drive.recorded import VIDEO, RecordedDriver
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.media import Silence, has_sound
from vivant.media.formats import folder_of, format_of
from vivant.motion.driven import Lips, driving
from vivant.motion.model import SpeechMotion
from vivant.offline import RenderReport, presenter_of_files, render_file
from vivant.portrait import Provider
from vivant.provenance.production import Production, require_ready
from vivant.registry import MOTIONS, find
from vivant.session.background import BLUR, Background
from vivant.size import Size
from vivant.speech.text_mood import emotion_of
from vivant.types import CAMERA_EYE_CONTACT, Controls, Emotion
from vivant.voices import AUTO

PortraitArgument = Annotated[
    Path, typer.Argument(help="JPEG, PNG or WebP of a face, a .vivant rig, or a bundled name such as ada.")
]
AudioArgument = Annotated[
    Path | None, typer.Argument(help="Any sound or video file; with --drive VIDEO that video's sound if none is given.")
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="OUT.mp4, .mov, .mkv, .webm, .gif, or a folder of PNG frames.")]
FpsOfKindOption = Annotated[
    str | None, typer.Option(help="Frames per second, 12 to 60; 23.976 and 30000/1001 work; 30 unless asked, 15 for GIF.")
]


def render(
    portrait: PortraitArgument,
    out: OutOption,
    audio: AudioArgument = None,
    said: SayOption = "",
    voice: VoiceOption = AUTO,
    drive: DriveOption = None,
    lips: LipsOption = Lips.BOTH,
    drive_consent: DriveConsentOption = None,
    fps: FpsOfKindOption = None,
    size: SizeOption = None,
    face: FaceOption = 1,
    background: BackgroundOption = "original",
    track: TrackOption = None,
    seed: SeedOption = None,
    gaze: GazeOption = (0, 0),
    eye_contact: EyeContactOption = CAMERA_EYE_CONTACT,
    distance: DistanceOption = 1.0,
    emotion: EmotionOption = Emotion.NEUTRAL,
    intensity: IntensityOption = 1.0,
    head_motion: HeadMotionOption = 1.0,
    mouth: MouthOption = 1.0,
    singing: Annotated[bool, typer.Option("--singing", help="Hold sung vowels open.")] = False,
    text: TextOption = "",
    text_language: TextLanguageOption = "",
    text_emotion: TextEmotionOption = False,
    consent: ConsentOption = None,
    language: LanguageOption = None,
    no_label: LabelOption = None,
    generator: GeneratorOption = "rig",
    motion: MotionOption = "voice",
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Make a video of PORTRAIT speaking AUDIO or a text (--say), or moving as a video of a face or a motion file does."""
    kind = format_of(out)
    fps, size = fps or kind.usual_fps, size or Size.of(kind.usual_side_px)
    behind = _background(background, size)
    driver = _recording(drive) if drive is not None else None
    inputs = {"portrait": portrait, "sound": audio, "text": text_file(said or text)} | _inputs(driver, behind)
    require_ready(folder_of(out) or out, inputs, note, folder=folder_of(out) is not None)
    with spoken(said, voice, audio, text, text_language) as speech:
        sound, heard = _sound(speech.sound, driver, track)
        if text_emotion and emotion is Emotion.NEUTRAL:
            emotion = emotion_of(speech.text, speech.language)
        controls = Controls(gaze, distance, emotion, intensity, head_motion, mouth, singing, eye_contact)
        opened = open_with_progress(
            portrait,
            provider,
            number=face,
            transparent=behind is not None,
            generator=generator,
            analyser=analyser,
            blurred=background == BLUR,
        )
        model: SpeechMotion = driving(driver, lips)(find(MOTIONS, motion)())
        driven_by = begin_drive(driver, drive_consent) if driver is not None else None
        work = begin_production(opened, portrait, heard, seed, consent, no_label, language, model, driven_by, speech.card)
        show = partial(render_with_bar, work, sound, out, fps=fps, size=size, controls=controls)
        report = show(motion=model, said=(speech.text, speech.language), track=track, behind=behind)
    say(f"{out}: {summary(report)}")


def _background(asked: str, size: Size) -> Background | None:
    """Raises InputError for a blurred one that is not square."""
    if asked == BLUR and not size.is_square:
        raise InputError(f"--background blur is for square videos, not for {size.width}x{size.height}; name a picture instead")
    return Background.parse(asked, size)


def _inputs(driver: RecordedDriver | None, behind: Background | None) -> dict[str, Path | None]:
    """Files that only some renders read."""
    return {"driving": driver.path if driver else None, "background": behind.source if behind else None}


def _recording(drive: str) -> RecordedDriver:
    """Raises InputError for what has no end."""
    driver = choose_driver(drive)
    if not isinstance(driver, RecordedDriver):
        raise InputError(f"{drive} is live: it drives `vivant cam`; a file is driven by a video or a motion file")
    return driver


def _sound(audio: Path | None, driver: RecordedDriver | None, track: int | None) -> tuple[Path | Silence, Path | None]:
    """What is heard, and its file: the voice given, or else the driving video's sound, or none.

    Raises InputError where nothing drives.
    """
    if audio is None and driver is None:
        raise InputError("give a sound file after the portrait, or --say and a text, or --drive and a video or a motion file")
    if audio is None and driver is not None and driver.kind == VIDEO and has_sound(driver.path):
        audio = driver.path
    if audio is not None:
        say_notes(audio, track)
        return audio, audio
    assert driver is not None
    return Silence(driver.length_us / 1e6), None


def render_with_bar(
    work: Production,
    audio: Path | Silence,
    out: Path,
    *,
    fps: str,
    size: Size,
    controls: Controls,
    motion: SpeechMotion | None = None,
    said: tuple[str, str] = ("", ""),
    track: int | None = None,
    behind: Background | None = None,
) -> RenderReport:
    """`render_file` under a progress bar, with credentials as its last step. ``said`` is a known text and its language."""
    columns = (TextColumn("speaking"), BarColumn(), TextColumn("{task.completed:.1f} s"), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("", total=None)
        return render_file(
            work.face,
            audio,
            out,
            fps=as_fps(fps),
            seed=work.seed,
            track=track,
            controls=controls,
            motion=motion,
            text=said[0],
            language=said[1],
            presenter=presenter_of_files(work.face, size, behind, **work.disclosure),
            complete=work.complete(out),
            progress=lambda done_s, total_s: bar.update(task, completed=done_s, total=total_s),
        )


def summary(report: RenderReport) -> str:
    """One line of figures."""
    return (
        f"{report.frames} frames, {report.duration_s:.1f} s; {report.frames_per_s:.0f} frames/s with encoding,"
        f" real-time factor {report.real_time_factor:.2f}"
    )
