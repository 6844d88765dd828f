"""Bundled portraits: faces that come with Vivant, by name. People who do not exist, and sitters of old paintings."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from vivant.arguments import listed
from vivant.errors import InputError

_FOLDER = files("vivant") / "assets" / "portraits"
_SUFFIX = ".jpg"


@dataclass(frozen=True, slots=True)
class About:
    """Of a bundled portrait, for people."""

    shows: str
    """In words; of a painting its title, painter and year."""
    licence: str
    is_painting: bool = False
    """By a painter of the past, of somebody who may have lived; all others are pictures of nobody."""


@cache
def portraits() -> tuple[str, ...]:
    """Their names, which `open_portrait`, the commands and every server take in place of a picture."""
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in _FOLDER.iterdir() if file.name.endswith(_SUFFIX)))


def is_bundled(path: Path) -> bool:
    """Whether a path is the name of one; a file of the user's own comes first."""
    return str(path) in portraits() and not path.exists()


@cache
def portrait_bytes(name: str) -> bytes:
    """The image file of one. Raises InputError for another name."""
    _require_bundled(name)
    return (_FOLDER / f"{name}{_SUFFIX}").read_bytes()


@cache
def portrait_sha256(name: str) -> str:
    """Hex digest of its file."""
    return hashlib.sha256(portrait_bytes(name)).hexdigest()


def about(name: str) -> About:
    """Who it shows, and its licence. Raises InputError for another name."""
    _require_bundled(name)
    return About(**_table()[name])


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((_FOLDER / "portraits.toml").read_text(encoding="utf-8"))


def _require_bundled(name: str) -> None:
    if name not in portraits():
        raise InputError(f"no bundled portrait has that name; there are {listed(portraits())}")
