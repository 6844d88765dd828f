"""``learned``: a `SpeechMotion` whose lips are the rules' and all else of whose face one network gives together."""

from __future__ import annotations

from fractions import Fraction

from vivant.motion.articulatory import ArticulatoryMotion, VoiceState
from vivant.motion.learned.life import LearnedLife
from vivant.motion.learned.manner import DEFAULT, named_manner
from vivant.motion.learned.network import Dynamics, shipped
from vivant.motion.model import require_fps


class LearnedMotion:
    """Learned motion: a ``SpeechMotion``; has no state of its own."""

    look_ahead_ms = ArticulatoryMotion.look_ahead_ms

    def __init__(self, manner: str = DEFAULT, dynamics: Dynamics | None = None) -> None:
        """``manner`` is a name or a file of `vivant learn --manner`. Raises InputError for one that is not there."""
        self._dynamics = shipped() if dynamics is None else dynamics
        self._manner = named_manner(manner, self._dynamics)
        self.name = "vivant learned 1" if manner == DEFAULT else "vivant learned 1, in a manner of its own"

    def open(self, fps: Fraction, seed: int, face: object = None) -> VoiceState:
        require_fps(fps)
        return VoiceState(fps, seed, LearnedLife(self._dynamics, self._manner, seed))
