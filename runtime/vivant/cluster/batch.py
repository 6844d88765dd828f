"""Lines of dialogue made on all machines of a Ray cluster. Files go there and results come back by Ray: nothing need be shared.

Only this process writes results, each complete or not at all; a line whose machine is lost is made again on another one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from vivant.bundled import is_bundled
from vivant.cluster.joining import joined
from vivant.dialogue.batch import AHEAD
from vivant.dialogue.lines import Line
from vivant.dialogue.making import make_line
from vivant.dialogue.recipe import Look, Recipe
from vivant.errors import InputError, UnavailableError, VivantError
from vivant.finish.synthetic import wanted
from vivant.media.atomic import replacing, reporting
from vivant.motion_files import is_motion
from vivant.provenance.consent import bundled_consent, kept_consent
from vivant.provenance.settings import Settings

TRIES = 10
"""For a line whose machines are lost one after the other; chosen."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file that goes to other machines, put into Ray once."""

    name: str
    """Its suffix says its kind, and credentials say its name."""
    sha256: str
    content: Any
    """Ray's reference."""


class ClusterMaker:
    """Makes a line as `make_line` does, on any machine of the cluster. Called by many threads."""

    def __init__(self) -> None:
        self._file = cache(_put)
        self._running: set[Any] = set()

    def __call__(self, line: Line, out: Path, recipe: Recipe) -> float:
        """The seconds of speech. Raises InputError, OutputError, and UnavailableError where machines are lost too often."""
        sound, portrait, behind = _read(line.sound), self._portrait(line), self._background(recipe.look)
        recipe = replace(recipe, look=_settled(recipe.look, None if is_motion(out) else portrait))
        files = {name: (file.name, file.sha256) for name, file in (("portrait", portrait), ("behind", behind)) if file}
        contents = (file and file.content for file in (portrait, behind))
        made = _task.remote(line, out.name, recipe, version("vivant"), files, sound, *contents)
        self._running.add(made)
        try:
            results, speech_s = ray.get(made)
        except RayTaskError as error:
            raise _own(error) from error
        except RayError as error:
            raise UnavailableError(f"no machine of the cluster could make it: {type(error).__name__}") from error
        finally:
            self._running.discard(made)
        for name, content in results:
            with replacing(out.with_name(name)) as part, reporting(out):
                part.write_bytes(content)
        return float(speech_s)

    def stop(self) -> None:
        """What is being made is not wanted any more."""
        for made in list(self._running):
            ray.cancel(made, force=True)

    def _portrait(self, line: Line) -> _File | None:
        """Bundled ones are everywhere."""
        return None if line.portrait is None or is_bundled(line.portrait) else self._file(line.portrait)

    def _background(self, look: Look) -> _File | None:
        return self._file(behind) if (behind := Path(look.background)).is_file() else None


@contextmanager
def cluster_makers() -> Iterator[tuple[Executor, ClusterMaker, int]]:
    """An executor, what makes a line on it, and how many to give it ahead. An exception that ends the block ends them all."""
    with joined():
        maker, ahead = ClusterMaker(), max(AHEAD, 2 * int(ray.cluster_resources().get("CPU", 1)))
        pool = ThreadPoolExecutor(ahead, "vivant-cluster")  # each waits for one line that is made elsewhere
        try:
            yield pool, maker, ahead
        except BaseException:
            maker.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _put(path: Path) -> _File:
    content = _read(path)
    return _File(path.name, hashlib.sha256(content).hexdigest(), ray.put(content))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _settled(look: Look, portrait: _File | None) -> Look:
    """With what this machine's settings and kept answers say, for those of others are their own affair."""
    settings, consent = Settings.load(), look.consent
    if portrait is not None and consent is None:
        consent = bundled_consent(portrait.sha256) or kept_consent(portrait.sha256)
    return replace(
        look,
        consent=consent,
        label_off_reason=look.label_off_reason if look.label_off_reason is not None else settings.label_off_reason,
        label_language=look.label_language or settings.language,
        finish=wanted(look.finish),
    )


def _own(error: RayTaskError) -> VivantError:
    """What the other machine said, or its own fault in a sentence."""
    cause = error.cause
    return cause if isinstance(cause, VivantError) else UnavailableError(f"another machine failed: {cause}")


def _make_there(
    line: Line,
    out: str,
    recipe: Recipe,
    made_with: str,
    files: dict[str, tuple[str, str]],
    sound: bytes,
    portrait: bytes | None,
    behind: bytes | None,
) -> tuple[list[tuple[str, bytes]], float]:
    """On the other machine: the results' names and bytes, the line's own last, and the seconds of speech."""
    if (here := version("vivant")) != made_with:
        raise UnavailableError(f"a machine of the cluster has vivant {here}, and this one {made_with}; install the same")
    folder = Path(tempfile.gettempdir()) / f"vivant-{os.getpid()}"  # the same for all lines, for opened faces are kept by path
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        line = replace(line, sound=_laid(folder / "sound", line.sound.name, sound))
        if portrait is not None:
            name, sha256 = files["portrait"]
            line = replace(line, portrait=_laid(folder / sha256, name, portrait))
        if behind is not None:
            name, sha256 = files["behind"]
            laid = _laid(folder / sha256, name, behind)
            recipe = replace(recipe, look=replace(recipe.look, background=str(laid)))
        results = folder / "results"
        results.mkdir()
        speech_s = make_line(line, results / out, recipe)
        made = sorted(results.iterdir(), key=lambda path: path.name == out)
        return [(path.name, path.read_bytes()) for path in made], speech_s
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _laid(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


_task = ray.remote(num_cpus=1, max_retries=TRIES)(_make_there)
