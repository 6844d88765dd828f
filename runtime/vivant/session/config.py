"""Session config and statistics."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vivant.size import USUAL_SIDE_PX


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


@dataclass
class SessionStats:
    """For observers."""

    frames: int = 0
    """Outputs that were taken."""
    late: int = 0
    """Pictures left out because their time had passed."""
    dropped: int = 0
    """Outputs that fell out because nobody took them."""
