"""Shards of rendered people as memory-mapped pictures and their truth."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.analyser.points import CORNERS
from training.synthetic_faces.people import faceless
from vivant.portrait.crop import Crop, face_frame

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

PLANES = ("image", "labels", "alpha")
NUMBERS = ("points", "visible", "rotation", "gaze", "weights")
LEAST_SEEN = 0.1
"""Share of a face's points that must be seen to learn from it or to judge by it."""


@dataclass(frozen=True)
class Person:
    """One picture with the truth that the networks need. Pixel centres lie at .5, y down."""

    image: Bytes
    """(size, size, 3) sRGB."""
    labels: Bytes
    """(size, size), `training.synthetic_faces.names.LABELS`."""
    alpha: Bytes
    """(size, size) matte, 0..255."""
    points: Floats
    """(478, 3) px."""
    visible: NDArray[np.bool_]
    """(478,)"""
    rotation: Floats
    """(3, 3) head to view (x right, y up, z to the camera)."""
    gaze: Floats
    """(2, 2) left and right eye: yaw, pitch relative to the head, degrees."""
    weights: Floats
    """(52,) ARKit weights."""

    @property
    def unit(self) -> float:
        """Distance of the outer eye corners in space, px: errors are given in % of it, also for turned heads."""
        return float(np.linalg.norm(self.points[CORNERS[0]] - self.points[CORNERS[1]]))

    @property
    def frame(self) -> Crop:
        """The true square around the face."""
        return face_frame(self.points)


def unpack(shard: Path, cache: Path) -> dict[str, NDArray[np.generic]]:
    """Decode a shard of `training.synthetic_faces.render` once into `cache`, then map its pictures into memory."""
    with np.load(shard, allow_pickle=False) as data:
        out: dict[str, NDArray[np.generic]] = {name: data[name] for name in NUMBERS}
        for plane in PLANES:
            path = cache / f"{shard.stem}_{plane}.npy"
            if not path.exists():
                streams = [io.BytesIO(data[f"{plane}_{i}"].tobytes()) for i in range(len(out["points"]))]
                draft = path.with_suffix(".part")
                with draft.open("wb") as stream:
                    np.save(stream, np.stack([np.asarray(Image.open(s)) for s in streams]))
                draft.replace(path)
            out[plane] = np.load(path, mmap_mode="r")
    return out


class People:
    """All pictures of the shards in a folder; `refresh` picks up shards that were written since."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache / folder.resolve().name
        self.cache.mkdir(parents=True, exist_ok=True)
        self.shards: dict[str, dict[str, NDArray[np.generic]]] = {}
        self.rows: list[tuple[str, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read new shards."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name not in self.shards:
                shard = unpack(path, self.cache)
                self.shards[path.name] = shard
                seen = np.asarray(shard["visible"], bool).mean(1)
                self.rows += [(path.name, int(i)) for i in np.flatnonzero(seen > LEAST_SEEN)]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Person:
        name, i = self.rows[index]
        row = {key: values[i] for key, values in self.shards[name].items()}
        numbers = {key: np.asarray(row.pop(key), np.float32) for key in ("points", "rotation", "gaze", "weights")}
        return Person(**row, **numbers)  # type: ignore[arg-type]


def empty_scenes(count: int, size: int, seed: int, cache: Path) -> Bytes:
    """(count, size, size, 3) backgrounds without a person, made once."""
    path = cache / f"empty_{seed}_{count}_{size}.npy"
    if not path.exists():
        scenes = faceless(seed, size)
        draft = path.with_suffix(".part")
        with draft.open("wb") as stream:
            np.save(stream, np.stack([next(scenes) for _ in range(count)]))
        draft.replace(path)
    return np.load(path, mmap_mode="r")


def warp(plane: Bytes, matrix: Floats, size: int, fill: tuple[int, ...] = (0, 0, 0), nearest: bool = False) -> Bytes:
    """Cut (size, size[, c]) out of a picture by a (2, 3) map from picture px to cut px (pixel centres at .5)."""
    by_index = matrix.astype(np.float64)
    by_index[:, 2] += by_index[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the middle of the first pixel
    scale = np.sqrt(abs(np.linalg.det(by_index[:, :2])))
    shrink = 1 if nearest else int(1 / scale)
    if shrink > 1:
        height, width = (v // shrink * shrink for v in plane.shape[:2])
        small = np.asarray(plane[:height, :width])
        plane = np.asarray(cv2.resize(small, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA), np.uint8)
        by_index[:, 2] += by_index[:, :2] @ (0.5 * (shrink - 1), 0.5 * (shrink - 1))
        by_index[:, :2] *= shrink
    flag = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    out = cv2.warpAffine(np.asarray(plane), by_index, (size, size), flags=flag, borderValue=[float(v) for v in fill])
    return np.asarray(out, np.uint8)
