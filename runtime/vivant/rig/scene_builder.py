"""Scene builder: collects the vertices, moves, tints and layers of a rig while it is being built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.render._kernel import HIDDEN_EDGE as HIDDEN_EDGE
from vivant.render._kernel import MOUTH_CLOSED as MOUTH_CLOSED
from vivant.render._kernel import OPEN_EDGE as OPEN_EDGE
from vivant.render._kernel import SORTED as SORTED
from vivant.render._kernel import STATIC as STATIC
from vivant.render._kernel import TONGUE_UP as TONGUE_UP
from vivant.render._kernel import TURNED_LEFT as TURNED_LEFT
from vivant.render._kernel import TURNED_RIGHT as TURNED_RIGHT
from vivant.rig.canonical import Int32Array
from vivant.types import Float32Array, FloatArray, IntArray, UInt8Array


class SceneBuilder:
    """Scene builder: every array of a scene, grown piece by piece; see render/renderer.hpp for what each means."""

    def __init__(self) -> None:
        self.n_vertices = 0
        self.n_triangles = 0
        self._rest: list[Float32Array] = []
        self._uv: list[Float32Array] = []
        self._colour: list[Float32Array] = []
        self._head: list[Float32Array] = []
        self._body: list[Float32Array] = []
        self._round: list[Float32Array] = []
        self._blocks: dict[str, list[tuple[int, int, int, int]]] = {"move": [], "tint": []}
        self._data: dict[str, list[Float32Array]] = {"move": [], "tint": []}
        self._links: list[Int32Array] = []
        self._triangles: list[Int32Array] = []
        self._layers: list[tuple[int, int, int, int]] = []
        self.textures: list[UInt8Array] = []
        self.texture_names: list[str] = []

    def add_texture(self, name: str, rgba: UInt8Array) -> int:
        """Straight-alpha (h, w, 4); kept premultiplied. Returns its number."""
        wide = rgba.astype(np.uint16)
        wide[..., :3] = (wide[..., :3] * wide[..., 3:] + 127) // 255
        self.textures.append(np.ascontiguousarray(wide.astype(np.uint8)))
        self.texture_names.append(name)
        return len(self.textures) - 1

    def add_vertices(
        self,
        rest: FloatArray,
        uv_texels: FloatArray,
        head: float | FloatArray,
        colour: tuple[float, float, float, float] | FloatArray = (1.0, 1.0, 1.0, 1.0),
        body: float | FloatArray = 0.0,
        round: float | FloatArray = 0.0,
    ) -> int:
        """Rest places (n, 3) px, texture places (n, 2) texels; returns the number of the first vertex."""
        count, start = len(rest), self.n_vertices
        self._rest.append(np.asarray(rest, np.float32))
        self._uv.append(np.asarray(uv_texels, np.float32))
        for column, share in ((self._head, head), (self._body, body), (self._round, round)):
            column.append(np.broadcast_to(np.asarray(share, np.float32), (count,)).reshape(count, 1))
        self._colour.append(np.broadcast_to(np.asarray(colour, np.float32), (count, 4)))
        self.n_vertices += count
        return start

    def add_moves(self, drive: int, start: int, moves: FloatArray, least_px: float = 0.02) -> None:
        """Morph target: vertices from ``start`` move by ``moves`` (n, 3) at drive value 1; still ends are cut off."""
        self._add_block("move", drive, start, np.asarray(moves, np.float32), least_px)

    def add_tints(self, drive: int, start: int, tints: FloatArray) -> None:
        """The same for colour factors (n, 4)."""
        self._add_block("tint", drive, start, np.asarray(tints, np.float32), 0.002)

    def _add_block(self, kind: str, drive: int, start: int, data: Float32Array, least: float) -> None:
        moving = np.flatnonzero(np.abs(data).max(axis=1) > least)
        if moving.size == 0:
            return
        first, end = int(moving[0]), int(moving[-1]) + 1
        offset = sum(len(rows) for rows in self._data[kind])
        self._blocks[kind].append((drive, start + first, end - first, offset))
        self._data[kind].append(data[first:end])

    def link(self, followers: IntArray, leaders: IntArray) -> None:
        """Each follower takes over its leader's displacement, after lips and lids have been kept apart."""
        self._links.append(np.stack([followers, leaders], axis=1).astype(np.int32))

    def add_layer(self, triangles: IntArray, texture: int, flags: int = 0, neighbours: IntArray | None = None) -> None:
        """Triangles (n, 3) drawn after all earlier layers; neighbours are in this layer's own numbers, default hidden."""
        count = len(triangles)
        if neighbours is None:
            neighbours = np.full((count, 3), HIDDEN_EDGE)
        shifted = np.where(neighbours >= 0, neighbours + self.n_triangles, neighbours)
        self._triangles.append(np.hstack([triangles, shifted]).astype(np.int32))
        self._layers.append((self.n_triangles, count, texture, flags))
        self.n_triangles += count

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays under the names that the kernel gives them."""

        def stack(rows: list[Float32Array], width: int) -> NDArray[np.generic]:
            return np.ascontiguousarray(np.concatenate(rows)) if rows else np.zeros((0, width), np.float32)

        def table(rows: list[tuple[int, int, int, int]]) -> Int32Array:
            return np.asarray(rows, np.int32).reshape(-1, 4)

        return {
            "rest": stack(self._rest, 3),
            "uv": stack(self._uv, 2),
            "colour": stack(self._colour, 4),
            "head": stack(self._head, 1),
            "body": stack(self._body, 1),
            "round": stack(self._round, 1),
            "move_blocks": table(self._blocks["move"]),
            "moves": stack(self._data["move"], 3),
            "tint_blocks": table(self._blocks["tint"]),
            "tints": stack(self._data["tint"], 4),
            "links": np.concatenate(self._links) if self._links else np.zeros((0, 2), np.int32),
            "triangles": np.concatenate(self._triangles),
            "layers": table(self._layers),
        }
