"""What the upper face says: brows on emphasis, and the colour of an emotion, eased."""

from __future__ import annotations

import numpy as np

from vivant.motion.attention import POSTURES
from vivant.motion.noise import CriticallyDampedSpring, Pulses, SmoothNoise, Vector, follow, springs
from vivant.speech.prosody import Prosody
from vivant.types import Controls, Emotion, arkit_weights


def _both(**weights: float) -> dict[str, float]:
    """Left and right, for names without a side."""
    return {f"{name}{side}": weight for name, weight in weights.items() for side in ("Left", "Right")}


EMOTIONS: dict[Emotion, Vector] = {
    emotion: arkit_weights(**weights).astype(np.float64)
    for emotion, weights in {
        Emotion.NEUTRAL: {},
        Emotion.HAPPY: {**_both(mouthSmile=0.38, cheekSquint=0.32, eyeSquint=0.12, mouthDimple=0.08), "browInnerUp": 0.05},
        Emotion.SAD: {**_both(mouthFrown=0.32, browDown=0.05, eyeSquint=0.08), "browInnerUp": 0.45, "mouthShrugLower": 0.12},
        Emotion.ANGRY: {**_both(browDown=0.5, eyeSquint=0.2, noseSneer=0.18, mouthPress=0.12, mouthFrown=0.1)},
        Emotion.SURPRISED: {**_both(browOuterUp=0.45, eyeWide=0.4), "browInnerUp": 0.45},
        Emotion.AFRAID: {**_both(eyeWide=0.35, browOuterUp=0.12, mouthStretch=0.22), "browInnerUp": 0.5},
        Emotion.DISGUSTED: {**_both(noseSneer=0.45, browDown=0.25, mouthFrown=0.14, eyeSquint=0.2)},
        Emotion.CONTEMPT: {"mouthSmileLeft": 0.3, "mouthDimpleLeft": 0.25, "eyeSquintLeft": 0.12, "browDownRight": 0.12},
    }.items()
}
"""(52,) offsets at intensity 1, chosen by eye. Mouths stay nearly shut, so that speech has room."""

_BROWS_UP = arkit_weights(browInnerUp=0.85, browOuterUpLeft=0.82, browOuterUpRight=0.76)
_BROWS_DOWN = arkit_weights(browDownLeft=0.3, browDownRight=0.3)
_EYES_WIDE = arkit_weights(eyeWideLeft=1.0, eyeWideRight=1.0)
_FRIENDLY = arkit_weights(**_both(mouthSmile=0.22, cheekSquint=0.2, eyeSquint=0.1, browOuterUp=0.06), browInnerUp=0.06)
_CONCERN = arkit_weights(**_both(mouthFrown=0.06, eyeSquint=0.04), browInnerUp=0.25)
_VOICE = np.stack([_BROWS_UP, _BROWS_DOWN, _EYES_WIDE, _FRIENDLY, _CONCERN]).astype(np.float64)
"""(5, 52) directions in which a voice moves brows, lids and cheeks; chosen by eye, a little uneven upwards as faces are, and
half as far downwards, for lowered brows look stern."""

_RAISE, _DRIFT = (0.38, 0.85), 0.18
"""Of the brows on a stressed syllable, least and most, and by themselves, as weights; so that their height in the picture
has the standard deviation of people who talk, .02 to .045 eye distances."""
_AT_EASE = 0.45
"""How friendly the face of somebody is whose voice says nothing of it, of 1; chosen by eye: a smile of a tenth."""


class Expression:
    """Ticks in, (52,) weights without speech, blinks and gaze out."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._raises = Pulses(1)
        self._drift = SmoothNoise(rng, 1, 0.3)
        self._emotion: CriticallyDampedSpring[Vector] = CriticallyDampedSpring(0.35)
        self._strength = springs(2, 0.4)
        self._mood = springs(2, 0.9)

    def step(self, prosody: Prosody, controls: Controls) -> Vector:
        if prosody.stress > 0 and self._rng.random() < 0.25 + 0.6 * prosody.stress:
            size = self._rng.uniform(*_RAISE) * (0.4 + prosody.stress)
            self._raises.start([size], rise_s=0.18, fall_s=self._rng.uniform(0.35, 0.7))
        talking = 1.0 if prosody.talking else 0.0
        arousal, intensity = follow(self._strength, (talking * prosody.arousal, controls.intensity))
        friendly, concern = follow(self._mood, _mood(prosody) if controls.emotion is Emotion.NEUTRAL else (0.0, 0.0))
        (raised,), (drift,) = self._raises.step(), self._drift.step()
        brow = raised + _DRIFT * drift * (0.2 + 0.8 * talking) + 0.15 * arousal
        emotion = self._emotion.step(controls.intensity * (EMOTIONS[controls.emotion] + POSTURES[controls.attention].weights))
        voice = np.array((max(brow, 0.0), max(-brow, 0.0), 0.08 * arousal, friendly, concern))
        weights: Vector = emotion + (intensity * voice) @ _VOICE
        return weights


def _mood(prosody: Prosody) -> tuple[float, float]:
    """How friendly and how concerned the voice makes the face, 0 to 1 each; never stern. An emotion that is asked for takes its
    place."""
    if not prosody.talking:
        return 0.0, 0.0
    up, down = max(prosody.valence, 0.0), max(-prosody.valence, 0.0)
    return _AT_EASE * (1 - down) + (1 - _AT_EASE) * up, down * (1 - prosody.arousal)
