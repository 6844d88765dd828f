"""The average head: where the 478 face-mesh points lie on it and how each ARKit shape moves them.

Measured from licensed scans by ``training/fields`` and ``training/mouth``; see NOTICE. Unit: outer-eye distance of the
average head. Origin: midway between the outer eye corners. x to the person's left, y up, z out of the face.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.types import Float32Array, UInt8Array

Int32Array = NDArray[np.int32]

# Landmark numbers of the canonical face mesh. Right and left are the person's own; rows run from the image left.
RIGHT_OUTER_EYE, RIGHT_INNER_EYE, LEFT_INNER_EYE, LEFT_OUTER_EYE = 33, 133, 362, 263
NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10
RIGHT_EAR, LEFT_EAR = 234, 454
RIGHT_JAW, LEFT_JAW = 58, 288
MOUTH_RIGHT, MOUTH_LEFT = 61, 291
UPPER_INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
UPPER_OUTER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LOWER_OUTER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
LOWER_BROWS = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
N_SURFACE = 468
"""Landmarks on the skin; the ten after them are irises."""


@dataclass(frozen=True)
class CanonicalFace:
    """Figures measured on the average head."""

    points: Float32Array
    """(478, 3)"""
    fields: Float32Array
    """(52, 478, 3) displacement at weight 1."""
    normals: Float32Array
    """(478, 3)"""
    normal_fields: Float32Array
    """(52, 478, 3) normal at weight 1 minus the neutral one."""
    triangles: Int32Array
    """(n, 3) over the first 468 points, counter-clockwise from the front; eyes and mouth are holes."""
    eyes: Float32Array
    """(2, 4) eyeball centre and radius, the person's left first."""
    jaw_hinge: Float32Array
    jaw_open_deg: float
    jaw_open_shift: Float32Array
    jaw_forward: Float32Array
    jaw_left: Float32Array
    jaw_right: Float32Array
    cm_per_unit: float
    origin_cm: Float32Array

    def from_cm(self, points_cm: Float32Array) -> Float32Array:
        """Points of the scan model (cm) in this frame."""
        return ((points_cm - self.origin_cm) / self.cm_per_unit).astype(np.float32)


@dataclass(frozen=True)
class MouthPart:
    """A textured piece of the mouth's inside."""

    texture: UInt8Array
    """(h, w, 4) straight alpha."""
    vertices: Float32Array
    """(n, 3) in the canonical frame."""
    uv: Float32Array
    """(n, 2) in 0..1, v down."""
    triangles: Int32Array


@dataclass(frozen=True)
class MouthAtlas:
    """Teeth with gums, and a tongue, for mouths whose inside the portrait does not show."""

    upper: MouthPart
    lower: MouthPart
    tongue: MouthPart
    tongue_out: Float32Array
    """(n, 3) displacement of the tongue's vertices at tongueOut 1, canonical units."""
    tongue_up: Float32Array
    cavity_rgb: UInt8Array


def _data(name: str) -> dict[str, NDArray[np.generic]]:
    raw = files("vivant.rig").joinpath("data", name).read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


@cache
def mirrored() -> Int32Array:
    """(478,) the landmark on the other side of the face: nearest to each one's mirror image on the average head."""
    points = canonical_face().points.astype(np.float64)
    image = points * (-1, 1, 1)
    other = np.empty(len(points), np.int32)
    for first, last in ((0, N_SURFACE), (N_SURFACE, len(points))):  # surface and irises apart: they lie close to each other
        gaps = np.linalg.norm(image[first:last, None] - points[None, first:last], axis=2)
        other[first:last] = first + gaps.argmin(axis=1)
    return other


@cache
def canonical_face() -> CanonicalFace:
    """The shared, read-only table."""
    data = _data("canonical_face.npz")

    arrays = {name: np.asarray(values, np.float32) for name, values in data.items() if name not in ("names", "triangles")}
    return CanonicalFace(
        points=arrays["points"],
        fields=arrays["fields"],
        normals=arrays["normals"],
        normal_fields=arrays["normal_fields"],
        triangles=np.asarray(data["triangles"], np.int32),
        eyes=arrays["eyes"],
        jaw_hinge=arrays["jaw_hinge"],
        jaw_open_deg=float(arrays["jaw_open_deg"]),
        jaw_open_shift=arrays["jaw_open_shift"],
        jaw_forward=arrays["jaw_forward"],
        jaw_left=arrays["jaw_left"],
        jaw_right=arrays["jaw_right"],
        cm_per_unit=float(arrays["cm_per_unit"]),
        origin_cm=arrays["origin_cm"],
    )


@cache
def mouth_atlas() -> MouthAtlas:
    """The shared, read-only teeth and tongue."""
    data, face = _data("mouth_atlas.npz"), canonical_face()

    def part(name: str) -> MouthPart:
        picture = Image.open(io.BytesIO(np.asarray(data[f"{name}_png"], np.uint8).tobytes())).convert("RGBA")
        vertices = face.from_cm(np.asarray(data[f"{name}_vertices"], np.float32))
        triangles = np.asarray(data[f"{name}_triangles"], np.int32)
        return MouthPart(np.asarray(picture), vertices, np.asarray(data[f"{name}_uv"], np.float32), triangles)

    def displacement(name: str) -> Float32Array:
        return (np.asarray(data[name], np.float32) / face.cm_per_unit).astype(np.float32)

    return MouthAtlas(
        upper=part("upper"),
        lower=part("lower"),
        tongue=part("tongue"),
        tongue_out=displacement("tongue_out"),
        tongue_up=displacement("tongue_up"),
        cavity_rgb=np.asarray(data["cavity_rgb"], np.uint8),
    )
