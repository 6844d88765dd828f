"""Presenter: the pictures of one stream, from motion to what may leave the process. The one place that labels and marks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vivant.arguments import flag, instance, member, text, whole_number
from vivant.errors import InputError
from vivant.face import Face, FaceRenderer, require_face
from vivant.finish.renderer import FinishedRenderer
from vivant.pixels import JPEG_QUALITIES, encoded
from vivant.provenance.consent import Consent, parse_consent, require_vouched
from vivant.provenance.disclosure import Disclosure, live_session_id
from vivant.provenance.policy import Policy
from vivant.session.background import Background
from vivant.size import MIN_SIZE_PX, USUAL_SIDE_PX, Size
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame

MAX_SESSION_ID = 2**32 - 1
"""What the invisible mark has room for."""
SHOWN_OF = (1, 1, 2)
"""By level of detail: every picture, every one of half the size, every second one of half the size. A soft picture is seen less
than one that jerks. Where that is still too much, a face is served less often by itself."""
MOST_DETAIL, LEAST_DETAIL = 0, len(SHOWN_OF) - 1
HALVED_FROM = 1
"""Of half the size from this level of detail on."""
FADE = 0.125
"""So much a picture comes or goes what was learnt of a face (`FinishedRenderer.share`), which every less detail leaves out."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is around a face."""

    mirror: bool = False
    background: Background | None = None
    """Behind a cut-out person."""
    label_corner: str | None = None
    """One of `vivant.provenance.label.CORNERS`; None is one that the face leaves free."""


AS_OPENED = Look()


@dataclass(slots=True)
class _Showing:
    face: Face
    portrait: str
    look: Look
    finisher: Disclosure
    renderers: dict[Size, tuple[FaceRenderer, UInt8Array]] = field(default_factory=dict)
    """By size, each with the memory that it draws into."""


class Presenter:
    """Draws, mirrors, labels, marks and encodes. `present` is for one thread at a time; the rest may come from another."""

    def __init__(
        self,
        face: Face,
        *,
        size_px: int | tuple[int, int] = USUAL_SIDE_PX,
        portrait: str = "",
        consent: Consent | str | None = None,
        pictures: bool = True,
        session_id: int | None = None,
        label_off_reason: str | None = None,
        language: str | None = None,
        mirror: bool = False,
        background: Background | None = None,
        pixel_format: PixelFormat = PixelFormat.RGBA,
        jpeg_quality: int = 85,
        jpeg_alpha: bool = False,
        label_corner: str | None = None,
    ) -> None:
        """``consent`` says who the portraits show that are presented, where `open_portrait` was not told; it is needed unless
        ``pictures`` is False, which is for motion alone. ``session_id`` is what the invisible mark says, 32 bits, one from
        chance if None. ``background`` is put behind a cut-out person. ``jpeg_alpha`` gives a JPEG its alpha as a second one
        (`VideoFrame.jpeg_alpha`). ``label_corner`` is one of `CORNERS`, one that the face leaves free if None.

        Every picture has a visible label unless ``label_off_reason`` says why not. Raises InputError where the policy of this
        machine wants the label all the same, when nobody has said who the portrait shows, and for a size that cannot be.
        """
        if label_off_reason is not None:
            Policy.load().allow_label_off(text("label_off_reason", label_off_reason))
        self.detail, self._finish = MOST_DETAIL, 1.0
        self.size, self.pixel_format = Size.of(size_px), member("pixel_format", PixelFormat, pixel_format)
        own_id = None if session_id is None else whole_number("session_id", session_id, 0, MAX_SESSION_ID)
        self.session_id = live_session_id() if own_id is None else own_id
        self._consent = None if consent is None else parse_consent(consent)
        self._pictures, self._jpeg_alpha = flag("pictures", pictures), flag("jpeg_alpha", jpeg_alpha)
        behind = None if background is None else instance("background", Background, background)
        self._labelled, self._language = label_off_reason is None, language
        self._jpeg_quality = whole_number("jpeg_quality", jpeg_quality, *JPEG_QUALITIES)
        self.show(face, portrait, Look(flag("mirror", mirror), behind, label_corner))
        self.presented = portrait
        """Name of the portrait in the last picture: while it was drawn, `show` may have been given another one."""
        if pictures and self.size.is_square:
            face.open(self.size)  # what cannot be opened is refused now rather than at the first picture

    @property
    def portrait(self) -> str:
        return self._showing.portrait

    @property
    def background(self) -> Background | None:
        return self._showing.look.background

    def show(self, face: Face, portrait: str = "", look: Look | None = None) -> None:
        """Another face from the next picture on, and another look if one is given.

        Raises InputError when nobody has said who it shows.
        """
        require_face(face)
        look = self._showing.look if look is None else look
        if self._pictures:
            require_vouched(face.portrait_sha256, self._consent or getattr(face, "consent", None))
        finisher = Disclosure.for_face(
            face, self.session_id, labelled=self._labelled, language=self._language, corner=look.label_corner
        )
        self._showing: _Showing = _Showing(face, text("portrait", portrait), look, finisher)

    def next_shown(self, index: int) -> int:
        """The first frame from that one on which the level of detail draws."""
        every = SHOWN_OF[self.detail] if self._pictures else 1
        return -(-index // every) * every

    def shows(self, index: int) -> bool:
        return self.next_shown(index) == index

    def present(self, motion: MotionFrame) -> VideoFrame | None:
        """The finished picture; None where the level of detail leaves this one out."""
        if not self._pictures:
            raise InputError("this presenter was opened for motion alone; open another one with pictures=True")
        if not self.shows(instance("motion", MotionFrame, motion).index):
            return None
        showing, size = self._showing, self._drawn()
        look = showing.look
        if size not in showing.renderers:
            # One picture's memory for all: finishing makes a new one of it anyway.
            showing.renderers[size] = showing.face.open(size), np.empty((size.height, size.width, 4), np.uint8)
        renderer, memory = showing.renderers[size]
        if isinstance(renderer, FinishedRenderer):
            self._finish = renderer.share = _nearer(self._finish, 1.0 if self.detail == MOST_DETAIL else 0.0)
        frame, self.presented = renderer.render(motion, memory), showing.portrait
        if look.mirror:
            frame = VideoFrame(frame.index, frame.pts_us, frame.pixels[:, ::-1], frame.format)
        if look.background is not None:
            frame = look.background.behind(frame)
        finished = showing.finisher.finish(frame)
        return encoded(finished, self.pixel_format, self._jpeg_quality, jpeg_alpha=self._jpeg_alpha)

    def _drawn(self) -> Size:
        whole = self.size
        return whole if self.detail < HALVED_FROM or min(whole) < 2 * MIN_SIZE_PX else Size(whole.width // 2, whole.height // 2)


def _nearer(share: float, wanted: float) -> float:
    return max(wanted, share - FADE) if wanted < share else min(wanted, share + FADE)
