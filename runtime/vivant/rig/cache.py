"""Rigs that were built once are kept on this machine, under the hash of their portrait, and nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from vivant.errors import InputError, OutputError
from vivant.media.atomic import replacing
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.portrait.analyser import OURS
from vivant.private import FILE_MODE, private_folder, user_folder
from vivant.provenance.settings import Settings
from vivant.rig.build import BUILDER_VERSION, Progress, build_rig
from vivant.rig.rig import Rig
from vivant.rig.seal import is_sealed, seal

log = logging.getLogger(__name__)
NOT_OURS = "the rig that was kept of this portrait is damaged or not as this machine built it, so it was built again"
OTHER_VERSION = "the rig that was kept of this portrait is another version's, so it was built again"


@dataclass(frozen=True)
class KeptRig:
    """One file of the cache."""

    path: Path
    portrait: str
    """Name of the image file it was built from, or a short hash when there was none."""
    size_bytes: int


def cache_folder() -> Path:
    """Where rigs are kept; created by the first one. ``VIVANT_CACHE_DIR`` moves it."""
    return user_folder("VIVANT_CACHE_DIR", platformdirs.user_cache_dir) / "rigs"


def cached_rig(
    image: PortraitImage,
    analyser: PortraitAnalyser | None,
    *,
    name: str,
    face_number: int,
    transparent: bool,
    progress: Progress,
) -> Rig:
    """The kept rig of this portrait, or a new one that is then kept. A kept file that cannot be read is built again.

    ``analyser`` None asks for the default one, made only when a rig has to be built.
    """
    kind = ("cutout" if transparent else "whole") + (f"-face{face_number}" if face_number != 1 else "")
    if analyser is not None and analyser.name != OURS:
        kind += f"-{hashlib.sha256(analyser.name.encode()).hexdigest()[:8]}"
    path = cache_folder() / f"{image.sha256[:24]}-{kind}-{BUILDER_VERSION}.vivant"
    why = NOT_OURS if path.exists() else OTHER_VERSION if _of_other_versions(path) else None
    if why is NOT_OURS:
        kept = _kept(path, image.sha256, transparent=transparent)
        if kept is not None:
            _touch(path)
            log.info("opened a kept rig (%s)", kind)
            return kept
        log.info("a kept rig (%s) cannot be used and is built again", kind)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    if analyser is None:
        progress("loading the networks")
        analyser = default_analyser()
    rig = build_rig(image, analyser, name=name, face_number=face_number, transparent=transparent, progress=progress)
    log.info("built a rig (%s) of %d arrays on %s", kind, len(rig.arrays), analyser.provider)
    _keep(rig, path)
    return rig if why is None else replace(rig, notes=(*rig.notes, why))


def _of_other_versions(path: Path) -> bool:
    """Whether one of the same kind is kept under another number; it stays for its own version, until room is needed."""
    stem = path.stem.removesuffix(str(BUILDER_VERSION))
    numbers = (other.stem.removeprefix(stem) for other in path.parent.glob(f"{stem}*.vivant"))
    return any(number.isdecimal() for number in numbers)


def _kept(path: Path, sha256: str, *, transparent: bool) -> Rig | None:
    """None for a file that cannot be read, that this machine did not build as it is, or of another portrait or kind."""
    with contextlib.suppress(InputError, OSError):
        rig = Rig.load(path)
        if is_sealed(path.read_bytes()) and (rig.portrait_sha256, rig.transparent) == (sha256, transparent):
            return rig
    return None


def _keep(rig: Rig, path: Path) -> None:
    """A cache that cannot be written is only slower next time."""
    with contextlib.suppress(OSError, OutputError):
        private_folder(path.parent)
        with replacing(path, private=True) as part:
            rig.save(part)
            seal(part)
        _make_room(path, Settings.load().cache_mb * 1_000_000)


def _touch(path: Path) -> None:
    """The one used last is the last to go; and where others could read here, they no longer can."""
    with contextlib.suppress(OSError):
        private_folder(path.parent)
        path.chmod(FILE_MODE)
        os.utime(path)


def _make_room(newest: Path, most_bytes: int) -> None:
    """Delete what was not used for longest until the rest fits; ``newest`` stays, whatever its size."""
    kept = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in newest.parent.glob("*.vivant"))
    excess = sum(size for _, size, _ in kept) - most_bytes
    for _, size, path in kept:
        if excess > 0 and path != newest:
            path.unlink(missing_ok=True)
            excess -= size
            log.info("gave up a kept rig of %d bytes to make room", size)


def kept_rigs() -> list[KeptRig]:
    """Everything in the cache, by portrait name."""
    found = []
    for path in sorted(cache_folder().glob("*.vivant")):
        try:
            portrait = Rig.read_header(path)["portrait_name"]
        except InputError:
            portrait = "unreadable"
        found.append(KeptRig(path, str(portrait) or path.stem[:12], path.stat().st_size))
    return sorted(found, key=lambda kept: kept.portrait)


def clear_rigs() -> int:
    """Delete everything in the cache; returns how many files went."""
    kept = kept_rigs()
    for rig in kept:
        rig.path.unlink(missing_ok=True)
    for pattern in ("*.consent.json", "*.liveportrait.npz"):  # who the portrait showed is forgotten with it
        for beside in cache_folder().glob(pattern):
            beside.unlink(missing_ok=True)
    shutil.rmtree(cache_folder() / "learning", ignore_errors=True)  # patches of films, of what was broken off
    return len(kept)
