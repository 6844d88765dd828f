"""What several commands share: their options, a progress line, and opening a portrait with it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivant.bundled import portraits
from vivant.commands.extensions import AnalyserOption as AnalyserOption
from vivant.commands.extensions import FinishOption as FinishOption
from vivant.commands.extensions import GeneratorOption as GeneratorOption
from vivant.commands.extensions import MannerOption as MannerOption
from vivant.commands.extensions import MotionOption as MotionOption
from vivant.commands.extensions import in_manner as in_manner
from vivant.drive.choose import choose_driver
from vivant.drive.driver import Driver
from vivant.drive.recorded import VIDEO, RecordedDriver
from vivant.errors import InputError
from vivant.face import Face
from vivant.finish.synthetic import FinishKind
from vivant.media import open_audio
from vivant.motion.driven import Lips
from vivant.motion.model import SpeechMotion
from vivant.named import DEFAULT_ANALYSER as DEFAULT_ANALYSER
from vivant.named import named_analyser, open_named
from vivant.named import portrait_file as portrait_file
from vivant.portrait import Provider
from vivant.provenance.consent import (
    REFUSED,
    WORDS,
    Consent,
    bundled_consent,
    kept_consent,
    parse_consent,
    require_consent,
    stated_consent,
)
from vivant.provenance.credentials import DriveClaim
from vivant.provenance.label import LANGUAGES
from vivant.provenance.production import Production, begin, claim_drive, sha256_of
from vivant.size import Size
from vivant.types import Emotion
from vivant.voices.voice import VoiceCard

console = Console(highlight=False)

BUNDLED = portraits()
MOST_TEXT_CHARS = 1_000_000
"""Of a text's file; chosen: a long novel, a day of speech."""


def _size(text: str | Size) -> Size:
    try:
        return text if isinstance(text, Size) else Size.parse(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


ProviderOption = Annotated[Provider, typer.Option(help="What the networks that read the portrait run on.")]
FpsOption = Annotated[str, typer.Option(help="Frames per second, 12 to 60; 23.976 and 30000/1001 work.")]
SizeOption = Annotated[
    Size | None,
    typer.Option(
        parser=_size,
        metavar="PX",
        help="Side of a square video in px, or WIDTHxHEIGHT such as 720x1280; 64 to 2048 a side; usually 512 (GIF: 320).",
    ),
]
GazeOption = Annotated[
    tuple[float, float], typer.Option(help="Where to look: yaw and pitch in degrees, -30 to 30; 0 0 is the camera.")
]
EyeContactOption = Annotated[
    float, typer.Option(help="Share of the time that it looks there while speaking, 0 to 1; people in calls: 0.59.")
]
DistanceOption = Annotated[float, typer.Option(help="Distance from the camera, 0.8 (near) to 1.25 (far).")]
EmotionOption = Annotated[Emotion, typer.Option(help="Colours the voice's own expression.")]
IntensityOption = Annotated[float, typer.Option(help="Strength of the emotion, 0 to 2.")]
HeadMotionOption = Annotated[float, typer.Option(help="Amount of head motion, 0 to 2.")]
MouthOption = Annotated[float, typer.Option(help="Amount of mouth motion, 0 to 2.")]
TrackOption = Annotated[
    int | None, typer.Option(metavar="N", help="Sound track of the file, counted from 1; otherwise its default one.")
]
SeedOption = Annotated[
    int | None,
    typer.Option(help="Decides blinks, gaze, head motion: the same seed, the same frames. Default: by portrait and sound."),
]

FaceOption = Annotated[
    int, typer.Option("--face", min=1, metavar="N", help="Which face of a picture with several: 1 is the largest.")
]
ConsentOption = Annotated[
    str | None, typer.Option(help="Who the portrait shows: me, agreed, unreal or synthetic; said once, then kept.")
]
BackgroundOption = Annotated[
    str,
    typer.Option(help="Behind the person: original, blur, transparent, a colour such as #00ff00 or navy, or an image file."),
]
DriveOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE or NAME[:ARGUMENT]",
        help="What moves head, eyes, brows and smile: a video of a face, a motion file (.csv, .jsonl, .vmc), or, live,"
        " webcam, vmc, livelink or what another package brings.",
    ),
]
LipsOption = Annotated[
    Lips, typer.Option(help="With --drive: lips of the voice, of the camera, or of both (the camera's while it sees them).")
]
DriveConsentOption = Annotated[
    str | None, typer.Option(help="Who a driving video shows: me, agreed, unreal or synthetic; said once, then kept.")
]
LanguageOption = Annotated[str | None, typer.Option(help=f"Language of the label: {', '.join(LANGUAGES)}.")]
TextOption = Annotated[
    str, typer.Option("--text", metavar="TEXT|@FILE", help="What the voice says, where it is known: sharpens the lips.")
]
TextEmotionOption = Annotated[
    bool, typer.Option("--text-emotion", help="The words of --text choose the emotion, unless --emotion does.")
]
TextLanguageOption = Annotated[str, typer.Option(metavar="TAG", help="Of the text, such as de or pt-BR; guessed unless given.")]
SayOption = Annotated[
    str, typer.Option("--say", metavar="TEXT|@FILE", help="Instead of a sound: what a synthetic voice says, on this machine.")
]
VoiceOption = Annotated[
    str,
    typer.Option(
        metavar="NAME[:ARGUMENT]",
        help="Who says it: auto, hibari, system (:Anna), espeak-ng (:en-gb+f3), or what another package brings.",
    ),
]
LabelOption = Annotated[
    str | None, typer.Option("--no-label", metavar="REASON", help="Leave the visible AI label away; the reason is recorded.")
]


def say(text: str) -> None:
    """Print whole lines as they are: brackets in file names mean nothing, and long paths stay in one piece."""
    console.print(text, markup=False, soft_wrap=True)


def note(sentence: str) -> None:
    """What the user should know although it went well."""
    say(f"note: {sentence}")


def say_notes(audio: Path, track: int | None) -> None:
    """What there is to know of a sound file. Raises InputError for what cannot be heard."""
    with open_audio(audio, track) as sound:
        for sentence in sound.notes:
            note(sentence)


def text_file(text: str) -> Path | None:
    """The file that a text option names, if it does."""
    return Path(text[1:]) if text.startswith("@") else None


def known_text(text: str) -> str:
    """What a text option means: itself, or what its file holds. Raises InputError for one that cannot be read."""
    path = text_file(text)
    said = text if path is None else _content_of(path)
    return said.encode(errors="replace").decode()  # of an argument that is no UTF-8, Python keeps bytes as halves of characters


def _content_of(path: Path) -> str:
    """Of an ordinary file: a pipe could block, and a device never end."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError("no ordinary file")
        with path.open(encoding="utf-8-sig") as file:
            said = file.read(MOST_TEXT_CHARS + 1)
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name with a zero byte, too
        raise InputError(
            f"cannot read {path} as a text in UTF-8: {getattr(error, 'strerror', None) or 'it is none'}"
        ) from error
    if len(said) > MOST_TEXT_CHARS:
        raise InputError(f"{path} has more than {MOST_TEXT_CHARS} characters; say it in parts")
    return said


def how_to_open(path: Path) -> str:
    """A line to paste into a terminal, where this system has a program for it."""
    opener = {"darwin": "open", "win32": "explorer"}.get(sys.platform, "xdg-open")
    return f'open it with: {opener} "{path}"' if shutil.which(opener) else "open it with any player or browser"


def open_with_progress(
    portrait: Path,
    provider: Provider,
    *,
    number: int = 1,
    transparent: bool = False,
    generator: str = "rig",
    finish: FinishKind | None = None,
    analyser: str = DEFAULT_ANALYSER,
    blurred: bool = False,
) -> Face:
    """Open a portrait, or a bundled one by its name, with a line per stage and its notes; face ``number`` by size.

    ``finish`` as in `vivant.finish.synthetic.wanted`; ``blurred`` puts the background out of focus.

    Raises UnavailableError when a provider is named that does not run here, even when no network is needed.
    """
    reader = named_analyser(analyser, provider)
    stages: list[str] = []
    with console.status("opening the portrait") as status:

        def show(stage: str) -> None:
            stages.append(stage)
            status.update(stage)

        face = open_named(
            portrait,
            reader,
            number=number,
            transparent=transparent,
            blurred=blurred,
            generator=generator,
            finish=finish,
            progress=show,
        )
    if stages:
        say(f"built the rig (networks on {reader.provider if reader else Provider.CPU})")
    for sentence in face.notes:
        note(sentence)
    return face


def begin_production(
    face: Face,
    portrait: Path,
    audio: Path | None,
    seed: int | None,
    consent: str | None,
    label_off_reason: str | None = None,
    language: str | None = None,
    motion: SpeechMotion | None = None,
    drive: DriveClaim | None = None,
    voice: VoiceCard | None = None,
) -> Production:
    """Consent and policy; on a terminal the question who the portrait shows is asked once."""
    sha256 = face.portrait_sha256
    stated = stated_consent(consent) if bundled_consent(sha256) else _answer(sha256, portrait, consent)
    with portrait_file(portrait) as file:
        return begin(face, file, audio, seed, stated, label_off_reason, language, note, motion, drive, voice)


def driver_of(drive: str | None, consent: str | None) -> Driver | None:
    """The driver that ``--drive`` names, if it does, once its consent is clear."""
    if drive is None:
        return None
    driver = choose_driver(drive)
    begin_drive(driver, consent)
    return driver


def begin_drive(driver: Driver, consent: str | None) -> DriveClaim | None:
    """The same for who a driving video shows. None for what is live: who sits before a camera of their own knows it."""
    if not isinstance(driver, RecordedDriver):
        return None
    if driver.note:
        note(driver.note)
    sha256 = sha256_of(driver.path, "driving")
    return claim_drive(driver, sha256, _answer(sha256, driver.path, consent) if driver.kind == VIDEO else None, note)


def require_answer(sha256: str, shown: Path, consent: str | None) -> Consent:
    """Who a portrait shows, as it is known, stated, kept or answered. Raises InputError where nobody says."""
    return bundled_consent(sha256) or require_consent(sha256, shown.name, _answer(sha256, shown, consent), note)


def _answer(sha256: str, shown: Path, consent: str | None) -> Consent | None:
    """Who a file shows, as it is stated; where it is not, and nobody said it before, a terminal is asked."""
    stated = stated_consent(consent)
    if stated is None and kept_consent(sha256) is None and _somebody_is_there():
        return _ask(shown)
    return stated


def _somebody_is_there() -> bool:
    return console.is_terminal and sys.stdin.isatty()


def _ask(shown: Path) -> Consent:
    say(f"Who does {shown.name} show? Only people who agreed may be animated.")
    for answer, words in WORDS.items():
        say(f"  {answer.value:<10} {words}")
    say("  other      someone else")
    while True:
        answer = typer.prompt("answer").strip().lower()
        try:
            return parse_consent(answer)
        except InputError as error:
            if str(error) == REFUSED:
                raise
            say(f"answer with {', '.join(WORDS)} or other; got {answer!r}")
