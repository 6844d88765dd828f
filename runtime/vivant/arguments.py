"""Arguments: what callers hand in, by its one meaning or one short sentence that says what it was and what was wanted."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from enum import Enum
from numbers import Integral, Rational, Real
from os import PathLike, fspath
from pathlib import Path
from typing import TypeVar

from vivant.errors import InputError

Kind = TypeVar("Kind")
Member = TypeVar("Member", bound=Enum)

MAX_SHOWN_CHARS = 40
"""Of what was given, in a sentence; chosen."""
MAX_TAG_CHARS = 64
"""Of a language; RFC 5646 has room for 35 in what is usual."""
MAX_UINT64 = 2**64 - 1
"""What the contract of the server has room for: seeds, epochs."""
MAX_US = 2**62
"""Of any clock."""
CHANCE_BITS = 32
"""Of a seed from chance."""
MAX_PATH_CHARS = 4096
"""Linux' PATH_MAX; the other systems allow less. A longer text is the content of a file, not its name."""


def shown(value: object) -> str:
    """Numbers and short texts as they are; of everything else the kind and shape, never the content."""
    if isinstance(value, str):
        return repr(value) if len(value) <= MAX_SHOWN_CHARS else f"a text of {len(value)} characters"
    if value is None or isinstance(value, Real):
        return _number_shown(value)
    kind = type(value).__name__
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, list | tuple):
        return f"a {kind} of {len(value)}"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return f"{kind} of {dtype}, shape {shape!s:.{MAX_SHOWN_CHARS}}" if isinstance(shape, tuple) and dtype is not None else kind


def _number_shown(value: object) -> str:
    try:
        text = str(value)
    except ValueError:  # more digits than Python writes out
        text = ""
    return text if 0 < len(text) <= MAX_SHOWN_CHARS else "a number of many digits"


def real_number(name: str, value: object, low: float, high: float, unit: str = "") -> float:
    """From ``low`` to ``high``. Raises InputError for text, NaN, True and whatever else is no such number."""
    number = _plain(value)
    if number is not None and low <= number <= high:
        return float(number)
    raise InputError(f"{name} must be {_kind(value, Real, 'a number')}from {low:g} to {high:g}{unit}, got {shown(value)}")


def whole_number(name: str, value: object, low: int, high: int) -> int:
    """From ``low`` to ``high``, of any type: 16000, 16000.0 and ``np.int64(16000)`` are one. Raises InputError for others."""
    number = _plain(value)
    if number is not None and low <= number <= high and value == int(number):  # value: as a float a fraction may look whole
        return int(number)
    raise InputError(f"{name} must be {_kind(value, Integral, 'a whole number')}from {low} to {high}, got {shown(value)}")


def as_seed(seed: object) -> int | None:
    """None is one from chance. Raises InputError for what is no whole number of 64 bits."""
    return None if seed is None else whole_number("seed", seed, 0, MAX_UINT64)


def seed_or_chance(seed: object) -> int:
    """The same, and one from chance where none is given."""
    own = as_seed(seed)
    return secrets.randbits(CHANCE_BITS) if own is None else own


def _plain(value: object) -> int | float | None:
    """Python's own number, since NumPy's small ones cannot be compared with large bounds; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        if isinstance(value, Rational) and value.denominator == 1:
            return int(value.numerator)  # exactly, beyond what a float holds
        return float(value)
    except OverflowError:  # a fraction of hundreds of digits
        return None


def _kind(value: object, wanted: type, noun: str) -> str:
    """The noun is said only to whoever gave something else."""
    return "" if isinstance(value, wanted) and not isinstance(value, bool) else f"{noun} "


def flag(name: str, value: object) -> bool:
    """True or False, also NumPy's. Raises InputError for "no", 0 and other things that Python would take for one of them."""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise InputError(f"{name} must be True or False, got {shown(value)}")


def member(name: str, kind: type[Member], value: object) -> Member:
    """One of an enumeration of texts, by itself or by its text in any case. Raises InputError that lists them."""
    for each in kind:
        if value is each or (isinstance(value, str) and value.casefold() == each.value):
            return each
    raise InputError(f"{name} must be one of {listed(each.value for each in kind)}, got {shown(value)}")


def listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))


def text(name: str, value: object) -> str:
    """Raises InputError for what is no text."""
    return instance(name, str, value, "a text")


def language_tag(value: object) -> str:
    """Raises InputError for what is none by its length."""
    tag = text("language", value)
    if len(tag) > MAX_TAG_CHARS:
        raise InputError(f"language must be a tag such as de or pt-BR, got {shown(tag)}")
    return tag


def instance(name: str, kind: type[Kind], value: object, noun: str = "") -> Kind:
    """Raises InputError for a value of another type."""
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} must be {noun or f'a {kind.__name__}'}, got {shown(value)}")


def as_path(name: str, value: str | PathLike[str]) -> Path:
    """Raises InputError for what can be no path, such as the content of a file."""
    if isinstance(value, str | PathLike) and isinstance(path := fspath(value), str) and len(path) <= MAX_PATH_CHARS:
        return Path(path)
    raise InputError(f"{name} must be the path of a file, got {shown(value)}")
