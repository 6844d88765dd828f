"""A manner: how one person moves, as a colour of the dynamics, chances of events, and a mixture of the mouth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivant.errors import InputError
from vivant.media.atomic import replacing, reporting
from vivant.motion.learned.channels import N_EVENTS, Array32, Colour
from vivant.motion.learned.network import COLOUR_SHAPES, Dynamics, read_arrays
from vivant.private import private_folder
from vivant.provenance.settings import manner_folder
from vivant.speech.articulation import CHANNELS
from vivant.types import ARKIT_NAMES

DEFAULT = "default"
SUFFIX = ".manner"
_SHAPES = COLOUR_SHAPES | {"events": (N_EVENTS,), "aside": (), "lips": (len(CHANNELS) + 1, len(ARKIT_NAMES))}


@dataclass(frozen=True)
class Manner:
    """A manner; immutable and shared."""

    name: str
    colour: Colour
    events: Array32
    """(N_EVENTS,) added to the logits of jumps and blinks."""
    aside: float
    """How far it looks away, of the usual."""
    lips: Array32
    """(10, 52) weights added for the nine channels of the mouth and for one that is always 1."""

    def __deepcopy__(self, memo: object) -> Manner:
        return self


def usual(dynamics: Dynamics) -> Manner:
    """The manner that the network learnt."""
    shape = _SHAPES["lips"]
    return Manner(DEFAULT, dynamics.colour, np.zeros(N_EVENTS, np.float32), 1.0, np.zeros(shape, np.float32))


def manner_path(name: str) -> Path:
    """Where a manner of that name is kept. Raises InputError for what is no name."""
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise InputError(f"a manner's name is letters, digits, - and _; got {name!r}")
    return manner_folder() / f"{name}{SUFFIX}"


def kept_manners() -> list[str]:
    """Names, sorted."""
    return sorted(path.stem for path in manner_folder().glob(f"*{SUFFIX}"))


def named_manner(name: str, dynamics: Dynamics) -> Manner:
    """By its name, or a file of one. Raises InputError for one that is not there or damaged."""
    if name == DEFAULT:
        return usual(dynamics)
    path = Path(name) if name.endswith(SUFFIX) else manner_path(name)
    if not path.is_file():
        known = ", ".join((DEFAULT, *kept_manners()))
        raise InputError(f"there is no manner {name!r}; known are {known}; `vivant learn --manner` makes one")
    arrays = read_arrays(path, _SHAPES, "manner")
    colour = Colour(**{part: arrays[part] for part in COLOUR_SHAPES})
    return Manner(path.stem, colour, arrays["events"], float(arrays["aside"]), arrays["lips"])


def keep_manner(manner: Manner, path: Path) -> None:
    """Write it for its user alone; it appears complete or not at all. Raises OutputError."""
    arrays = {part: getattr(manner.colour, part) for part in COLOUR_SHAPES}
    with reporting(path):
        private_folder(path.parent)
    with replacing(path, private=True) as part, reporting(path), part.open("wb") as file:
        np.savez_compressed(file, **arrays, events=manner.events, aside=np.float32(manner.aside), lips=manner.lips)
