"""The network of `vivant.motion.learned.network` in torch, with the same names and the same sums, for a whole clip at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.motion.learned.network import FLOW_LAYERS, HEADS, LAYERS, REACH, WIDTH, time_features, weight_shapes

_SMALL = ("join", "narrow", "second", "motion", "steer", "last")
"""What begins at zero, so that each layer begins as none."""


class DynamicsNetwork(nn.Module):
    """Conditions and own past of clips in; chances of events and what flows out."""

    def __init__(self) -> None:
        super().__init__()
        self.arrays = nn.ParameterDict(
            {_key(name): nn.Parameter(_begun(name, shape)) for name, shape in weight_shapes().items()}
        )

    def listen(self, told: Tensor, past: Tensor) -> Tensor:
        """(clips, chunks, WIDTH) from (clips, chunks, n_conditions) and (clips, chunks, n_past)."""
        x = told @ self["told"] + past @ self["past"] + self["into.b"]
        shown, ago = _reach(x.shape[1], x.device)
        for i in range(LAYERS):
            x = x + self._linear(f"join{i}", self._attended(i, _normal(x), shown, ago))
            x = x + self._linear(f"narrow{i}", functional.silu(self._linear(f"widen{i}", _normal(x))))
        return _normal(x)

    def chances(self, heard: Tensor) -> Tensor:
        """(..., 2) logits."""
        return self._linear("events", heard)

    def clean(self, drawn: Tensor, heard: Tensor, events: Tensor, times: Tensor) -> Tensor:
        """(n, n_drawn) clean motion of what has flown so far; times (n, TIMES) are `time_features`."""
        steer = functional.silu(heard @ self["context"] + events @ self["drawn"] + self["context.b"] + times @ self["time"])
        x = self._linear("noise", drawn)
        for i in range(FLOW_LAYERS):
            shift, scale, gate = self._linear(f"steer{i}", steer).chunk(3, -1)
            x = x + gate * self._linear(
                f"second{i}", functional.silu(self._linear(f"first{i}", _normal(x) * (1 + scale) + shift))
            )
        shift, scale = self._linear("last", steer).chunk(2, -1)
        return self._linear("motion", _normal(x) * (1 + scale) + shift)

    def state_of(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the runtime's arrays."""
        with torch.no_grad():
            for name in weight_shapes():
                self.arrays[_key(name)].copy_(torch.from_numpy(arrays[name]))

    def exported(self) -> dict[str, np.ndarray]:
        """Arrays by the runtime's names."""
        return {name: self[name].detach().float().cpu().numpy() for name in weight_shapes()}

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[_key(name)]

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self[name] + self[f"{name}.b"]

    def _attended(self, layer: int, x: Tensor, shown: Tensor, ago: Tensor) -> Tensor:
        clips, chunks, _ = x.shape
        query, key, value = self._linear(f"attend{layer}", x).view(clips, chunks, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        bias = self[f"ago{layer}"][:, REACH - 1 - ago].masked_fill(~shown, float("-inf"))
        mixed = functional.scaled_dot_product_attention(query, key, value, bias.expand(clips, -1, -1, -1))
        return mixed.transpose(1, 2).reshape(clips, chunks, WIDTH)


def times_of(shares: Tensor) -> Tensor:
    """(n, TIMES) for (n,) shares, as `time_features`."""
    waves = torch.arange(len(time_features(0.0)) // 2, device=shares.device) * math.pi * shares[:, None]
    return torch.cat([waves.cos(), waves.sin()], 1)


def _reach(chunks: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(chunks, chunks) whether a chunk sees another one, and how long ago that was."""
    at = torch.arange(chunks, device=device)
    ago = at[:, None] - at[None]
    return (ago >= 0) & (ago < REACH), ago.clamp(0, REACH - 1)


def _normal(x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-5)


def _begun(name: str, shape: tuple[int, ...]) -> Tensor:
    if len(shape) == 1 or name.startswith(("ago", *_SMALL)):
        return torch.zeros(shape)
    return torch.randn(shape) / math.sqrt(shape[0])


def _key(name: str) -> str:
    return name.replace(".", "_")
