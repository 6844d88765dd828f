"""Unfinished files and folders: beside their target, locked by their maker, and cleaned away once that is gone.

A part is named ``.name.part-XXXXXXXXXXXXXXXX.suffix``, whose last eight digits are a checksum of the rest: no file of a user's
own is ever taken for one. Its maker holds a lock on it, which ends with the process, so a part that can be locked has no maker.
Windows has no such locks on files that are renamed; there, parts of killed programs stay.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vivant.locks import take
from vivant.private import FILE_MODE

_NAME = re.compile(r"\.(?P<stem>.+)\.(?P<kind>part|before)-(?P<token>[0-9a-f]{8})(?P<check>[0-9a-f]{8})(?P<suffix>(\.[^.]*)?)")


@dataclass(frozen=True, slots=True)
class Part:
    """One of them, from ``Part.beside`` to ``remove``."""

    path: Path
    lock: int | None
    """An open descriptor; None where there are no such locks."""

    @classmethod
    def beside(cls, target: Path, *, folder: bool = False, private: bool = False) -> Part:
        """A new empty file or folder; made again if somebody cleaned it away before it was locked. Raises OSError."""
        _clean(target.parent)
        while True:
            path = _beside(target, "part", "" if folder else target.suffix)
            try:
                if folder:
                    path.mkdir()
                else:
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE if private else 0o666))
                part = cls(path, _locked(path, wait=True))
            except BaseException:  # also where Ctrl-C or SIGTERM comes just now
                _remove(path)
                raise
            if path.exists():
                return part
            part.remove()

    def remove(self) -> None:
        """What is still there goes: nothing, if it was renamed."""
        _remove(self.path)
        if self.lock is not None:
            os.close(self.lock)


def swap_folder(temporary: Path, target: Path) -> None:
    """Rename a folder over an old one, which needs a detour as only an empty folder can be renamed over."""
    if not target.exists():
        temporary.rename(target)
        return
    before = Part(_beside(target, "before", ""), _locked(target, wait=True))
    target.rename(before.path)
    try:
        temporary.rename(target)
    except OSError:
        before.path.rename(target)
        raise
    finally:
        before.remove()


def _locked(path: Path, *, wait: bool) -> int | None:
    """A descriptor that holds the lock; None when it is taken, or where there are no such locks."""
    if sys.platform == "win32":
        return None
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY)
        take(descriptor, wait=wait)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def _beside(target: Path, kind: str, suffix: str) -> Path:
    """A fresh name in the folder of ``target``: a rename is atomic only within one file system."""
    stem, token = target.name.removesuffix(suffix) if suffix else target.name, secrets.token_hex(4)
    return target.with_name(f".{stem}.{kind}-{token}{_check(stem, kind, token, suffix)}{suffix}")


def _check(stem: str, kind: str, token: str, suffix: str) -> str:
    return hashlib.blake2b(f"{stem}\n{kind}\n{token}\n{suffix}".encode(errors="surrogateescape"), digest_size=4).hexdigest()


def _clean(folder: Path) -> None:
    """Away with the parts whose makers are gone; a result that was on its way aside comes back if nothing took its place."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = _NAME.fullmatch(entry.name)
            if found is None or entry.is_symlink() or found["check"] != _check(*found.group("stem", "kind", "token", "suffix")):
                continue
            left = Part(Path(entry.path), _locked(Path(entry.path), wait=False))
            if left.lock is None:
                continue
            target = folder / f"{found['stem']}{found['suffix']}"
            if found["kind"] == "before" and not target.exists():
                left.path.rename(target)
            left.remove()


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
