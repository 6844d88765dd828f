"""Learned dynamics: a causal transformer with cached keys reads voice and own past, a head lets the next chunk flow from noise.

All in NumPy: one chunk of one stream at a time and always the same shapes, so that streaming equals offline to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from vivant.errors import InputError
from vivant.motion.learned.channels import ASIDE, N_CONDITIONS, N_DRAWN, N_EVENTS, N_PACE, N_PAST, N_SLOW, Array32, Colour

WIDTH, LAYERS, HEADS, REACH = 128, 4, 4, 48
"""Of the transformer: numbers per chunk, layers, heads, and how many chunks it looks back: 5.8 s."""
FLOW_WIDTH, FLOW_LAYERS = 192, 2
"""Of the head."""
TIMES = 16
"""Numbers that say how far the flow has come."""
STEPS = 4
"""From noise to motion. Chosen by the table in docs/dynamics.md."""
WEIGHTS = "dynamics.npz"

Weights = Mapping[str, Array32]


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Every array of the network by its name: matrices (from, to), and what is added (to,)."""
    d, m = WIDTH, FLOW_WIDTH
    shapes: dict[str, tuple[int, ...]] = {"told": (N_CONDITIONS, d), "past": (N_PAST, d), "into.b": (d,)}
    for i in range(LAYERS):
        linear = {"attend": (d, 3 * d), "join": (d, d), "widen": (d, 4 * d), "narrow": (4 * d, d)}
        shapes |= {f"{name}{i}": shape for name, shape in linear.items()}
        shapes |= {f"{name}{i}.b": shape[1:] for name, shape in linear.items()}
        shapes[f"ago{i}"] = (HEADS, REACH)
    shapes |= {"events": (d, N_EVENTS), "events.b": (N_EVENTS,), "context": (d, m), "drawn": (N_EVENTS, m), "time": (TIMES, m)}
    shapes |= {"context.b": (m,), "noise": (N_DRAWN, m), "noise.b": (m,)}
    for i in range(FLOW_LAYERS):
        linear = {"steer": (m, 3 * m), "first": (m, m), "second": (m, m)}
        shapes |= {f"{name}{i}": shape for name, shape in linear.items()}
        shapes |= {f"{name}{i}.b": shape[1:] for name, shape in linear.items()}
    return shapes | {"last": (m, 2 * m), "last.b": (2 * m,), "motion": (m, N_DRAWN), "motion.b": (N_DRAWN,)}


COLOUR_SHAPES = {
    "mean": (N_SLOW,),
    "spread": (N_SLOW, 2),
    "carry": (N_PACE, N_SLOW, 2, 2),
    "surprise": (N_PACE, N_SLOW, 2),
}


def time_features(share: float) -> Array32:
    """(TIMES,) of how far a flow has come, 0 to 1."""
    waves = np.arange(TIMES // 2) * np.pi * share
    return np.concatenate([np.cos(waves), np.sin(waves)]).astype(np.float32)


@dataclass(frozen=True)
class Dynamics:
    """The network with its colour; immutable and shared by all threads."""

    weights: Weights
    colour: Colour

    def __deepcopy__(self, memo: object) -> Dynamics:
        return self

    def listen(self, memory: Memory, told: Array32, past: Array32) -> Array32:
        """(rows, WIDTH) what the next chunk is made of, from (rows, n_conditions) and (rows, n_past); remembers it."""
        w = self.weights
        x = told @ w["told"] + past @ w["past"] + w["into.b"]
        memory.count = min(memory.count + 1, REACH)
        for i in range(LAYERS):
            x = x + self._linear(f"join{i}", self._attended(memory, i, _normal(x)))
            x = x + self._linear(f"narrow{i}", _silu(self._linear(f"widen{i}", _normal(x))))
        return _normal(x)

    def chances(self, heard: Array32) -> Array32:
        """(rows, N_EVENTS) logits of what may happen within the chunk."""
        return self._linear("events", heard)

    def flow(self, heard: Array32, events: Array32, noise: Array32, guidance: Array32) -> Array32:
        """(n_drawn,) motion from noise of that shape, in `STEPS`.

        The first row is told all, each other one all but one condition; what that one asks is overdrawn by its guidance,
        (rows - 1,). Curves go where the last two steps point together: by the last alone they come out a quarter too small.
        Where the eyes jump to is near or far, and nothing between.
        """
        w = self.weights
        context = heard @ w["context"] + events @ w["drawn"] + w["context.b"]
        drawn, aimed = noise, None
        for step in range(STEPS):
            clean = self._cleaned(np.repeat(drawn[None], len(heard), 0), context + time_features(step / STEPS) @ w["time"])
            aim = clean[0] + guidance @ (clean[0] - clean[1:])
            further = aim.copy()
            if aimed is not None:
                further[: ASIDE.start] += (aim - aimed)[: ASIDE.start] / np.float32(2)
            drawn, aimed = drawn + (further - drawn) / np.float32(STEPS - step), aim
        return drawn

    def _attended(self, memory: Memory, layer: int, x: Array32) -> Array32:
        query, key, value = np.split(self._linear(f"attend{layer}", x), 3, axis=1)
        keys, values = memory.keep(layer, key, value)
        query = query.reshape(len(x), HEADS, 1, -1)
        scores = (query @ keys.swapaxes(2, 3))[:, :, 0] / np.float32(np.sqrt(query.shape[-1])) + self.weights[f"ago{layer}"]
        scores = scores[:, :, REACH - memory.count :]
        shares = np.exp(scores - scores.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        mixed: Array32 = (shares[:, :, None] @ values[:, :, REACH - memory.count :])[:, :, 0].reshape(len(x), -1)
        return mixed

    def _cleaned(self, drawn: Array32, context: Array32) -> Array32:
        steer = _silu(context)
        x = self._linear("noise", drawn)
        for i in range(FLOW_LAYERS):
            shift, scale, gate = np.split(self._linear(f"steer{i}", steer), 3, axis=1)
            x = x + gate * self._linear(f"second{i}", _silu(self._linear(f"first{i}", _normal(x) * (1 + scale) + shift)))
        shift, scale = np.split(self._linear("last", steer), 2, axis=1)
        return self._linear("motion", _normal(x) * (1 + scale) + shift)

    def _linear(self, name: str, x: Array32) -> Array32:
        return x @ self.weights[name] + self.weights[f"{name}.b"]


class Memory:
    """Keys and values of the last chunks, newest last; constant in size."""

    def __init__(self, rows: int) -> None:
        self.count = 0
        self._kept = np.zeros((2, LAYERS, rows, HEADS, REACH, WIDTH // HEADS), np.float32)

    def keep(self, layer: int, key: Array32, value: Array32) -> tuple[Array32, Array32]:
        """All of a layer, with the newest."""
        kept = self._kept[:, layer]
        kept[:, :, :, :-1] = kept[:, :, :, 1:]
        kept[0, :, :, -1], kept[1, :, :, -1] = (new.reshape(len(new), HEADS, -1) for new in (key, value))
        return kept[0], kept[1]


def _normal(x: Array32) -> Array32:
    centred = x - x.mean(1, keepdims=True)
    normal: Array32 = centred / np.sqrt((centred * centred).mean(1, keepdims=True) + np.float32(1e-5))
    return normal


def _silu(x: Array32) -> Array32:
    gated: Array32 = x / (1 + np.exp(-x))
    return gated


@cache
def shipped() -> Dynamics:
    """The network that ships (`training/dynamics`), loaded once."""
    with as_file(files("vivant") / "weights" / WEIGHTS) as path:
        return load_dynamics(path)


def load_dynamics(path: Path) -> Dynamics:
    """Raises InputError for a file that is damaged or none of these."""
    arrays = read_arrays(path, weight_shapes() | COLOUR_SHAPES, "weights of learned motion")
    colour = Colour(**{name: arrays.pop(name) for name in COLOUR_SHAPES})
    return Dynamics(arrays, colour)


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]], what: str) -> dict[str, Array32]:
    """Arrays of finite numbers by name, (shape), in single precision. Raises InputError."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in shapes}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path.name} holds no {what}, or is damaged: {error}") from error
    wrong = next((n for n, shape in shapes.items() if arrays[n].shape != shape or not np.isfinite(arrays[n]).all()), None)
    if wrong is not None:
        raise InputError(f"{path.name} holds no {what}, or is damaged: its {wrong!r} does not fit")
    return arrays
