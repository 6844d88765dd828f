"""Results appear under their final name complete, or not at all, and failures read as one sentence.

Everything is written beside its target under ``.name.part-XXXXXXXX.suffix`` and renamed at the end, so a reader never sees
half a file and an existing result survives a failed run.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from av.error import FFmpegError

from vivant.errors import OutputError
from vivant.private import FILE_MODE

_FULL = "disk is full, so {target} was not written; free some space or choose another place"
_DENIED = "no permission to write {target}; choose a folder that you may write to"
_NO_FOLDER = "the folder {target.parent} does not exist; create it or choose another one"

_SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "{target} was not written because it is larger than this disk or account allows; choose another place",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EISDIR: "{target} is a folder; give a file name",
    errno.ENAMETOOLONG: "the name of {target} is too long; choose a shorter one",
}


@contextmanager
def reporting(target: Path) -> Iterator[None]:
    """Turn every failure to write ``target``, of the system or of FFmpeg, into an OutputError."""
    try:
        yield
    except (OSError, FFmpegError) as error:
        sentence = _SENTENCES.get(error.errno or 0, "{target} could not be written: {reason}")
        raise OutputError(sentence.format(target=target, reason=error.strerror or error)) from error


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Give the name of an empty temporary file that takes the place of ``path`` on a clean exit; ``private`` for its user alone.

    On an exception the temporary file goes and ``path`` stays as it was. Only making and renaming are reported as
    OutputError here; what fails in between is for the caller to wrap in ``reporting``, as it may have other causes.
    """
    target = _real(path)
    with reporting(path):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        temporary = _beside(target, target.suffix)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE if private else 0o666))
    try:
        yield temporary
        with reporting(path):
            temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def replacing_folder(path: Path, ours: Callable[[str], bool]) -> Iterator[Path]:
    """Like ``replacing`` for a folder. An old folder is replaced only if ``ours`` accepts every name in it.

    Raises OutputError when the folder holds anything else, so that a slip of the hand deletes nothing.
    """
    target = _real(path)
    _require_replaceable(path, target, ours)
    with reporting(path):
        temporary = _beside(target, "")
        temporary.mkdir()
    try:
        yield temporary
        _require_replaceable(path, target, ours)
        with reporting(path):
            _swap(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _real(path: Path) -> Path:
    """Where ``path`` leads: writing through a link changes what it points to, not the link."""
    return Path(os.path.realpath(path))


def _beside(target: Path, suffix: str) -> Path:
    """A fresh name in the folder of ``target``: a rename is atomic only within one file system."""
    stem = target.name.removesuffix(suffix) if suffix else target.name
    return target.with_name(f".{stem}.part-{secrets.token_hex(4)}{suffix}")


def _require_replaceable(path: Path, target: Path, ours: Callable[[str], bool]) -> None:
    with reporting(path):
        if not target.exists():
            return
        if not target.is_dir():
            raise OutputError(f"{path} is a file; give the name of a folder for the frames")
        strangers = sorted(entry.name for entry in target.iterdir() if entry.is_dir() or not ours(entry.name))
    if strangers:
        raise OutputError(f"the folder {path} holds other files ({strangers[0]}); choose a new or empty folder")


def _swap(temporary: Path, target: Path) -> None:
    """Rename a folder over an old one, which needs a detour as only an empty folder can be renamed over."""
    if not target.exists():
        temporary.rename(target)
        return
    old = _beside(target, "")
    target.rename(old)
    try:
        temporary.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
