"""What several commands share: their options, a progress line, and opening a portrait with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivant.face import RigFace, open_portrait
from vivant.honest.consent import WORDS, Consent, kept_consent, parse_consent, stated_consent
from vivant.honest.label import LANGUAGES
from vivant.honest.produce import Production, begin, bundled_portraits
from vivant.portrait import Provider, default_analyser

console = Console(highlight=False)

BUNDLED = (
    "ada", "ada_painting", "bram", "noor", "tomas", "amara", "lena", "sana", "sana_ink", "walter", "walter_painting",
)  # fmt: skip


ProviderOption = Annotated[Provider, typer.Option(help="What the networks that read the portrait run on.")]
FpsOption = Annotated[str, typer.Option(help="Frames per second, 24 to 60; 29.97 and 30000/1001 work.")]
SizeOption = Annotated[int, typer.Option(min=64, max=2048, help="Side of the square video in px.")]
SeedOption = Annotated[int, typer.Option(help="Decides blinks, gaze and head motion; the same seed gives the same frames.")]

FaceOption = Annotated[
    int, typer.Option("--face", min=1, metavar="N", help="Which face of a picture with several: 1 is the largest.")
]
ConsentOption = Annotated[
    str | None, typer.Option(help="Who the portrait shows: me, agreed, unreal or synthetic; said once, then kept.")
]
LanguageOption = Annotated[str | None, typer.Option(help=f"Language of the label: {', '.join(LANGUAGES)}.")]
LabelOption = Annotated[
    str | None, typer.Option("--no-label", metavar="REASON", help="Leave the visible AI label away; the reason is recorded.")
]


def say(text: str) -> None:
    """Print whole lines as they are: brackets in file names mean nothing, and long paths stay in one piece."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def portrait_file(portrait: Path) -> Iterator[Path]:
    """Where the portrait lies: the user's own file, or else the bundled one of that name."""
    with as_file(files("vivant") / "assets" / "portraits" / f"{portrait}.jpg") as bundled:
        yield bundled if str(portrait) in BUNDLED and not portrait.exists() else portrait


def open_with_progress(portrait: Path, provider: Provider, *, number: int = 1, transparent: bool = False) -> RigFace:
    """Open a portrait, or a bundled one by its name, with a line per stage and its notes; face ``number`` by size.

    Raises UnavailableError when a provider is named that does not run here, even when no network is needed.
    """
    analyser = None if provider == Provider.AUTO else default_analyser(provider)
    stages: list[str] = []
    with console.status("opening the portrait") as status:

        def show(stage: str) -> None:
            stages.append(stage)
            status.update(stage)

        with portrait_file(portrait) as path:
            face = open_portrait(path, face=number, transparent=transparent, analyser=analyser, progress=show)
    if stages:
        say(f"built the rig (networks on {analyser.provider if analyser else Provider.CPU})")
    for note in face.notes:
        say(f"note: {note}")
    return face


def begin_production(
    face: RigFace,
    portrait: Path,
    audio: Path | None,
    seed: int,
    consent: str | None,
    label_off_reason: str | None = None,
    language: str | None = None,
) -> Production:
    """Consent and policy; on a terminal the question who the portrait shows is asked once."""
    stated = stated_consent(consent)
    sha256 = face.rig.portrait_sha256
    if stated is None and sha256 not in bundled_portraits() and kept_consent(sha256) is None and _somebody_is_there():
        stated = _ask(portrait)
    with portrait_file(portrait) as file:
        return begin(face, file, audio, seed, stated, label_off_reason, language)


def _somebody_is_there() -> bool:
    return console.is_terminal and sys.stdin.isatty()


def _ask(portrait: Path) -> Consent:
    say(f"Who does {portrait.name} show? Only people who agreed may be animated.")
    for answer, words in WORDS.items():
        say(f"  {answer.value:<10} {words}")
    say("  other      someone else")
    return parse_consent(typer.prompt("answer").strip().lower())
