"""How true is a rig? ``python -m benchmarks.rig`` also prints, per ARKit shape, the cosine with the measured field."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import PORTRAITS, Row, analyser, markdown, quiet, show
from vivant.face import RigFace
from vivant.media import load_image
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.head import HeadFit, fit_head
from vivant.rig.mesh import inside
from vivant.rig.rig import Rig
from vivant.rig.square import MARGIN_PX, SIDE_PX, place_square
from vivant.types import ARKIT_NAMES, MotionFrame, UInt8Array, arkit_weights

SIZE_PX = 512
NOTICEABLE = 0.1
"""Points that move by less than this share of a shape's largest displacement do not count."""
UNMEASURED = ("tongueOut",)
"""The scanned heads have no tongue."""
FITTED = tuple(name for name in ARKIT_NAMES if name.startswith("eye"))
"""Lids are fitted to the portrait's own eyes on purpose, so these fields differ from the average head's."""


@dataclass(frozen=True)
class Built:
    """A rig and what it was built from."""

    name: str
    rig: Rig
    fit: HeadFit
    square: UInt8Array
    """(512, 512, 3) the part of the portrait that the rig shows."""
    on_face: NDArray[np.bool_]
    """(512, 512) inside the face oval."""
    build_s: float


def build(path: Path) -> Built:
    """The rig of a bundled portrait, with what is needed to judge it."""
    image = load_image(path)
    began = time.perf_counter()
    rig = build_rig(image, analyser())
    build_s = time.perf_counter() - began
    landmarks = analyser().faces(image.pixels)[0].landmarks
    square = place_square(landmarks, *image.pixels.shape[1::-1])
    seen = square.to_rig(landmarks)
    margin, side = round(MARGIN_PX * square.texels_per_px), round(SIDE_PX * square.texels_per_px)
    cut = np.asarray(square.cut(image.pixels), np.uint8)[margin : margin + side, margin : margin + side]
    shown = np.asarray(Image.fromarray(cut).resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS))
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] + 0.5
    on_face = inside(np.column_stack([x.ravel(), y.ravel()]), seen[list(c.OVAL), :2].astype(np.float64))
    return Built(path.stem, rig, fit_head(seen), shown, on_face.reshape(SIZE_PX, SIZE_PX), build_s)


def neutral_difference(built: Built) -> float:
    """Mean absolute difference of the resting face from the portrait, in grey levels, at 512x512."""
    rest = MotionFrame(0, 0, arkit_weights())
    drawn = RigFace(built.rig).open(SIZE_PX).render(rest).pixels[..., :3]
    return float(np.abs(drawn.astype(np.int16) - built.square)[built.on_face].mean())


def open_ms(rig: Rig) -> float:
    """Median time from a file to something that renders."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.vivant"
        rig.save(path)
        times = []
        for _ in range(15):
            began = time.perf_counter()
            RigFace(Rig.load(path))
            times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def cosines(built: Built) -> dict[str, float]:
    """Per shape the cosine of the rig's displacements with the measured ones, over the landmarks that move noticeably."""
    measured = built.fit.direction(c.canonical_face().fields[:, : c.N_SURFACE]).astype(np.float64)
    own = _landmark_moves(built.rig)
    found = {}
    for index, name in enumerate(ARKIT_NAMES):
        length = np.linalg.norm(measured[index], axis=1)
        if name in UNMEASURED or length.max() == 0:
            continue
        moving = length > NOTICEABLE * length.max()
        a, b = measured[index][moving].ravel(), own[index][moving].ravel()
        found[name] = float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))
    return found


def _landmark_moves(rig: Rig) -> NDArray[np.float64]:
    """(52, 468, 3) px: the landmarks are the first vertices of a rig."""
    moves = np.zeros((len(ARKIT_NAMES), c.N_SURFACE, 3))
    for drive, first, count, offset in rig.arrays["move_blocks"]:
        if drive < len(ARKIT_NAMES) and first < c.N_SURFACE:
            reached = min(count, c.N_SURFACE - first)
            moves[drive, first : first + reached] += rig.arrays["moves"][offset : offset + reached]
    return moves


def lowest(all_built: list[Built]) -> dict[str, float]:
    """Per shape the lowest cosine over the portraits."""
    each = [cosines(built) for built in all_built]
    return {name: min(one[name] for one in each) for name in each[0]}


def rows(all_built: list[Built] | None = None) -> list[Row]:
    """All of this module."""
    built = all_built or [build(path) for path in PORTRAITS]
    differences = {one.name: neutral_difference(one) for one in built}
    cosine = lowest(built)
    worst = min(cosine, key=cosine.__getitem__)
    below = sum(value < 0.8 for value in cosine.values())
    return [
        *(Row(f"resting face against portrait, {name}, of 255", "<= 2", f"{value:.2f}") for name, value in differences.items()),
        Row("build a rig, network loaded, s", "", f"{np.median([one.build_s for one in built[1:]]):.2f}"),
        Row("open a saved rig, ms", "<= 100", f"{open_ms(built[0].rig):.0f}"),
        Row("size of a saved rig, MB", "", f"{built[0].rig.size_bytes / 1e6:.1f}"),
        Row("cosine with the measured field, lowest of 51 shapes", ">= 0.8", f"{cosine[worst]:.2f} ({worst})"),
        Row("shapes below 0.8", "0", str(below)),
    ]


def shape_rows(all_built: list[Built]) -> list[Row]:
    """One row per ARKit shape."""
    cosine = lowest(all_built)
    remarks = dict.fromkeys(FITTED, "fitted to the portrait's lids")
    remarks |= dict.fromkeys(UNMEASURED, "not measured: the scanned heads have no tongue")
    return [Row(name, remarks.get(name, ""), f"{cosine[name]:.3f}" if name in cosine else "") for name in ARKIT_NAMES]


def main() -> None:
    with quiet():
        built = [build(path) for path in PORTRAITS]
        table, shapes = rows(built), shape_rows(built)
    show(table)
    sys.stdout.write("\n" + markdown(shapes, ("ARKit shape", "remark", "lowest cosine")) + "\n")


if __name__ == "__main__":
    main()
