"""How true is a rig, and how soon is it there? ``python -m benchmarks.rig``"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import PORTRAITS, Row, analyser, quiet, show
from vivant.face import RigFace
from vivant.media import load_image
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.crop import MARGIN_PX, SIDE_PX, place_crop
from vivant.rig.head import HeadFit, fit_head
from vivant.rig.mesh import inside
from vivant.rig.rig import Rig
from vivant.types import MotionFrame, UInt8Array, arkit_weights

SIZE_PX = 512


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
    square = place_crop(landmarks, *image.pixels.shape[1::-1])
    seen = square.to_rig(landmarks)
    low, high = (square.texels_per_px * place for place in (MARGIN_PX, MARGIN_PX + SIDE_PX))
    whole = Image.fromarray(np.asarray(square.cut(image.pixels), np.uint8))
    shown = np.asarray(whole.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS, box=(low, low, high, high)))
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] + 0.5
    on_face = inside(np.column_stack([x.ravel(), y.ravel()]), seen[list(c.OVAL), :2].astype(np.float64))
    return Built(path.stem, rig, fit_head(seen), shown, on_face.reshape(SIZE_PX, SIZE_PX), build_s)


@cache
def bundled() -> tuple[Built, ...]:
    """Every bundled portrait, built anew."""
    return tuple(build(path) for path in PORTRAITS)


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


def rows() -> list[Row]:
    """All of this module."""
    built = bundled()
    return [
        *(Row(f"resting face against portrait, {one.name}, of 255", "<= 2", f"{neutral_difference(one):.2f}") for one in built),
        Row("build a rig, network loaded, s", "", f"{np.median([one.build_s for one in built[1:]]):.2f}"),
        Row("open a saved rig, ms", "<= 100", f"{open_ms(built[0].rig):.0f}"),
        Row("size of a saved rig, MB", "", f"{built[0].rig.size_bytes / 1e6:.1f}"),
    ]


if __name__ == "__main__":
    with quiet():
        found = rows()
    show(found)
