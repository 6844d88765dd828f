"""LivePortrait face: our motion, drawn by graphs that the user brings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.bundled import is_bundled, portrait_bytes
from vivant.errors import InputError, UnavailableError
from vivant.face import FaceBox, RigFace, open_portrait
from vivant.liveportrait.fit import MotionMap, cached_map
from vivant.liveportrait.graphs import DRAWN_PX, LOOK_PX, Graphs, best_provider
from vivant.liveportrait.keypoints import Posture
from vivant.media.images import load_image
from vivant.media.sources import PictureSource, path_or_bytes
from vivant.portrait import PortraitAnalyser, Provider, default_analyser
from vivant.portrait.choice import choose_face
from vivant.portrait.crop import FACE_MARGIN, Crop, cut, face_frame
from vivant.provenance.consent import Consent
from vivant.provenance.settings import Settings
from vivant.rig.build import Progress
from vivant.rig.canonical import N_SURFACE
from vivant.size import Size
from vivant.types import Float32Array, MotionFrame, PixelFormat, UInt8Array, VideoFrame

CROP, UP = 2.3, 0.125
"""Side of its square over the face's box, and how far it lies above the box's middle, of its side; the published code's."""
SHIFT = 0.25
"""Of its own unit for an outer-eye distance, by which a head goes aside; chosen."""
MOST_DEG = 25.0
"""So far its published sliders turn a head."""
LICENCE = (
    "drawn by LivePortrait's graphs from your own folder: their licence is MIT, but they were trained on films of people, so"
    ' "trained on nobody" is not true of this face'
)
SLOW = "LivePortrait runs on the processor here, some seconds a picture; `vivant setup --gpu` brings what a graphics card needs"
INSTEAD = "LivePortrait cannot draw this ({reason}), so the rig does"


class LivePortraitFace:
    """`Face` by LivePortrait's graphs. Shared by threads; renderers may draw at the same time and share a run."""

    def __init__(self, rig: RigFace, graphs: Graphs, picture: UInt8Array, box: FaceBox) -> None:
        """``picture`` is its square around the face, RGB (512, 512, 3)."""
        self.name = f"liveportrait {graphs.fingerprint[:12]}"
        self.portrait_sha256, self.face_box, self.consent = rig.portrait_sha256, box, rig.consent
        self.notes = (*rig.notes, LICENCE, *((SLOW,) if graphs.provider == Provider.CPU else ()))
        self.graphs, look = graphs, tensor(picture)
        self.volume, self.rest = graphs.volume(look), graphs.posture(look)
        self.source = self.rest.placed(_NO_TURN, _NO_CHANGE)
        self.map: MotionMap = cached_map(rig, graphs, self._look_at_rig)

    def open(self, size_px: int | tuple[int, int]) -> LivePortraitRenderer:
        size = Size.of(size_px)
        if not size.is_square:
            raise InputError(f"LivePortrait draws squares, not {size.width}x{size.height}; give one number as the size")
        return LivePortraitRenderer(self, size.width)

    def _look_at_rig(self, pixels: UInt8Array) -> Posture:
        return self.graphs.posture(tensor(pixels[..., :3]))


class LivePortraitRenderer:
    """`FaceRenderer` of square frames."""

    def __init__(self, face: LivePortraitFace, side_px: int) -> None:
        self._face, self._side_px = face, side_px

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        face, side = self._face, self._side_px
        driving = face.graphs.stitched(face.source, self._driving(motion))
        planes = face.graphs.draw(face.volume, driving, face.source)
        drawn = np.round(np.clip(planes.transpose(1, 2, 0), 0, 1) * 255).astype(np.uint8)
        if side != DRAWN_PX:
            drawn = np.asarray(Image.fromarray(drawn).resize((side, side), Image.Resampling.LANCZOS))
        pixels = np.empty((side, side, 4), np.uint8) if out is None else out
        pixels[..., :3], pixels[..., 3] = drawn, 255
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)

    def _driving(self, motion: MotionFrame) -> Float32Array:
        face, pose = self._face, motion.pose
        turn = np.clip(face.map.angles_deg(pose), -MOST_DEG, MOST_DEG)
        return face.rest.placed(turn, face.map.expression(motion), pose.scale, (SHIFT * pose.x, -SHIFT * pose.y))


_NO_TURN, _NO_CHANGE = np.zeros(3, np.float32), np.zeros((21, 3), np.float32)


def tensor(picture: UInt8Array) -> Float32Array:
    """(1, 3, 256, 256) RGB 0..1 of a square picture."""
    small = np.asarray(Image.fromarray(picture).resize((LOOK_PX, LOOK_PX), Image.Resampling.BOX))
    return (small.transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32)


def open_liveportrait(
    source: PictureSource,
    *,
    face: int = 1,
    transparent: bool = False,
    consent: Consent | str | None = None,
    analyser: PortraitAnalyser | None = None,
    progress: Progress = lambda _: None,
    provider: Provider | None = None,
) -> LivePortraitFace | RigFace:
    """A portrait as `open_portrait` takes it, drawn by the graphs in the folder that ``VIVANT_LIVEPORTRAIT`` or the setting
    ``liveportrait`` names; where they are missing, are others or cannot run, the rig, with a note that says why.
    """
    rig = open_portrait(source, face=face, transparent=transparent, consent=consent, analyser=analyser, progress=progress)
    try:
        picture, box = _square(source, analyser or default_analyser(), face, transparent)
        progress("loading LivePortrait")
        graphs = Graphs(_folder(), provider or best_provider())
        progress("finding how LivePortrait's numbers move")
        return LivePortraitFace(rig, graphs, picture, box)
    except (InputError, UnavailableError) as error:
        note = INSTEAD.format(reason=str(error).partition("\n")[0])
        return RigFace(replace(rig.rig, notes=(*rig.rig.notes, note)), rig.source, rig.consent)


def _folder() -> Path:
    folder = Settings.load().liveportrait
    if folder is None:
        raise InputError("VIVANT_LIVEPORTRAIT names no folder of its graphs")
    return Path(folder)


def _square(source: PictureSource, analyser: PortraitAnalyser, number: int, transparent: bool) -> tuple[UInt8Array, FaceBox]:
    """Its square around the face, and where the face is in it. Raises InputError for what it cannot draw."""
    picture = path_or_bytes(source)
    if isinstance(picture, Path) and is_bundled(picture):
        picture = portrait_bytes(picture.name)
    if transparent:
        raise InputError("it draws no cut-out people")
    if isinstance(picture, Path) and picture.suffix == ".vivant":
        raise InputError("it needs the picture, not a rig")
    choice = choose_face(load_image(picture), analyser, number)
    frame = liveportrait_frame(choice.face.landmarks)
    inside = frame.inside(choice.face.landmarks[:N_SURFACE, :2], 1)
    (left, top), (right, bottom) = np.clip(inside.min(axis=0) - 0.08, 0, 1), np.clip(inside.max(axis=0) + 0.08, 0, 1)
    return cut(choice.image.pixels, frame, DRAWN_PX), (float(left), float(top), float(right), float(bottom))


def liveportrait_frame(points: Float32Array) -> Crop:
    """The square that the published code cuts, by our landmarks (478, 2 or 3)."""
    face = face_frame(points)
    side = face.side / FACE_MARGIN * CROP
    turn = np.radians(face.roll_deg)
    return Crop(face.x + float(np.sin(turn)) * UP * side, face.y - float(np.cos(turn)) * UP * side, side, face.roll_deg)
