"""Optional parts, and the command that brings one."""

from __future__ import annotations


def install(*extras: str) -> str:
    """The command, for a sentence. The name is in no package index, so it is installed from the folder of its source."""
    return f'pip install ".[{",".join(extras)}]" in the folder of this repository'
