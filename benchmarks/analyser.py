"""How well the portrait analyser sees: ``python -m benchmarks.analyser --held DIR --plain DIR --moving DIR``

The folders hold shards of `training.synthetic_faces.render --part test` (people with hair, skins, brows, irises and
clothes that training never sees): ``held`` framed as portraits, ``plain`` any framing, ``moving`` sequences. Errors are in % of
the distance between the outer eye corners; the whole way counts: find the face in the picture, look, look again. ``empty``
counts pictures without a person, ``photos`` holds pairs made by `benchmarks.yardstick` in an environment with mediapipe.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from benchmarks.report import HEAD, Row, analyser, markdown, put, show
from vivant.portrait import DetectedFace
from vivant.portrait.crop import Crop, face_frame
from vivant.rig import canonical as c
from vivant.types import Float32Array, UInt8Array

LIPS = tuple(sorted({*c.OUTER_LIPS, *c.UPPER_INNER_LIP, *c.LOWER_INNER_LIP}))
LIDS = tuple(sorted({i for row in (*c.UPPER_LIDS, *c.LOWER_LIDS) for i in row}))
GROUPS = {"all": tuple(range(478)), "lips": LIPS, "lids": LIDS}
TARGETS = {"all": 2.0, "lips": 1.5, "lids": 1.5}
PHOTO_TARGETS = {"all": 3.5, "lips": 3.0, "lids": 2.5}
LEAST_SEEN = 0.1
"""Share of a face's points that must show to count as a face."""
EMPTY_SEED = 77
BAND_PX = (4, 10)
BLUR_PX = 0.7
"""Standard deviation of a blur that nobody sees, to judge the matte's error by."""
SMALL = 1 / 8
"""Share of the picture's height below which a face is small."""
NEAR = 0.35
"""A face counts as found when its centre is off by less than this share of its side."""


@dataclass(frozen=True)
class Truth:
    """A rendered picture and what is in it; see `training.synthetic_faces.sample`."""

    image: UInt8Array
    points: Float32Array
    visible: NDArray[np.bool_]
    rotation: Float32Array
    gaze: Float32Array
    alpha: UInt8Array

    @property
    def unit(self) -> float:
        """Distance of the outer eye corners in space, px."""
        return float(np.linalg.norm(self.points[c.RIGHT_OUTER_EYE] - self.points[c.LEFT_OUTER_EYE]))


@dataclass(frozen=True)
class Seen:
    """A truth and the face that was found at its place."""

    truth: Truth
    face: DetectedFace

    @property
    def errors(self) -> Float32Array:
        """(478,) in % of the outer-eye distance."""
        gap = np.linalg.norm(self.face.landmarks[:, :2] - self.truth.points[:, :2], axis=1)
        return np.asarray(100 * gap / self.truth.unit, np.float32)


def truths(folder: Path) -> Iterator[Truth]:
    """The pictures of a folder of shards in order."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            points, visible, rotation, gaze = (data[name] for name in ("points", "visible", "rotation", "gaze"))
            for i in range(len(points)):
                image, alpha = (np.asarray(Image.open(io.BytesIO(data[f"{n}_{i}"].tobytes()))) for n in ("image", "alpha"))
                yield Truth(image, points[i], visible[i], rotation[i], gaze[i], alpha)


def see(truth: Truth) -> tuple[Seen | None, int]:
    """The face that is there, if it is found, and the number of false ones."""
    wanted = face_frame(truth.points)
    faces = analyser().faces(truth.image)
    near = [face for face in faces if _near(face_frame(face.landmarks), wanted)]
    return (Seen(truth, near[0]) if near else None), len(faces) - len(near[:1])


def _near(a: Crop, b: Crop) -> bool:
    return float(np.hypot(a.x - b.x, a.y - b.y)) < NEAR * b.side and 0.5 < a.side / b.side < 2


def point_rows(found: Sequence[Seen]) -> Iterator[Row]:
    """Errors of the points, all and those that show."""
    errors, visible = (np.stack(rows) for rows in zip(*((s.errors, s.truth.visible) for s in found), strict=True))
    worst = int(errors.mean(axis=1).argmax())
    for name, group in GROUPS.items():
        here, shown = errors[:, list(group)], visible[:, list(group)]
        each = here.mean(axis=1)
        text = (f"{here.mean():.2f} (points that show {here[shown].mean():.2f}; median face {np.median(each):.2f}; "
                f"without the worst face {np.delete(each, worst).mean():.2f})")  # fmt: skip
        yield Row(f"held-out renders, {name}, %", f"<= {TARGETS[name]}", text)


def direction_rows(found: Sequence[Seen]) -> Iterator[Row]:
    """Pose and gaze."""
    turns, gazes = [], []
    for s in found:
        forward, up = s.truth.rotation[:, 2], s.truth.rotation[:, 1]
        true = np.degrees([np.arctan2(forward[0], forward[2]), np.arcsin(forward[1]), np.arctan2(up[0], up[1])])
        pose = s.face.pose
        gap = np.abs((np.array([pose.yaw_deg, pose.pitch_deg, pose.roll_deg]) - true + 180) % 360 - 180)
        turns.append(gap)
        gap = np.abs(s.face.gaze_deg - s.truth.gaze)
        gazes += [gap[k] for k, iris in enumerate((473, 468)) if s.truth.visible[iris]]
    turn, gaze = np.stack(turns), np.stack(gazes)
    axes = ", ".join(f"{name} {value:.1f}" for name, value in zip(("yaw", "pitch", "roll"), turn.mean(axis=0), strict=True))
    yield Row("pose, mean error per axis, degrees", "<= 2", f"{turn.mean():.2f} ({axes})")
    yield Row("gaze of eyes that show, mean error per axis, degrees", "<= 5", f"{gaze.mean():.2f}")


def matte_rows(found: Sequence[Seen]) -> Iterator[Row]:
    """Alpha near the border of the true matte, at the resolution of the network's square."""
    gaps: dict[int, list[NDArray[np.floating]]] = {reach: [] for reach in BAND_PX}
    everywhere, blurred = [], []
    for s in found:
        cutout = analyser().cutout(s.truth.image, s.face)
        side = len(cutout.matte)
        rows = np.linalg.inv(np.vstack([cutout.frame.matrix(side), (0, 0, 1)]))[:2]
        both = np.dstack([s.truth.alpha, np.full_like(s.truth.alpha, 255)])
        true, inside = np.moveaxis(_warped(both, rows, side), 2, 0)
        gap = np.abs(cutout.matte - true / 255)
        everywhere.append(gap[inside == 255].mean())
        for reach, rows_of in gaps.items():
            window = (2 * reach + 1,) * 2
            band = (ndimage.maximum_filter(true, window) > 12) & (ndimage.minimum_filter(true, window) < 243) & (inside == 255)
            rows_of.append(gap[band])
            if reach == BAND_PX[0]:
                blurred.append(np.abs(ndimage.gaussian_filter(true / 255, BLUR_PX) - true / 255)[band])
    bands = ", ".join(f"{np.concatenate(rows).mean():.3f} within {reach} px" for reach, rows in gaps.items())
    yield Row("matte, mean error near its border, 256 px square", "<= .03", f"{bands}; everywhere {np.mean(everywhere):.3f}")
    limit = f"{np.concatenate(blurred).mean():.3f} within {BAND_PX[0]} px"
    yield Row(f"the true matte blurred by {BLUR_PX} px, for comparison", "", limit)


def _warped(planes: UInt8Array, rows: NDArray[np.floating], side: int) -> UInt8Array:
    image = Image.fromarray(planes, "LA")
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, tuple(rows.ravel()), Image.Resampling.BILINEAR))


@dataclass(frozen=True)
class Opening:
    """Something that opens and shuts."""

    name: str
    lips: tuple[int, int]
    across: tuple[int, int]
    """The gap between `lips` is measured in these points' distance in space."""
    shown_by: tuple[int, ...]
    """It counts in sequences in which at least half of these points show."""

    def of(self, points: Float32Array) -> float:
        (u, v), (a, b) = self.lips, self.across
        return float(np.linalg.norm(points[u, :2] - points[v, :2]) / np.linalg.norm(points[a] - points[b]))


OPENINGS = (
    Opening("eye", (159, 145), (33, 133), (*c.UPPER_LIDS[0], *c.LOWER_LIDS[0])),
    Opening("eye", (386, 374), (263, 362), (*c.UPPER_LIDS[1], *c.LOWER_LIDS[1])),
    Opening("mouth", (13, 14), (c.RIGHT_OUTER_EYE, c.LEFT_OUTER_EYE), LIPS),
)


def motion_rows(folder: Path, length: int = 50) -> Iterator[Row]:
    """Openings of eyes and mouth over sequences, followed from frame to frame."""
    frames = list(truths(folder))
    each: dict[str, list[float]] = {"eye": [], "mouth": []}
    for first in range(0, len(frames), length):
        sequence = frames[first : first + length]
        found = followed([truth.image for truth in sequence])
        for opening in OPENINGS:
            if np.mean([truth.visible[list(opening.shown_by)] for truth in sequence]) >= 0.5:
                pairs = [(opening.of(t.points), opening.of(f.landmarks)) for t, f in zip(sequence, found, strict=True) if f]
                each[opening.name].append(float(np.corrcoef(np.transpose(pairs))[0, 1]))
    for name, values in each.items():
        text = f"median {np.median(values):.3f}, lowest {min(values):.3f} of {len(values)} that show"
        yield Row(f"{name} opening, correlation on sequences", ">= .95", text)


def followed(images: Sequence[UInt8Array]) -> list[DetectedFace | None]:
    """The largest face of a video, one look per frame."""
    faces: list[DetectedFace | None] = []
    face = next(iter(analyser().faces(images[0])), None)
    for image in images:
        face = analyser().follow(image, face) if face else None
        faces.append(face)
    return faces


def finding_rows(plain: Path, empty: int) -> Iterator[Row]:
    """Faces found in whole pictures, false ones, and on backgrounds alone."""
    hits, count, false, small = 0, 0, 0, 0
    for truth in truths(plain):
        if truth.visible.mean() < LEAST_SEEN:
            continue
        found, more = see(truth)
        hits, count, false = hits + (found is not None), count + 1, false + more
        small += found is None and bool(np.ptp(truth.points[:468, 1]) < SMALL * len(truth.image))
    text = f"{100 * hits / count:.2f} % of {count}; {false} false beside them; {small} of {count - hits} missed ones are small"
    yield Row("faces found in renders of any framing", ">= 99 %", text)
    if empty:
        from training.synthetic_faces.people import faceless

        scenes = faceless(EMPTY_SEED, 256)
        wrong = sum(bool(analyser().faces(next(scenes))) for _ in range(empty))
        yield Row("pictures without a face in which one is found", "<= 1 %", f"{100 * wrong / empty:.1f} % of {empty}")


def photo_rows(folder: Path) -> Iterator[Row]:
    """Photographs, against mediapipe's points less the offset between the two meshes (see `benchmarks.yardstick`)."""
    from benchmarks.yardstick import aligned, offsets

    offset = offsets(folder / "renders.npz", analyser())
    errors, found, count = [], 0, 0
    with np.load(folder / "photos.npz", allow_pickle=False) as data:
        names = sorted(name for name in data.files if name.endswith("_image"))
        for name in names:
            image, theirs = data[name], data[name.replace("_image", "_points")]
            count += 1
            near = [f for f in analyser().faces(image) if _near(face_frame(f.landmarks), face_frame(theirs))]
            if near:
                found += 1
                errors.append(aligned(near[0].landmarks, theirs, offset))
    error = np.stack(errors)
    yield Row("photographs in which the same face is found", "state it", f"{found} of {count}")
    for name, group in GROUPS.items():
        each = error[:, list(group)].mean(axis=1)
        text = f"{each.mean():.2f} (median photograph {np.median(each):.2f})"
        yield Row(f"photographs against mediapipe, {name}, %", f"<= {PHOTO_TARGETS[name]}", text)


def speed_rows(picture: UInt8Array) -> Iterator[Row]:
    """One core: a portrait from pixels to points and matte, and one more frame of a video."""
    face = analyser().faces(picture)[0]

    def milliseconds(work: object) -> float:
        assert callable(work)
        spent = []
        for _ in range(25):
            start = time.thread_time()
            work()
            spent.append(1000 * (time.thread_time() - start))
        return float(np.median(spent))

    whole = milliseconds(lambda: analyser().cutout(picture, analyser().faces(picture)[0]))
    yield Row("one portrait on one core, ms", "<= 60", f"{whole:.1f}")
    yield Row("one frame of a video on one core, ms", "<= 8", f"{milliseconds(lambda: analyser().follow(picture, face)):.1f}")


def rows(held: Path, plain: Path | None, moving: Path | None, empty: int, photos: Path | None) -> Iterator[Row]:
    """The table."""
    faces = [see(truth)[0] for truth in truths(held) if truth.visible.mean() >= LEAST_SEEN]
    found = [s for s in faces if s is not None]
    yield Row("held-out renders framed as portraits, found", "", f"{len(found)} of {len(faces)}")
    yield from point_rows(found)
    yield from direction_rows(found)
    yield from matte_rows(found)
    if moving:
        yield from motion_rows(moving)
    if plain:
        yield from finding_rows(plain, empty)
    if photos:
        yield from photo_rows(photos)
    yield from speed_rows(found[0].truth.image)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=Path, required=True)
    for name in ("plain", "moving", "photos"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--empty", type=int, default=500)
    parser.add_argument("--card", type=Path, help="a page in which to replace the table")
    args = parser.parse_args(argv)
    table = list(rows(args.held, args.plain, args.moving, args.empty, args.photos))
    show(table)
    if args.card:
        put(args.card, "analyser", markdown([HEAD, *((row.what, row.target, row.measured) for row in table)]))


if __name__ == "__main__":
    main()
