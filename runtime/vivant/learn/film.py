"""What a film teaches: the rig's own mouth and eyes beside the person's, for every picture in which they show."""

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
from vivant.finish.network import PARTS
from vivant.finish.region import Region, Similarity, as_complex, regions
from vivant.finish.renderer import REST, lifted
from vivant.portrait import PortraitAnalyser
from vivant.rig.canonical import N_SURFACE
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
"""Standard deviations, in pictures, of what is smoothed over time: where the head is, how lips and lids lie beside the rig's,
the light. Of pictures apart, nothing and the mean."""
MOST_GAIN = 2.0
"""Of the film's light towards the portrait's, either way."""
EDGE_PX = 0.1
"""What lies within an outline ends so far beyond it."""
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
    """Pictures of one part beside each other, px of its patch; what is filmed in the light of the portrait."""

    rig: UInt8Array
    """(n, h, w, 3) what the rig draws for the person's motion; left eyes mirrored, as they are everywhere here."""
    mask: UInt8Array
    """(n, h, w) what may be painted, of 255."""
    motion: Float32Array
    """(n, N_MOTION)"""
    truth: UInt8Array
    """(n, h, w, 3) what the film shows."""
    inside: NDArray[np.bool_]
    """(n, h, w) what lies inside the person's lips, or around their lids, where these have moved."""

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


def examples_of(film: Path, seen: Sequence[Seen], face: RigFace, progress: Progress) -> dict[str, Examples]:
    """The rig's mouth and eyes and the film's, one upon the other, by their parts."""
    return compared((picture for picture, _ in open_frames(film)), seen, face, progress)


def compared(
    pictures: Iterable[UInt8Array],
    seen: Sequence[Seen],
    face: RigFace,
    progress: Progress = lambda stage, share: None,
    smoothing: tuple[float, float, float] = FILMED,
) -> dict[str, Examples]:
    """The same of any pictures, by their numbers in ``seen``; `APART` are pictures of which none follows on another."""
    drawn = _drawn(face, seen, progress)
    everywhere = [one for spots in drawn.values() for one in spots]
    places = [_places(one, seen, smoothing) for one in everywhere]
    order = {one.number: k for k, one in enumerate(seen)}
    for number, picture in enumerate(pictures):
        if number in order:
            k = order[number]
            for one, found in zip(everywhere, places, strict=True):
                one.truth[k] = _cut(picture, found[k], one.region)
                one.inside[k] = _inside(seen[k].landmarks, found[k], one.region)
            progress("comparing it with the rig", k / len(seen))
    return {part: _together([one.examples(smoothing[2]) for one in spots]) for part, spots in drawn.items()}


class _Drawn:
    """One region in every picture, in the picture's own hand."""

    def __init__(self, region: Region, n: int) -> None:
        width, height = region.spot.size_px
        self.region = region
        self.rig, self.truth = np.zeros((n, height, width, 3), np.uint8), np.zeros((n, height, width, 3), np.uint8)
        self.mask = np.zeros((n, height, width), np.uint8)
        self.skin, self.inside = np.zeros(self.mask.shape, bool), np.zeros(self.mask.shape, bool)
        self.told: list[Float32Array] = []
        self.anchors = np.zeros((n, len(region.spot.anchors)), np.complex128)
        """Where they are, px of the patch."""

    def draw(self, k: int, pixels: UInt8Array, points: FloatArray, motion: MotionFrame) -> None:
        """The rig's picture ``k``."""
        region, place = self.region, self.region.place(points)
        nothing = np.zeros(self.mask.shape[1:], np.float32)
        mask = region.mask(points, place)
        self.rig[k] = _bytes(lifted(pixels, place.numbers(), nothing)[:3])
        self.mask[k] = 0 if mask is None else np.round(mask * 255)
        self.skin[k] = region.filled(points, place, region.spot.not_skin, region.spot.skin_px) == 0.0
        self.anchors[k] = place.back(as_complex(points[list(region.spot.anchors)]))
        self.told.append(region.told(motion))

    def examples(self, light_frames: float) -> Examples:
        lit = _in_the_rigs_light(self.truth, self.rig, self.skin, light_frames)
        columns = slice(None, None, -1 if self.region.spot.mirrored else 1)
        rig, mask, truth = (plane[:, :, columns] for plane in (self.rig, self.mask, lit))
        return Examples(rig, mask, np.stack(self.told), truth, self.inside[:, :, columns])


def _together(spots: Sequence[Examples]) -> Examples:
    """Both eyes of each picture one after the other."""
    arrays = (np.stack([getattr(one, field.name) for one in spots], 1) for field in fields(Examples))
    return Examples(*(array.reshape(-1, *array.shape[2:]) for array in arrays))


def _drawn(face: RigFace, seen: Sequence[Seen], progress: Progress) -> dict[str, list[_Drawn]]:
    """By the rig alone, at the usual size."""
    renderer = face.open_rig(USUAL_SIDE_PX)
    renderer.render(REST)
    rest = renderer.places(N_SURFACE)
    drawn = {part: [_Drawn(region, len(seen)) for region in regions(part, rest)] for part in PARTS}
    for k, one in enumerate(seen):
        pixels, points = renderer.render(one.motion).pixels, renderer.places(N_SURFACE)
        for spots in drawn.values():
            for spot in spots:
                spot.draw(k, pixels, points, one.motion)
        progress("drawing the rig", k / len(seen))
    return drawn


def _places(drawn: _Drawn, seen: Sequence[Seen], smoothing: tuple[float, float, float]) -> list[Similarity]:
    """Where the patch lies in each picture.

    As the skull is there, smoothed, and moved by how its anchors lie beside the rig's on average.
    """
    raw = [drawn.region.place(one.landmarks) for one in seen]
    turns = smoothed(np.array([place.turn for place in raw]), smoothing[0])
    shifts = smoothed(np.array([place.shift for place in raw]), smoothing[0])
    still = [Similarity(complex(turn), complex(shift)) for turn, shift in zip(turns, shifts, strict=True)]
    anchors = list(drawn.region.spot.anchors)
    looks = zip(still, seen, drawn.anchors, strict=True)
    beside = [(place.back(as_complex(one.landmarks[anchors])) - own).mean() for place, one, own in looks]
    drift = smoothed(np.array(beside), smoothing[1])
    return [Similarity(place.turn, place.shift + place.turn * complex(gap)) for place, gap in zip(still, drift, strict=True)]


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


def _cut(picture: UInt8Array, place: Similarity, region: Region) -> UInt8Array:
    """The film's patch; of large faces from a smaller picture, so that nothing is left out between two px."""
    step = max(1, round(abs(place.turn)))
    small = picture if step == 1 else np.asarray(Image.fromarray(picture).reduce(step))
    scaled = Similarity(place.turn / step, place.shift / step)
    frame = np.dstack([small, np.full(small.shape[:2], 255, np.uint8)])
    nothing = np.zeros(region.spot.size_px[::-1], np.float32)
    return _bytes(lifted(np.ascontiguousarray(frame), scaled.numbers(), nothing)[:3])


def _bytes(planes: Float32Array) -> UInt8Array:
    out: UInt8Array = np.round(planes.transpose(1, 2, 0) * 255).astype(np.uint8)
    return out


def _inside(landmarks: Float32Array, place: Similarity, region: Region) -> NDArray[np.bool_]:
    """What lies within the person's parted lips, or around their moved lids."""
    within: NDArray[np.bool_] = region.filled(landmarks, place, region.spot.within, EDGE_PX) > 0.5
    return within & (region.strength(landmarks, place) == 1.0)


def _in_the_rigs_light(truth: UInt8Array, rig: UInt8Array, skin: NDArray[np.bool_], frames: float) -> UInt8Array:
    """The film's patches with the skin in them as bright and as coloured as the rig's."""
    share = skin[..., None]
    area = np.maximum(share.sum(axis=(1, 2)), 1)
    film, own = ((patches * share).sum(axis=(1, 2)) / area for patches in (truth, rig))
    gain = np.clip(smoothed(own / np.maximum(film, 1.0), frames).astype(np.float32), 1 / MOST_GAIN, MOST_GAIN)
    lit: UInt8Array = np.clip(np.round(truth * gain[:, None, None]), 0, 255).astype(np.uint8)
    return lit
