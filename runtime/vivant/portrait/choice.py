"""Which face of a picture is animated: the picture is turned upright, the largest clear face or the one asked for is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from vivant.errors import InputError, PortraitError
from vivant.media.images import PortraitImage
from vivant.portrait.analyser import DetectedFace, PortraitAnalyser
from vivant.rig import canonical as c
from vivant.types import UInt8Array

CLEAR = 0.010
"""`DetectedFace.doubt` below which a face is seen well: photographs, paintings and busts of people have .0043 to .0088, masks
.010 to .016, animals .016 to .11, people upside down .018 and more."""
MOST_ROLL_DEG = 45.0
"""Beyond it the picture lies on its side."""
LOOK_PX = 1024
"""Longer side of the picture when its turns are compared."""
LEAST_FACE_PX = 64.0
LEAST_OPAQUE = 0.9
"""Share of the face that a cut-out has to leave opaque."""
_TURNED = ("", "to the right", "by 180 degrees", "to the left")


@dataclass(frozen=True, slots=True)
class Choice:
    """The face that is animated, in its picture as it is upright."""

    image: PortraitImage
    face: DetectedFace
    notes: tuple[str, ...]
    """What was decided for the user, a sentence each."""


def choose_face(image: PortraitImage, analyser: PortraitAnalyser, number: int = 1) -> Choice:
    """Face ``number``, counted from the largest. Raises PortraitError when there is none of 64 px or more."""
    if number < 1:
        raise InputError(f"faces are counted from 1, the largest, got {number}")
    notes: list[str] = []
    faces, turns = _upright_faces(image.pixels, analyser)
    if turns:
        image = _turned(image, turns)
        notes.append(f"the picture was turned {_TURNED[turns]}, so that the face is upright")
    face = _numbered(faces, number, notes)
    if face.width_px < LEAST_FACE_PX:
        raise PortraitError(f"the face is only {face.width_px:.0f} px wide; at least {LEAST_FACE_PX:.0f} px are needed")
    if image.alpha is not None and _opaque_share(image.alpha, face) < LEAST_OPAQUE:
        image = replace(image, alpha=None)
        notes.append("the transparency of this picture leaves out the face and is ignored")
    return Choice(image, face, tuple(notes))


def _upright_faces(pixels: UInt8Array, analyser: PortraitAnalyser) -> tuple[list[DetectedFace], int]:
    """The faces, and by how many quarters the picture has to be turned clockwise for them to be upright."""
    faces = analyser.faces(pixels)
    if any(_is_clear(face) and face.width_px >= LEAST_FACE_PX and abs(face.pose.roll_deg) <= MOST_ROLL_DEG for face in faces):
        return faces, 0
    small = _reduced(pixels)
    strangeness, turns = min((_least_strange(analyser.faces(_quarters(small, turns))), turns) for turns in (1, 2, 3))
    if strangeness < CLEAR:
        turned = analyser.faces(_quarters(pixels, turns))
        if turned:
            return turned, turns
    return faces, 0


def _least_strange(faces: list[DetectedFace]) -> float:
    """The least doubt of some faces; what lies on its side counts as doubtful."""
    return min((face.doubt + (CLEAR if abs(face.pose.roll_deg) > MOST_ROLL_DEG else 0.0) for face in faces), default=1.0)


def _is_clear(face: DetectedFace) -> bool:
    return face.doubt < CLEAR


def _numbered(faces: list[DetectedFace], number: int, notes: list[str]) -> DetectedFace:
    clear = [face for face in faces if _is_clear(face) and face.width_px >= LEAST_FACE_PX]
    faces = clear or faces
    if not faces:
        raise PortraitError(
            "no face was found in this image; use a portrait that shows one face from the front, turn the picture if it lies on"
            " its side, and crop a wide one to the face"
        )
    if number > len(faces):
        found = "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise PortraitError(f"{found} found in this image, but face {number} was asked for")
    if len(faces) > 1:
        used = "the largest is used; --face 2 takes the next" if number == 1 else f"number {number} by size is used"
        notes.append(f"{len(faces)} faces were found; {used}")
    return faces[number - 1]


def _opaque_share(alpha: UInt8Array, face: DetectedFace) -> float:
    """Of the oval of the face."""
    inside = Image.new("1", alpha.shape[1::-1])
    ImageDraw.Draw(inside).polygon([(float(x), float(y)) for x, y, _ in face.landmarks[list(c.OVAL)]], fill=1)
    covered = alpha[np.asarray(inside)]
    return float((covered > 127).mean()) if covered.size else 0.0


def _turned(image: PortraitImage, turns: int) -> PortraitImage:
    alpha = None if image.alpha is None else _quarters(image.alpha, turns)
    return replace(image, pixels=_quarters(image.pixels, turns), alpha=alpha)


def _quarters(plane: UInt8Array, clockwise: int) -> UInt8Array:
    return np.ascontiguousarray(np.rot90(plane, -clockwise))


def _reduced(pixels: UInt8Array) -> UInt8Array:
    step = -(-max(pixels.shape[:2]) // LOOK_PX)
    return pixels if step == 1 else np.asarray(Image.fromarray(pixels).reduce(step))
