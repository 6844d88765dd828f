"""Dialogue tables (.csv, .tsv, .json): sound files or texts, by whom and how each is spoken.

A row is checked by itself: one that cannot be used is an InputError in its place, and the others go on.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from vivant.arguments import MAX_SHOWN_CHARS, as_seed, shown
from vivant.arguments import text as as_text
from vivant.bundled import is_bundled
from vivant.errors import InputError
from vivant.motion_files import FORMATS
from vivant.plain import plain
from vivant.types import Controls
from vivant.voices import AUTO, VoiceCard

COLUMNS = ("file", "text", "voice", "character", "portrait", "emotion", "intensity", "seed", "output")
"""What is read; other columns are the table's own affair."""
TABLES = (".csv", ".tsv", ".json")
DELIMITERS = ",;\t"
CONTROLS = ("Cc", "Cs")
"""What no name of a file has: control characters and halves of characters. Spaces of all widths and joiners belong to names."""
_BETWEEN_ROWS = re.compile(r"[,\s]*")
MAX_TABLE_BYTES = 64 << 20
"""Chosen: some hundred thousand lines."""
SPOKEN = ".wav"
MAX_NAME_CHARS = 40
"""Of a result that is named by its text; chosen: a handful of words."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of dialogue: a sound file or a text, how and by whom it is spoken, and where its result goes."""

    place: str
    """For sentences: ``lines.csv:7``."""
    sound: Path
    """Of a text that is to be spoken its place below the folder of results."""
    out: PurePosixPath
    """Below the folder of results, with the suffix of its format."""
    controls: Controls
    seed: int | None
    """None is decided by the sound."""
    text: str = ""
    """What is said, if that is known: it sharpens the lips."""
    portrait: Path | None = None
    """Who is shown; a bundled one by its name."""
    voice: str = ""
    """Who speaks the text, as ``--voice`` says it; empty where there is a sound."""
    card: VoiceCard | None = None
    """Of that voice, once it has spoken."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What holds where a row says nothing."""

    suffix: str
    controls: Controls
    seed: int | None
    portrait: Path | None = None
    suffixes: tuple[str, ...] = tuple(FORMATS)
    """With these at its end a result's name says its own format."""
    shows: bool = False
    """Portraits matter; motion shows nobody."""
    voice: str = AUTO
    """Of texts without a sound."""


@dataclass(frozen=True, slots=True)
class Table:
    lines: list[Line | InputError]
    """In the table's order."""
    unread: list[str]
    """Columns that mean nothing here, such as misspelled ones."""


def read_table(path: Path, usual: Usual) -> Table:
    """Sounds are looked for beside the table. Raises InputError for what is no table at all."""
    rows = list(_rows(path))
    names = {name for _, row in rows if isinstance(row, Mapping) for name in row}
    unread = sorted(plain(name, MAX_SHOWN_CHARS) for name in names if name and name not in COLUMNS)
    return Table([_line(place, row, path.parent, usual) for place, row in rows], unread)


def lines_of(sounds: list[Path], usual: Usual) -> list[Line | InputError]:
    """As if a table named these sounds and nothing else."""
    return [
        Line(sound.name, sound, PurePosixPath(f"{sound.stem}{usual.suffix}"), usual.controls, usual.seed) for sound in sounds
    ]


def in_formats(lines: list[Line | InputError], suffixes: list[str]) -> list[Line | InputError]:
    """Each line once for each format, next to each other; those that were read with the first of ``suffixes``.

    A result whose name said another format is left at that one.
    """
    first, *more = suffixes
    return [
        each
        for line in lines
        for each in (
            [line, *(replace(line, out=line.out.with_suffix(suffix)) for suffix in more)]
            if isinstance(line, Line) and line.out.suffix == first
            else [line]
        )
    ]


def _line(place: str, row: object, folder: Path, usual: Usual) -> Line | InputError:
    try:
        if isinstance(row, InputError):
            raise row
        if not isinstance(row, Mapping):
            raise InputError(f"a line of dialogue is an object with a 'file' or a 'text', got {shown(row)}")
        said = {name: row[name] for name in COLUMNS if row.get(name) not in (None, "")}
        text = as_text("text", said.get("text", ""))
        sound = Path(_text("file", said["file"])) if "file" in said else None
        out = _out(said, sound.stem if sound is not None else _name_of(text), usual)
        portrait = (_portrait(said, folder) or usual.portrait) if usual.shows else None
        line = Line(place, Path(out.with_suffix(SPOKEN)), out, _controls(said, usual), _seed(said, usual), text, portrait)
        if sound is not None:
            return replace(line, sound=folder / sound)
        return replace(line, voice=_text("voice", said.get("voice", usual.voice)))
    except InputError as error:
        return InputError(f"{place}: {error}")


def _portrait(said: Mapping[str, Any], folder: Path) -> Path | None:
    """A file beside the table comes before a bundled one of that name."""
    if "portrait" not in said:
        return None
    portrait = Path(_text("portrait", said["portrait"]))
    beside = folder / portrait
    return portrait if is_bundled(portrait) and not beside.exists() else beside


def _controls(said: Mapping[str, Any], usual: Usual) -> Controls:
    own: dict[str, Any] = {name: said[name] for name in ("emotion", "intensity") if name in said}
    if isinstance(own.get("intensity"), str):
        own["intensity"] = _number("intensity", own["intensity"])
    return replace(usual.controls, **own)


def _seed(said: Mapping[str, Any], usual: Usual) -> int | None:
    seed = said.get("seed", usual.seed)
    return as_seed(_number("seed", seed) if isinstance(seed, str) else seed)


def _number(name: str, text: str) -> float | int:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise InputError(f"{name} must be a number, got {shown(text)}")


def _name_of(text: str) -> str:
    """Its first words: letters and figures of any language, and nothing that a file's name may not have."""
    words = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text.lower()).split()
    if not words:
        raise InputError("it has neither a 'file' nor a 'text' that could be spoken; give one of them")
    return textwrap.shorten(" ".join(words), MAX_NAME_CHARS, placeholder="").replace(" ", "_") or words[0][:MAX_NAME_CHARS]


def _out(said: Mapping[str, Any], stem: str, usual: Usual) -> PurePosixPath:
    """``character/output.suffix``; both may be left out."""
    character, name = (
        PurePosixPath(_text(column, said.get(column, otherwise)).replace("\\", "/"))
        for column, otherwise in (("character", ""), ("output", stem))
    )
    out = character / name
    if not name.name or out.is_absolute() or ".." in out.parts or PureWindowsPath(out).drive:
        raise InputError(f"the result {shown(str(out))} would lie outside of the folder; give a name below it")
    return out if out.suffix.lower() in usual.suffixes else out.with_name(f"{out.name}{usual.suffix}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or any(unicodedata.category(letter) in CONTROLS for letter in value):
        raise InputError(f"{name} must be a text, got {shown(value)}")
    return value


def _rows(path: Path) -> Iterator[tuple[str, object]]:
    """Each row with its place, for sentences."""
    text = _content(path)
    try:
        yield from _rows_of_json(path.name, text) if path.suffix.lower() == ".json" else _rows_of_csv(path.name, text)
    except (csv.Error, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} cannot be read as a table: {error}") from error


def _content(path: Path) -> str:
    if path.suffix.lower() not in TABLES:
        raise InputError(f"a table of lines ends in {', '.join(TABLES)}; got {path.name!r}")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TABLE_BYTES + 1)
    except OSError as error:
        raise InputError(f"the table {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_TABLE_BYTES:
        raise InputError(f"the table {path.name} is larger than {MAX_TABLE_BYTES >> 20} MB; split it")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as Excel saves "Unicode text"
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"the table {path.name} is not in UTF-8; save it so (Excel: 'CSV UTF-8')") from None


def _rows_of_csv(name: str, text: str) -> Iterator[tuple[str, object]]:
    """A row's line number is that of its first line."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=head.count), strict=True)
    columns = [column.strip().lower() for column in next((cells for cells in reader if not _is_blank(cells)), [])]
    if "file" not in columns and "text" not in columns:
        raise InputError(f"{name} has no column 'file' or 'text'; its first line names them, such as file,character,emotion")
    if twice := next((column for column in COLUMNS if columns.count(column) > 1), None):
        raise InputError(f"{name} has two columns {twice!r}; give one of them another name")
    first = reader.line_num + 1
    for cells in reader:
        place, first = f"{name}:{first}", reader.line_num + 1
        if len(cells) > len(columns):
            yield place, InputError(f"{len(cells)} cells in {len(columns)} columns; put texts with commas in quotes")
        elif not _is_blank(cells):
            yield place, {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}


def _is_blank(cells: list[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _rows_of_json(name: str, text: str) -> Iterator[tuple[str, object]]:
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise InputError(f'{name} must hold a list of lines, [{{"file": ...}}, ...], got {shown(rows)}')
    decoder, end = json.JSONDecoder(), text.index("[") + 1
    line = 1 + text.count("\n", 0, end)
    for _ in rows:  # once more, one by one, for the places
        begin = _BETWEEN_ROWS.match(text, end).end()  # type: ignore[union-attr]
        line += text.count("\n", end, begin)
        row, after = decoder.raw_decode(text, begin)
        yield f"{name}:{line}", row
        line, end = line + text.count("\n", begin, after), after
