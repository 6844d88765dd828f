"""The face network: an upright square around a face to its points, pose, gaze and ARKit weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.analyser import points as groups
from training.analyser.blocks import Decoder, Encoder
from training.analyser.changes import changed
from training.analyser.data import Bytes, Floats, People, Person, warp
from training.analyser.points import GROUPS, N_POINTS
from training.synthetic_faces.names import ARKIT_NAMES
from vivant.portrait.crop import Crop
from vivant.rig.canonical import mirrored

SIDE = 192
"""Width and height of the square, px."""
WIDTHS, DEPTHS = (48, 128, 224, 288), (2, 4, 5, 3)
DECODER = (128, 112, 96, 64)
HIDDEN, LOCAL = 320, 48
GRID = SIDE // 8
"""Cells of a heat map in a row."""
N_WEIGHTS = len(ARKIT_NAMES)
SIZES = (2 * N_POINTS, N_POINTS, N_POINTS, N_POINTS, 1)
"""Numbers that are found of all points together: corrections, heights, spread, seen, face."""
STATE_SIZES, STATE_HIDDEN, STATE_SCALE = (6, 4, N_WEIGHTS), 192, 0.1
"""Numbers of the state of the face: rotation, gaze, weights; the scale keeps steps of the optimiser small in them."""
STATE_POINTS = (468, 473, 159, 145, 386, 374, 33, 133, 263, 362, 13, 14, 61, 291, 105, 334)
"""Irises, lids, eye corners, lips, brows: the look at them tells the state."""
GAZE_DEG = 30.0
HEIGHT_PX = 48.0

WING_PX = (8.0, 1.0)
"""The wing loss is logarithmic up to the first value, with the second as its bend."""
HIDDEN_WEIGHT = 0.5
"""Weight of points that are not seen: their place is known to the renderer, the network can only guess."""
LEAST_PX = 14
"""Width of the coarsest squares: a face as far away as the finder still sees it."""
EMPTY_SHARE = 0.12
"""Share of squares without a face."""
NONE, ONE = np.zeros((), np.float32), np.ones((), np.float32)
MIRROR = np.array((-1, 1, 1), np.float32)


@dataclass(frozen=True)
class Found:
    """Output for n squares, in px of the square."""

    points: Tensor
    """(n, 478, 3)"""
    drafts: tuple[Tensor, Tensor]
    """(n, 478, 2) by the heat maps alone, and after a look at each place."""
    spread: Tensor
    """(n, 478) logarithm of the expected error in px (mean of |x| and |y|)."""
    seen: Tensor
    """(n, 478) logit of being visible."""
    rotation: Tensor
    """(n, 6) first two columns of the rotation from head to view, upright as the square."""
    gaze: Tensor
    """(n, 4) yaw, pitch of the left, then the right eye, in units of GAZE_DEG."""
    weights: Tensor
    """(n, 52)"""
    face: Tensor
    """(n,) logit of there being a face."""


class FaceNetwork(nn.Module):
    """(n, 3, SIDE, SIDE) sRGB 0..1 to `Found`: coarse heat maps, a look at each place, then all places together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTHS, DEPTHS)
        self.decoder = Decoder(WIDTHS[::-1], DECODER)
        self.maps = nn.Conv2d(DECODER[2], N_POINTS, 1)
        self.look = nn.Conv2d(DECODER[3], LOCAL, 1)
        self.place = nn.Parameter(0.02 * torch.randn(N_POINTS, LOCAL))
        self.step = nn.Parameter(torch.zeros(N_POINTS, LOCAL, 2))
        self.whole = mlp_head(2 * N_POINTS + WIDTHS[-1], HIDDEN, sum(SIZES))
        self.state = mlp_head(2 * N_POINTS + WIDTHS[-1] + LOCAL * len(STATE_POINTS), STATE_HIDDEN, sum(STATE_SIZES))
        cells = (torch.arange(GRID) + 0.5) / GRID - 0.5
        rows, columns = torch.meshgrid(cells, cells, indexing="ij")
        self.register_buffer("cells", torch.stack([columns.flatten(), rows.flatten()], 1), persistent=False)

    def forward(self, images: Tensor) -> Found:
        """Find everything."""
        levels = self.encoder(images)
        *_, coarse, fine = self.decoder(levels[::-1])
        pooled = levels[-1].float().mean((2, 3))
        maps, look = self.maps(functional.relu(coarse)).float(), self.look(fine).float()
        with torch.autocast(images.device.type, enabled=False):
            heat = torch.softmax(maps.flatten(2), 2)
            first = heat @ self.get_buffer("cells")
            around = functional.grid_sample(look, 2 * first.detach()[:, :, None], align_corners=False)
            around = functional.relu(around.squeeze(3).transpose(1, 2) + self.place)
            second = first + 0.1 * (around.transpose(0, 1) @ self.step).transpose(0, 1)
            together = torch.cat([(4 * second.detach()).flatten(1), pooled], 1)
            moved, height, spread, seen, face = self.whole(together).split(SIZES, 1)
            looks = around[:, list(STATE_POINTS)].flatten(1)
            rotation, gaze, weights = (STATE_SCALE * self.state(torch.cat([together, looks], 1))).split(STATE_SIZES, 1)
            places = SIDE * (0.5 + second + 0.25 * moved.unflatten(1, (N_POINTS, 2)))
            points = torch.cat([places, HEIGHT_PX * height[:, :, None]], 2)
        drafts = (SIDE * (first + 0.5), SIDE * (second + 0.5))
        return Found(points, drafts, spread, seen, rotation, gaze, weights, face[:, 0])


def mlp_head(fan_in: int, hidden: int, fan_out: int) -> nn.Sequential:
    """MLP head: two layers that start by saying nothing."""
    last = nn.Linear(hidden, fan_out)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(fan_in, hidden), nn.ReLU(True), last)


@dataclass(frozen=True)
class Square:
    """What the network sees, and the truth; stacked along a first axis in a batch."""

    image: Bytes
    """(SIDE, SIDE, 3)"""
    points: Floats
    """(478, 3) px of the square."""
    visible: Floats
    """(478,) 0 or 1: seen and inside the square."""
    rotation: Floats
    """(3, 3)"""
    gaze: Floats
    """(2, 2) degrees."""
    weights: Floats
    unit: Floats
    """() outer-eye distance, px of the square."""
    face: Floats
    """() 1, or 0 without a face: then nothing else counts."""


def cut_face(person: Person, frame: Crop, fill: tuple[int, ...] = (0, 0, 0)) -> Square:
    """The square of a frame with its truth."""
    image = warp(person.image, frame.matrix(SIDE), SIDE, fill)
    points = frame.inside(person.points, SIDE)
    inside = ((points[:, :2] >= 0) & (points[:, :2] < SIDE)).all(1)
    roll = np.radians(frame.roll_deg)
    turn = np.array([(np.cos(roll), -np.sin(roll), 0), (np.sin(roll), np.cos(roll), 0), (0, 0, 1)], np.float32)
    unit = np.float32(person.unit * SIDE / frame.side)
    return Square(image, points, (person.visible & inside).astype(np.float32), turn @ person.rotation, person.gaze,
                  person.weights, np.asarray(unit), ONE)  # fmt: skip


def strayed(frame: Crop, rng: np.random.Generator, scale: float, shift: float, roll_deg: float) -> Crop:
    """A frame off by these standard deviations (of the logarithm, share of the side, degrees)."""
    dx, dy = rng.normal(0, shift, 2) * frame.side
    side = frame.side * float(np.exp(rng.normal(0, scale)))
    return Crop(frame.x + float(dx), frame.y + float(dy), side, frame.roll_deg + float(rng.normal(0, roll_deg)))


def flipped(square: Square) -> Square:
    """The mirror image, with left and right exchanged."""
    other = mirrored()
    points = (square.points[other] * MIRROR + (SIDE, 0, 0)).astype(np.float32)
    return replace(
        square, image=np.ascontiguousarray(square.image[:, ::-1]), points=points, visible=square.visible[other],
        rotation=MIRROR[:, None] * square.rotation * MIRROR, gaze=square.gaze[::-1] * MIRROR[:2],
        weights=square.weights[MIRRORED],
    )  # fmt: skip


def _mirrored_names() -> list[int]:
    swap = {"Left": "Right", "Right": "Left"}
    ends = [next((n[: -len(s)] + t for s, t in swap.items() if n.endswith(s)), n) for n in ARKIT_NAMES]
    return [ARKIT_NAMES.index(name) for name in ends]


MIRRORED = _mirrored_names()


def training_square(people: People, scenes: Bytes, rng: np.random.Generator) -> Square:
    """One square to learn from: half as the finder leaves it, half as the points of a first look do."""
    person = people[int(rng.integers(len(people)))]
    spread = (0.12, 0.05, 9.0) if rng.random() < 0.45 else (0.04, 0.015, 3.0)
    fill = tuple(int(v) for v in rng.integers(0, 256, 3)) if rng.random() < 0.4 else (0, 0, 0)
    square = cut_face(person, strayed(person.frame, rng, *spread), fill)
    if rng.random() < EMPTY_SHARE:
        square = replace(square, image=empty(person, scenes, rng), face=NONE)
    square = flipped(square) if rng.random() < 0.5 else square
    return replace(square, image=changed(square.image, rng, least_px=LEAST_PX))


def empty(person: Person, scenes: Bytes, rng: np.random.Generator) -> Bytes:
    """A square without a face: of an empty scene, or beside a face."""
    size = scenes.shape[1]
    if rng.random() < 0.6:
        x, y, roll_deg = rng.uniform((0, 0, -45), (size, size, 45)).tolist()
        at = Crop(x, y, float(np.exp(rng.uniform(np.log(0.05), 0))) * size, roll_deg)
        return warp(np.asarray(scenes[int(rng.integers(len(scenes)))]), at.matrix(SIDE), SIDE)
    face, side = person.frame, person.frame.side * float(rng.uniform(0.3, 0.8))
    angle, reach = rng.uniform(0, 2 * np.pi), (0.5 * face.side + 0.45 * side) * rng.uniform(1.0, 1.3)
    at = Crop(face.x + float(reach * np.cos(angle)), face.y + float(reach * np.sin(angle)), side, float(rng.normal(0, 15)))
    return warp(person.image, at.matrix(SIDE), SIDE)


def judged_square(people: People, index: int) -> Square:
    """One square to be measured on, about as a first look leaves it; always the same for an index."""
    person = people[index]
    return cut_face(person, strayed(person.frame, np.random.default_rng([7, index]), 0.04, 0.015, 3.0))


@dataclass(frozen=True)
class Batch:
    """n squares on one device, fields as in `Square`."""

    image: Tensor
    """(n, 3, SIDE, SIDE) sRGB 0..1."""
    points: Tensor
    visible: Tensor
    rotation: Tensor
    gaze: Tensor
    weights: Tensor
    unit: Tensor
    face: Tensor


def batch_of(squares: list[Square], device: torch.device) -> Batch:
    """Stack squares."""
    parts = {f.name: torch.from_numpy(np.stack([getattr(s, f.name) for s in squares])).to(device) for f in fields(Square)}
    image = parts.pop("image").permute(0, 3, 1, 2).float() / 255
    return Batch(image.contiguous(memory_format=torch.channels_last), **parts)


def wing(gap: Tensor) -> Tensor:
    """Wing loss of distances in px: steep near zero, so that the last half pixel counts (Feng et al., CVPR 2018)."""
    wide, bend = WING_PX
    inner = wide * torch.log1p(gap / bend)
    outer = gap + (wide * float(np.log1p(wide / bend)) - wide)
    return torch.where(gap < wide, inner, outer)


class FaceTask:
    """Trains `FaceNetwork`."""

    name, batch_size, rate = "face", 32, 2e-3

    def __init__(self, people: People, held: People, scenes: Bytes, device: torch.device) -> None:
        self.people, self.held, self.scenes, self.device = people, held, scenes, device
        self.fine = torch.from_numpy(groups.weights()).to(device)

    def network(self) -> FaceNetwork:
        """A fresh one."""
        return FaceNetwork()

    def batch(self, rng: np.random.Generator) -> Batch:
        """One batch to learn from."""
        return batch_of([training_square(self.people, self.scenes, rng) for _ in range(self.batch_size)], self.device)

    def loss(self, found: Found, truth: Batch) -> Tensor:
        """Places by the wing loss, spread by the Laplace likelihood, the rest by distance, chances by cross-entropy."""
        face = truth.face[:, None]
        weight = self.fine * (HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * truth.visible) * face
        gaps = (found.points - truth.points).abs()
        drafts = sum(s * wing((d - truth.points[:, :, :2]).abs()) for d, s in zip(found.drafts, (0.3, 0.7), strict=True))
        place = ((wing(gaps[:, :, :2]) + drafts).sum(2) * weight).mean()
        height = (gaps[:, :, 2] * face).mean()
        error, spread = gaps[:, :, :2].detach().mean(2), found.spread.clamp(-3, 5)
        likelihood = ((error * torch.exp(-spread) + spread) * face).mean()
        seen = functional.binary_cross_entropy_with_logits(found.seen, truth.visible, face.expand_as(found.seen))
        columns = truth.rotation[:, :, :2].transpose(1, 2).flatten(1)
        rotation = ((found.rotation - columns).abs() * face).sum(1).mean()
        open_eyes = truth.visible[:, (468, 473)][:, (1, 0)].repeat_interleave(2, 1) * 0.9 + 0.1
        gaze = ((found.gaze - truth.gaze.flatten(1) / GAZE_DEG).abs() * face * open_eyes).sum(1).mean()
        weights = ((found.weights - truth.weights).abs() * face).sum(1).mean()
        chance = functional.binary_cross_entropy_with_logits(found.face, truth.face)
        return place + 0.5 * height + 0.5 * likelihood + 0.5 * seen + 6 * rotation + 3 * gaze + 0.4 * weights + 3 * chance

    @torch.inference_mode()
    def measure(self, network: FaceNetwork, limit: int = 0) -> str:
        """Figures on held-out faces, in words."""
        count = min(limit, len(self.held)) if limit else len(self.held)
        found, truth = [], []
        for first in range(0, count, 25):
            truth.append(batch_of([judged_square(self.held, i) for i in range(first, min(first + 25, count))], self.device))
            found.append(network(truth[-1].image))
        return figures(found, truth)


def errors(points: Tensor, truth: Batch) -> Tensor:
    """(n, 478) distances in % of the outer-eye distance."""
    return 100 * (points[:, :, :2] - truth.points[:, :, :2]).norm(dim=2) / truth.unit[:, None]


def turn_of(columns: Tensor) -> Tensor:
    """(n, 6) to rotations (n, 3, 3) (Zhou et al., CVPR 2019)."""
    first = functional.normalize(columns[:, :3], dim=1)
    second = functional.normalize(columns[:, 3:] - (first * columns[:, 3:]).sum(1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], 2)


def figures(found: list[Found], truth: list[Batch]) -> str:
    """Errors of points (all, then those that show), rotation, gaze (eyes that show), weights."""
    error = torch.cat([errors(f.points, t) for f, t in zip(found, truth, strict=True)])
    visible = torch.cat([t.visible for t in truth])
    out = []
    for name, rows in GROUPS.items():
        here, seen = error[:, list(rows)], visible[:, list(rows)]
        out.append(f"{name} {here.mean():.2f} (seen {(here * seen).sum() / seen.sum().clamp(min=1):.2f})")
    gaps = torch.cat([turn_of(f.rotation).transpose(1, 2) @ t.rotation for f, t in zip(found, truth, strict=True)])
    angle = torch.rad2deg(torch.arccos(((gaps.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)))
    gaze = torch.cat([(GAZE_DEG * f.gaze.unflatten(1, (2, 2)) - t.gaze).norm(dim=2) for f, t in zip(found, truth, strict=True)])
    shown = visible[:, (473, 468)]
    weight = torch.cat([(f.weights - t.weights).abs() for f, t in zip(found, truth, strict=True)]).mean()
    out.append(f"rotation {angle.mean():.2f} deg, gaze {(gaze * shown).sum() / shown.sum().clamp(min=1):.2f} deg")
    return ", ".join(out) + f", weights {weight:.3f}"
