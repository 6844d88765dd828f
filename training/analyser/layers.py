"""The layers network: head and shoulders to the person's matte and a label per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.analyser.blocks import Decoder, Encoder
from training.analyser.changes import changed
from training.analyser.data import Bytes, People, Person, warp
from training.synthetic_faces.names import LABEL, LABELS
from vivant.portrait.crop import Crop, person_frame

SIDE = 256
"""Width and height of the square, px."""
HALF = SIDE // 2
WIDTHS, DEPTHS = (24, 48, 96, 160, 192), (0, 1, 2, 3, 3)
DECODER = (128, 96, 64, 40, 24)
FULL = 12
BAND_PX, FAINT = 4, 12
"""Reach of the band around the true border of the matte, px of the square; alphas (of 255) that count as none or all."""
RARE = {"lips": 2.0, "inner mouth": 3.0, "teeth": 3.0, "tongue": 3.0, "eyeball": 3.0, "iris": 3.0, "brow": 2.0, "glasses": 2.0}
"""Weights of small labels."""


class LayersNetwork(nn.Module):
    """(n, 3, SIDE, SIDE) sRGB 0..1 to logits of the matte (n, SIDE, SIDE) and of labels (n, len(LABELS), HALF, HALF)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTHS, DEPTHS, 2)
        self.decoder = Decoder(WIDTHS[::-1], DECODER)
        self.labels = nn.Conv2d(DECODER[-1], len(LABELS), 1)
        self.wide = nn.Conv2d(DECODER[-1], 4 * FULL, 1)
        self.edge = nn.Sequential(nn.Conv2d(FULL + 3, FULL, 3, 1, 1), nn.ReLU(True), nn.Conv2d(FULL, 1, 3, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Separate."""
        half = self.decoder(self.encoder(images)[::-1])[-1]
        full = functional.relu(functional.pixel_shuffle(self.wide(half), 2))
        matte = self.edge(torch.cat([full, images], 1))
        return matte[:, 0].float(), self.labels(half).float()


@dataclass(frozen=True)
class Batch:
    """n squares with their truth."""

    image: Tensor
    """(n, 3, SIDE, SIDE)"""
    alpha: Tensor
    """(n, SIDE, SIDE) 0..1."""
    labels: Tensor
    """(n, HALF, HALF)"""
    band: Tensor
    """(n, SIDE, SIDE) whether the border of the true matte is near."""


def cut_person(person: Person, frame: Crop) -> tuple[Bytes, Bytes, Bytes]:
    """Picture, matte and labels in a square; beyond the picture is background."""
    matrix = frame.matrix(SIDE)
    labels = warp(person.labels, frame.matrix(HALF), HALF, (LABEL["background"],), nearest=True)
    return warp(person.image, matrix, SIDE), warp(person.alpha, matrix, SIDE), labels


def strayed(frame: Crop, rng: np.random.Generator) -> Crop:
    """From a tight head to more than the person's square."""
    side = frame.side * float(np.exp(rng.uniform(np.log(0.45), np.log(1.1))))
    dx, dy = rng.normal(0, 0.06, 2) * side
    return Crop(frame.x + float(dx), frame.y + float(dy), side, float(rng.normal(0, 4)))


def training_square(people: People, scenes: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes, Bytes]:
    """One square to learn from; sometimes the person stands before another scene."""
    person = people[int(rng.integers(len(people)))]
    image, alpha, labels = cut_person(person, strayed(person_frame(person.frame), rng))
    if rng.random() < 0.5:
        image, alpha, labels = (np.ascontiguousarray(plane[:, ::-1]) for plane in (image, alpha, labels))
    return changed(image, rng, patch=False), alpha, labels


def band_of(alpha: Bytes) -> NDArray[np.bool_]:
    """Where a matte (h, w) is within BAND_PX of its border."""
    reach = np.ones((2 * BAND_PX + 1, 2 * BAND_PX + 1), np.uint8)
    most, least = (np.asarray(grow(alpha, reach)) for grow in (cv2.dilate, cv2.erode))
    return np.asarray((most > FAINT) & (least < 255 - FAINT))


class LayersTask:
    """Trains `LayersNetwork`."""

    name, batch_size, rate = "layers", 16, 2e-3

    def __init__(self, people: People, held: People, scenes: Bytes, device: torch.device) -> None:
        self.people, self.held, self.scenes, self.device = people, held, scenes, device
        self.weights = torch.tensor([RARE.get(name, 1.0) for name in LABELS], device=device)

    def network(self) -> LayersNetwork:
        """A fresh one."""
        return LayersNetwork()

    def batch(self, rng: np.random.Generator) -> Batch:
        """One batch to learn from."""
        return self._stack([training_square(self.people, self.scenes, rng) for _ in range(self.batch_size)])

    def _stack(self, rows: list[tuple[Bytes, Bytes, Bytes]]) -> Batch:
        image, alpha, labels = (torch.from_numpy(np.stack(planes)).to(self.device) for planes in zip(*rows, strict=True))
        image = (image.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        band = torch.from_numpy(np.stack([band_of(row[1]) for row in rows])).to(self.device)
        return Batch(image, alpha.float() / 255, labels.long(), band)

    def loss(self, found: tuple[Tensor, Tensor], truth: Batch) -> Tensor:
        """Matte by cross-entropy and distance, more so in the band; labels by cross-entropy."""
        logit, label = found
        weight = 1 + 4 * truth.band.float()
        fuzzy = functional.binary_cross_entropy_with_logits(logit, truth.alpha, weight)
        distance = ((logit.sigmoid() - truth.alpha).abs() * weight).mean()
        labels = functional.cross_entropy(label, truth.labels, self.weights)
        return fuzzy + 2 * distance + 0.5 * labels

    @torch.inference_mode()
    def measure(self, network: LayersNetwork, limit: int = 0) -> str:
        """Matte error in the band and over all, and the overlap of labels, on held-out people at the product's square."""
        count = min(limit, len(self.held)) if limit else len(self.held)
        band, every, pixels = 0.0, 0.0, 0
        both, either = torch.zeros(len(LABELS)), torch.zeros(len(LABELS))
        for first in range(0, count, 10):
            people = [self.held[i] for i in range(first, min(first + 10, count))]
            truth = self._stack([cut_person(p, person_frame(p.frame)) for p in people])
            matte, labels = network(truth.image)
            gap, inside = (matte.sigmoid() - truth.alpha).abs(), truth.band
            band, pixels, every = (
                band + float(gap[inside].sum()),
                pixels + int(inside.sum()),
                every + float(gap.mean()) * len(people),
            )
            label = labels.argmax(1)
            for k in range(len(LABELS)):
                a, b = label == k, truth.labels == k
                both[k] += (a & b).sum()
                either[k] += (a | b).sum()
        overlap = {name: float(both[k] / either[k].clamp(min=1)) for k, name in enumerate(LABELS)}
        shown = ", ".join(f"{name} {overlap[name]:.2f}" for name in ("skin", "lips", "hair", "teeth", "iris", "clothes"))
        return f"matte {band / max(pixels, 1):.4f} in the band, {every / count:.4f} over all; overlap {shown}"
