"""A portrait that has been made ready to speak: open it once, let it talk any number of times."""

from __future__ import annotations

import math
import os
import re
import threading
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from pathlib import Path
from typing import Protocol

import numpy as np

from vivant.arguments import flag, listed, shown, whole_number
from vivant.bundled import is_bundled, portrait_bytes, portraits
from vivant.errors import InputError
from vivant.finish.renderer import FinishedRenderer, FinishNetworks
from vivant.media.images import load_image
from vivant.media.sources import PictureSource, path_or_bytes
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.model import SpeechMotion, require_fps
from vivant.portrait.analyser import OURS, PortraitAnalyser
from vivant.provenance.consent import Consent, parse_consent
from vivant.render.renderer import RigRenderer
from vivant.rig.build import BUILDER_VERSION, Progress
from vivant.rig.cache import cached_rig
from vivant.rig.canonical import N_SURFACE
from vivant.rig.crop import SIDE_PX
from vivant.rig.framing import framed
from vivant.rig.rig import Rig
from vivant.rig.seal import open_rig
from vivant.size import MAX_SIZE_PX as MAX_SIZE_PX
from vivant.size import MIN_SIZE_PX as MIN_SIZE_PX
from vivant.size import Size
from vivant.types import MotionFrame, UInt8Array, VideoFrame

MAX_FACES = 1000
"""In one picture, that can be asked for; chosen."""
MOST_HALVINGS = 2
"""Of the textures, for small frames; further ones would leave nothing of an eye."""


FaceBox = tuple[float, float, float, float]
"""(left, top, right, bottom) in shares of the frame's sides."""
ROOM_TO_MOVE = 0.08
"""Around a face at rest, in shares of the frame's side."""


class FaceRenderer(Protocol):
    """One session's way from motion to pixels; one thread at a time."""

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        """Draw one RGBA frame, into ``out`` if given."""
        ...


class Face(Protocol):
    """What can be animated: our layered rig today, a neural generator beside it tomorrow. Shared by threads, read-only."""

    @property
    def name(self) -> str:
        """Of its kind, with a version; written into the manifests of what it drew."""
        ...

    @property
    def portrait_sha256(self) -> str:
        """Hex digest of the picture that it shows, by which consent is kept; empty where it shows nobody."""
        ...

    @property
    def face_box(self) -> FaceBox | None:
        """Where the face is in a square frame, with room for it to move; the label keeps away from there. None: unknown."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user should know, a sentence each."""
        ...

    def open(self, size_px: int | tuple[int, int]) -> FaceRenderer:
        """A renderer of square frames of that side, or of frames of (width, height)."""
        ...


class RigFace:
    """`Face` over a rig. Safe to share between threads; renderers are not."""

    def __init__(self, rig: Rig, source: Path | None = None, consent: Consent | None = None) -> None:
        """``source`` is the file it was opened from, which no result may overwrite; ``consent`` says who it shows."""
        self.rig = rig
        self.source = source
        self.consent = consent
        read_by = f", read by {rig.analyser}" if rig.analyser != OURS else ""
        self.name = f"vivant rig {BUILDER_VERSION}{read_by}" + (f", {rig.finish.name}" if rig.finish else "")
        self.portrait_sha256 = rig.portrait_sha256
        self.notes = rig.notes
        self._lock, self._blurring = threading.Lock(), threading.Lock()
        self._blurred: RigFace | None = None
        self._scenes = [rig.scene()]
        self._smallest = rig
        self._networks = FinishNetworks(rig.finish) if rig.finish else None

    def blurred(self) -> RigFace:
        """The same person before a background that is out of focus, in square frames. Made once, in some 30 ms, for a page may
        ask for it again and again. Raises InputError for a cut-out one."""
        with self._blurring:
            if self._blurred is None:
                self._blurred = RigFace(self.rig.with_blurred_background(), self.source, self.consent)
            return self._blurred

    @property
    def face_box(self) -> FaceBox:
        points = self.rig.arrays["rest"][:N_SURFACE, :2] / SIDE_PX
        (left, top), (right, bottom) = points.min(axis=0) - ROOM_TO_MOVE, points.max(axis=0) + ROOM_TO_MOVE
        return float(left), float(top), float(right), float(bottom)

    def open(self, size_px: int | tuple[int, int]) -> RigRenderer | FinishedRenderer:
        renderer = self.open_rig(size_px)
        return renderer if self._networks is None else FinishedRenderer(renderer, self._networks)

    def open_rig(self, size_px: int | tuple[int, int]) -> RigRenderer:
        """Without what was learnt."""
        size = Size.of(size_px)
        if not size.is_square:
            return self._open_framed(size)
        halvings = self._halvings(size.width / SIDE_PX)
        with self._lock:
            while len(self._scenes) <= halvings:
                self._smallest = self._smallest.halved()
                self._scenes.append(self._smallest.scene())
        return RigRenderer(self._scenes[halvings], *size)

    def _open_framed(self, size: Size) -> RigRenderer:
        """Beyond the square lies a picture that depends on the size, so its scene is not shared."""
        frame = framed(self.rig, size)
        rig, view = frame.rig, frame.view
        for _ in range(self._halvings(size.width / view.width)):
            rig = rig.halved()
        part = np.array((view.left, view.top, view.width, view.height), np.float32)
        return RigRenderer(rig.scene(), *size, view=part, behind=frame.behind)

    def _halvings(self, px_per_rig_px: float) -> int:
        """How often the textures are halved for frames of that resolution."""
        return min(max(0, math.floor(math.log2(self.rig.texels_per_px / px_per_rig_px))), MOST_HALVINGS)


def open_portrait(
    source: PictureSource,
    *,
    face: int = 1,
    transparent: bool = False,
    consent: Consent | str | None = None,
    analyser: PortraitAnalyser | None = None,
    progress: Progress = lambda _: None,
) -> RigFace:
    """Make a picture ready to speak: an image file, its bytes, an open file, a picture of Pillow or an array (`PictureSource`).

    A name of `vivant.portraits` is that bundled portrait where no file of one's own has it; a ``.vivant`` rig is opened as it
    is, see ``rig.seal``.

    The first time takes about two seconds, later ones a tenth: the rig is kept in the user's cache folder under the hash
    of the image. ``face`` counts the faces of the picture from the largest. ``consent`` says who it shows: me, agreed, unreal
    or synthetic; without it the environment, the settings or an earlier answer must say it before pictures are made
    (`Presenter`). ``progress`` hears one sentence per stage. Raises InputError for what is no usable image or answer, and
    PortraitError for an image without a usable face.
    """
    answer = parse_consent(consent) if consent is not None else None
    face, transparent = whole_number("face", face, 1, MAX_FACES), flag("transparent", transparent)
    picture = path_or_bytes(source)
    path = picture if isinstance(picture, Path) else None
    if path is not None and path.suffix == ".vivant":
        if face != 1:
            raise InputError(f"a rig holds one face, but face {face} was asked for; give the picture that it was made of")
        return RigFace(open_rig(path), path, answer)
    name = path.name if path is not None else ""
    if path is not None and is_bundled(path):
        picture, path, name = portrait_bytes(name), None, f"{name}.jpg"
    elif path is not None and not path.suffix and not os.path.lexists(path):
        raise InputError(f"{name} does not exist; give an image file, or a bundled portrait: {listed(portraits())}")
    rig = cached_rig(load_image(picture), analyser, name=name, face_number=face, transparent=transparent, progress=progress)
    return RigFace(rig, path, answer)


def require_face(face: object) -> None:
    """Raises InputError for what was not opened."""
    if isinstance(face, type) or not hasattr(face, "portrait_sha256"):
        raise InputError(f"a face must be opened by vivant.open_portrait first, got {shown(face)}")


def default_motion() -> SpeechMotion:
    """The speech model that is used when none is named."""
    return ArticulatoryMotion()


_NTSC_SPELLING = Fraction(1, 200)
"""How far a spelling with two or three decimals may lie from the rate it means."""
_FPS = re.compile(r"\s*[+-]?\d{1,9}(\.\d{0,20})?(e[+-]?\d{1,2}|/\d{1,9})?\s*", re.ASCII | re.IGNORECASE)
"""So long that every rate is in it, and so short that reading it takes no time."""


def as_fps(fps: int | float | str | Fraction) -> Fraction:
    """A frame rate as a rational, 12 to 60 per second; raises InputError for others.

    29.97, "23.976", 23.98 and whatever else is a whole rate slowed by 1000/1001, as NTSC and films have it, mean just that.
    """
    try:
        rate = _rational(fps)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"fps must be a number such as 30 or 30000/1001, got {shown(fps)}") from error
    require_fps(rate)
    slowed = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    return slowed if abs(rate - slowed) < _NTSC_SPELLING else rate


def _rational(value: object) -> Fraction:
    """Raises ValueError, ZeroDivisionError or OverflowError for what is none."""
    if isinstance(value, str) and _FPS.fullmatch(value):
        return Fraction(value)
    if isinstance(value, bool) or not isinstance(value, Rational | Real | Decimal):
        raise ValueError("no number")
    as_float = float(value)  # an OverflowError where it has hundreds of digits
    return Fraction(int(value.numerator), int(value.denominator)) if isinstance(value, Rational) else Fraction(str(as_float))
