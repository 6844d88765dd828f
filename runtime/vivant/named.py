"""Faces by the words of the command line: bundled names and files, and what reads and draws them by its registered name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from vivant.bundled import is_bundled
from vivant.errors import InputError
from vivant.face import Face, RigFace
from vivant.finish.synthetic import FinishKind, finished
from vivant.portrait import PortraitAnalyser, Provider
from vivant.registry import ANALYSERS, FACES, find
from vivant.rig.build import Progress

DEFAULT_ANALYSER = "networks"


@contextmanager
def portrait_file(portrait: Path) -> Iterator[Path]:
    """Where the portrait lies: the user's own file, or else the bundled one of that name."""
    with as_file(files("vivant") / "assets" / "portraits" / f"{portrait}.jpg") as bundled:
        yield bundled if is_bundled(portrait) else portrait


def named_analyser(analyser: str, provider: Provider) -> PortraitAnalyser | None:
    """None is the usual one, which is loaded only if a portrait must be read.

    Raises UnavailableError when a provider is named that does not run here.
    """
    is_usual = provider == Provider.AUTO and analyser == DEFAULT_ANALYSER
    return None if is_usual else find(ANALYSERS, analyser)(provider)


def open_named(
    portrait: Path,
    reader: PortraitAnalyser | None = None,
    *,
    number: int = 1,
    transparent: bool = False,
    blurred: bool = False,
    generator: str = "rig",
    finish: FinishKind | None = None,
    progress: Progress = lambda stage: None,
) -> Face:
    """A portrait, or a bundled one by its name; face ``number`` by size. ``blurred`` puts the background out of focus;
    ``finish`` as in `vivant.finish.synthetic.wanted`."""
    with portrait_file(portrait) as path:
        face: Face = find(FACES, generator)(path, face=number, transparent=transparent, analyser=reader, progress=progress)
    face = finished(face, finish)
    return _blurred(face) if blurred else face


def _blurred(face: Face) -> Face:
    if not isinstance(face, RigFace):
        raise InputError(f"--background blur is for faces that Vivant draws itself, not for {face.name}")
    return face.blurred()
