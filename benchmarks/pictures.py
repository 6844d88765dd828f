"""The pictures of docs/: ``python -m benchmarks.pictures`` draws every bundled portrait's sheet, and some close up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import vivant
from benchmarks.report import PORTRAITS
from vivant.sheet import contact_sheet
from vivant.types import UInt8Array
from vivant.visemes import EXPRESSIONS, VISEMES, Look

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
SIDE_PX = 512.0
CLOSE_UP = ("ada", "ada_painting", "bram", "noor", "sana_ink", "tomas", "walter")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    faces = {path.stem: vivant.open_portrait(path) for path in PORTRAITS}
    for name, face in faces.items():
        _save(f"sheet_{name}", contact_sheet(face, cell_px=256))
        if name not in CLOSE_UP:
            continue
        _save(f"mouth_{name}", contact_sheet(face, VISEMES + EXPRESSIONS[:2], cell_px=240, zoom=_around(face, (13, 14), 0.55)))
        eyes = (Look("rest"), *EXPRESSIONS[2:4], *EXPRESSIONS[5:12])
        _save(f"eyes_{name}", contact_sheet(face, eyes, columns=5, cell_px=320, zoom=_around(face, (33, 263), 0.72, 0.42)))
    _save("arkit_bram", contact_sheet(faces["bram"], _all_shapes(), columns=9, cell_px=200, zoom=(0.27, 0.2, 0.73, 0.72)))


def _all_shapes() -> list[Look]:
    """Each of the 52 shapes alone at full weight; mouthClose and tongueOut on an open jaw, where they mean something."""
    jaw = {"mouthClose": {"jawOpen": 0.5}, "tongueOut": {"jawOpen": 0.4}}
    return [Look(name, {name: 1.0} | jaw.get(name, {})) for name in vivant.ARKIT_NAMES]


def _around(
    face: vivant.RigFace, landmarks: tuple[int, int], reach: float, share: float = 0.75
) -> tuple[float, float, float, float]:
    """A box around two landmarks, ``reach`` outer-eye distances to each side, in shares of the frame."""
    x, y = face.rig.arrays["rest"][list(landmarks), :2].mean(axis=0) / SIDE_PX
    half = reach * float(face.rig.arrays["head_frame"][3]) / SIDE_PX
    return float(x - half), float(y - half * share), float(x + half), float(y + half * share)


def _save(name: str, picture: UInt8Array) -> None:
    path = FOLDER / f"{name}.jpg"
    Image.fromarray(np.ascontiguousarray(picture)).save(path, quality=86, optimize=True)
    print(path.name, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
