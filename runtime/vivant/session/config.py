"""Session config and statistics."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vivant.face import Face
from vivant.motion.model import SpeechMotion
from vivant.session.presenter import Presenter
from vivant.session.stream import FaceStream
from vivant.size import USUAL_SIDE_PX
from vivant.types import Controls


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Fixed for a session's life."""

    fps: Fraction = Fraction(30)
    size_px: int | tuple[int, int] = USUAL_SIDE_PX
    sample_rate_hz: int = 16000
    seed: int | None = None
    """Decides blinks, gaze and head motion; None is one from chance."""
    paced: bool = True
    """True is live: frames come when they are due, and silence is filled in when no audio does. False: as fast as possible."""
    eager: bool = False
    """Paced only: an utterance that begins with much audio queued need not wait for the look-ahead (`vivant.session.pace`)."""
    pictures: bool = True
    audio: bool = False
    """Every `Output` carries its own sound, delayed like the picture."""

    def open(
        self, face: Face, controls: Controls | None, motion: SpeechMotion | None, presenter: Presenter | None
    ) -> FaceStream:
        """A stream as this config wants it; None stands for the usual ones."""
        return FaceStream(
            face,
            fps=self.fps,
            size_px=self.size_px,
            sample_rate_hz=self.sample_rate_hz,
            seed=self.seed,
            controls=controls,
            motion=motion,
            presenter=presenter,
            pictures=self.pictures,
            audio=self.audio,
        )


@dataclass
class SessionStats:
    """For observers."""

    frames: int = 0
    """Outputs that were taken."""
    late: int = 0
    """Pictures left out because their time had passed, and frames that were skipped after standing still."""
    dropped: int = 0
    """Outputs that fell out because nobody took them."""
