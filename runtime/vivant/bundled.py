"""Bundled portraits: faces of nobody that come with Vivant, by name."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from vivant.arguments import listed
from vivant.errors import InputError

_FOLDER = files("vivant") / "assets" / "portraits"
_SUFFIX = ".jpg"


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
    if name not in portraits():
        raise InputError(f"no bundled portrait has that name; there are {listed(portraits())}")
    return (_FOLDER / f"{name}{_SUFFIX}").read_bytes()


@cache
def portrait_sha256(name: str) -> str:
    """Hex digest of its file."""
    return hashlib.sha256(portrait_bytes(name)).hexdigest()
