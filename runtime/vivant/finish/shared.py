"""Shared finish: one network for every portrait, made into one portrait's own plain arrays before anything is drawn.

It was trained on rendered people (``training/finish/shared.py``) and is told of the portrait what `portrait_of` says:
the colours of the patch at rest. Those are the same in every frame, so they are folded into biases once, and what is
drawn with is a `Finish` like one that was learnt from a film.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np

from vivant.face import RigFace, open_portrait
from vivant.finish.network import N_MOTION, PARTS, Arrays, Finish
from vivant.finish.region import regions
from vivant.finish.renderer import REST, lifted
from vivant.media.sources import PictureSource
from vivant.portrait import PortraitAnalyser
from vivant.rig.build import Progress
from vivant.rig.canonical import N_SURFACE
from vivant.size import USUAL_SIDE_PX
from vivant.types import Float32Array, FloatArray

GRID = (2, 3)
"""Rows and columns of a patch at rest, of whose mean colours a network is told."""
N_PORTRAIT = 3 * GRID[0] * GRID[1]
LUMA = np.array((0.2126, 0.7152, 0.0722), np.float32)
"""Of linear light, by ITU-R BT.709; here only a weighting."""
USUAL_CHROMA = 0.06
"""Mean distance of a patch's colours from their grey, of 1, from which on colours are painted as they were learnt; a grey
picture has 0. Chosen."""


def portrait_of(patch: Float32Array) -> Float32Array:
    """(`N_PORTRAIT`,) what a network is told of a patch (3 or more, height, width) at rest: mean colours, -.5 to .5."""
    rows, columns = GRID
    height, width = patch.shape[1] // rows, patch.shape[2] // columns
    tiles = patch[:3, : rows * height, : columns * width].reshape(3, rows, height, columns, width)
    told: Float32Array = (tiles.mean(axis=(2, 4)) - 0.5).ravel().astype(np.float32)
    return told


def chroma(patch: Float32Array) -> float:
    """How colourful a patch (3 or more, height, width) is: mean distance from its grey."""
    grey = np.tensordot(LUMA, patch[:3], 1)
    return float(np.abs(patch[:3] - grey).mean())


def folded(wide: Arrays, portrait: FloatArray, colours: float) -> Arrays:
    """Plain arrays for one portrait: what it is told of that into the biases, and colours no livelier than its own are.

    ``colours`` 1 leaves them as they were learnt; at 0 what is painted changes no hue, so that a grey picture stays grey.
    """
    own: dict[str, FloatArray] = {name: array.astype(np.float32) for name, array in wide.items()}
    for layer in ("motion_middle", "motion_coarse"):
        weight = own[f"{layer}.weight"]
        own[f"{layer}.weight"], beside = weight[:, :N_MOTION], weight[:, N_MOTION:]
        own[f"{layer}.bias"] = own[f"{layer}.bias"] + beside @ portrait
    for name in ("leave.weight", "leave.bias"):  # of which the first three planes are the changes of red, green and blue
        planes = own[name].reshape(4, -1)
        grey = LUMA @ planes[:3]
        planes[:3] = grey + colours * (planes[:3] - grey)
        own[name] = planes.reshape(own[name].shape)
    return {name: array.astype(np.float16) for name, array in own.items()}


def open_finished(
    source: PictureSource,
    *,
    face: int = 1,
    transparent: bool = False,
    analyser: PortraitAnalyser | None = None,
    progress: Progress = lambda _: None,
) -> RigFace:
    """As `vivant.open_portrait`; what has no finish of its own gets the shared one."""
    opened = open_portrait(source, face=face, transparent=transparent, analyser=analyser, progress=progress)
    return opened if opened.rig.finish else with_shared_finish(opened)


def with_shared_finish(face: RigFace) -> RigFace:
    """The same face with the shared finish, in its own colours."""
    return RigFace(replace(face.rig, finish=Finish(arrays_for(face))), face.source, face.consent)


def arrays_for(face: RigFace) -> dict[str, Arrays]:
    """Plain arrays of each part for one portrait."""
    renderer = face.open_rig(USUAL_SIDE_PX)
    pixels = renderer.render(REST).pixels
    rest = renderer.places(N_SURFACE)
    found = {}
    for part, wide in shipped().items():
        patches = []
        for region in regions(part, rest):
            patch = lifted(pixels, region.place(rest).numbers(), np.zeros(region.spot.size_px[::-1], np.float32))[:3]
            patches.append(patch[..., ::-1] if region.spot.mirrored else patch)
        portrait = np.mean([portrait_of(patch) for patch in patches], 0)
        colours = min(1.0, max(chroma(patch) for patch in patches) / USUAL_CHROMA)
        found[part] = folded(wide, portrait, colours)
    return found


@cache
def shipped() -> Mapping[str, Arrays]:
    """What was trained, by parts."""
    with (files("vivant") / "weights" / "shared_finish.npz").open("rb") as stream, np.load(stream) as archive:
        names = [name.partition(".") for name in archive.files]
        return {part: {layer: archive[f"{part}.{layer}"] for own, _, layer in names if own == part} for part in PARTS}
