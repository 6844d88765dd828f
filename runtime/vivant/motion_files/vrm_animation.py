"""VRM animations (.vrma): any VRM 1.0 avatar, in three-vrm, UniVRM and the tools built on them.

A binary glTF with the extension VRMC_vrm_animation 1.0: expressions are the x of nodes' translations, the head turns as a bone.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import IO, Any

import numpy as np

from vivant.avatars import Quaternion, all_weights, eye_angles_deg, vowels
from vivant.motion_files.gltf import Gltf, right_handed
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame

PRESETS = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight")
BONES = ("hips", "spine", "chest", "neck", "head")
"""From the root to the head, each a child of the one before."""
HEIGHTS_M = (0.9, 0.15, 0.15, 0.25, 0.08)
"""Of each above its parent: a grown-up's, rounded. Players scale by the hips."""


def write_vrm_animation(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """One animation. Presets hold vowels and blinks, custom expressions the 52 ARKit weights (perfect sync)."""
    listed = list(frames)
    weights = np.array([all_weights(frame) for frame in listed], np.float32)
    gltf = Gltf(np.array([frame.pts_us / 1e6 for frame in listed], np.float32))
    blinks = weights[:, [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]]
    presets = np.concatenate([[vowels(row) for row in weights], blinks], axis=1)
    head = [right_handed(Quaternion.of_pose(frame.pose)) for frame in listed]
    looks = [right_handed(Quaternion.of(*np.mean(eye_angles_deg(row), axis=0))) for row in weights]
    bones = _add_bones(gltf)
    gltf.animate(bones["head"], "rotation", np.array(head, np.float32))
    extension: dict[str, Any] = {
        "specVersion": "1.0",
        "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
        "expressions": {
            "preset": _add_expressions(gltf, PRESETS, presets.astype(np.float32)),
            "custom": _add_expressions(gltf, ARKIT_NAMES, weights),
        },
        "lookAt": {"node": gltf.add_node("lookAt"), "offsetFromHeadBone": [0.0, 0.06, 0.0]},
    }
    gltf.animate(extension["lookAt"]["node"], "rotation", np.array(looks, np.float32))
    extensions = {"VRMC_vrm_animation": extension}
    file.write(gltf.glb(name, extensionsUsed=list(extensions), extensions=extensions))


def _add_bones(gltf: Gltf) -> dict[str, int]:
    bones = {
        bone: gltf.add_node(bone, translation=[0.0, height_m, 0.0]) for bone, height_m in zip(BONES, HEIGHTS_M, strict=True)
    }
    for parent, child in pairwise(BONES):
        gltf.add_child(bones[parent], bones[child])
    return bones


def _add_expressions(gltf: Gltf, names: Iterable[str], weights: Float32Array) -> dict[str, dict[str, int]]:
    """(frames, names) weights; what the extension says of them."""
    said = {}
    for name, curve in zip(names, weights.T, strict=True):
        said[name] = {"node": gltf.add_node(name)}
        gltf.animate(said[name]["node"], "translation", np.stack([curve, np.zeros_like(curve), np.zeros_like(curve)], axis=1))
    return said
