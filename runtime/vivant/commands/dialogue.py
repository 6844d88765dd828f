"""Tables of dialogue on the command line: what `vivant render` and `vivant motion` share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import typer

from vivant.cli import say_error
from vivant.clock import MonotonicClock
from vivant.commands.options import begin_production, console, note, open_with_progress, say
from vivant.cores import n_cores
from vivant.dialogue.batch import Batch, Made
from vivant.dialogue.lines import Line, Usual, in_formats, read_table
from vivant.dialogue.recipe import VIDEOS, Look, Recipe
from vivant.dialogue.workers import workers
from vivant.errors import InputError, UnavailableError, VivantError
from vivant.extras import install
from vivant.face import Face
from vivant.motion_files import FORMATS, is_motion
from vivant.speech.text_mood import emotion_of
from vivant.types import Controls, Emotion


def listed(table: Path, usual: Usual) -> list[Line | InputError]:
    """Its lines; a note names columns that are not read."""
    found = read_table(table, usual)
    if found.unread:
        note(f"{table.name} has columns that are not read: {', '.join(found.unread)}")
    return found.lines


def folder_for(out: Path) -> Path:
    """Raises InputError for the name of a file."""
    if out.suffix.lower() in (*VIDEOS, *FORMATS) and not out.is_dir():
        raise InputError(f"a table of lines makes many files; name a folder instead of {out.name}")
    return out


def render_table(
    table: Path,
    out: Path,
    kinds: list[str],
    usual: Usual,
    recipe: Recipe,
    jobs: int | None,
    *,
    words_choose: bool = False,
    cluster: bool = False,
) -> None:
    """Every line of a table in each of ``kinds``, such as mp4 and anim; ``usual`` holds where a row says nothing.

    ``words_choose`` the emotion of lines that have a text and no emotion; ``cluster`` makes them on the machines of Ray.
    """
    recipe.require_served()
    if cluster and (jobs is not None or recipe.server is not None):
        raise InputError("--cluster makes lines on Ray's machines; leave --jobs and --runtime away")
    folder = folder_for(out)
    suffixes = list(dict.fromkeys(suffix_of(kind, (*VIDEOS, *FORMATS)) for kind in kinds))
    usual = replace(usual, suffix=suffixes[0], suffixes=(*VIDEOS, *FORMATS), shows=True)
    lines = in_formats(listed(table, usual), suffixes)
    if words_choose:
        lines = [_by_words(line, recipe.text_language) if isinstance(line, Line) else line for line in lines]
    if recipe.server is None:
        introduce(lines, recipe.look)
    make_all(folder, recipe, lines, [table, Path(recipe.look.background)], jobs, cluster=cluster)


def _by_words(line: Line, language: str) -> Line:
    return replace(line, controls=by_words(line.controls, line.text, language))


def by_words(controls: Controls, text: str, language: str) -> Controls:
    """With the emotion of the words, where another than neutral is not asked for already."""
    return replace(controls, emotion=emotion_of(text, language)) if controls.emotion is Emotion.NEUTRAL else controls


def suffix_of(kind: str, known: Collection[str]) -> str:
    """Of ``--format``. Raises InputError for one that there is not."""
    suffix = f".{kind.lstrip('.').lower()}"
    if suffix not in known:
        raise InputError(f"--format is one of {', '.join(each[1:] for each in known)}; got {kind!r}")
    return suffix


def introduce(lines: list[Line | InputError], look: Look) -> None:
    """Every portrait of a video once: its rig is built, its notes are said, and who it shows is asked.

    What is wrong with one is said by its lines.
    """
    shown = {line.portrait: None for line in lines if isinstance(line, Line) and line.portrait and not is_motion(line.out)}
    for portrait in shown:
        with suppress(VivantError):
            begin_production(
                open_as(portrait, look), portrait, None, None, look.consent, look.label_off_reason, look.label_language
            )


def open_as(portrait: Path, look: Look) -> Face:
    """As `open_with_progress`."""
    return open_with_progress(
        portrait,
        look.provider,
        number=look.face_number,
        transparent=look.cut_out,
        generator=look.generator,
        finish=look.finish,
        analyser=look.analyser,
        blurred=look.blurred,
    )


@contextmanager
def _batch(folder: Path, recipe: Recipe, n_lines: int, jobs: int | None, *, cluster: bool) -> Iterator[Batch]:
    if not cluster:
        with workers(min(jobs or n_cores(), n_lines)) as executor:
            yield Batch(folder, recipe, executor)
        return
    try:
        from vivant.cluster.batch import cluster_makers
    except ImportError as error:
        raise UnavailableError(f"--cluster needs {error.name}; {install('cluster')} brings it") from error
    with cluster_makers() as (executor, make, ahead):
        yield Batch(folder, recipe, executor, make, ahead)


def make_all(
    folder: Path,
    recipe: Recipe,
    lines: list[Line | InputError],
    inputs: list[Path],
    jobs: int | None = None,
    *,
    cluster: bool = False,
) -> None:
    """Make them, ``jobs`` at a time (one for each core): results as they come, sentences for what failed, and the report.

    Raises Exit with 1 where a line failed.
    """
    clock, found = MonotonicClock(), Counter[str]()
    began_us, speech_s, n_spoken = clock.now_us(), 0.0, 0
    with _batch(folder, recipe, len(lines), jobs, cluster=cluster) as batch, console.status("hearing") as status:
        for number, result in enumerate(batch.make(lines, inputs=tuple(inputs)), 1):
            status.update(f"{number} of {len(lines)}")
            if not isinstance(result, Made):
                found["failed"] += 1
                say_error(result)
                continue
            found["kept" if result.was_kept else "made"] += 1
            if result.spoken is not None:
                n_spoken += 1
                say(f"{result.spoken}")
            speech_s += result.speech_s
            if not result.was_kept:
                say(f"{result.path}")
    if found["made"]:
        say(f"{speech_s:.1f} s of speech in {(clock.now_us() - began_us) / 1e6:.1f} s")
    left = len(lines) - found.total()
    more = f", {n_spoken} spoken" * bool(n_spoken) + f", {left} not tried" * bool(left)
    say(f"{found['made']} made, {found['kept']} kept, {found['failed']} failed{more}")
    if found["failed"]:
        raise typer.Exit(1)
