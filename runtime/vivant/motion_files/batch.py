"""Batches of motion files: a folder of dialogue, of which only what changed is made again.

What each result was made from is kept beside the results, in ``vivant_motion.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vivant.errors import InputError, VivantError
from vivant.media.atomic import replacing, reporting
from vivant.media.inputs import require_file
from vivant.motion.model import SpeechMotion
from vivant.motion_files import write_motion
from vivant.motion_files.lines import Line
from vivant.offline import motion_of

KEYS_FILE = "vivant_motion.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    was_kept: bool
    """Nothing that it is made from has changed."""


class Batch:
    """Makes motion files of lines of dialogue, by one motion model."""

    def __init__(
        self, folder: Path, fps: Fraction, motion: SpeechMotion, *, track: int | None = None, language: str = ""
    ) -> None:
        """``language`` is that of the lines' texts; guessed if empty."""
        self._folder, self._fps, self._motion, self._track, self._language = folder, fps, motion, track, language

    def make(self, lines: list[Line | InputError], *, inputs: tuple[Path, ...] = ()) -> Iterator[Made | VivantError]:
        """One result for each line, in order; a line that cannot be made is its sentence, and the others go on.

        ``inputs`` are files beside the sounds that no result may replace. Raises OutputError when the folder cannot be written,
        and InputError where the keys would replace what is read.
        """
        with reporting(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        read = {_identity(path) for path in (*inputs, *(line.sound for line in lines if isinstance(line, Line)))} - {None}
        if _identity(self._folder / KEYS_FILE) in read:
            raise InputError(f"{self._folder / KEYS_FILE} is read and would be overwritten; give it another name")
        keys, taken = _load(self._folder / KEYS_FILE), dict[str, str]()
        before = dict(keys)
        try:
            for line in lines:
                yield line if isinstance(line, InputError) else self._try(line, keys, taken, read)
        finally:
            if keys != before:
                _save(self._folder / KEYS_FILE, keys)

    def _try(self, line: Line, keys: dict[str, str], taken: dict[str, str], read: set[Any]) -> Made | VivantError:
        try:
            self._require_free(line, taken, read)
            return self._make(line, keys)
        except VivantError as error:
            return type(error)(f"{line.place}: {error}")

    def _require_free(self, line: Line, taken: dict[str, str], read: set[Any]) -> None:
        name = str(line.out).casefold()  # systems that know no case have one file of both
        if name in taken:
            raise InputError(f"its result {line.out} is already that of {taken[name]}; give it another name ('output')")
        taken[name] = line.place
        if _identity(self._folder / line.out) in read:
            raise InputError(f"its result {line.out} is also a file that is read, and would be overwritten")

    def _make(self, line: Line, keys: dict[str, str]) -> Made:
        path, key = self._folder / line.out, self._key(line)
        if keys.get(str(line.out)) == key and path.is_file():
            return Made(path, was_kept=True)
        with reporting(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        keys.pop(str(line.out), None)
        motion = motion_of(
            line.sound,
            self._fps,
            seed=line.seed,
            track=self._track,
            controls=line.controls,
            motion=self._motion,
            text=line.text,
            language=self._language,
        )
        write_motion(path, motion, self._fps)
        keys[str(line.out)] = key
        return Made(path, was_kept=False)

    def _key(self, line: Line) -> str:
        """Of all that decides the result."""
        decides = {
            "vivant": version("vivant"),
            "motion": self._motion.name,
            "sound": _sha256(line.sound),
            "track": self._track,
            "fps": str(self._fps),
            "seed": line.seed,
            "controls": {name: getattr(value, "value", value) for name, value in asdict(line.controls).items()},
            "name": line.out.name,
            "text": [line.text, self._language],
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True, default=lambda choice: choice.value).encode()).hexdigest()


def _sha256(path: Path) -> str:
    """Raises InputError; a pipe would be waited for."""
    require_file(path, "sound")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the sound {path} cannot be read: {error.strerror}") from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Of the file itself, whatever its names; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  as `samefile` does it
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _load(path: Path) -> dict[str, str]:
    """Keys by result; what cannot be read is nothing, and all is made again."""
    try:
        kept = json.loads(path.read_bytes())
        return {str(out): str(key) for out, key in kept["keys"].items()} if kept["vivant_motion"] == VERSION else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _save(path: Path, keys: dict[str, str]) -> None:
    with replacing(path) as part, reporting(path):
        part.write_text(json.dumps({"vivant_motion": VERSION, "keys": keys}, indent=1, sort_keys=True), "utf-8")
