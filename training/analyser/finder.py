"""The finder: a whole picture to the upright squares around its faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.analyser.blocks import Decoder, Encoder
from training.analyser.changes import changed
from training.analyser.data import Bytes, Floats, People, Person, warp
from vivant.portrait.crop import Crop

SIDE = 256
"""Width and height of what is looked at, px; a picture is fitted in."""
GRID = SIDE // 8
CELL = SIDE / GRID
WIDTHS, DEPTHS = (24, 48, 96, 128), (0, 2, 3, 3)
DECODER = (96, 80, 64)
CELL_SIDE = 4 * CELL
"""Unit of the logarithm of sides, px."""
LEAST_SHARE = 0.03
"""Smallest face (height, share of the canvas) that is trained."""
DIM_SHARE = 0.12
"""Share of scenes in the dark; persons alone may be dark in any."""
PERSONS = (0.25, 0.52, 0.23)
"""Chances of none, one and two persons in a scene."""


@dataclass(frozen=True)
class Found:
    """Output for n pictures, one value per cell of GRID x GRID."""

    score: Tensor
    """(n, GRID, GRID) logit of a face's centre lying in the cell."""
    square: Tensor
    """(n, 5, GRID, GRID): x, y of the centre from the cell's middle in cells; log(side / CELL_SIDE); cos, sin of the roll."""


class FinderNetwork(nn.Module):
    """(n, 3, SIDE, SIDE) sRGB 0..1 to `Found`."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTHS, DEPTHS)
        self.decoder = Decoder(WIDTHS[:0:-1], DECODER)
        self.head = nn.Conv2d(DECODER[-1], 6, 1)
        nn.init.constant_(self.head.bias, -2.0)

    def forward(self, images: Tensor) -> Found:
        """Look."""
        out = self.head(functional.relu(self.decoder(self.encoder(images)[:0:-1])[-1])).float()
        return Found(out[:, 0], out[:, 1:])


@dataclass(frozen=True)
class Batch:
    """n pictures with the truth of each cell."""

    image: Tensor
    """(n, 3, SIDE, SIDE)"""
    score: Tensor
    """(n, GRID, GRID) 1 in the cell of a centre, falling off around it."""
    square: Tensor
    """(n, 5, GRID, GRID)"""
    near: Tensor
    """(n, GRID, GRID) 1 where the square counts."""


def truth_of(frames: list[Crop]) -> tuple[Floats, Floats, Floats]:
    """Score, square and near maps of the faces in a picture."""
    score, near = np.zeros((GRID, GRID), np.float32), np.zeros((GRID, GRID), np.float32)
    square = np.zeros((5, GRID, GRID), np.float32)
    middles = np.arange(GRID) + 0.5
    for frame in frames:
        x, y, roll = frame.x / CELL, frame.y / CELL, np.radians(frame.roll_deg)
        dx, dy = x - middles[None, :], y - middles[:, None]
        reach = max(0.7, 0.1 * frame.side / CELL)
        score = np.maximum(score, np.exp(-0.5 * (dx**2 + dy**2) / (0.5 * reach) ** 2).astype(np.float32))
        here = dx**2 + dy**2 < max(1.0, reach) ** 2
        if 0 <= x < GRID and 0 <= y < GRID:
            score[int(y), int(x)] = 1.0
            here[int(y), int(x)] = True
        values = (dx, dy, np.log(frame.side / CELL_SIDE), np.cos(roll), np.sin(roll))
        for row, value in zip(square, values, strict=True):
            row[here] = np.broadcast_to(value, here.shape)[here]
        near[here] = 1.0
    return score, square, near


def moved(frame: Crop, matrix: Floats) -> Crop:
    """A frame through a map that scales, mirrors and shifts."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    x, y = matrix[:, :2] @ (frame.x, frame.y) + matrix[:, 2]
    mirrored = matrix[0, 0] < 0
    return Crop(float(x), float(y), frame.side * scale, -frame.roll_deg if mirrored else frame.roll_deg)


def placed(person: Person, rng: np.random.Generator, share: float, middle: Floats) -> Floats:
    """(2, 3) map that puts a person into a scene: face of a share of the height, head near a place, sometimes mirrored."""
    scale = share * SIDE / (person.frame.side / 1.3)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    linear = scale * np.diag([flip, 1.0])
    return np.column_stack([linear, middle - linear @ (person.frame.x, person.frame.y)]).astype(np.float32)


def scene(people: People, scenes: Bytes, rng: np.random.Generator) -> tuple[Bytes, list[Crop]]:
    """A picture with persons of any size in a background, or pictures of persons hung into it."""
    canvas = np.asarray(scenes[int(rng.integers(len(scenes)))]).astype(np.float32)
    if rng.random() < 0.4:  # a plainer or busier background than the renderer's
        (x, y), side = rng.uniform(60, 196, 2).tolist(), float(np.exp(rng.uniform(np.log(20), np.log(500))))
        at = Crop(x, y, side)
        canvas = warp(canvas.astype(np.uint8), at.matrix(SIDE), SIDE, tuple(rng.integers(0, 256, 3))).astype(np.float32)
    count = int(rng.choice(3, p=PERSONS))
    frames: list[Crop] = []
    for k in range(count):
        person = people[int(rng.integers(len(people)))]
        most = 0.95 if count == 1 else 0.38
        small = float(np.exp(rng.uniform(np.log(LEAST_SHARE), np.log(most))))
        share = small if rng.random() < 0.5 else float(rng.uniform(0.15, most))
        slack = max(0.0, 0.5 - 0.55 * share)
        middle = 0.5 + rng.uniform(-slack, slack, 2)
        if count == 2:
            middle[0] = 0.25 + 0.5 * k + rng.uniform(-0.08, 0.08)
        matrix = placed(person, rng, share, (SIDE * middle).astype(np.float32))
        hung = rng.random() < 0.35
        whole = np.full(person.alpha.shape, 255, np.uint8) if hung else person.alpha
        alpha = warp(whole, matrix, SIDE)[..., None].astype(np.float32) / 255
        canvas = (canvas * (1 - alpha) + warp(person.image, matrix, SIDE) * alpha).astype(np.float32)
        frames.append(moved(person.frame, matrix))
    if rng.random() < DIM_SHARE:
        canvas *= np.float32(np.exp(rng.uniform(np.log(0.05), np.log(0.5))))
    return changed(canvas.astype(np.uint8), rng, patch=False), frames


class FinderTask:
    """Trains `FinderNetwork`."""

    name, batch_size, rate = "finder", 32, 2e-3

    def __init__(self, people: People, held: People, scenes: Bytes, device: torch.device) -> None:
        self.people, self.held, self.scenes, self.device = people, held, scenes, device

    def network(self) -> FinderNetwork:
        """A fresh one."""
        return FinderNetwork()

    def batch(self, rng: np.random.Generator) -> Batch:
        """One batch to learn from."""
        return self._batch(self.people, rng, self.batch_size)

    def _batch(self, people: People, rng: np.random.Generator, count: int) -> Batch:
        images, truths = zip(*((image, truth_of(frames)) for image, frames in
                               (scene(people, self.scenes, rng) for _ in range(count))), strict=True)  # fmt: skip
        image = torch.from_numpy(np.stack(images)).to(self.device).permute(0, 3, 1, 2).float() / 255
        maps = (torch.from_numpy(np.stack(rows)).to(self.device) for rows in zip(*truths, strict=True))
        return Batch(image.contiguous(memory_format=torch.channels_last), *maps)

    def loss(self, found: Found, truth: Batch) -> Tensor:
        """Penalty-reduced focal loss of centres (Zhou et al., Objects as Points, 2019) and distances of squares."""
        p = found.score.sigmoid().clamp(1e-4, 1 - 1e-4)
        is_centre = truth.score > 0.99
        hit = -torch.log(p) * (1 - p) ** 2 * is_centre
        miss = -torch.log1p(-p) * p**2 * (1 - truth.score) ** 4 * ~is_centre
        square = ((found.square - truth.square).abs().sum(1) * truth.near).sum() / truth.near.sum().clamp(min=1)
        return (hit.sum() + miss.sum()) / is_centre.sum().clamp(min=1) + 2.0 * square

    @torch.inference_mode()
    def measure(self, network: FinderNetwork, limit: int = 0) -> str:
        """Found, false and how exact on scenes of held-out people."""
        hits, faces, false, gaps = 0, 0, 0, []
        rng = np.random.default_rng(3)
        for _ in range((limit or 400) // 20):
            truth = self._batch(self.held, rng, 20)
            found = network(truth.image)
            score = found.score.sigmoid()
            peak = (score == functional.max_pool2d(score[:, None], 5, 1, 2)[:, 0]) & (score > 0.5)
            for n in range(20):
                rows, columns = torch.nonzero(truth.score[n] > 0.99, as_tuple=True)
                got = torch.nonzero(peak[n]).float()
                for row, column in zip(rows, columns, strict=True):
                    reach = max(1.5, 0.15 * float(torch.exp(truth.square[n, 2, row, column])) * CELL_SIDE / CELL)
                    near = (
                        (got - torch.stack([row, column])).norm(dim=1) < reach if len(got) else torch.zeros(0, dtype=torch.bool)
                    )
                    hits, faces = hits + int(near.any()), faces + 1
                    got = got[~near]
                    gaps.append((found.square[n, :, row, column] - truth.square[n, :, row, column]).abs())
                false += len(got)
        mean = torch.stack(gaps).mean(0)
        return (f"found {hits} of {faces}, false {false}, centre off {mean[:2].mean():.2f} cells, side {100 * mean[2]:.1f} %, "
                f"roll {57.3 * mean[4]:.1f} deg")  # fmt: skip
