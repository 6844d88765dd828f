"""Batches: a folder of dialogue, of which only what changed is made again.

What each result was made from is kept beside the results, in ``vivant_lines.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from vivant.dialogue.lines import Line
from vivant.dialogue.making import make_line
from vivant.dialogue.recipe import Recipe
from vivant.dialogue.speaking import Speaker, Spoken
from vivant.errors import InputError, ServerAwayError, UnavailableError, VivantError
from vivant.locks import alone
from vivant.media.atomic import replacing, reporting, require_place
from vivant.motion_files import is_motion
from vivant.named import portrait_file
from vivant.provenance.disclosure import seed_of
from vivant.provenance.production import require_ready, sha256_of

KEYS_FILE = "vivant_lines.json"
VERSION = 1
AHEAD = 64
"""Lines that an executor is given before their turn to be told; chosen: more than machines have cores."""
ENDED = "the process that makes lines was ended; run the command again for what is missing"

Make = Callable[[Line, Path, Recipe], float]
"""One line, one result; seconds of speech."""


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    was_kept: bool
    """Nothing that it is made from has changed."""
    speech_s: float = 0.0
    """0 where it was kept."""
    spoken: Spoken | None = None
    """Its sound, where a voice spoke it for this."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A line on its way."""

    line: Line
    path: Path
    key: str
    spoken: Spoken | None
    result: Future[float]


class Batch:
    """Makes the results of lines of dialogue, each once, by a recipe."""

    def __init__(
        self, folder: Path, recipe: Recipe, executor: Executor | None = None, make: Make = make_line, ahead: int = AHEAD
    ) -> None:
        """``executor`` makes lines at the same time, in processes or on machines, and is given ``ahead`` of them; without one
        they are made in turn."""
        self._folder, self._recipe, self._make = folder, recipe, make
        self._executor = executor or _InTurn()
        self._ahead = ahead if executor is not None else 0
        self._in_file: dict[str, str] = {}
        self._speaker = Speaker(recipe.text_language)

    def make(self, lines: list[Line | InputError], *, inputs: tuple[Path, ...] = ()) -> Iterator[Made | VivantError]:
        """One result for each line, in order; a line that cannot be made is its sentence, and the others go on. They end with a
        server that is away.

        ``inputs`` are files beside the sounds that no result may replace. What had been told when the iteration ends early is
        kept. Waits while another batch has the folder. Raises OutputError when that cannot be written, and InputError where the
        keys would replace what is read.
        """
        with reporting(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with alone(self._folder):  # or two batches at once would take each other's results for their own
            yield from self._make_all(lines, inputs)

    def _make_all(self, lines: list[Line | InputError], inputs: tuple[Path, ...]) -> Iterator[Made | VivantError]:
        read = {_identity(path) for path in (*inputs, *_files(lines))} - {None}
        if _identity(self._folder / KEYS_FILE) in read:
            raise InputError(f"{self._folder / KEYS_FILE} is read and would be overwritten; give it another name")
        require_place(self._folder / KEYS_FILE)
        keys, taken = _load(self._folder / KEYS_FILE), dict[str, str]()
        self._in_file = dict(keys)
        waiting: deque[_Begun | Made | VivantError] = deque()
        try:
            begun = (line if isinstance(line, InputError) else self._begin(line, keys, taken, read) for line in lines)
            for result in self._in_order(begun, waiting, keys):
                yield result
                if isinstance(result, ServerAwayError):
                    return  # it was waited for already; every other line would wait as long
        finally:
            for each in waiting:
                if isinstance(each, _Begun):
                    each.result.cancel()
            self._remember(keys)

    def _in_order(
        self, begun: Iterable[_Begun | Made | VivantError], waiting: deque[_Begun | Made | VivantError], keys: dict[str, str]
    ) -> Iterator[Made | VivantError]:
        for each in begun:
            waiting.append(each)
            if len(waiting) > self._ahead:
                yield self._end(waiting.popleft(), keys)
        while waiting:
            yield self._end(waiting.popleft(), keys)

    def _begin(self, line: Line, keys: dict[str, str], taken: dict[str, str], read: set[Any]) -> _Begun | Made | VivantError:
        try:
            self._require_free(line, taken, read)
            path = self._folder / line.out
            with reporting(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            line, spoken = self._speak(line, keys, taken, read) if line.voice else (line, None)
            key = self._key(line)
            if keys.get(str(line.out)) == key and path.is_file():
                return Made(path, was_kept=True, spoken=spoken)
            if not is_motion(path):
                require_ready(path, {"sound": line.sound, "portrait": line.portrait})
            self._forget(str(line.out), keys)
            return _Begun(line, path, key, spoken, self._executor.submit(self._make, line, path, self._recipe))
        except VivantError as error:
            return _at(line, error)
        except BrokenExecutor:
            return _at(line, UnavailableError(ENDED))

    def _end(self, begun: _Begun | Made | VivantError, keys: dict[str, str]) -> Made | VivantError:
        if not isinstance(begun, _Begun):
            return begun
        try:
            speech_s = begun.result.result()
        except VivantError as error:
            return _at(begun.line, error)
        except BrokenExecutor:
            return _at(begun.line, UnavailableError(ENDED))
        keys[str(begun.line.out)] = begun.key
        return Made(begun.path, was_kept=False, speech_s=speech_s, spoken=begun.spoken)

    def _speak(self, line: Line, keys: dict[str, str], taken: dict[str, str], read: set[Any]) -> tuple[Line, Spoken | None]:
        """The line with its sound, spoken where text, voice or version changed. Two rows may share one sound of one text."""
        name, path, speech = line.sound.as_posix(), self._folder / line.sound, self._speaker.speech(line)
        key, spoken = speech.key, None
        if taken.setdefault(name.casefold(), key) != key:
            raise InputError(f"its sound {name} is already that of another text; give it another name ('output')")
        self._require_unread(line.sound, read)
        if keys.get(name) != key or not path.is_file():
            self._forget(name, keys)
            spoken = speech.write(path)
            keys[name] = key
        seed = line.seed if line.seed is not None else seed_of(name, key)
        return replace(line, sound=path, seed=seed, card=speech.voice.card), spoken

    def _forget(self, name: str, keys: dict[str, str]) -> None:
        """Or whoever kills this process now leaves an old key beside a new result."""
        if keys.pop(name, None) is not None and self._in_file:
            self._remember({})

    def _remember(self, keys: dict[str, str]) -> None:
        if keys != self._in_file:
            _save(self._folder / KEYS_FILE, keys)
            self._in_file = dict(keys)

    def _require_free(self, line: Line, taken: dict[str, str], read: set[Any]) -> None:
        name = str(line.out).casefold()  # systems that know no case have one file of both
        if name in taken:
            raise InputError(f"its result {line.out} is already that of {taken[name]}; give it another name ('output')")
        taken[name] = line.place
        self._require_unread(line.out, read)

    def _require_unread(self, out: PurePath, read: set[Any]) -> None:
        if _identity(self._folder / out) in read:
            raise InputError(f"its result {out} is also a file that is read, and would be overwritten")

    def _key(self, line: Line) -> str:
        """Of all that decides the result."""
        decides = {
            "vivant": version("vivant"),
            "recipe": self._recipe.decides(line.out),
            "sound": sha256_of(line.sound, "sound"),
            "portrait": _portrait_sha256(line.portrait),
            "seed": line.seed,
            "controls": asdict(line.controls),
            "name": line.out.name,
            "text": line.text,
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()


class _InTurn(Executor):
    """Makes each line as it is asked for."""

    def submit(self, make: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:  # noqa: ANN401
        result: Future[Any] = Future()
        try:
            result.set_result(make(*arguments, **more))
        except Exception as error:
            result.set_exception(error)
        return result


def _at(line: Line, error: VivantError) -> VivantError:
    return type(error)(f"{line.place}: {error}")


def _files(lines: list[Line | InputError]) -> Iterator[Path]:
    for line in lines:
        if isinstance(line, Line):
            if not line.voice:
                yield line.sound
            if line.portrait is not None:
                yield line.portrait


def _portrait_sha256(portrait: Path | None) -> str | None:
    if portrait is None:
        return None
    with portrait_file(portrait) as file:
        return sha256_of(file, "portrait")


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
        return {str(out): str(key) for out, key in kept["keys"].items()} if kept["vivant_lines"] == VERSION else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _save(path: Path, keys: dict[str, str]) -> None:
    with replacing(path) as part, reporting(path):
        part.write_text(json.dumps({"vivant_lines": VERSION, "keys": keys}, indent=1, sort_keys=True), "utf-8")
