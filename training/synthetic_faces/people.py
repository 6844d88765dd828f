"""Endless people: `people(seed, size, assets)` yields samples; picture k depends on (seed, k) and size alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synthetic_faces import camera_effects, sample_plan
from training.synthetic_faces.assets import Assets, Bytes, Floats
from training.synthetic_faces.backdrop import backdrop
from training.synthetic_faces.gl_renderer import Buffers
from training.synthetic_faces.names import LABEL, LABELS
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.sample import Sample
from training.synthetic_faces.scene import Drawn, Scene

BEHIND_CM = 0.25
"""A point further than this behind the depth buffer is hidden."""


class Studio:
    """Renders plans at one size."""

    def __init__(self, assets: Assets, size: int) -> None:
        self.assets, self.size = assets, size
        self.scene = Scene(assets, size)

    def plan(self, seed: int, index: int) -> Plan:
        """Picture `index` of a seed."""
        return sample_plan.plan(np.random.default_rng([seed, index]), self.assets)

    def sample(self, plan: Plan, index: int) -> Sample:
        """Render a plan with its truth."""
        drawn = self.scene.draw(plan)
        labels, normals, depth = reduce_truth(drawn.buffers)
        colour = cv2.resize(drawn.buffers.colour, (self.size, self.size), interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha = colour[..., 3]
        scene = backdrop(plan.film.backdrop, self.size, plan.film.seed) * 255
        mixed = (colour[..., :3] + scene * (1 - alpha[..., None] / 255)) * gain(colour, labels, plan.film.meter)
        image = np.clip(mixed, 0, 255).astype(np.uint8)
        pixels = drawn.lens.project(drawn.view)
        scale = drawn.lens.focal / drawn.lens.distance
        points = np.concatenate([pixels[:, :2], scale * drawn.view[:, 2:]], 1).astype(np.float32)
        surface = points[:468, :2]
        return Sample(
            index=index,
            image=camera_effects.expose(image, plan.film.filters, plan.film.seed + 1),
            points=points,
            visible=visibility(drawn, pixels, plan.skin.beard[0]),
            pose=pose_of(drawn.rotation),
            rotation=drawn.rotation,
            camera=np.array([drawn.lens.focal, *drawn.lens.centre, drawn.lens.distance], np.float32),
            gaze=plan.face.gaze,
            weights=plan.face.weights,
            labels=labels,
            alpha=np.round(alpha).astype(np.uint8),
            depth=(drawn.lens.distance - depth).astype(np.float16),
            normals=normals,
            box=np.concatenate([surface.min(0), surface.max(0)]).astype(np.float32),
        )


def gain(colour: Floats, labels: Bytes, wanted: float) -> float:
    """Exposure that brings the mean of the face (sRGB 0..255) part of the way to `wanted` (0..1)."""
    face = colour[labels == LABEL["skin"]][:, :3]
    if len(face) < 16:
        return 1.0
    share = max(float(face.mean()) / 255, 0.01)
    return float(np.clip((wanted / share) ** 0.7, 0.6, 4.0))


def pose_of(rotation: Floats) -> Floats:
    """(yaw, pitch, roll) in degrees, as the product reads them from a rotation."""
    forward, up = rotation[:, 2], rotation[:, 1]
    yaw, roll = np.arctan2(forward[0], forward[2]), np.arctan2(up[0], up[1])
    return np.degrees([yaw, np.arcsin(np.clip(forward[1], -1, 1)), roll]).astype(np.float32)


def reduce_truth(buffers: Buffers) -> tuple[Bytes, Bytes, Floats]:
    """Labels, normals and depth of the image: each 2 x 2 block gives the values of its most frequent label."""
    label = np.where(np.isfinite(buffers.depth), buffers.truth[..., 3], LABEL["background"])
    h, w = label.shape
    quads = label.reshape(h // 2, 2, w // 2, 2).transpose(0, 2, 1, 3).reshape(h // 2, w // 2, 4)
    votes = (quads[..., :, None] == quads[..., None, :]).sum(-1)
    odd = np.indices(votes.shape[:2]).sum(0) % 2 == 1  # ties go left or right in turn, so that no border is moved
    best = np.where(odd, 3 - votes[..., ::-1].argmax(-1), votes.argmax(-1))[..., None]

    def pick(values: NDArray[np.generic]) -> NDArray[np.generic]:
        tail = values.shape[2:]
        blocks = values.reshape(h // 2, 2, w // 2, 2, *tail).swapaxes(1, 2).reshape(h // 2, w // 2, 4, *tail)
        return np.take_along_axis(blocks, best.reshape(*best.shape, *[1] * len(tail)), 2)[:, :, 0]

    depth = np.asarray(pick(buffers.depth), np.float32)
    labels = np.asarray(pick(label), np.uint8)
    return labels, np.asarray(pick(buffers.truth[..., :3]), np.uint8), np.where(labels == LABEL["background"], np.inf, depth)


def visibility(drawn: Drawn, pixels: Floats, beard: float) -> NDArray[np.bool_]:
    """(478,) whether each point is seen, by the depth buffer at twice the size; a beard (length in cm) hides nothing."""
    depth = drawn.buffers.depth
    size = len(depth)
    x, y = (2 * pixels[:, k] for k in (0, 1))
    inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
    column, row = (np.clip(v.astype(int), 1, size - 2) for v in (x, y))
    around = np.stack([depth[row + j, column + i] for j in (-1, 0, 1) for i in (-1, 0, 1)])
    nearest = np.median(around, axis=0)
    away = np.array([0.0, 0.0, drawn.lens.distance], np.float32) - drawn.view
    facing = (drawn.normals * away).sum(1) / np.linalg.norm(away, axis=1)
    seen: NDArray[np.bool_] = inside & (facing > 0.03) & (pixels[:, 2] < nearest + BEHIND_CM + 1.2 * beard)
    label = drawn.buffers.truth[row, column, 3]
    seen[468:] &= np.isin(label[468:], (LABEL["eyeball"], LABEL["iris"]))  # lids are thinner than the allowance
    return seen


def people(seed: int, size: int, assets: Path, start: int = 0, step: int = 1, part: str = "all") -> Iterator[Sample]:
    """Samples start, start + step, ... of a seed; an iterator per process (each holds its own OpenGL context).

    `part` "train" leaves out some hair, skins, brows and clothes, "test" shows only those.
    """
    studio = Studio(Assets(assets, part), size)
    for index in count(start, step):
        yield studio.sample(studio.plan(seed, index), index)


def faceless(seed: int, size: int) -> Iterator[Bytes]:
    """Pictures (size, size, 3) of backgrounds alone, through the same cameras: nothing must be found in them."""
    for index in count():
        rng = np.random.default_rng([seed, index, 1])
        kind, where = str(rng.choice(camera_effects.BACKDROPS)), int(rng.integers(1 << 31))
        yield camera_effects.expose((backdrop(kind, size, where) * 255).astype(np.uint8), camera_effects.choose(rng), where + 1)


__all__ = ["LABELS", "Studio", "faceless", "people"]
