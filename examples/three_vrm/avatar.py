"""A VRM 1.0 avatar of nobody: ``python examples/three_vrm/avatar.py avatar.vrm``.

Vivant's average head in plain colours, with 52 expressions of ARKit's names (perfect sync), the five vowels, blinks, and eyes
that turn: for trying out receivers with a model that everybody may use.
"""

from __future__ import annotations

import argparse
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.motion_files.gltf import Gltf
from vivant.motion_files.gltf_animation import EYES_FROM_NECK_M
from vivant.rig import canonical as c
from vivant.rig.canonical import MouthPart, canonical_face, mouth_atlas
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array
from vivant.visemes import VISEMES

SKIN, LIPS, HAIR, SHIRT = (0.93, 0.72, 0.6), (0.76, 0.38, 0.36), (0.1, 0.065, 0.05), (0.16, 0.33, 0.42)
WHITE, IRIS, PUPIL, DARK = (0.93, 0.93, 0.91), (0.2, 0.42, 0.45), (0.03, 0.03, 0.04), (0.16, 0.05, 0.05)
BROWS = (63, 105, 66, 107, 55, 65, 52, 53, 293, 334, 296, 336, 285, 295, 282, 283)
M_PER_UNIT = canonical_face().cm_per_unit / 100
HAIR_TO, HAIR_TILT_DEG = 1.88, 150
"""Angle from the crown to the hairline, and how far back the crown looks; chosen by eye."""
TRUNK = (
    ("hips", "", (0.0, 0.9, 0.0)),
    ("spine", "hips", (0.0, 0.15, 0.0)),
    ("neck", "spine", (0.0, 0.33, 0.0)),
    ("head", "neck", (0.0, 0.07, 0.0)),
)
"""Bones: name, parent, place from the parent in metres,"""
LIMBS = (
    (("UpperLeg", "LowerLeg", "Foot"), "hips", ((0.09, -0.05), (0.0, -0.4), (0.0, -0.4))),
    (("UpperArm", "LowerArm", "Hand"), "spine", ((0.18, 0.25), (0.25, 0.0), (0.22, 0.0))),
)
"""and chains of them on both sides, which VRM requires."""
VOWELS = {"aa": "aa", "ih": "ih", "ou": "ou", "ee": "E", "oh": "oh"}
"""VRM's names and those of our visemes."""


LIP_ROWS = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 408, 304, 303, 302, 11, 72, 73, 74, 184),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 407, 272, 271, 268, 12, 38, 41, 42, 183),
    (*c.UPPER_INNER_LIP, *c.LOWER_INNER_LIP),
)
"""Of the face mesh, from the outside in."""
JAW = ("jawOpen", "jawForward", "jawLeft", "jawRight")


class Avatar:
    """A glTF document with meshes on bones."""

    def __init__(self) -> None:
        self.gltf = Gltf(np.zeros(1, np.float32))
        self.bones: dict[str, int] = {}
        self.moved: list[tuple[int, dict[str, int]]] = []
        """Nodes with morph targets: which ARKit shapes they have, and where."""
        for name, parent, place in TRUNK:
            self.add_bone(name, parent, place)
        for side, sign in (("left", 1), ("right", -1)):
            for names, root, places in LIMBS:
                for name, parent, (x, y) in zip(names, ("", *names), places, strict=False):
                    self.add_bone(f"{side}{name}", f"{side}{parent}" if parent else root, (sign * x, y, 0.0))

    def add_bone(self, name: str, parent: str, place: Any) -> None:  # noqa: ANN401
        self.bones[name] = self.gltf.add_node(name, translation=[float(value) for value in place])
        if parent:
            self.gltf.add_child(self.bones[parent], self.bones[name])

    def add_mesh(
        self,
        bone: str,
        points: Float32Array,
        triangles: NDArray[Any],
        colours: Any,  # noqa: ANN401
        targets: dict[str, Float32Array] | None = None,
    ) -> None:
        """Points in metres from the bone, one colour or one for each."""
        targets = targets or {}
        rgb = np.broadcast_to(np.asarray(colours, np.float32), points.shape).copy()
        primitive = {
            "attributes": {
                "POSITION": self.gltf.add_floats(points.astype(np.float32)),
                "NORMAL": self.gltf.add_floats(normals(points, triangles)),
                "COLOR_0": self.gltf.add_floats(rgb),
            },
            "indices": self.gltf.add_indices(triangles),
            "material": 0,
        }
        if targets:
            primitive["targets"] = [{"POSITION": self.gltf.add_sparse(field.astype(np.float32))} for field in targets.values()]
        mesh: dict[str, Any] = {"name": bone, "primitives": [primitive]}
        node = self.gltf.add_node(f"{bone} mesh {len(self.gltf.meshes)}", mesh=len(self.gltf.meshes))
        if targets:
            mesh |= {"weights": [0.0] * len(targets), "extras": {"targetNames": list(targets)}}
            self.moved.append((node, {name: index for index, name in enumerate(targets)}))
        self.gltf.meshes.append(mesh)
        self.gltf.add_child(self.bones[bone], node)

    def write(self, path: Path) -> None:
        extension = {
            "specVersion": "1.0",
            "meta": META,
            "humanoid": {"humanBones": {name: {"node": node} for name, node in self.bones.items()}},
            "lookAt": LOOK_AT,
            "expressions": {
                "preset": {
                    **{vrm: self._expression(_viseme(ours)) for vrm, ours in VOWELS.items()},
                    "blinkLeft": self._expression({"eyeBlinkLeft": 1.0}),
                    "blinkRight": self._expression({"eyeBlinkRight": 1.0}),
                    "blink": self._expression({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
                },
                "custom": {name: self._expression({name: 1.0}) for name in ARKIT_NAMES},
            },
        }
        skin = {"name": "skin", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.85}, "doubleSided": True}
        extensions = {"VRMC_vrm": extension}
        path.write_bytes(self.gltf.glb("", materials=[skin], extensionsUsed=list(extensions), extensions=extensions))

    def _expression(self, weights: dict[str, float]) -> dict[str, Any]:
        binds = [
            {"node": node, "index": targets[name], "weight": weight}
            for node, targets in self.moved
            for name, weight in weights.items()
            if name in targets
        ]
        return {"morphTargetBinds": binds}


META = {
    "name": "Nobody", "version": "1", "authors": ["The Vivant authors"], "licenseUrl": "https://vrm.dev/licenses/1.0/",
    "avatarPermission": "everyone", "allowExcessivelyViolentUsage": False, "allowExcessivelySexualUsage": False,
    "commercialUsage": "corporation", "allowPoliticalOrReligiousUsage": False, "allowAntisocialOrHateUsage": False,
    "creditNotation": "unnecessary", "allowRedistribution": True, "modification": "allowModificationRedistribution",
}  # fmt: skip
_RANGE = {"inputMaxValue": 30.0, "outputScale": 30.0}
LOOK_AT = {
    "type": "bone",
    "offsetFromHeadBone": [0.0, 0.085, 0.09],
    **{
        f"rangeMap{name}": _RANGE
        for name in ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
    },
}  # fmt: skip


def add_face(avatar: Avatar, profile: Float32Array) -> None:
    """Skin: the face, and the rings around it, which follow its border less and less."""
    face, oval = canonical_face(), list(c.OVAL)
    profile = profile[:, 1:7]  # the first ring would stand off the border, the last leaves the neck
    n_rings = profile.shape[1]
    rings = profile.transpose(1, 0, 2).reshape(-1, 3)
    follow = np.clip(1 - np.arange(n_rings) / 4, 0, 1) ** 2
    fields = np.concatenate(
        [face.fields[:, : c.N_SURFACE], (follow[:, None, None] * face.fields[:, None, oval]).reshape(len(ARKIT_NAMES), -1, 3)],
        axis=1,
    )
    rows = np.concatenate([[oval], c.N_SURFACE + np.arange(len(rings)).reshape(n_rings, -1)])
    rows = np.concatenate([rows, rows[:, :1]], axis=1)  # around
    triangles = np.concatenate([face.triangles, rows.ravel()[grid(*rows.shape)][:, ::-1]])
    colours = np.tile(np.array(SKIN, np.float32), (c.N_SURFACE + len(rings), 1))
    for row, share in zip(LIP_ROWS, (0.35, 1.0, 1.0, 0.8), strict=True):
        colours[list(row)] = share * np.array(LIPS) + (1 - share) * np.array(SKIN)
    colours[list(BROWS)] = 0.9 * np.array(HAIR) + 0.1 * np.array(SKIN)
    points = np.concatenate([face.points[: c.N_SURFACE], rings])
    avatar.add_mesh("head", from_neck(points), triangles, colours, scaled(dict(zip(ARKIT_NAMES, fields, strict=True))))


def add_mouth(avatar: Avatar) -> None:
    atlas = mouth_atlas()
    avatar.add_mesh("head", from_neck(atlas.upper.vertices), atlas.upper.triangles, tinted(atlas.upper))
    lower, tongue = atlas.lower, atlas.tongue
    avatar.add_mesh("head", from_neck(lower.vertices), lower.triangles, tinted(lower), scaled(on_jaw(lower.vertices)))
    sunk = tongue.vertices - np.array((0, 0.05, 0), np.float32)
    moves = on_jaw(sunk) | {"tongueOut": atlas.tongue_out}
    avatar.add_mesh("head", from_neck(sunk), tongue.triangles, tinted(tongue), scaled(moves))
    points, triangles = sphere()
    cavity = points * np.array((0.42, 0.34, 0.22), np.float32) + np.array((0, -0.78, -0.3), np.float32)
    avatar.add_mesh("head", from_neck(cavity), triangles, DARK)


def on_jaw(points: Float32Array) -> dict[str, Float32Array]:
    """Displacements of what is fixed to the lower jaw."""
    face = canonical_face()
    angle, arm = np.radians(face.jaw_open_deg), points - face.jaw_hinge
    opened = np.stack([
        arm[:, 0], np.cos(angle) * arm[:, 1] - np.sin(angle) * arm[:, 2], np.sin(angle) * arm[:, 1] + np.cos(angle) * arm[:, 2]
    ], axis=1)  # fmt: skip
    shifts = (opened - arm + face.jaw_open_shift, face.jaw_forward, face.jaw_left, face.jaw_right)
    return {name: np.broadcast_to(shift, points.shape) for name, shift in zip(JAW, shifts, strict=True)}


def add_eyes(avatar: Avatar) -> None:
    face, (points, triangles) = canonical_face(), sphere()
    for bone, (*centre, radius) in zip(("leftEye", "rightEye"), face.eyes, strict=True):
        avatar.add_bone(bone, "head", from_neck(np.array(centre, np.float32)))
        off_axis = np.arccos(np.clip(points[:, 2], -1, 1))
        colours = np.select([off_axis[:, None] < 0.16, off_axis[:, None] < 0.42], [PUPIL, IRIS], WHITE)
        avatar.add_mesh(bone, points * radius * M_PER_UNIT, triangles, colours)


def add_body(avatar: Avatar) -> None:
    """Hair, and a bust in a shirt."""
    points, triangles = sphere(64, 48)
    down = np.arccos(np.clip(points[:, 2], -1, 1))
    triangles = triangles[(down[triangles] < HAIR_TO).all(axis=1)]
    tilt = np.radians(HAIR_TILT_DEG)  # the pole of the cap looks up and back
    turn = np.array(((1, 0, 0), (0, np.cos(tilt), -np.sin(tilt)), (0, np.sin(tilt), np.cos(tilt))), np.float32)
    cap = (points @ turn) * np.array((0.99, 1.06, 1.0), np.float32) + np.array((0, 0.22, -0.55), np.float32)
    avatar.add_mesh("head", from_neck(cap), triangles, HAIR)
    points, triangles = sphere()
    avatar.add_mesh(
        "spine", points * np.array((0.2, 0.16, 0.1), np.float32) + np.array((0, 0.16, -0.015), np.float32), triangles, SHIRT
    )
    neck = points * np.array((0.06, 0.17, 0.06), np.float32) + np.array((0, 0.3, 0.0), np.float32)
    avatar.add_mesh("spine", neck, triangles, SKIN)


def _viseme(name: str) -> dict[str, float]:
    weights = next(look for look in VISEMES if look.name == name).frame().weights
    return {shape: round(float(weights[ARKIT_INDEX[shape]]), 3) for shape in ARKIT_NAMES if weights[ARKIT_INDEX[shape]] > 0}


def normals(points: Float32Array, triangles: NDArray[Any]) -> Float32Array:
    """Smooth: of a point, the mean of its triangles'."""
    a, b, d = (points[triangles[:, corner]] for corner in range(3))
    found = np.zeros_like(points, np.float32)
    for corner in range(3):
        np.add.at(found, triangles[:, corner], np.cross(b - a, d - a))
    unit: Float32Array = (found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return unit


def sphere(n_around: int = 32, n_down: int = 24) -> tuple[Float32Array, NDArray[Any]]:
    """Unit sphere whose pole looks along z."""
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, n_around + 1), np.linspace(0, np.pi, n_down + 1))
    points = np.stack([np.sin(down) * np.cos(around), np.sin(down) * np.sin(around), np.cos(down)], axis=2)
    return points.reshape(-1, 3).astype(np.float32), grid(n_down + 1, n_around + 1)


def grid(rows: int, columns: int) -> NDArray[Any]:
    """Triangles between neighbours of (rows, columns) points."""
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    return np.concatenate([
        np.stack([first, first + columns, first + 1], axis=1),
        np.stack([first + 1, first + columns, first + columns + 1], axis=1),
    ])  # fmt: skip


def tinted(part: MouthPart) -> Float32Array:
    """(n, 3) linear colours of the texture under each vertex."""
    height, width = part.texture.shape[:2]
    x, y = np.clip((part.uv * (width, height)).astype(int), 0, (width - 1, height - 1)).T
    return ((part.texture[y, x, :3] / 255.0) ** 2.2).astype(np.float32)


def from_neck(points: Float32Array) -> Float32Array:
    """Outer-eye distances of the average head to metres from the joint that it turns about."""
    return (points * M_PER_UNIT + EYES_FROM_NECK_M).astype(np.float32)


def scaled(fields: dict[str, Float32Array]) -> dict[str, Float32Array]:
    return {name: (field * M_PER_UNIT).astype(np.float32) for name, field in fields.items()}


def make(path: Path) -> None:
    """Write the avatar."""
    with np.load(io.BytesIO(files("vivant.rig").joinpath("data", "canonical_face.npz").read_bytes())) as data:
        profile = data["profile"]
    avatar = Avatar()
    add_face(avatar, profile)
    add_mouth(avatar)
    add_eyes(avatar)
    add_body(avatar)
    avatar.write(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    make(parser.parse_args().out)
