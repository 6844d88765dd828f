"""Face cost: how much processor time a live face takes on this machine, measured with the motion model that serves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import quantiles

import numpy as np

from vivant.clock import processor_us
from vivant.errors import UnavailableError, VivantError
from vivant.face import Face, RigFace
from vivant.finish.network import blank
from vivant.motion.model import SpeechMotion
from vivant.provenance.disclosure import Disclosure
from vivant.rig.cache import kept_rigs
from vivant.rig.rig import Rig
from vivant.rig.seal import open_rig
from vivant.session.presenter import HALVED_FROM, MOST_DETAIL, SHOWN_OF
from vivant.size import USUAL_SIDE_PX
from vivant.types import AudioChunk, Controls, MotionFrame, arkit_weights

USUAL_FPS = Fraction(25)
RATE_HZ = 16_000
N_MEASURED, N_WARM = 40, 16
"""Frames; chosen. The first ones fill look-ahead and caches."""
DRAWN_PER_HEARD = 3.0
"""Where no rig is kept that could be drawn: drawing one picture against hearing one frame, on two cores of a cloud machine.
Where it is wrong, the load shedder sees lateness."""
PAINTED_PER_HEARD = 9.0
"""What a finish paints, likewise."""
SENT_PER_HEARD = 1.3
"""Giving one picture out (event loop, gRPC) against hearing one frame, on the same machine."""
CROWDED = 1.35
"""So much more a frame costs where many faces take turns on the caches; likewise."""


@dataclass(frozen=True, slots=True)
class FaceCost:
    """In µs of processor time."""

    heard_us: float
    """The sound of one frame at `USUAL_FPS`."""
    drawn_us: float
    """One picture of `USUAL_SIDE_PX`."""
    finish_us: float = 0.0
    """What a finish paints into one picture of any size, mouth and both eyes."""

    def share(self, fps: Fraction, size_px: int, detail: int, *, finished: bool = False) -> float:
        """Of one core's time that a face takes at that level of detail; ``size_px`` 0 is motion alone.

        A finish is painted at the most detail only.
        """
        area = (size_px / USUAL_SIDE_PX) ** 2 / (4 if detail >= HALVED_FROM else 1)
        shown_us = self.drawn_us * area + self.heard_us * SENT_PER_HEARD
        if finished and detail == MOST_DETAIL:
            shown_us += self.finish_us
        return CROWDED * (self.heard_us * float(USUAL_FPS) + shown_us * float(fps) / SHOWN_OF[detail]) / 1e6


def measure(motion: SpeechMotion) -> FaceCost:
    """Takes a moment of a worker's thread."""
    heard_us = _heard_us(motion)
    rig = _kept_rig()
    if rig is None:
        return FaceCost(heard_us, heard_us * DRAWN_PER_HEARD, heard_us * PAINTED_PER_HEARD)
    drawn_us = _drawn_us(RigFace(rig))
    return FaceCost(heard_us, drawn_us, _finish_us(rig, drawn_us))


def _heard_us(motion: SpeechMotion) -> float:
    state, n = motion.open(USUAL_FPS, 0), int(RATE_HZ / USUAL_FPS)
    noise = np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32)
    return _usual_us(lambda index: state.push(AudioChunk(noise, RATE_HZ, n * index), Controls()))


def _finish_us(rig: Rig, drawn_us: float) -> float:
    """0 where none can be painted, for onnxruntime is missing."""
    with suppress(UnavailableError):
        return max(0.0, _drawn_us(RigFace(replace(rig, finish=blank()))) - drawn_us)
    return 0.0


def _drawn_us(face: Face) -> float:
    """With label and mark."""
    renderer, finisher = face.open(USUAL_SIDE_PX), Disclosure.for_face(face, session_id=0)
    shares = [index / N_MEASURED for index in range(N_MEASURED)]
    moving = [
        MotionFrame(index, 0, arkit_weights(jawOpen=share, eyeBlinkLeft=share, eyeBlinkRight=share))
        for index, share in enumerate(shares)
    ]
    return _usual_us(lambda index: finisher.finish(renderer.render(moving[index])))


def _usual_us(work: Callable[[int], object]) -> float:
    """Of one frame, the lower quartile: what others do on the machine only adds."""
    times_us = []
    for index in range(N_MEASURED):
        began_us = processor_us()
        work(index)
        times_us.append(processor_us() - began_us)
    return max(1.0, quantiles(times_us[N_WARM:])[0])


def _kept_rig() -> Rig | None:
    """Any; nobody sees it."""
    for kept in kept_rigs():
        with suppress(VivantError):
            return open_rig(kept.path)
    return None
