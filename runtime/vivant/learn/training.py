"""Training: examples to arrays. Goes on where it was broken off."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as f

from vivant.finish.network import Arrays, load
from vivant.learn.film import Examples
from vivant.learn.network import Critic, FinishModule, painted
from vivant.types import UInt8Array

BATCH = 8
RATE, LEAST_RATE, CRITIC_RATE = 2e-3, 5e-5, 5e-4
"""Of learning; the first falls to the second along a cosine."""
AVERAGE = 0.995
"""Share of the old in the running mean of weights, which is what is kept."""
EDGES, CRITIC, OPACITY, OPAQUE = 1.0, 0.01, 2e-3, 0.5
"""Weights of the loss, beside the mean difference: of steps from px to px, of the critic's word, of painting at all, and of
what would be seen if all was painted: without that, colours that are not good yet are made invisible, and never learnt."""
CRITIC_FROM = 0.3
"""Share of the steps after which the critic is asked."""
UNTOLD, MOTION_NOISE = 0.3, 0.05
"""Chance that a motion is not told, and noise on what is: films move otherwise than speech does."""
MOST_SHIFT_PX, MOST_LIGHT = 3, 0.06
"""By which examples are moved and lit, chosen by chance."""
SAVE_EVERY = 250
Heard = Callable[[int, float], None]
"""Hears the step and the loss."""


@dataclass
class _Training:
    """All that goes on: what a file keeps."""

    model: FinishModule
    mean: FinishModule
    critic: Critic
    learning: torch.optim.Optimizer
    judging: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def new(cls, device: str, start: Arrays | None, n_told: int) -> _Training:
        torch.manual_seed(0)
        model, critic = FinishModule(n_told), Critic()
        if start is not None:
            model.load_state_dict({name: torch.from_numpy(array.astype(np.float32)) for name, array in start.items()})
        model, critic = (net.to(device).to(memory_format=torch.channels_last) for net in (model, critic))
        learning = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.99), weight_decay=1e-4)
        return cls(
            model, deepcopy(model), critic, learning, torch.optim.Adam(critic.parameters(), CRITIC_RATE, betas=(0.5, 0.99))
        )

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("model", "mean", "critic", "learning", "judging")}

    def save(self, path: Path) -> None:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        draft = path.with_suffix(".part")
        torch.save(state | {"step": self.step, "chance": torch.get_rng_state()}, draft)
        draft.replace(path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step = state["step"]
        torch.set_rng_state(state["chance"])


def device_here() -> str:
    """The processor, or a graphics card where torch knows one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(
    examples: Examples,
    steps: int,
    *,
    kept: Path | None = None,
    start: Arrays | None = None,
    critic: float = CRITIC,
    device: str = "cpu",
    heard: Heard = lambda step, loss: None,
) -> Arrays:
    """A network that paints the truth of ``examples``. ``kept`` is the file by which training goes on; ``start``: weights to
    begin with; ``critic``: weight of the critic's word.
    """
    training, pool = _Training.new(device, start, examples.motion.shape[1]), _Pool(examples, device)
    if kept is not None and kept.exists():
        training.load(kept)
    while training.step < steps:
        loss = _step(training, pool, training.step / steps, critic)
        training.step += 1
        heard(training.step, loss)
        if kept is not None and training.step % SAVE_EVERY == 0:
            training.save(kept)
    return training.mean.arrays()


class _Pool:
    """Examples as tensors, of which those are drawn whose lips are parted."""

    def __init__(self, examples: Examples, device: str) -> None:
        self._pictures = torch.from_numpy(np.concatenate([examples.rig, examples.mask[..., None], examples.truth], 3))
        self._motion = torch.from_numpy(examples.motion)
        self._parted = torch.from_numpy(np.flatnonzero(examples.mask.any(axis=(1, 2))))
        self._device = device

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Patch (n, 4, h, w), motion (n, N_MOTION) and truth (n, 3, h, w)."""
        some = self._parted[torch.randint(len(self._parted), (BATCH,))]
        pictures = self._pictures[some].to(self._device).permute(0, 3, 1, 2).float() / 255
        across, down = torch.randint(-MOST_SHIFT_PX, MOST_SHIFT_PX + 1, (2,)).tolist()
        pictures = torch.roll(pictures, (down, across), (2, 3))
        light = 1 + MOST_LIGHT * (2 * torch.rand(BATCH, 3, 1, 1, device=self._device) - 1)
        rig, mask, truth = pictures[:, :3] * light, pictures[:, 3:4], pictures[:, 4:] * light
        motion = self._motion[some].to(self._device)
        motion = motion + MOTION_NOISE * torch.randn_like(motion)
        motion = motion * (torch.rand(BATCH, 1, device=self._device) >= UNTOLD)
        patch = torch.cat([rig.clamp(0, 1), mask], 1).contiguous(memory_format=torch.channels_last)
        return patch, motion, truth.clamp(0, 1)


def _step(training: _Training, pool: _Pool, share: float, critic: float) -> float:
    """One step of the network, and of the critic once that is asked."""
    for group in training.learning.param_groups:
        group["lr"] = LEAST_RATE + (RATE - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
    patch, motion, truth = pool.draw()
    with torch.autocast(patch.device.type, torch.bfloat16):
        answer = training.model(patch, motion)
    answer = answer.float()
    picture, mask = painted(patch, answer), patch[:, 3:]
    opaque = painted(patch, torch.cat([answer[:, :3], mask], 1))
    loss = _difference(picture, truth, mask) + OPAQUE * _difference(opaque, truth, mask) + OPACITY * answer[:, 3].mean()
    judged = share >= CRITIC_FROM
    if judged:
        with torch.autocast(patch.device.type, torch.bfloat16):
            loss = loss + critic * _weighted((1 - training.critic(picture, mask).float()) ** 2, mask)
    training.learning.zero_grad(set_to_none=True)
    loss.backward()
    training.learning.step()
    if judged:
        _judge(training, patch, picture.detach(), truth, mask)
    with torch.no_grad():
        for mean, now in zip(training.mean.parameters(), training.model.parameters(), strict=True):
            mean.lerp_(now, 1 - min(AVERAGE, (1 + training.step) / (10 + training.step)))  # young means forget soon
    return float(loss.detach())


def _judge(training: _Training, patch: Tensor, picture: Tensor, truth: Tensor, mask: Tensor) -> None:
    """One step of the critic (least squares), which sees the truth inside the same skin."""
    real = patch[:, :3] + mask * (truth - patch[:, :3])
    with torch.autocast(patch.device.type, torch.bfloat16):
        said = training.critic(torch.cat([real, picture]), torch.cat([mask, mask])).float().chunk(2)
    loss = _weighted((1 - said[0]) ** 2, mask) + _weighted(said[1] ** 2, mask)
    training.judging.zero_grad(set_to_none=True)
    loss.backward()
    training.judging.step()


def _difference(picture: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference, and that of steps from px to px, which a blurred picture lacks; where it may be painted."""
    steps = sum(
        _weighted(
            (torch.diff(picture, dim=axis) - torch.diff(truth, dim=axis)).abs(), mask.narrow(axis, 0, mask.shape[axis] - 1)
        )
        for axis in (2, 3)
    )
    return _weighted((picture - truth).abs(), mask) + EDGES * steps


def _weighted(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over what may be painted."""
    if values.shape[-2:] != mask.shape[-2:]:
        mask = f.adaptive_max_pool2d(mask, values.shape[-2:])
    return (values * mask).sum() / (mask.sum() * values.shape[1]).clamp(min=1)


def paint(examples: Examples, arrays: Arrays) -> UInt8Array:
    """(n, h, w, 3) the examples' rig with what the network paints, as it is drawn: by onnxruntime."""
    network, out = load(arrays), examples.rig.copy()
    for k in np.flatnonzero(examples.mask.any(axis=(1, 2))).tolist():
        rig, mask, motion = examples.rig[k], examples.mask[k], examples.motion[k]
        patch = (np.concatenate([rig.transpose(2, 0, 1), mask[None]]) / 255).astype(np.float32)
        answer = network.run(patch[None], motion[None])[0][0]
        mixed = patch[:3] + answer[3:] * (answer[:3] - patch[:3])
        out[k] = np.round(mixed.transpose(1, 2, 0) * 255).astype(np.uint8)
    return out
