"""What a film teaches: the rig's own mouth beside the person's, for every picture in which it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.capture import FaceTracker, facts_of, open_frames
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.finish.region import LIP_REACH, PARTED, PX_PER_UNIT, MouthRegion, Similarity, as_complex, gap_of, motion_vector
from vivant.finish.renderer import REST, lifted
from vivant.portrait import PortraitAnalyser
from vivant.render._kernel import patch_mask
from vivant.rig import canonical as c
from vivant.size import USUAL_SIDE_PX
from vivant.types import Float32Array, FloatArray, MotionFrame, UInt8Array

LEAST_CONFIDENCE = 0.2
"""Of `TrackedFace`, from which on a picture teaches."""
USUAL_FPS = 25
"""Of films that do not say their own."""
LEAST_PICTURES = 100
"""Fewer teach nothing; four seconds."""
MOST_PICTURES = 6000
"""Of longer films every second, third ... picture is taken."""
FILMED, APART = (1.0, 12.0, 25.0), (0.0, 1e6, 1e6)
"""Standard deviations, in pictures, of what is smoothed over time: where the head is, how the lips lie beside the rig's, the
light. Of pictures apart, nothing and the mean."""
MOST_GAIN = 2.0
"""Of the film's light towards the portrait's, either way."""
SKIN_PX = 8.0
"""Skin begins so far from the lips, px of the patch."""
RGBA = 4
Progress = Callable[[str, float], None]
"""Hears what is being done, and how much of it, 0 to 1."""


@dataclass(frozen=True)
class Seen:
    """One picture of the film in which the face is clear."""

    number: int
    landmarks: Float32Array
    """(478, 2) px."""
    motion: MotionFrame


@dataclass(frozen=True)
class Examples:
    """Pictures beside each other, px of the mouth's patch; what is drawn in the light of the portrait."""

    rig: UInt8Array
    """(n, h, w, 3) what the rig draws for the person's motion."""
    mask: UInt8Array
    """(n, h, w) what may be painted, of 255."""
    motion: Float32Array
    """(n, N_MOTION)"""
    truth: UInt8Array
    """(n, h, w, 3) what the film shows."""
    inside: NDArray[np.bool_]
    """(n, h, w) what lies inside the person's lips, where these are parted."""

    def __len__(self) -> int:
        return len(self.rig)

    def __getitem__(self, some: slice) -> Examples:
        return Examples(*(getattr(self, field.name)[some] for field in fields(self)))

    def save(self, path: Path) -> None:
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Examples:
        with np.load(path, allow_pickle=False) as archive:
            return cls(*(archive[field.name] for field in fields(cls)))


def watch(film: Path, analyser: PortraitAnalyser, progress: Progress) -> list[Seen]:
    """Motion and landmarks of each picture. Raises InputError where the film shows a face too seldom."""
    facts = facts_of(film)
    tracker, found = FaceTracker(float(facts.fps or USUAL_FPS), analyser), []
    for number, (picture, pts_us) in enumerate(open_frames(film)):
        tracked = tracker.track(picture, pts_us)
        clear = tracked.confidence >= LEAST_CONFIDENCE and not tracked.mouth_hidden
        if tracked.motion is not None and tracked.landmarks is not None and clear:
            found.append(Seen(number, tracked.landmarks[:, :2], tracked.motion))
        progress("watching the film", pts_us / 1e6 / facts.duration_s if facts.duration_s else 0.0)
    step = -(-len(found) // MOST_PICTURES) or 1
    if len(found) < LEAST_PICTURES:
        raise InputError(
            f"a clear face was seen in {len(found)} pictures of this film, and {LEAST_PICTURES} are needed; film yourself"
            " talking for a minute, from the front, in light, the face a third of the picture high"
        )
    return found[::step]


def examples_of(film: Path, seen: Sequence[Seen], face: RigFace, progress: Progress) -> Examples:
    """The rig's mouth and the film's, one upon the other."""
    return compared((picture for picture, _ in open_frames(film)), seen, face, progress)


def compared(
    pictures: Iterable[UInt8Array],
    seen: Sequence[Seen],
    face: RigFace,
    progress: Progress = lambda stage, share: None,
    smoothing: tuple[float, float, float] = FILMED,
) -> Examples:
    """The same of any pictures, by their numbers in ``seen``; `APART` are pictures of which none follows on another."""
    drawn = _drawn(face, seen, progress)
    places, outlines = _places(drawn.region, seen, drawn.lips, smoothing)
    looks = {one.number: (place, outline) for one, place, outline in zip(seen, places, outlines, strict=True)}
    truth, inside = [], []
    for number, picture in enumerate(pictures):
        if number in looks:
            place, outline = looks[number]
            truth.append(_cut(picture, place, drawn.region))
            inside.append(_inside(outline, drawn.region))
            progress("comparing it with the rig", len(truth) / len(seen))
    lit = _in_the_rigs_light(np.stack(truth), drawn.rig, drawn.skin, smoothing[2])
    return Examples(drawn.rig, drawn.mask, drawn.motion, lit, np.stack(inside))


@dataclass(frozen=True)
class _Drawn:
    region: MouthRegion
    rig: UInt8Array
    mask: UInt8Array
    skin: NDArray[np.bool_]
    motion: Float32Array
    lips: FloatArray
    """(n, 11) upper lip as complex numbers, px of the patch."""


def _drawn(face: RigFace, seen: Sequence[Seen], progress: Progress) -> _Drawn:
    """By the rig alone, at the usual size."""
    renderer = face.open_rig(USUAL_SIDE_PX)
    renderer.render(REST)
    region = MouthRegion(renderer.places(c.N_SURFACE))
    width, height = region.size_px
    nothing = np.zeros((height, width), np.float32)
    rig, masks, skins, lips = [], [], [], []
    for one in seen:
        pixels, points = renderer.render(one.motion).pixels, renderer.places(c.N_SURFACE)
        place, outer = region.place(points), np.empty((height, width), np.float32)
        mask = region.mask(points, place)
        patch_mask(region.outline(points, place, c.OUTER_LIPS), SKIN_PX, outer)
        patch = lifted(pixels, place.numbers(), nothing if mask is None else mask)
        rig.append(_bytes(patch[:3]))
        masks.append(np.round(patch[3] * 255).astype(np.uint8))
        skins.append(outer == 0.0)
        lips.append(place.back(as_complex(points[list(c.UPPER_OUTER_LIP)])))
        progress("drawing the rig", len(rig) / len(seen))
    motion = np.stack([motion_vector(one.motion) for one in seen])
    return _Drawn(region, np.stack(rig), np.stack(masks), np.stack(skins), motion, np.stack(lips))


def _places(
    region: MouthRegion, seen: Sequence[Seen], lips: FloatArray, smoothing: tuple[float, float, float]
) -> tuple[list[Similarity], list[Float32Array]]:
    """Where the patch lies in each picture, and the inner lips in it.

    As the skull is there, smoothed, and moved by how the upper lip lies beside the rig's on average.
    """
    raw = [region.place(one.landmarks) for one in seen]
    turns = smoothed(np.array([place.turn for place in raw]), smoothing[0])
    shifts = smoothed(np.array([place.shift for place in raw]), smoothing[0])
    still = [Similarity(complex(turn), complex(shift)) for turn, shift in zip(turns, shifts, strict=True)]
    upper = list(c.UPPER_OUTER_LIP)
    beside = [place.back(as_complex(one.landmarks[upper])) - own for place, one, own in zip(still, seen, lips, strict=True)]
    drift = smoothed(np.array([gap.mean() for gap in beside]), smoothing[1])
    moved = [Similarity(place.turn, place.shift + place.turn * complex(gap)) for place, gap in zip(still, drift, strict=True)]
    return moved, [region.outline(one.landmarks, place) for one, place in zip(seen, moved, strict=True)]


def smoothed(values: NDArray[Any], frames: float) -> NDArray[Any]:
    """(n, ...) by a bell of that standard deviation over time; ends count less, not as zero."""
    if frames == 0.0:
        return values
    n = len(values)
    reach = min(int(3 * frames) + 1, n - 1)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
    columns = [np.ones(n), *values.reshape(n, -1).T]
    weight, *rows = (np.convolve(column, bell)[reach : reach + n] for column in columns)
    return np.stack([row / weight for row in rows], 1).reshape(values.shape)


def _cut(picture: UInt8Array, place: Similarity, region: MouthRegion) -> UInt8Array:
    """The film's patch; of large faces from a smaller picture, so that nothing is left out between two px."""
    step = max(1, round(abs(place.turn)))
    small = picture if step == 1 else np.asarray(Image.fromarray(picture).reduce(step))
    scaled = Similarity(place.turn / step, place.shift / step)
    frame = np.dstack([small, np.full(small.shape[:2], 255, np.uint8)])
    nothing = np.zeros(region.size_px[::-1], np.float32)
    return _bytes(lifted(np.ascontiguousarray(frame), scaled.numbers(), nothing)[:3])


def _bytes(planes: Float32Array) -> UInt8Array:
    out: UInt8Array = np.round(planes.transpose(1, 2, 0) * 255).astype(np.uint8)
    return out


def _inside(outline: Float32Array, region: MouthRegion) -> NDArray[np.bool_]:
    """What the person's parted lips let through; nothing of shut ones."""
    mask = np.zeros(region.size_px[::-1], np.float32)
    if gap_of(outline) >= PARTED:
        patch_mask(outline, LIP_REACH * PX_PER_UNIT / 100, mask)
    within: NDArray[np.bool_] = mask > 0.5
    return within


def _in_the_rigs_light(truth: UInt8Array, rig: UInt8Array, skin: NDArray[np.bool_], frames: float) -> UInt8Array:
    """The film's patches with the skin around the mouth as bright and as coloured as the rig's."""
    share = skin[..., None]
    area = np.maximum(share.sum(axis=(1, 2)), 1)
    film, own = ((patches * share).sum(axis=(1, 2)) / area for patches in (truth, rig))
    gain = np.clip(smoothed(own / np.maximum(film, 1.0), frames).astype(np.float32), 1 / MOST_GAIN, MOST_GAIN)
    lit: UInt8Array = np.clip(np.round(truth * gain[:, None, None]), 0, 255).astype(np.uint8)
    return lit
