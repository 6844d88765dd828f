"""Shards of rendered people as memory-mapped pictures and points."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.analyser.points import CORNERS

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """One picture with the truth that the landmark head needs. Pixel centres lie at .5, y down."""

    image: Bytes
    """(size, size, 3) sRGB."""
    points: Floats
    """(478, 2) px."""
    visible: NDArray[np.bool_]
    """(478,)"""
    unit: float
    """Distance of the outer eye corners in space, px: errors are given in % of it, also for turned heads."""
    box: Floats
    """(4,) left, top, right, bottom of the surface points, px."""


@dataclass(frozen=True)
class Shard:
    """The unpacked pictures of one shard."""

    images: Bytes
    points: Floats
    """(n, 478, 3)"""
    visible: NDArray[np.bool_]
    boxes: Floats


def unpack(shard: Path, cache: Path) -> Shard:
    """Decode a shard of `training.people.render` once into `cache`, then map it into memory."""
    pictures = cache / f"{shard.stem}.npy"
    with np.load(shard, allow_pickle=False) as data:
        points, visible, boxes = data["points"].astype(np.float32), data["visible"], data["box"].astype(np.float32)
        if not pictures.exists():
            streams = [io.BytesIO(data[f"image_{i}"].tobytes()) for i in range(len(points))]
            images = [np.asarray(Image.open(stream).convert("RGB")) for stream in streams]
            draft = pictures.with_suffix(".part")
            with draft.open("wb") as stream:
                np.save(stream, np.stack(images))
            draft.replace(pictures)
    return Shard(np.load(pictures, mmap_mode="r"), points, visible, boxes)


class Faces:
    """All pictures of the shards in a folder; `refresh` picks up shards that were written since."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache / folder.resolve().name
        self.cache.mkdir(parents=True, exist_ok=True)
        self.shards: dict[str, Shard] = {}
        self.rows: list[tuple[str, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read new shards."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name not in self.shards:
                shard = unpack(path, self.cache)
                self.shards[path.name] = shard
                self.rows += [(path.name, i) for i in range(len(shard.images)) if usable(shard, i)]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Face:
        name, i = self.rows[index]
        shard = self.shards[name]
        points = shard.points[i]
        unit = float(np.linalg.norm(points[CORNERS[0]] - points[CORNERS[1]]))
        return Face(shard.images[i], points[:, :2], shard.visible[i], unit, shard.boxes[i])


def usable(shard: Shard, row: int) -> bool:
    """Whether enough of the face is seen to learn or to judge: a tenth of its points."""
    return bool(shard.visible[row].mean() > 0.1)
