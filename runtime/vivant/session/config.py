"""Session config and statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from vivant.arguments import as_seed, flag
from vivant.face import Face, as_fps
from vivant.motion.model import SpeechMotion
from vivant.samples import as_sample_rate
from vivant.session.presenter import Presenter
from vivant.session.stream import FaceStream, as_audio_lead_ms
from vivant.size import USUAL_SIDE_PX, Size
from vivant.types import Controls

RULES: Mapping[str, Callable[[Any], object]] = {
    "fps": as_fps,
    "size_px": Size.of,
    "sample_rate_hz": as_sample_rate,
    "seed": as_seed,
    "audio_lead_ms": as_audio_lead_ms,
    **{name: partial(flag, name) for name in ("paced", "eager", "pictures", "audio")},
}
"""What the settings of a session may be, wherever the face is."""


def settle(config: object, rules: Mapping[str, Callable[[Any], object]]) -> None:
    """Every setting of a new, frozen config by its rule. Raises InputError for the first that cannot be."""
    for name, rule in rules.items():
        object.__setattr__(config, name, rule(getattr(config, name)))


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Fixed for a session's life. Raises InputError for what cannot be."""

    fps: Fraction = Fraction(30)
    """Given as anything that `as_fps` takes: 30, 29.97, "30000/1001"."""
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
    audio_lead_ms: int = 0
    """By so much an utterance's sound comes before its pictures, for players with a buffer to fill (`FaceStream`)."""

    def __post_init__(self) -> None:
        settle(self, RULES)

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
            audio_lead_ms=self.audio_lead_ms,
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
