"""VRM animations (.vrma): any VRM 1.0 avatar, in three-vrm, UniVRM and the tools built on them.

A binary glTF with the extension VRMC_vrm_animation 1.0: expressions are the x of nodes' translations, the head turns as a bone.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import IO, Any

import numpy as np

from vivant.avatars import Quaternion, all_weights, eye_angles_deg, vowels
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame

PRESETS = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight")
BONES = ("hips", "spine", "chest", "neck", "head")
"""From the root to the head, each a child of the one before."""
HEIGHTS_M = (0.9, 0.15, 0.15, 0.25, 0.08)
"""Of each above its parent: a grown-up's, rounded. Players scale by the hips."""
FLOAT, JSON_CHUNK, BINARY_CHUNK = 5126, 0x4E4F534A, 0x004E4942


def write_vrm_animation(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """One animation. Presets hold vowels and blinks, custom expressions the 52 ARKit weights (perfect sync)."""
    listed = list(frames)
    weights = np.array([all_weights(frame) for frame in listed], np.float32)
    tracks = _Tracks(np.array([frame.pts_us / 1e6 for frame in listed], np.float32))
    blinks = weights[:, [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]]
    presets = np.concatenate([[vowels(row) for row in weights], blinks], axis=1)
    head = [_right_handed(Quaternion.of_pose(frame.pose)) for frame in listed]
    looks = [_right_handed(Quaternion.of(*np.mean(eye_angles_deg(row), axis=0))) for row in weights]
    bones = tracks.add_bones()
    tracks.add_rotation(bones["head"], np.array(head, np.float32))
    extension: dict[str, Any] = {
        "specVersion": "1.0",
        "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
        "expressions": {
            "preset": tracks.add_expressions(PRESETS, presets.astype(np.float32)),
            "custom": tracks.add_expressions(ARKIT_NAMES, weights),
        },
        "lookAt": {"node": tracks.add_node("lookAt"), "offsetFromHeadBone": [0.0, 0.06, 0.0]},
    }
    tracks.add_rotation(extension["lookAt"]["node"], np.array(looks, np.float32))
    file.write(tracks.glb(name, extension))


class _Tracks:
    """The nodes, the numbers and the animation of one file."""

    def __init__(self, times_s: Float32Array) -> None:
        self._nodes: list[dict[str, Any]] = []
        self._views: list[dict[str, int]] = []
        self._accessors: list[dict[str, Any]] = []
        self._samplers: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []
        self._numbers = b""
        self._times = self._add_numbers(times_s[:, None], "SCALAR", bounds=True)

    def add_node(self, name: str) -> int:
        self._nodes.append({"name": name})
        return len(self._nodes) - 1

    def add_bones(self) -> dict[str, int]:
        bones = {bone: self.add_node(bone) for bone in BONES}
        for bone, height_m in zip(BONES, HEIGHTS_M, strict=True):
            self._nodes[bones[bone]]["translation"] = [0.0, height_m, 0.0]
        for parent, child in pairwise(BONES):
            self._nodes[bones[parent]]["children"] = [bones[child]]
        return bones

    def add_expressions(self, names: Iterable[str], weights: Float32Array) -> dict[str, dict[str, int]]:
        """(frames, names) weights; what the extension says of them."""
        said = {}
        for name, curve in zip(names, weights.T, strict=True):
            said[name] = {"node": self.add_node(name)}
            moved = np.stack([curve, np.zeros_like(curve), np.zeros_like(curve)], axis=1)
            self._animate(said[name]["node"], "translation", self._add_numbers(moved, "VEC3"))
        return said

    def add_rotation(self, node: int, quaternions: Float32Array) -> None:
        """(frames, 4), x y z w."""
        self._animate(node, "rotation", self._add_numbers(quaternions, "VEC4"))

    def glb(self, name: str, extension: dict[str, Any]) -> bytes:
        roots = [i for i, node in enumerate(self._nodes) if not any(i in n.get("children", ()) for n in self._nodes)]
        document = {
            "asset": {"version": "2.0", "generator": "Vivant"},
            "extensionsUsed": ["VRMC_vrm_animation"],
            "extensions": {"VRMC_vrm_animation": extension},
            "scene": 0,
            "scenes": [{"nodes": roots}],
            "nodes": self._nodes,
            "animations": [{"name": name, "samplers": self._samplers, "channels": self._channels}],
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": len(self._numbers)}],
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        chunks = _chunk(JSON_CHUNK, text, b" ") + _chunk(BINARY_CHUNK, self._numbers, b"\0")
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def _animate(self, node: int, path: str, output: int) -> None:
        self._channels.append({"sampler": len(self._samplers), "target": {"node": node, "path": path}})
        self._samplers.append({"input": self._times, "output": output, "interpolation": "LINEAR"})

    def _add_numbers(self, rows: Float32Array, kind: str, *, bounds: bool = False) -> int:
        packed = np.ascontiguousarray(rows, "<f4").tobytes()
        self._views.append({"buffer": 0, "byteOffset": len(self._numbers), "byteLength": len(packed)})
        self._numbers += packed
        accessor: dict[str, Any] = {
            "bufferView": len(self._views) - 1, "componentType": FLOAT, "count": len(rows), "type": kind
        }  # fmt: skip
        if bounds:  # which the format wants of times
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data


def _right_handed(turned: Quaternion) -> tuple[float, float, float, float]:
    """From Unity's frame to glTF's, whose x points to the avatar's left."""
    return turned.x, -turned.y, -turned.z, turned.w
