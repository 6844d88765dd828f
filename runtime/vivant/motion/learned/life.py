"""Learned life: what `vivant.motion.nonverbal` gives by rules, from the learned dynamics: all but the mouth, tick by tick.

Gaze, distance, emotion, acts and amounts are laid over it afterwards, so each does what was asked and nothing else.
"""

from __future__ import annotations

import math

import numpy as np

from vivant.easing import smoothstep
from vivant.motion.acts import Acts
from vivant.motion.expression import EMOTIONS
from vivant.motion.eyes import in_head, lid
from vivant.motion.head import GAZE_SHARE, LIMIT_DEG, carried
from vivant.motion.learned.channels import CHUNK_TICKS, FACE_INDICES, MOOD, N_HEAD, hermite
from vivant.motion.learned.conditions import Ears
from vivant.motion.learned.generator import Generator
from vivant.motion.learned.manner import Manner
from vivant.motion.learned.network import Dynamics
from vivant.motion.noise import TICK_S, CriticallyDampedSpring, Vector, follow, springs
from vivant.speech.articulation import BITE, SEAL, Mouth
from vivant.speech.prosody import Prosody
from vivant.types import ARKIT_INDEX, NATURAL_EYE_CONTACT, Act, Attention, Controls, Emotion

_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_WIDE = [ARKIT_INDEX["eyeWideLeft"], ARKIT_INDEX["eyeWideRight"]]
_N_WEIGHTS = len(ARKIT_INDEX)
_AWAY_DEG, _NEAR_DEG, _BESIDE = 5.0, 2.0, 1.1
"""From the partner: away, as it was measured in people; where the eyes are that do not look away; and how far beyond the first
they stay, as a factor, that do not come back. The last two chosen."""


class LearnedLife:
    """Ticks in, (61,) out, as `vivant.motion.nonverbal.NonverbalMotion` gives it."""

    SIZE = _N_WEIGHTS + 9

    def __init__(self, dynamics: Dynamics, manner: Manner, seed: int) -> None:
        generator, chance = np.random.SeedSequence(seed).generate_state(2).tolist()
        self._generator = Generator(dynamics, manner, generator)
        self._lips = manner.lips.astype(np.float64)
        self._chance = np.random.Generator(np.random.PCG64(chance))
        self._ears = Ears()
        self._before = self._after = self._generator.curves
        self._age = CHUNK_TICKS
        self._contact, self._eyes, self._lids = _Contact(), _Eyes(), _Lids()
        self._listening: CriticallyDampedSpring[float] = CriticallyDampedSpring(0.12)
        self._own_voice = 1.0
        self._acts = Acts()
        self._steering = _Steering()

    def spoken(self, mouth: Mouth) -> Mouth:
        """Nothing while it listens: then the voice is its partner's."""
        own: Mouth = self._own_voice * mouth
        return own

    def act(self, act: Act) -> None:
        """Begin it with the next tick, on top of all else."""
        self._acts.start(act)

    def step(self, prosody: Prosody, controls: Controls, mouth: Mouth) -> Vector:
        self._ears.hear(prosody, mouth)
        self._own_voice = 1 - self._listening.step(float(controls.attention is Attention.LISTENING))
        if self._age == CHUNK_TICKS:
            self._begin_chunk(controls)
        self._age += 1
        own = hermite(self._before, self._after, self._age / CHUNK_TICKS).astype(np.float64)
        aside, closed = self._eyes.step(), self._lids.step()
        acted_deg, acted = self._acts.step()
        steered = self._steering.step(controls)
        yaw, pitch, roll, x, y, scale = steered.head(own[:N_HEAD], acted_deg)
        life = np.empty(self.SIZE)
        life[:_N_WEIGHTS] = steered.face(own[N_HEAD:]) + acted + self._lips_beside(mouth)
        life[_BLINK] = closed
        life[_WIDE] *= 1 - closed
        look = (steered.gaze[0] + aside[0], steered.gaze[1] + aside[1])
        life[_N_WEIGHTS:] = (yaw, pitch, roll, x, y, scale, *in_head(look, (yaw, pitch)), steered.mouth)
        return life

    def _begin_chunk(self, controls: Controls) -> None:
        chunk = self._generator.next(self._ears.conditions(controls.attention, NATURAL_EYE_CONTACT))
        self._before, self._after, self._age = self._after, chunk.curves, 0
        if chunk.aside_deg is not None:
            place = self._contact.shown(chunk.aside_deg, controls.eye_contact, self._chance.random())
            self._eyes.jump(place, self._moment())
        if chunk.blink is not None:
            self._lids.start(*chunk.blink, self._moment())

    def _moment(self) -> int:
        """Ticks into the chunk."""
        return int(self._chance.integers(CHUNK_TICKS))

    def _lips_beside(self, mouth: Mouth) -> Vector:
        """(52,) what a manner adds to the lips: nothing where they meet, for closures are the rules' own."""
        open_share = self._own_voice * (1 - mouth[SEAL]) * (1 - mouth[BITE])
        beside: Vector = open_share * (np.append(mouth, 1.0) @ self._lips)
        return beside


class _Contact:
    """The share of eye contact that is asked for: of the visits to the partner, or away from it, so many do not take place."""

    def __init__(self) -> None:
        self._was_away: bool | None = None
        self._left_out = False
        self._away_deg = (6.0, 4.0)  # to the left and up, as people mostly look, until it has looked away

    def shown(self, to_deg: tuple[float, float], share: float, chance: float) -> tuple[float, float]:
        """(yaw, pitch) from the partner to which the eyes go that would go to the one given; ``chance`` is uniform."""
        reach = math.hypot(*to_deg)
        is_away = reach > _AWAY_DEG
        if is_away is not self._was_away:
            stays = (1 - share) / (1 - NATURAL_EYE_CONTACT) if is_away else share / NATURAL_EYE_CONTACT
            self._was_away, self._left_out = is_away, chance >= stays
        if is_away:
            self._away_deg = to_deg
        if not self._left_out:
            return to_deg
        yaw, pitch = to_deg if is_away else (self._away_deg[0] + to_deg[0] / 3, self._away_deg[1] + to_deg[1] / 3)
        size = _NEAR_DEG / reach if is_away else max(1.0, _BESIDE * _AWAY_DEG / math.hypot(yaw, pitch))
        return size * yaw, size * pitch


class _Eyes:
    """Eyes that rest or jump, by the main sequence. Ticks in, (yaw, pitch) in degrees from the partner out."""

    def __init__(self) -> None:
        self._from = self._to = (0.0, 0.0)
        self._age, self._ticks = 1, 1

    def jump(self, to_deg: tuple[float, float], after_ticks: int) -> None:
        self._from, self._to = self._now(), to_deg
        self._ticks = max(1, round((0.021 + 0.0022 * math.dist(self._from, to_deg)) / TICK_S))
        self._age = -after_ticks

    def step(self) -> tuple[float, float]:
        self._age += 1
        return self._now()

    def _now(self) -> tuple[float, float]:
        share = smoothstep(self._age / self._ticks)
        return self._from[0] + share * (self._to[0] - self._from[0]), self._from[1] + share * (self._to[1] - self._from[1])


class _Lids:
    """Ticks in, closure of both out."""

    def __init__(self) -> None:
        self._age, self._depth, self._length = 1000, 0.0, 1.0

    def start(self, depth: float, length: float, after_ticks: int) -> None:
        if lid(self._age * TICK_S / self._length) == 0.0 or self._age < 0:  # one blink at a time
            self._depth, self._length, self._age = depth, length, -after_ticks

    def step(self) -> float:
        self._age += 1
        return self._depth * lid(self._age * TICK_S / self._length)


class _Steering:
    """What `Controls` ask, eased as the rules ease it."""

    gaze = (0.0, 0.0)
    mouth = 1.0

    def __init__(self) -> None:
        self._turn, self._look, self._framing = springs(3, 0.5), springs(2, 0.08), springs(2, 0.6)
        self._intensity: CriticallyDampedSpring[float] = CriticallyDampedSpring(0.4)
        self._asked: CriticallyDampedSpring[float] = CriticallyDampedSpring(0.9)
        self._emotion: CriticallyDampedSpring[Vector] = CriticallyDampedSpring(0.35)

    def step(self, controls: Controls) -> _Steering:
        self._turned = follow(self._turn, (*controls.gaze, controls.head_motion))
        gaze_yaw, gaze_pitch = follow(self._look, controls.gaze)
        self.gaze = (gaze_yaw, gaze_pitch)
        self._own_face = self._intensity.step(controls.intensity)
        self._distance, self.mouth = follow(self._framing, (controls.distance, controls.mouth))
        self._own_mood = 1 - self._asked.step(float(controls.emotion is not Emotion.NEUTRAL))
        self._coloured = self._emotion.step(controls.intensity * EMOTIONS[controls.emotion])
        return self

    def head(self, own: Vector, acted_deg: tuple[float, float, float]) -> tuple[float, ...]:
        """(yaw, pitch, roll in degrees, x, y, scale)."""
        gaze_yaw, gaze_pitch, amount = self._turned
        parts = zip(own[:3].tolist(), (gaze_yaw, gaze_pitch, 0.0), acted_deg, LIMIT_DEG, strict=True)
        turned = [most * math.tanh((amount * angle + GAZE_SHARE * gaze + acted) / most) for angle, gaze, acted, most in parts]
        x, y = carried(*turned)
        return *turned, x + amount * float(own[3]), y + amount * float(own[4]), (1 + float(own[5])) / self._distance

    def face(self, own: Vector) -> Vector:
        """(52,) a person's own expression, and the emotion that is asked for in the place of its mood."""
        weights = self._coloured.copy()
        weights[FACE_INDICES] += self._own_face * np.where(MOOD, self._own_mood, 1.0) * np.maximum(own, 0.0)
        return weights
