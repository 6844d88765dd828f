"""glTF morph animations (.glb): Blender, three.js, Unity, Unreal, Godot, any viewer.

A mask, our average face, whose 52 morph targets are named after ARKit's weights; the node ``Head`` turns, ``Face`` below it has
the weights. So the file shows what it holds, and its animation fits any mesh with targets of these names.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import IO

import numpy as np

from vivant.avatars import Quaternion, all_weights
from vivant.motion_files.gltf import Gltf, right_handed
from vivant.rig.canonical import N_SURFACE, canonical_face
from vivant.types import ARKIT_NAMES, MotionFrame

HEAD, FACE = "Head", "Face"
EYES_FROM_NECK_M = (0.0, 0.085, 0.09)
"""Where the face's origin, between the eyes, lies from the joint that the head turns about; a grown-up's, rounded."""
LEAST_M = 1e-5
"""A target moves no point by less."""


def write_gltf_animation(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """One animation, a key per frame."""
    listed = list(frames)
    gltf = Gltf(np.array([frame.pts_us / 1e6 for frame in listed], np.float32))
    head, face = gltf.add_node(HEAD), gltf.add_node(FACE, mesh=0, translation=list(EYES_FROM_NECK_M))
    gltf.add_child(head, face)
    _add_mask(gltf)
    turns = [right_handed(Quaternion.of_pose(frame.pose)) for frame in listed]
    gltf.animate(head, "rotation", np.array(turns, np.float32))
    gltf.animate(face, "weights", np.array([all_weights(frame) for frame in listed], np.float32))
    file.write(gltf.glb(name))


def _add_mask(gltf: Gltf) -> None:
    face = canonical_face()
    m_per_unit = face.cm_per_unit / 100
    fields = face.fields[:, :N_SURFACE] * m_per_unit
    fields = np.where(np.linalg.norm(fields, axis=2, keepdims=True) < LEAST_M, 0.0, fields).astype(np.float32)
    primitive = {
        "attributes": {"POSITION": gltf.add_floats((face.points[:N_SURFACE] * m_per_unit).astype(np.float32))},
        "indices": gltf.add_indices(face.triangles),
        "targets": [{"POSITION": gltf.add_sparse(field)} for field in fields],
    }
    gltf.meshes.append({
        "name": FACE,
        "primitives": [primitive],
        "weights": [0.0] * len(ARKIT_NAMES),
        "extras": {"targetNames": list(ARKIT_NAMES)},  # as Blender writes them and readers look for them
    })  # fmt: skip
