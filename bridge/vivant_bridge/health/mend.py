"""Remedies as commands: what `vivant setup` runs for what the doctor found."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vivant.extras import GPU_NETWORKS, NETWORKS, networks_requirement, requirements
from vivant_bridge.health.diagnose import PLAIN_NETWORKS, Finding


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and why."""

    what: str
    command: str
    """As a shell of this system takes it."""

    @property
    def needs_root(self) -> bool:
        """Whether it asks for more than a user's rights."""
        return "sudo" in self.command.split()

    def unasked(self) -> str:
        """The command as it runs where nobody can answer a package manager."""
        return self.command.replace("sudo apt install ", "sudo apt install -y ")

    def run(self) -> bool:
        """On this terminal; True when it succeeded."""
        return subprocess.run(self.command, shell=True, check=False).returncode == 0


def steps(found: Iterable[Finding], installed: tuple[str, ...], folder: Path) -> Iterator[Step]:
    """The commands for what is bad, in the doctor's order; ``installed`` are the distributions of onnxruntime here, and
    ``folder`` is for downloads."""
    for finding in found:
        if finding.good:
            continue
        if finding.extra:
            yield Step(finding.what, pip("install", *requirements(finding.extra)))
        elif finding.fix == PLAIN_NETWORKS:
            yield networks_step(installed, folder, gpu=False)
        elif finding.fix:
            yield Step(finding.what, finding.fix)


def networks_step(installed: tuple[str, ...], folder: Path, *, gpu: bool) -> Step:
    """One distribution of onnxruntime in the place of all that are here: they share a folder, so the others go first, and not
    before the new one has been fetched."""
    wanted = networks_requirement(GPU_NETWORKS if gpu else NETWORKS)
    commands = [pip("download", "--quiet", "--no-deps", "--dest", str(folder), wanted)]
    commands += [pip("uninstall", "--yes", *installed)] if installed else []
    commands += [pip("install", "--find-links", str(folder), wanted)]
    return Step(f"networks are to run by {wanted}", " && ".join(commands))


def pip(*arguments: str) -> str:
    """That of this environment, whatever is called ``pip`` on the path."""
    words = [sys.executable, "-m", "pip", *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
