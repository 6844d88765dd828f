"""One line, one result: what a process, or another machine, is asked to do."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from vivant.dialogue.lines import Line
from vivant.dialogue.recipe import Look, Recipe, motion_model
from vivant.errors import InputError
from vivant.face import Face
from vivant.motion_files import is_motion, write_motion
from vivant.named import named_analyser, open_named, portrait_file
from vivant.offline import motion_of, presenter_of_files, render_file
from vivant.provenance.disclosure import seed_of
from vivant.provenance.production import begin, sha256_of
from vivant.session.background import Background

FACES_KEPT = 8
"""Opened portraits of a process, 25 MB each; chosen: the cast of a scene."""


def make_line(line: Line, out: Path, recipe: Recipe) -> float:
    """Make the result of one line as ``out``, complete or not at all; the seconds of speech in it.

    The same line and recipe give the same result in any process. Raises InputError, OutputError and UnavailableError.
    """
    if recipe.server is not None:
        from vivant.dialogue.served import make_served  # needs an extra

        return make_served(line, out, recipe, recipe.server)
    return _make_motion(line, out, recipe) if is_motion(out) else _make_video(line, out, recipe)


def _make_motion(line: Line, out: Path, recipe: Recipe) -> float:
    fps = recipe.fps_of(out)
    frames = list(
        motion_of(
            line.sound,
            fps,
            seed=_seed(line, recipe.look),
            track=recipe.track,
            controls=line.controls,
            motion=motion_model(recipe.motion),
            text=line.text,
            language=recipe.text_language,
        )
    )
    write_motion(out, frames, fps)
    return float(len(frames) / fps)


def _seed(line: Line, look: Look) -> int | None:
    """With a portrait that of its video, so that both move alike."""
    if line.seed is not None or line.portrait is None:
        return line.seed
    return seed_of(_face(line.portrait, look).portrait_sha256, sha256_of(line.sound, "sound"))


def _make_video(line: Line, out: Path, recipe: Recipe) -> float:
    if line.portrait is None:
        raise InputError(f"nobody is there to show in {line.out}; name the column 'portrait', or --portrait for all lines")
    look, motion = recipe.look, motion_model(recipe.motion)
    size, face = look.size_of(out), _face(line.portrait, look)
    behind = Background.named(look.background, size)
    with portrait_file(line.portrait) as file:
        label = (look.label_off_reason, look.label_language)
        work = begin(face, file, line.sound, line.seed, look.consent, *label, motion=motion, voice=line.card)
        report = render_file(
            face,
            line.sound,
            out,
            fps=recipe.fps_of(out),
            seed=work.seed,
            track=recipe.track,
            controls=line.controls,
            motion=motion,
            text=line.text,
            language=recipe.text_language,
            presenter=presenter_of_files(face, size, behind, **work.disclosure),
            complete=work.complete(out),
        )
    return report.duration_s


@lru_cache(FACES_KEPT)
def _face(portrait: Path, look: Look) -> Face:
    return open_named(
        portrait,
        named_analyser(look.analyser, look.provider),
        number=look.face_number,
        transparent=look.cut_out,
        blurred=look.blurred,
        generator=look.generator,
        finish=look.finish,
    )
