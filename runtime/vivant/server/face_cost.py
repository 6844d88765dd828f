"""Face cost: how much of a worker's time a live face takes on this machine, measured with the motion model that serves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vivant.clock import Clock
from vivant.errors import VivantError
from vivant.face import Face, RigFace
from vivant.motion.model import SpeechMotion
from vivant.rig.cache import kept_rigs
from vivant.rig.seal import open_rig
from vivant.session.presenter import HALVED_FROM, SHOWN_OF
from vivant.size import USUAL_SIDE_PX
from vivant.types import AudioChunk, Controls, MotionFrame, arkit_weights

USUAL_FPS = Fraction(25)
RATE_HZ = 16_000
MEASURED_S = 0.4
"""Of sound: ten frames, after as many to warm up. Chosen."""
DRAWN_PER_HEARD = 0.8
"""Where no rig is kept that could be drawn: drawing one picture against hearing one frame, on two cores of a cloud machine.
What is wrong with it, the load shedder learns from the first faces."""


@dataclass(frozen=True, slots=True)
class FaceCost:
    """In µs of one worker's time."""

    heard_us: float
    """The sound of one frame at `USUAL_FPS`."""
    drawn_us: float
    """One picture of `USUAL_SIDE_PX`."""

    def share(self, fps: Fraction, size_px: int, detail: int) -> float:
        """Of one worker's time that a face takes at that level of detail; ``size_px`` 0 is motion alone."""
        area = (size_px / USUAL_SIDE_PX) ** 2 / (4 if detail >= HALVED_FROM else 1)
        drawn_us = self.drawn_us * area * float(fps) / SHOWN_OF[detail]
        return (self.heard_us * float(USUAL_FPS) + drawn_us) / 1e6


def measure(motion: SpeechMotion, clock: Clock) -> FaceCost:
    """Takes a moment of a worker's thread."""
    heard_us = _heard_us(motion, clock)
    face = _kept_face()
    return FaceCost(heard_us, heard_us * DRAWN_PER_HEARD if face is None else _drawn_us(face, clock))


def _heard_us(motion: SpeechMotion, clock: Clock) -> float:
    state, n = motion.open(USUAL_FPS, 0), int(MEASURED_S * RATE_HZ)
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * n).astype(np.float32)
    state.push(AudioChunk(noise[:n], RATE_HZ, 0), Controls())
    began_us = clock.now_us()
    state.push(AudioChunk(noise[n:], RATE_HZ, n), Controls())
    return (clock.now_us() - began_us) / (MEASURED_S * float(USUAL_FPS))


def _drawn_us(face: Face, clock: Clock) -> float:
    renderer, n = face.open(USUAL_SIDE_PX), int(MEASURED_S * USUAL_FPS)
    renderer.render(MotionFrame(0, 0, arkit_weights()))
    began_us = clock.now_us()
    for index in range(n):
        renderer.render(MotionFrame(index, 0, arkit_weights(jawOpen=index / n)))
    return (clock.now_us() - began_us) / n


def _kept_face() -> Face | None:
    """Any; nobody sees it."""
    for kept in kept_rigs():
        with suppress(VivantError):
            return RigFace(open_rig(kept.path))
    return None
