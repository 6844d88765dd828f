"""Finish network: plain arrays of one fixed architecture, and what runs them.

A file holds the arrays alone; the graph that they are put into is ours (``weights/finish.onnx``, made by
``training/finish/graph.py``), so a rig of somebody else's runs no code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivant.plain import plain
from vivant.providers import Network, Provider, load_network

N_MOTION = 23
"""Numbers of a motion that a network is told; `region.Region.told`."""
WIDTHS = (24, 48, 96)
"""Channels at half, quarter and eighth of a patch's resolution."""
_FINE, _MIDDLE, _COARSE = WIDTHS
LAYERS: Mapping[str, tuple[int, ...]] = {
    "enter": (_FINE, 4, 4, 4),
    "down_middle": (_MIDDLE, _FINE, 3, 3),
    "middle": (_MIDDLE, _MIDDLE, 3, 3),
    "down_coarse": (_COARSE, _MIDDLE, 3, 3),
    "coarse_in": (_COARSE, _COARSE, 3, 3),
    "coarse_out": (_COARSE, _COARSE, 3, 3),
    "up_middle": (_MIDDLE, _COARSE + _MIDDLE, 3, 3),
    "up_fine": (_FINE, _MIDDLE + _FINE, 3, 3),
    "leave": (16, _FINE, 3, 3),
    "motion_middle": (_MIDDLE, N_MOTION),
    "motion_coarse": (_COARSE, N_MOTION),
}
"""Shape of each layer's weights, (outputs, inputs, height, width) of a convolution; each has a bias for each output, too."""
STRIDES: Mapping[str, int] = {"enter": 2, "down_middle": 2, "down_coarse": 2}
SLOPE = 0.1
"""Of the leaky rectifiers, below zero."""
SHAPES: Mapping[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in LAYERS.items()} | {
    f"{name}.bias": shape[:1] for name, shape in LAYERS.items()
}
PARTS = ("mouth", "eyes")
"""Each with its own network."""
PREFIX = "finish."
"""Of the arrays' names in a file: ``finish.mouth.enter.weight``."""
MOST_CHARS = 80
"""Of a word that a file says."""
Arrays = dict[str, NDArray[np.float16]]


@dataclass(frozen=True)
class FinishCard:
    """What a finish says of itself."""

    consent: str = ""
    """Who the film showed, as `vivant.provenance.consent.Consent`."""
    film_sha256: str = ""
    seconds: float = 0.0
    """Of film that it learnt from."""
    error_before: float = 0.0
    error_after: float = 0.0
    """Mean absolute CIELAB error inside the lips on the last third of the film, without and with it."""
    eyes_before: float = 0.0
    eyes_after: float = 0.0
    """The same around moved lids; 0 where no eyes were learnt."""

    @classmethod
    def of(cls, said: object) -> FinishCard:
        """From a file's header; whatever is none of these is left out."""
        known = said if isinstance(said, dict) else {}
        consent, film = (plain(known.get(name, ""), MOST_CHARS) for name in ("consent", "film_sha256"))
        figures = ("seconds", "error_before", "error_after", "eyes_before", "eyes_after")
        return cls(consent, film, *(_figure(known.get(name)) for name in figures))


def _figure(said: object) -> float:
    return float(said) if isinstance(said, int | float) and math.isfinite(said) else 0.0


@dataclass(frozen=True)
class Finish:
    """Finish of one portrait: for each part that was learnt its arrays, float16, named and shaped as `SHAPES`.

    Synthetic is one that saw no film, but rendered people.
    """

    parts: Mapping[str, Arrays]
    card: FinishCard = field(default_factory=FinishCard)

    @property
    def name(self) -> str:
        """For manifests."""
        return "personal finish" if self.card.seconds else "synthetic finish"

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], said: object = None) -> Finish | None:
        """From a file's arrays, without the prefix, and what it says of them; None where there are none.

        Raises ValueError for what is no finish.
        """
        parts: dict[str, Arrays] = {}
        for name, array in arrays.items():
            part, _, layer = name.partition(".")
            if part not in PARTS or layer not in SHAPES:
                raise ValueError(f"its finish has an unknown array {plain(name, MOST_CHARS)}")
            parts.setdefault(part, {})[layer] = _checked(name, array, SHAPES[layer])
        missing = [f"{part}.{layer}" for part in parts for layer in SHAPES if layer not in parts[part]]
        if missing:
            raise ValueError(f"its finish lacks {missing[0]}")
        return cls(parts, FinishCard.of(said)) if parts else None

    def arrays(self) -> Arrays:
        """For a file, without the prefix."""
        return {f"{part}.{name}": array for part, arrays in self.parts.items() for name, array in arrays.items()}

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays().values())


def blank() -> Finish:
    """One that paints each px in its own colour, and takes as long as any."""
    return Finish({part: {name: np.zeros(shape, np.float16) for name, shape in SHAPES.items()} for part in PARTS})


def _checked(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.float16]:
    if array.shape != shape or array.dtype != np.float16:
        raise ValueError(f"{name} of its finish is {array.dtype} {array.shape}, not float16 {shape}")
    numbers = np.asarray(array, np.float16)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} of its finish holds a number that is not finite")
    return numbers


def load(arrays: Arrays, provider: Provider = Provider.CPU) -> Network:
    """The network: patches (n, 4, h, w) of colours in 0..1 and mask, and motions (n, `N_MOTION`), to colour and opacity
    (n, 4, h, w). The sides of a patch are multiples of 8.
    """
    initializers = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    return load_network(_graph(), provider, initializers=initializers)


@cache
def _graph() -> bytes:
    return (files("vivant") / "weights" / "finish.onnx").read_bytes()
