"""``vivant uninstall``: what Vivant has kept on this machine, gone after a question."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import say
from vivant.errors import InputError, OutputError
from vivant.provenance.settings import FILE, config_folder, manner_folder
from vivant.rig.cache import cache_folder
from vivant.sealed.onnx import leftovers, remove_leftovers

KEPT_PORTRAITS = ("*.vivant", "*.consent.json", "*.liveportrait.npz", "learning/*/*", ".*.part-*")
KEYS_AND_SETTINGS = (
    FILE, "studio.json", "certificate.pem", "certificate.pem.old*", "key.pem", "key.pem.old*", "rigs.secret",
    "*.token", "*.lock", ".*.part-*",
)  # fmt: skip
MANNERS = ("*.manner", ".*.part-*")
"""Whatever else lies in these folders is not ours, and stays."""
BY_HAND = {
    "linux": (
        "sudo rm -f /etc/modules-load.d/vivant.conf /etc/modprobe.d/vivant.conf && sudo modprobe -r v4l2loopback   (camera)",
        "pactl unload-module module-remap-source; pactl unload-module module-null-sink   (cable, if nothing else uses these)",
    ),
    "win32": ("OBS Studio and VB-CABLE, in Settings > Apps, if nothing else uses them",),
    "darwin": ("brew uninstall --cask obs && brew uninstall blackhole-2ch   (if nothing else uses them)",),
}


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what Vivant keeps on this machine: rigs and consents, keys, settings, and what onnxruntime left; asks before."""
    found = list(_kept_files())
    for path in found:
        say(f"  {path}")
    say(f"{len(found)} files of Vivant's" if found else "nothing of Vivant's is kept here")
    if found and (yes or _agreed()):
        _delete(found)
    say("by hand, if you set them up:")
    for step in (
        *BY_HAND.get(sys.platform, ()),
        "the package com.vivant.face, in Unity's Package Manager",
        "pip uninstall vivant",
    ):
        say(f"  {step}")


def _kept_files() -> Iterator[Path]:
    for folder, patterns in (
        (cache_folder(), KEPT_PORTRAITS),
        (config_folder(), KEYS_AND_SETTINGS),
        (manner_folder(), MANNERS),
    ):
        for pattern in patterns:
            yield from sorted(path for path in folder.glob(pattern) if path.is_file() or path.is_symlink())
    yield from leftovers()


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked; give --yes to delete these files")
    return typer.confirm("delete them? What was signed with the key stays signed, but nothing more can be")


def _delete(found: list[Path]) -> None:
    """The files, then folders that are empty and ours by their names."""
    gone = remove_leftovers()
    for path in found:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path} could not be deleted: {error.strerror or error}") from error
    learning = cache_folder() / "learning"
    own = (*learning.glob("*"), learning, cache_folder(), cache_folder().parent, manner_folder(), config_folder())
    for folder in own:
        if folder.name in ("rigs", "vivant", "manners") or learning in (folder, folder.parent):
            with suppress(OSError):  # somebody else's files are in it
                folder.rmdir()
    say(f"deleted {len(found)} files, {gone} of them onnxruntime's")
