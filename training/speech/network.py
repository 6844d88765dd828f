"""The encoder: a causal convolution network from mel levels to phones, 80 ms late, with a first guess of what comes after."""

from __future__ import annotations

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


def loss(logits: Tensor, phone: Tensor) -> Tensor:
    """Cross-entropy of each guess with the phone (b, t) that was spoken; unknown ones (255) and the warm-up do not count."""
    total = logits.new_zeros(())
    for guess in range(1 + GUESSES):
        late = DELAY_TICKS - guess
        found, truth = logits[:, late:, guess], phone[:, : phone.shape[1] - late]
        part = F.cross_entropy(
            found.flatten(0, 1).float(),
            truth.flatten(),
            weight=WEIGHTS.to(found.device),
            ignore_index=UNKNOWN,
            label_smoothing=0.05,
        )
        total = total + part * (2.0 if guess == 0 else 0.6)
    return total
