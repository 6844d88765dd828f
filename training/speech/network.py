"""The encoder: a causal convolution network from mel levels to phones, 80 ms late, with a first guess of what comes after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from training.speech.shards import UNKNOWN
from vivant.speech.encoder import DELAY_TICKS, GUESSES
from vivant.speech.phones import PHONE_INDEX, PHONES
from vivant.speech.spectrum import CepstralMeanNormaliser

WIDTH, SPREAD, KERNEL = 192, 3, 9
DILATIONS = (1, 1, 2, 2, 4, 4, 8, 8)
"""Together the network looks back 2.4 s."""


WEIGHTS = torch.ones(len(PHONES))
"""A bilabial that is missed is seen by everybody."""
WEIGHTS[[PHONE_INDEX["p"], PHONE_INDEX["m"]]] = 2.0


USUAL = 0.08
"""Standard deviation of weights in the middle of training: shipped ones come back so, that a step moves all alike."""


class Block(nn.Module):
    """A look back in each channel, then all channels together (after ConvNeXt)."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.back = (KERNEL - 1) * dilation
        self.taps = nn.Parameter(torch.randn(KERNEL, WIDTH) / KERNEL)
        self.norm = nn.LayerNorm(WIDTH)
        self.widen = nn.Linear(WIDTH, SPREAD * WIDTH)
        self.narrow = nn.Linear(SPREAD * WIDTH, WIDTH)
        self.scale = nn.Parameter(torch.full((WIDTH,), 0.1))

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(b, t, width) and (b, back, width) before it; gives the same for what follows."""
        whole = torch.cat([past, x], 1)
        t = x.shape[1]
        seen = sum(whole[:, k * self.dilation : k * self.dilation + t] * self.taps[k] for k in range(KERNEL))
        return x + self.scale * self.narrow(F.gelu(self.widen(self.norm(seen)))), whole[:, t:]


class Encoder(nn.Module):
    """Levelled mel in; logits of the phone at DELAY_TICKS before the newest tick, and of the GUESSES ticks after that one."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(CepstralMeanNormaliser.INPUTS, WIDTH)
        self.blocks = nn.ModuleList(Block(dilation) for dilation in DILATIONS)
        self.norm = nn.LayerNorm(WIDTH)
        self.leave = nn.Linear(WIDTH, (1 + GUESSES) * len(PHONES))

    @property
    def memory_shape(self) -> tuple[int, int]:
        return sum(block.back for block in self.blocks), WIDTH

    def forward(self, levels: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(b, t, 41) and what the last call gave back, (b, *memory_shape), or nothing at the start.

        Gives logits (b, t, 1 + GUESSES, phones) and the memory.
        """
        if memory is None:
            memory = levels.new_zeros(len(levels), *self.memory_shape)
        x, kept, first = self.enter(levels), [], 0
        for block in self.blocks:
            x, past = block(x, memory[:, first : first + block.back])
            kept.append(past)
            first += block.back
        logits = self.leave(self.norm(x))
        return logits.reshape(len(logits), -1, 1 + GUESSES, len(PHONES)), torch.cat(kept, 1)


def shipped(path: Path) -> Encoder:
    """The network of a file that `training.speech.export` wrote, to go on from; its gains stay in the weights beside them."""
    encoder = Encoder()
    with np.load(path, allow_pickle=False) as file:
        stored = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file}

    def fill(linear: nn.Linear, name: str, k: int = 0) -> None:
        linear.weight.copy_((stored[name][k] * stored[f"{name}_scale"][k]).T)
        linear.bias.copy_(stored[f"{name}_bias"][k])

    with torch.no_grad():
        fill(encoder.enter, "enter")
        fill(encoder.leave, "leave")
        for k, block in enumerate(encoder.blocks):
            assert isinstance(block, Block)
            block.taps.copy_(stored["taps"][k])
            fill(block.widen, "widen", k)
            fill(block.narrow, "narrow", k)
            block.scale.copy_(block.narrow.weight.std(1) / USUAL)
            block.narrow.weight.div_(block.scale[:, None])
            block.narrow.bias.div_(block.scale)
    return encoder


def loss(logits: Tensor, phone: Tensor) -> Tensor:
    """Cross-entropy of (b, t, 1 + GUESSES, phones) with the phones (b, t) that were spoken; the warm-up does not count."""
    t = phone.shape[1]
    wanted = [
        F.pad(phone[:, : t - DELAY_TICKS + guess], (DELAY_TICKS - guess, 0), value=UNKNOWN) for guess in range(1 + GUESSES)
    ]
    return loss_of_ticks(logits.flatten(0, 1), torch.stack(wanted, -1).flatten(0, 1))


def loss_of_ticks(logits: Tensor, phone: Tensor) -> Tensor:
    """Cross-entropy of (n, 1 + GUESSES, phones) with (n, 1 + GUESSES); unknown ones (255) do not count."""
    total = logits.new_zeros((), dtype=torch.float32)
    for guess in range(1 + GUESSES):
        part = F.cross_entropy(
            logits[:, guess].float(),
            phone[:, guess],
            weight=WEIGHTS.to(logits.device),
            ignore_index=UNKNOWN,
            label_smoothing=0.05,
        )
        total = total + part * (2.0 if guess == 0 else 0.6)
    return total
