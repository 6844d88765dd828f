"""``vivant render PORTRAIT AUDIO -o OUT``, and ``vivant render LINES.csv -o FOLDER``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from vivant.address import Address
from vivant.commands.dialogue import by_words, open_as, render_table
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
    FinishOption,
    GazeOption,
    GeneratorOption,
    HeadMotionOption,
    IntensityOption,
    LabelOption,
    LanguageOption,
    LipsOption,
    MannerOption,
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
    in_manner,
    note,
    say,
    say_notes,
    text_file,
)
from vivant.commands.speech import spoken
from vivant.dialogue.lines import TABLES, Usual
from vivant.dialogue.recipe import VIDEOS, Look, Recipe
from vivant.drive.choose import choose_driver
from vivant.drive.recorded import VIDEO, RecordedDriver
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.media import Silence, has_sound
from vivant.media.formats import folder_of
from vivant.motion.driven import Lips, driving
from vivant.motion.model import SpeechMotion
from vivant.motion_files import FORMATS
from vivant.offline import RenderReport, presenter_of_files, render_file
from vivant.portrait import Provider
from vivant.provenance.consent import stated_consent
from vivant.provenance.production import Production, require_ready
from vivant.registry import motion_model
from vivant.session.background import Background
from vivant.size import Size
from vivant.types import CAMERA_EYE_CONTACT, Controls, Emotion
from vivant.voices import AUTO

PortraitArgument = Annotated[
    Path,
    typer.Argument(
        help="JPEG, PNG or WebP of a face, a .vivant rig, or a bundled name such as ada; or a table: .csv, .tsv, .json."
    ),
]
AudioArgument = Annotated[
    Path | None, typer.Argument(help="Any sound or video file; with --drive VIDEO that video's sound if none is given.")
]
OutOption = Annotated[
    Path,
    typer.Option("--out", "-o", help="OUT.mp4, .mov, .mkv, .webm, .gif, or a folder of PNG frames, or of a table's lines."),
]
FpsOfKindOption = Annotated[
    str | None, typer.Option(help="Frames per second, 12 to 60; 23.976 and 30000/1001 work; 30 unless asked, 15 for GIF.")
]
KindsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="KIND",
        help=f"Of a table's lines: {', '.join(suffix[1:] for suffix in (*VIDEOS, *FORMATS))}; may be repeated. Default mp4.",
    ),
]
WhoOption = Annotated[
    Path | None, typer.Option("--portrait", metavar="PORTRAIT", help="Who says a table's lines that name no portrait.")
]
JobsOption = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Lines of a table made at the same time; one for each core unless said.")
]
ClusterOption = Annotated[
    bool,
    typer.Option(
        "--cluster", help="Make a table's lines on all machines of a Ray cluster: that of RAY_ADDRESS, or one on this machine."
    ),
]
RuntimeOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Have a server (`vivant serve`) draw a table's lines.")
]
TokenFileOption = Annotated[Path | None, typer.Option(help="File with the server's token, or VIVANT_TOKEN.")]
TlsCaOption = Annotated[Path | None, typer.Option(help="PEM certificate of the server's authority; turns TLS on.")]


@dataclass(frozen=True, slots=True)
class _Speech:
    """What the face says, as it was asked for."""

    audio: Path | None
    said: str
    """For a synthetic voice."""
    voice: str
    text: str
    """Of ``audio``, where it is known."""
    emotion_by_words: bool


@dataclass(frozen=True, slots=True)
class _Drive:
    """What moves the face beside the voice, as it was asked for."""

    file: str | None
    lips: Lips
    consent: str | None


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
    finish: FinishOption = None,
    motion: MotionOption = "voice",
    manner: MannerOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
    kinds: KindsOption = None,
    who: WhoOption = None,
    jobs: JobsOption = None,
    cluster: ClusterOption = False,
    runtime: RuntimeOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Make a video of PORTRAIT speaking AUDIO or a text (--say), or moving as a video of a face or a motion file does.

    With a table in the place of PORTRAIT: all lines of a dialogue, as videos and as motion, as far as they changed.
    """
    controls = Controls(gaze, distance, emotion, intensity, head_motion, mouth, singing, eye_contact)
    look = Look(size, background, face, stated_consent(consent), no_label, language, generator, finish, analyser, provider)
    server = Address.stated(runtime, token_file, tls_ca)
    recipe = Recipe(fps, in_manner(motion, manner), track, text_language, look, server)
    if portrait.suffix.lower() in TABLES:
        _require_nothing_said(audio, drive, text, said)
        usual = Usual("", controls, seed, who, voice=voice)
        render_table(portrait, out, kinds or ["mp4"], usual, recipe, jobs, words_choose=text_emotion, cluster=cluster)
    elif kinds or who or jobs or cluster or server:
        raise InputError("--format, --portrait, --jobs, --cluster and --runtime go with a table of lines (.csv, .tsv, .json)")
    else:
        speech = _Speech(audio, said, voice, text, text_emotion)
        _render_one(portrait, out, controls, seed, recipe, speech, _Drive(drive, lips, drive_consent))


def _require_nothing_said(audio: Path | None, drive: str | None, text: str, said: str) -> None:
    if audio is not None or drive is not None or text or said:
        raise InputError("a table's lines have their own sounds and texts; leave AUDIO, --say, --text and --drive away")


def _render_one(
    portrait: Path, out: Path, controls: Controls, seed: int | None, recipe: Recipe, asked: _Speech, drive: _Drive
) -> None:
    look, folder, fps = recipe.look, folder_of(out), str(recipe.fps_of(out))
    size = look.size_of(out)
    behind = Background.named(look.background, size)
    driver = _recording(drive.file) if drive.file is not None else None
    inputs = {"portrait": portrait, "sound": asked.audio, "text": text_file(asked.said or asked.text)}
    require_ready(folder or out, inputs | _inputs(driver, behind), note, folder=folder is not None)
    with spoken(asked.said, asked.voice, asked.audio, asked.text, recipe.text_language) as speech:
        sound, heard = _sound(speech.sound, driver, recipe.track)
        if asked.emotion_by_words:
            controls = by_words(controls, speech.text, speech.language)
        opened = open_as(portrait, look)
        model: SpeechMotion = driving(driver, drive.lips)(motion_model(recipe.motion))
        driven_by = begin_drive(driver, drive.consent) if driver is not None else None
        label = (look.label_off_reason, look.label_language)
        work = begin_production(opened, portrait, heard, seed, look.consent, *label, model, driven_by, speech.card)
        show = partial(render_with_bar, work, sound, out, fps=fps, size=size, controls=controls)
        report = show(motion=model, said=(speech.text, speech.language), track=recipe.track, behind=behind)
    say(f"{out}: {summary(report)}")


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
