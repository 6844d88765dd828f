"""Optional parts: the command that brings one, and what it brings."""

from __future__ import annotations

from importlib.metadata import requires

NETWORKS = "onnxruntime"
"""The distribution that runs networks on the processor; one of `FLAVOURS`, which all write into one folder."""
GPU_NETWORKS = "onnxruntime-gpu"
FLAVOURS = (NETWORKS, GPU_NETWORKS, "onnxruntime-directml")


def install(*extras: str) -> str:
    """The command, for a sentence. The name is in no package index, so it is installed from the folder of its source."""
    return f'pip install ".[{",".join(extras)}]" in the folder of this repository'


def requirements(extra: str) -> list[str]:
    """What an extra brings besides the core, as pip takes it: so a part can be added where no source is at hand."""
    parted = (text.partition(";") for text in requires("vivant") or [])
    return [name.strip() for name, _, marker in parted if marker.replace("'", '"').strip() == f'extra == "{extra}"']


def networks_requirement(flavour: str) -> str:
    """onnxruntime's own requirement under the name of one of its `FLAVOURS`, with the versions that are known to be silent."""
    found = next(text for text in requires("vivant") or [] if text.startswith(NETWORKS))
    return flavour + found.removeprefix(NETWORKS).partition(";")[0].strip()
