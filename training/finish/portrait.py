"""A shared network made into one portrait's own finish: plain arrays, as those learnt from a film are.

python -m training.finish.portrait WEIGHTS PORTRAIT -o OUT.vivant

WEIGHTS is a folder with what `training.finish.shared` trained. Its networks are told of the portrait what `portrait_of` says:
the colours of the patch at rest. Those are the same in every frame, so they are folded into biases once. OUT.vivant is a
portrait like any other, and draws no slower than one with a personal finish.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vivant.face import RigFace, open_portrait
from vivant.finish.network import N_MOTION, PARTS, Arrays, Finish
from vivant.finish.region import regions
from vivant.finish.renderer import REST, lifted
from vivant.rig.canonical import N_SURFACE
from vivant.rig.seal import seal
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


def finished(face: RigFace, shared: Mapping[str, Arrays]) -> RigFace:
    """The same face with a shared finish, in its own colours."""
    renderer, parts = face.open_rig(USUAL_SIDE_PX), {}
    pixels = renderer.render(REST).pixels
    rest = renderer.places(N_SURFACE)
    for part, wide in shared.items():
        patches = []
        for region in regions(part, rest):
            patch = lifted(pixels, region.place(rest).numbers(), np.zeros(region.spot.size_px[::-1], np.float32))[:3]
            patches.append(patch[..., ::-1] if region.spot.mirrored else patch)
        portrait = np.mean([portrait_of(patch) for patch in patches], 0)
        parts[part] = folded(wide, portrait, min(1.0, max(chroma(patch) for patch in patches) / USUAL_CHROMA))
    return RigFace(replace(face.rig, finish=Finish(parts)), face.source, face.consent)


def trained(folder: Path) -> dict[str, Arrays]:
    """What `training.finish.shared` left in a folder, by parts."""
    found = {}
    for part in PARTS:
        if (path := folder / f"{part}.npz").exists():
            with np.load(path) as archive:
                found[part] = dict(archive)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("portrait", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args(argv)
    finished(open_portrait(args.portrait), trained(args.weights)).rig.save(args.out)
    seal(args.out)


if __name__ == "__main__":
    main()
