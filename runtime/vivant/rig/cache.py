"""Rigs that were built once are kept on this machine, under the hash of their portrait, and nowhere else."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vivant.errors import InputError, OutputError
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.rig.build import BUILDER_VERSION, Progress, build_rig
from vivant.rig.rig import Rig


@dataclass(frozen=True)
class KeptRig:
    """One file of the cache."""

    path: Path
    portrait: str
    """Name of the image file it was built from, or a short hash when there was none."""
    size_bytes: int


def cache_folder() -> Path:
    """Where rigs are kept; created by the first one. ``VIVANT_CACHE_DIR`` moves it."""
    import os

    chosen = os.environ.get("VIVANT_CACHE_DIR")
    return (Path(chosen) if chosen else Path(platformdirs.user_cache_dir("vivant", appauthor=False))) / "rigs"


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
    path = cache_folder() / f"{image.sha256[:24]}-{kind}-{BUILDER_VERSION}.vivant"
    if path.exists():
        try:
            return Rig.load(path)
        except InputError:
            path.unlink(missing_ok=True)
    if analyser is None:
        progress("loading the networks")
        analyser = default_analyser()
    rig = build_rig(image, analyser, name=name, face_number=face_number, transparent=transparent, progress=progress)
    with contextlib.suppress(OSError, OutputError):  # a cache that cannot be written is only slower next time
        path.parent.mkdir(parents=True, exist_ok=True)
        rig.save(path)
    return rig


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
    for answer in cache_folder().glob("*.consent.json"):  # who the portrait showed is forgotten with it
        answer.unlink(missing_ok=True)
    return len(kept)
