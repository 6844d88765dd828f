"""mediapipe as a measuring stick, never as a label; needs an environment of its own with mediapipe 0.10.21 in it.

    python -m benchmarks.yardstick --photos FOLDER... --held SHARDS --out DIR

takes the photographs that published packages carry (unpacked into the folders), keeps those in which mediapipe sees a face of
48 px or more, and writes ``photos.npz`` (pictures and its points). It also looks at rendered people and writes ``renders.npz``:
the two meshes place some points differently, each by its own amount, and that offset is measured there.
`benchmarks.analyser` reads both files, without mediapipe.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vivant.portrait import Cutout, DetectedFace, PortraitAnalyser
from vivant.portrait.crop import Crop, face_frame
from vivant.types import Float32Array, Pose, UInt8Array, arkit_weights

ENDINGS = (".jpg", ".jpeg", ".png")
LEAST_FACE_PX, MOST_SIDE_PX = 48, 1024
RENDERS = 300


def offsets(renders: Path, analyser: PortraitAnalyser) -> Float32Array:
    """(478, 2) mean place of mediapipe's points less ours in the upright frame of the face, in outer-eye distances."""
    gaps = []
    with np.load(renders, allow_pickle=False) as data:
        for image, theirs in zip(data["images"], data["points"], strict=True):
            faces = analyser.faces(image)
            if faces and _near(faces[0].landmarks, theirs):
                gaps.append(_upright(theirs, faces[0].landmarks))
    return np.asarray(np.median(gaps, axis=0), np.float32)


def aligned(ours: Float32Array, theirs: Float32Array, offset: Float32Array) -> Float32Array:
    """(478,) distances in % of the outer-eye distance, without the offset."""
    return np.asarray(100 * np.linalg.norm(_upright(theirs, ours) - offset, axis=1), np.float32)


def _upright(theirs: Float32Array, ours: Float32Array) -> Float32Array:
    """(478, 2) gaps in the upright frame, over the outer-eye distance in space."""
    unit = float(np.linalg.norm(theirs[33] - theirs[263]))
    roll = np.radians(face_frame(theirs).roll_deg)
    turn = np.array([(np.cos(roll), np.sin(roll)), (-np.sin(roll), np.cos(roll))], np.float32)
    return np.asarray((theirs[:, :2] - ours[:, :2]) @ turn.T / unit, np.float32)


def _near(ours: Float32Array, theirs: Float32Array) -> bool:
    a, b = face_frame(ours), face_frame(theirs)
    return float(np.hypot(a.x - b.x, a.y - b.y)) < 0.2 * b.side


class Mediapipe:
    """Face Mesh 0.10.21 with refined lips, lids and irises, and its selfie segmentation, as a `PortraitAnalyser`."""

    name = "mediapipe"
    provider = "cpu"

    def __init__(self) -> None:
        from mediapipe import solutions

        self._mesh: Any = solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1)
        self._segmentation: Any = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        """The largest face; it knows neither errors, gaze nor weights."""
        found = self._mesh.process(np.ascontiguousarray(pixels)).multi_face_landmarks
        if not found:
            return []
        height, width = pixels.shape[:2]
        scale = np.array((width, height, -width), np.float32)
        points = np.asarray(np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32) * scale, np.float32)
        every = np.ones(len(points), np.float32)
        return [DetectedFace(points, every, every, Pose(), np.zeros((2, 2), np.float32), arkit_weights())]

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace | None:
        """Looks anew."""
        return next(iter(self.faces(pixels)), None)

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        """The whole picture."""
        height, width = pixels.shape[:2]
        side = max(height, width)
        mask = np.zeros((side, side), np.float32)
        mask[:height, :width] = np.clip(self._segmentation.process(np.ascontiguousarray(pixels)).segmentation_mask, 0, 1)
        return Cutout(Crop(side / 2, side / 2, side), mask, np.zeros((side, side), np.uint8))


def photographs(folders: Sequence[Path]) -> Iterator[tuple[Path, UInt8Array]]:
    """Pictures below the folders, none twice, reduced to MOST_SIDE_PX."""
    known: set[bytes] = set()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS):
            try:
                picture = Image.open(path).convert("RGB")
            except OSError:
                continue
            picture.thumbnail((MOST_SIDE_PX, MOST_SIDE_PX))
            if min(picture.size) >= LEAST_FACE_PX and picture.tobytes() not in known:
                known.add(picture.tobytes())
                yield path, np.asarray(picture)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    from benchmarks.analyser import truths

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--leave-out", nargs="*", default=[], help="names of pictures that show no person, or lines drawn over one"
    )
    parser.add_argument("--held", type=Path, required=True, help="shards of rendered people")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    mesh = Mediapipe()
    kept: dict[str, Any] = {}
    for path, image in photographs(args.photos):
        if path.name in args.leave_out:
            continue
        faces = mesh.faces(image)
        if faces and faces[0].width_px >= LEAST_FACE_PX:
            kept |= {f"{len(kept) // 2:04d}_image": image, f"{len(kept) // 2:04d}_points": faces[0].landmarks}
            print(path)
    np.savez_compressed(args.out / "photos.npz", **kept)
    renders = (truth.image for _, truth in zip(range(RENDERS), truths(args.held), strict=False))
    seen = [(image, faces[0].landmarks) for image in renders if (faces := mesh.faces(image))]
    np.savez_compressed(args.out / "renders.npz", images=np.stack([i for i, _ in seen]), points=np.stack([p for _, p in seen]))
    print(f"{len(kept) // 2} photographs, {len(seen)} renders")


if __name__ == "__main__":
    main()
