"""``vivant setup``."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from vivant.commands.options import console, say
from vivant.errors import InputError
from vivant_bridge.health.diagnose import Finding, findings
from vivant_bridge.health.mend import Step, networks_step, steps
from vivant_bridge.health.probe import gather, installed_flavours


def setup(
    gpu: Annotated[
        bool | None,
        typer.Option("--gpu/--no-gpu", help="Only this: onnxruntime-gpu in the place of onnxruntime, or the other way round."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, not even before what needs root.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the commands, and run none.")] = False,
) -> None:
    """Do what `vivant doctor` prints: one command after the other, each after a question that says whether it needs root.

    Exits with 1 when something is left to mend.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise InputError("nobody is there to be asked; --yes runs the commands, --dry-run shows them")
    with TemporaryDirectory() as downloads:
        if gpu is None:
            _mend(Path(downloads), yes, dry_run)
        elif not _do(networks_step(installed_flavours(), Path(downloads), gpu=gpu), yes, dry_run):
            raise typer.Exit(1)


def _mend(downloads: Path, yes: bool, dry_run: bool) -> None:
    """In rounds, for one remedy may bring another fault to light; no command runs twice."""
    tried: set[str] = set()
    found = _look()
    while new := [step for step in steps(found, installed_flavours(), downloads) if step.command not in tried]:
        for step in new:
            tried.add(step.command)
            _do(step, yes, dry_run)
        if dry_run:
            break
        found = _look()
    left = [finding for finding in found if not finding.good and not (dry_run and finding.runs)]
    for finding in left:
        say(f"by hand: {finding.what}\n     {finding.remedy}")
    if not dry_run:
        say("all is well" if not left else f"{len(left)} left to mend")
        raise typer.Exit(1 if left else 0)


def _look() -> list[Finding]:
    importlib.invalidate_caches()  # what a step installed is found
    with console.status("looking around"):
        return findings(gather())


def _do(step: Step, yes: bool, dry_run: bool) -> bool:
    """Show the step, ask, run it; False where it failed or was not wanted."""
    say(f"{step.what}{'   (needs root)' if step.needs_root else ''}\n     {step.command}")
    if dry_run:
        return True
    if not (yes or typer.confirm("run this?")):
        return False
    done = (replace(step, command=step.unasked()) if yes else step).run()
    if not done:
        say("     that command failed; nothing else depends on it")
    return done
