"""Binary glTF 2.0 (.glb): nodes, numbers and one animation. What the formats that are built on it share."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.avatars import Quaternion
from vivant.types import Float32Array

FLOAT, UNSIGNED_SHORT = 5126, 5123
"""glTF's component types,"""
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
"""and its chunks."""
KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}


class Gltf:
    """A document in the making. Indices are those of glTF's own lists."""

    def __init__(self, times_s: Float32Array) -> None:
        """``times_s`` (frames,) are those of the one animation."""
        self.meshes: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []
        self._views: list[dict[str, int]] = []
        self._accessors: list[dict[str, Any]] = []
        self._samplers: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []
        self._numbers = b""
        self._times = self.add_floats(times_s[:, None])

    def add_node(self, name: str, **properties: object) -> int:
        self._nodes.append({"name": name, **properties})
        return len(self._nodes) - 1

    def add_child(self, parent: int, child: int) -> None:
        self._nodes[parent].setdefault("children", []).append(child)

    def animate(self, node: int, path: str, values: Float32Array) -> None:
        """``values`` (frames, width) of the node's translation, rotation (x y z w) or weights."""
        rows = values.reshape(-1, 1) if path == "weights" else values
        self._channels.append({"sampler": len(self._samplers), "target": {"node": node, "path": path}})
        self._samplers.append({"input": self._times, "output": self.add_floats(rows), "interpolation": "LINEAR"})

    def add_floats(self, rows: Float32Array) -> int:
        """An accessor of (n, width)."""
        return self._add_accessor(rows, bufferView=self._add_view(rows.astype("<f4")))

    def add_sparse(self, rows: Float32Array) -> int:
        """The same where most rows are zero."""
        moved = np.flatnonzero(rows.any(axis=1))
        if not len(moved):
            return self._add_accessor(rows)
        sparse = {
            "count": len(moved),
            "indices": {"bufferView": self._add_view(moved.astype("<u2")), "componentType": UNSIGNED_SHORT},
            "values": {"bufferView": self._add_view(rows[moved].astype("<f4"))},
        }
        return self._add_accessor(rows, sparse=sparse)

    def add_indices(self, indices: NDArray[np.integer[Any]]) -> int:
        view = self._add_view(indices.ravel().astype("<u2"))
        self._accessors.append(
            {"bufferView": view, "componentType": UNSIGNED_SHORT, "count": int(indices.size), "type": "SCALAR"}
        )
        return len(self._accessors) - 1

    def glb(self, animation: str, **more: object) -> bytes:
        """The whole file, with an animation of that name if anything moves; ``more`` are further properties of the document."""
        children = {child for node in self._nodes for child in node.get("children", ())}
        moving = {"name": animation, "samplers": self._samplers, "channels": self._channels}
        document = {
            "asset": {"version": "2.0", "generator": "Vivant"},
            "scene": 0,
            "scenes": [{"nodes": [index for index in range(len(self._nodes)) if index not in children]}],
            "nodes": self._nodes,
            **({"meshes": self.meshes} if self.meshes else {}),
            **({"animations": [moving]} if self._channels else {}),  # the format knows no empty list
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": len(self._numbers)}],
            **more,
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        chunks = _chunk(JSON_CHUNK, text, b" ") + _chunk(BINARY_CHUNK, self._numbers, b"\0")
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def _add_view(self, numbers: NDArray[Any]) -> int:
        packed = np.ascontiguousarray(numbers).tobytes()
        self._views.append({"buffer": 0, "byteOffset": len(self._numbers), "byteLength": len(packed)})
        self._numbers += packed + b"\0" * (-len(packed) % 4)
        return len(self._views) - 1

    def _add_accessor(self, rows: Float32Array, **where: object) -> int:
        bounds = {
            "min": rows.min(axis=0).tolist(),
            "max": rows.max(axis=0).tolist(),
        }  # the format wants them of times and positions
        kind = {"componentType": FLOAT, "count": len(rows), "type": KINDS[rows.shape[1]]}
        self._accessors.append({**kind, **bounds, **where})
        return len(self._accessors) - 1


def right_handed(turned: Quaternion) -> tuple[float, float, float, float]:
    """From Unity's frame to glTF's, whose x points to the avatar's left."""
    return turned.x, -turned.y, -turned.z, turned.w


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data
