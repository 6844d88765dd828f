"""Synthetic finish: networks that learnt from rendered people, made any portrait's own by the colours of its patches at rest.

`training.finish.shared` makes ``weights/finish.npz``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from vivant.errors import InputError
from vivant.face import Face, RigFace
from vivant.finish.network import N_MOTION, Arrays, Finish
from vivant.finish.region import regions
from vivant.finish.renderer import REST, lifted
from vivant.provenance.settings import Settings
from vivant.rig.canonical import N_SURFACE
from vivant.size import USUAL_SIDE_PX
from vivant.types import Float32Array, FloatArray

GRID = (2, 3)
"""Rows and columns of a patch at rest, of whose mean colours a network is told."""
N_PORTRAIT = 3 * GRID[0] * GRID[1]
LUMA = np.array((0.2126, 0.7152, 0.0722), np.float32)
"""Of linear light, by ITU-R BT.709; here only a weighting."""
GREY = np.ones(3, np.float32)
"""Tone of grey pictures."""
USUAL_CHROMA = 0.015
"""Mean distance of a patch's colours from shades of one colour, of 1, from which on colours are painted as they were learnt:
about the least of a photograph here; pictures in grey or sepia have .003 and less. Chosen."""


class FinishKind(StrEnum):
    """What is painted over a rig that has no personal finish."""

    NONE = "none"
    SYNTHETIC = "synthetic"


def wanted(said: FinishKind | None = None) -> FinishKind:
    """What was said, or else the setting ``finish``, or none. Raises InputError for a setting that is neither."""
    if said is not None:
        return said
    setting = Settings.load().finish or FinishKind.NONE
    try:
        return FinishKind(setting)
    except ValueError as error:
        raise InputError(f"the setting finish is {' or '.join(FinishKind)}, got {setting!r}") from error


def finished(face: Face, kind: FinishKind | None = None) -> Face:
    """The same face with the finish that is `wanted`; one that was learnt from a film stays.

    Raises InputError where one is asked for that cannot be, and UnavailableError without onnxruntime.
    """
    if wanted(kind) is FinishKind.NONE:
        return face
    if isinstance(face, RigFace):
        return face if face.rig.finish else worn(face, shared())
    if kind is not None:
        raise InputError(f"--finish is for faces that Vivant draws itself, not for {face.name}")
    return face


def worn(face: RigFace, networks: Mapping[str, Arrays]) -> RigFace:
    """The same face with what ``networks`` paint, in its own colours."""
    renderer, parts = face.open_rig(USUAL_SIDE_PX), {}
    pixels = renderer.render(REST).pixels
    rest = renderer.places(N_SURFACE)
    for part, wide in networks.items():
        patches = []
        for region in regions(part, rest):
            patch = lifted(pixels, region.place(rest).numbers(), np.zeros(region.spot.size_px[::-1], np.float32))[:3]
            patches.append(patch[..., ::-1] if region.spot.mirrored else patch)
        portrait, every = np.mean([portrait_of(patch) for patch in patches], 0), np.concatenate(patches, 1)
        tone = tone_of(every)
        parts[part] = folded(wide, portrait, tone, min(1.0, chroma(every, tone) / USUAL_CHROMA))
    return RigFace(replace(face.rig, finish=Finish(parts)), face.source, face.consent)


@cache
def shared() -> Mapping[str, Arrays]:
    """The networks that come with Vivant, by parts."""
    with as_file(files("vivant") / "weights" / "finish.npz") as path:
        return load_shared(path)


def load_shared(path: Path) -> dict[str, Arrays]:
    """Networks of a file, by parts: arrays as `network.SHAPES`, wider by `N_PORTRAIT` where a motion is told."""
    found: dict[str, Arrays] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name, array in archive.items():
            part, _, layer = name.partition(".")
            found.setdefault(part, {})[layer] = array
    return found


def portrait_of(patch: Float32Array) -> Float32Array:
    """(`N_PORTRAIT`,) what a network is told of a patch (3 or more, height, width) at rest: mean colours, -.5 to .5."""
    rows, columns = GRID
    height, width = patch.shape[1] // rows, patch.shape[2] // columns
    tiles = patch[:3, : rows * height, : columns * width].reshape(3, rows, height, columns, width)
    told: Float32Array = (tiles.mean(axis=(2, 4)) - 0.5).ravel().astype(np.float32)
    return told


def tone_of(patch: Float32Array) -> Float32Array:
    """(3,) the colour of whose shades a patch (3 or more, height, width) is nearest to, with a luma of 1: (1, 1, 1) of a grey
    one."""
    luma = np.tensordot(LUMA, patch[:3], 1)
    tone: Float32Array = (patch[:3] * luma).sum(axis=(1, 2)) / max(float((luma * luma).sum()), 1e-6)
    return tone


def chroma(patch: Float32Array, tone: Float32Array) -> float:
    """How colourful a patch (3 or more, height, width) is: mean distance from shades of that colour."""
    luma = np.tensordot(LUMA, patch[:3], 1)
    return float(np.abs(patch[:3] - tone[:, None, None] * luma).mean())


def folded(wide: Arrays, portrait: FloatArray, tone: FloatArray, colours: float) -> Arrays:
    """Plain arrays for one portrait: what it is told of that into the biases, and colours no livelier than its own are.

    ``colours`` 1 leaves them as they were learnt; at 0 what is painted is changed along ``tone`` alone, so that a grey picture
    stays grey, and a sepia one sepia.
    """
    own: dict[str, FloatArray] = {name: array.astype(np.float32) for name, array in wide.items()}
    for layer in ("motion_middle", "motion_coarse"):
        weight = own[f"{layer}.weight"]
        own[f"{layer}.weight"], beside = weight[:, :N_MOTION], weight[:, N_MOTION:]
        own[f"{layer}.bias"] = own[f"{layer}.bias"] + beside @ portrait
    for name in ("leave.weight", "leave.bias"):  # of which the first three planes are the changes of red, green and blue
        planes = own[name].reshape(4, -1)
        shades = np.outer(tone, LUMA @ planes[:3])
        planes[:3] = shades + colours * (planes[:3] - shades)
        own[name] = planes.reshape(own[name].shape)
    return {name: array.astype(np.float16) for name, array in own.items()}
