"""A portrait that has been made ready to speak: open it once, let it talk any number of times."""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from vivant.errors import InputError
from vivant.media.images import load_image
from vivant.motion.model import SpeechMotion
from vivant.motion.voice import Voice
from vivant.portrait.analyser import PortraitAnalyser
from vivant.render.renderer import RigRenderer
from vivant.rig.build import Progress
from vivant.rig.cache import cached_rig
from vivant.rig.rig import Rig
from vivant.rig.square import SIDE_PX
from vivant.types import MotionFrame, UInt8Array, VideoFrame

MIN_SIZE_PX, MAX_SIZE_PX = 64, 2048
MOST_HALVINGS = 2
"""Of the textures, for small frames; further ones would leave nothing of an eye."""


class FaceRenderer(Protocol):
    """One session's way from motion to pixels; one thread at a time."""

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        """Draw one RGBA frame, into ``out`` if given."""
        ...


class Face(Protocol):
    """What can be animated: our layered rig today, a neural generator beside it tomorrow. Shared and read-only."""

    notes: tuple[str, ...]

    def open(self, size_px: int) -> FaceRenderer:
        """A renderer of ``size_px`` square frames."""
        ...


class RigFace:
    """`Face` over a rig. Safe to share between threads; renderers are not."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.notes = rig.notes
        self._lock = threading.Lock()
        self._scenes = [rig.scene()]
        self._smallest = rig

    def open(self, size_px: int) -> RigRenderer:
        if not MIN_SIZE_PX <= size_px <= MAX_SIZE_PX:
            raise InputError(f"size must be from {MIN_SIZE_PX} to {MAX_SIZE_PX} px, got {size_px}")
        halvings = min(max(0, math.floor(math.log2(self.rig.texels_per_px * SIDE_PX / size_px))), MOST_HALVINGS)
        with self._lock:
            while len(self._scenes) <= halvings:
                self._smallest = self._smallest.halved()
                self._scenes.append(self._smallest.scene())
        return RigRenderer(self._scenes[halvings], size_px, size_px)


def open_portrait(
    source: str | Path | bytes,
    *,
    face: int = 1,
    transparent: bool = False,
    analyser: PortraitAnalyser | None = None,
    progress: Progress = lambda _: None,
) -> RigFace:
    """Make an image file (or its bytes) ready to speak; a ``.vivant`` rig is opened as it is.

    The first time takes about two seconds, later ones a tenth: the rig is kept in the user's cache folder under the hash
    of the image. ``face`` counts the faces of the picture from the largest. ``progress`` hears one sentence per stage. Raises
    InputError for what is no usable image and PortraitError for an image without a usable face.
    """
    if isinstance(source, str):
        source = Path(source)
    if isinstance(source, Path) and source.suffix == ".vivant":
        if face != 1:
            raise InputError(f"a rig holds one face, but face {face} was asked for; give the picture that it was made of")
        return RigFace(Rig.load(source))
    name = source.name if isinstance(source, Path) else ""
    rig = cached_rig(load_image(source), analyser, name=name, face_number=face, transparent=transparent, progress=progress)
    return RigFace(rig)


def default_motion() -> SpeechMotion:
    """The speech model that is used when none is named."""
    return Voice()


def as_fps(fps: int | float | str | Fraction) -> Fraction:
    """A frame rate as a rational: 29.97 and "30000/1001" mean what they say. Raises InputError outside 24 to 60."""
    try:
        rate = Fraction(str(fps) if isinstance(fps, float) else fps)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"fps must be a number such as 30 or 30000/1001, got {fps!r}") from error
    if not 24 <= rate <= 60:
        raise InputError(f"fps must be from 24 to 60, got {fps}")
    return rate
