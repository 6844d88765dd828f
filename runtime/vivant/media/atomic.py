"""Results appear under their final name complete, or not at all, and failures read as one sentence.

Everything is written beside its target (see ``media.parts``) and renamed at the end, so a reader never sees half a file and an
existing result survives a failed run.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vivant.errors import OutputError
from vivant.media.parts import Part, swap_folder

_FULL = "disk is full, so {target} was not written; free some space or choose another place"
_DENIED = "no permission to write {target}; choose a folder that you may write to"
_NO_FOLDER = "the folder {target.parent} does not exist; create it or choose another one"
_NOWHERE = "the link {target} leads to {real}, whose folder does not exist; create it or choose another name"

_SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "{target} was not written because it is larger than this disk or account allows; choose another place",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: "{target} was not made, for a file is where a folder should be; choose another name",
    errno.EISDIR: "{target} is a folder; give a file name",
    errno.ENAMETOOLONG: "the name of {target} is too long; choose a shorter one",
}


Complete = Callable[[Path, Path], None]
"""Makes the file that is to appear (its second argument, empty so far) of the one that was written (its first).

For a folder both are that folder, and what lies in it is made complete in place.
"""


@contextmanager
def reporting(target: Path) -> Iterator[None]:
    """Turn every failure to write ``target``, of the system or of FFmpeg, into an OutputError."""
    try:
        yield
    except _refusals() as error:
        sentence = _SENTENCES.get(error.errno or 0, "{target} could not be written: {reason}")
        if error.errno in (errno.ENOENT, errno.EEXIST) and target.is_symlink():
            sentence = _NOWHERE
        said = {"target": target, "real": _real(target), "reason": error.strerror or error}
        raise OutputError(sentence.format(**said)) from error


def _refusals() -> tuple[type[OSError], ...]:
    """The system's, and FFmpeg's where something has loaded it: rigs are written without."""
    module = sys.modules.get("av.error")
    return (OSError,) if module is None else (OSError, module.FFmpegError)


@contextmanager
def replacing(path: Path, *, private: bool = False, complete: Complete | None = None) -> Iterator[Path]:
    """Give the name of an empty temporary file that takes the place of ``path`` on a clean exit; ``private`` is for its user.

    With ``complete``, what it makes of that file takes the place. On an exception the temporary files go and ``path`` stays as
    it was. Only making and renaming are reported as OutputError here; what fails in between is for the caller to wrap in
    ``reporting``, as it may have other causes.
    """
    target = _real(path)
    with reporting(path):
        _require_ordinary(path)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    with _part(path, target, private=private) as final:
        if complete is None:
            yield final
        else:
            with _part(path, target, private=private) as written:
                yield written
                complete(written, final)
        with reporting(path):
            final.replace(target)


@contextmanager
def replacing_folder(path: Path, ours: Callable[[str], bool], complete: Complete | None = None) -> Iterator[Path]:
    """Like ``replacing`` for a folder. An old folder is replaced only if ``ours`` accepts every name in it.

    Raises OutputError when the folder holds anything else, so that a slip of the hand deletes nothing.
    """
    target = _real(path)
    _require_replaceable(path, target, ours)
    with _part(path, target, folder=True) as temporary:
        yield temporary
        if complete is not None:
            complete(temporary, temporary)
        _require_replaceable(path, target, ours)
        with reporting(path):
            swap_folder(temporary, target)


def require_place(path: Path, *, folder: bool = False) -> None:
    """Before any work: raise OutputError where ``replacing`` or ``replacing_folder`` would, as far as that can be known."""
    with reporting(path):
        _require_ordinary(path)
        if path.is_dir() and not folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        Part.beside(_real(path), folder=folder).remove()


@contextmanager
def _part(path: Path, target: Path, *, folder: bool = False, private: bool = False) -> Iterator[Path]:
    with reporting(path):
        part = Part.beside(target, folder=folder, private=private)
    try:
        yield part.path
    finally:
        part.remove()


def _real(path: Path) -> Path:
    """Where ``path`` leads: writing through a link changes what it points to, not the link."""
    return Path(os.path.realpath(path))


def _require_ordinary(path: Path) -> None:
    """Refuses what is neither file nor folder: a pipe or a device would be replaced by a file, which is never meant."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        noun = "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
        raise OutputError(f"{path} is a {noun}, which cannot hold a finished file; give the name of an ordinary file")


def _require_replaceable(path: Path, target: Path, ours: Callable[[str], bool]) -> None:
    with reporting(path):
        _require_ordinary(path)
        if not target.exists():
            return
        if not target.is_dir():
            raise OutputError(f"{path} is a file; give the name of a folder for the frames")
        strangers = sorted(entry.name for entry in target.iterdir() if entry.is_dir() or not ours(entry.name))
    if strangers:
        raise OutputError(f"the folder {path} holds other files ({strangers[0]}); choose a new or empty folder")
