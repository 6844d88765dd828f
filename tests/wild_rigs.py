"""Rigs with wild numbers, drawn in a process of their own: ``python -m tests.wild_rigs RIG SEED COUNT``.

Each seed changes the arrays of the rig file and draws what the kernel accepts, at several sizes and with wild motions. Anything
but a picture or an InputError ends the process; the seed is the last thing it said. At the end it counts both.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.face import RigFace
from vivant.render._kernel import Renderer
from vivant.rig.rig import Rig
from vivant.types import Float32Array, MotionFrame, arkit_weights

Array = NDArray[Any]
Change = Callable[[Array, np.random.Generator], Array]

WILD_FLOATS = (
    np.nan,
    np.inf,
    -np.inf,
    1e38,
    -1e38,
    3e9,
    1e6,
    -1e6,
    65536.0,
    511.99997,
    1e-40,
    -0.0,
    -1.0,
    0.9999999,
    0.5,
    3.0,
    40.0,
    -70.0,
    300.0,
)
WILD_INTS = (-(2**31), 2**31 - 1, -1, -2, -3, 0, 1, 7, 65536, 10**6)
BASES = (1.0, 500.0, 700.0, 8000.0, 4e5, -3e8)
TEXTURES = ((0, 0, 4), (1, 1, 4), (2, 2, 4), (3, 2, 4), (2, 16384, 4), (2, 16385, 4), (9, 9, 3), (9, 9), (9, 9, 4))
SIZES_PX = ((64, 64), (333, 200), (96, 450))
"""Width, height."""


def neighbouring(shape: tuple[int, ...], base: float, chance: np.random.Generator) -> Float32Array:
    """Each value one of two float32 with nothing between them: differences that vanish in sums."""
    low = np.float32(base)
    values: Float32Array = np.where(chance.random(shape) < 0.5, low, np.nextafter(low, np.float32(np.inf))).astype(np.float32)
    return values


def _special(array: Array, chance: np.random.Generator) -> float:
    return float(chance.choice(WILD_FLOATS if array.dtype.kind == "f" else WILD_INTS))


def _values(array: Array, chance: np.random.Generator) -> Array:
    """One to fifty of them."""
    array.reshape(-1)[chance.integers(0, array.size, chance.choice((1, 1, 3, 50)))] = _special(array, chance)
    return array


def _rows(array: Array, chance: np.random.Generator) -> Array:
    """A run of rows, in all columns or in one."""
    first = chance.integers(0, len(array))
    rows = slice(first, first + int(chance.choice((1, 5, 300, len(array)))))
    if array.ndim == 2 and chance.random() < 0.6:
        array[rows, chance.integers(0, array.shape[1])] = _special(array, chance)
    else:
        array[rows] = _special(array, chance)
    return array


def _scaled(array: Array, chance: np.random.Generator) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(array * chance.choice((-1.0, 0.5, 1.5, 2.0, 8.0, 30.0, 1e3, 1e20, 1e-9)), array.dtype)


def _jittered(array: Array, chance: np.random.Generator) -> Array:
    """A little or much, but in range."""
    noise = chance.standard_normal(array.shape) * chance.choice((0.1, 1.0, 5.0, 40.0))
    return np.asarray(array + noise, array.dtype)


def _near(array: Array, chance: np.random.Generator) -> Array:
    """All of it, or one column."""
    near = neighbouring(array.shape, float(chance.choice(BASES)), chance).astype(array.dtype)
    if array.ndim == 2 and chance.random() < 0.5:
        array[:, chance.integers(0, array.shape[1])] = near[:, 0]
        return array
    return near


def _bits(array: Array, chance: np.random.Generator) -> Array:
    return chance.integers(0, 2**32, array.shape, np.uint32).view(array.dtype) if array.dtype.itemsize == 4 else array


def _shuffled(array: Array, chance: np.random.Generator) -> Array:
    return chance.permutation(array) if chance.random() < 0.5 else array[:: -1 if chance.random() < 0.5 else 2]


def _cut(array: Array, chance: np.random.Generator) -> Array:
    return (array[:0], array[:1], array[:-1], array[1:], np.repeat(array, 2, axis=0), array[None], array[..., :-1])[
        chance.integers(7)
    ]


def _retyped(array: Array, chance: np.random.Generator) -> Array:
    kind = ("<f8", ">f4", "<i8", "u1", "?", "<c8", "U3", "f2")[chance.integers(8)]
    with np.errstate(all="ignore"):
        return np.asfortranarray(array) if chance.random() < 0.3 else array.real.astype(kind)


CHANGES: tuple[Change, ...] = (
    _values,
    _values,
    _rows,
    _rows,
    _scaled,
    _jittered,
    _jittered,
    _near,
    _bits,
    _shuffled,
    _cut,
    _retyped,
)


def changed(rig: Rig, chance: np.random.Generator) -> Rig:
    """The rig with one to four of its arrays changed."""
    arrays, textures = dict(rig.arrays), list(rig.textures)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        name = str(chance.choice(sorted(arrays)))
        change = CHANGES[chance.integers(len(CHANGES))]
        if arrays[name].size and arrays[name].dtype.kind in "fi":
            arrays[name] = change(arrays[name].copy(), chance)
    if chance.random() < 0.15:
        shape = TEXTURES[chance.integers(len(TEXTURES))]
        textures[chance.integers(len(textures))] = chance.integers(0, 256, shape, np.uint8)
    return replace(rig, arrays=arrays, textures=tuple(textures), transparent=bool(chance.integers(2)))


def far_depths(rig: Rig, chance: np.random.Generator) -> Rig:
    """All vertices at two neighbouring depths, so far away that their sums of three are rounded."""
    arrays = {name: array.copy() for name, array in rig.arrays.items()}
    arrays["camera"][2] = 1e6
    arrays["rest"][:, 2] = neighbouring((len(arrays["rest"]),), float(chance.choice((1e4, 1e5, 3e3, 4e5))), chance)
    for name in ("moves", "head", "body", "eye_ranges"):
        arrays[name] *= 0
    return replace(rig, arrays=arrays)


def runaway_links(rig: Rig, chance: np.random.Generator) -> Rig:
    """Two vertices that take over each other's displacement until it is infinite."""
    pair = chance.choice(len(rig.arrays["rest"]), 2, replace=False)
    links = np.resize(np.array((pair, pair[::-1]), np.int32), (400, 2))
    return replace(rig, arrays=rig.arrays | {"links": np.concatenate([links, rig.arrays["links"]])})


def repeated_moves(rig: Rig, chance: np.random.Generator) -> Rig:
    """Each move counts a hundred times."""
    return replace(rig, arrays=rig.arrays | {"move_blocks": np.repeat(rig.arrays["move_blocks"], 100, axis=0)})


def wild_motion(
    chance: np.random.Generator,
) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array, Float32Array]:
    """Weights, tongue, pose, gaze and body, some of them no numbers."""
    vectors = tuple((chance.standard_normal(n) * chance.choice((0.1, 1, 10))).astype(np.float32) for n in (52, 2, 6, 2, 6))
    for vector in vectors:
        if chance.random() < 0.3:
            vector[chance.integers(0, len(vector), 3)] = chance.choice(WILD_FLOATS)
    return vectors[0], vectors[1], vectors[2], vectors[3], vectors[4]


def draw(rig: Rig, chance: np.random.Generator) -> None:
    """What the kernel accepts, it draws the same way twice; so does the whole way through a face."""
    scene = rig.scene()
    for width, height in SIZES_PX:
        motion, closed = wild_motion(chance), bool(chance.integers(2))
        pictures = np.zeros((2, height, width, 4), np.uint8)
        for picture in pictures:
            Renderer(scene, width, height, closed).render(*motion, picture)
        assert np.array_equal(*pictures), "two renderers draw different pictures"
    face = RigFace(rig).open(64)
    for weights in (arkit_weights(), np.ones(52, np.float32)):
        face.render(MotionFrame(0, 0, weights))


def main(path: str, seed: str, count: str) -> None:
    """Every special rig once per hundred changed ones."""
    rig, results = Rig.load(Path(path)), Counter[str]()
    for number in range(int(seed), int(seed) + int(count)):
        chance = np.random.default_rng(number)
        change = {0: far_depths, 1: runaway_links, 2: repeated_moves, 3: far_depths}.get(number % 100, changed)
        print(f"seed {number}", flush=True)
        try:
            draw(change(rig, chance), chance)
            results["drawn"] += 1
        except InputError as error:
            assert "\n" not in str(error)
            results["refused"] += 1
    print(dict(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
