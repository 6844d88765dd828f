"""Show or delete the rigs that were kept."""

from __future__ import annotations

import typer

from vivant.commands.options import say
from vivant.rig.cache import cache_folder, clear_rigs, kept_rigs
from vivant.sealed.onnx import remove_leftovers

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.command("list")
def list_kept() -> None:
    """Every portrait of which a rig is kept, with its size."""
    kept = kept_rigs()
    for rig in kept:
        say(f"{rig.size_bytes / 1e6:7.1f} MB  {rig.portrait}  ({rig.path.name})")
    say(f"{len(kept)} rigs in {cache_folder()}")


@app.command()
def clear() -> None:
    """Delete every kept rig, and with them the portraits they were built from; and what onnxruntime's telemetry once left."""
    say(f"deleted {clear_rigs()} rigs from {cache_folder()}")
    if gone := remove_leftovers():
        say(f"deleted {gone} files of onnxruntime's telemetry, which Vivant keeps switched off")
