"""Articulatory motion: our encoder hears the phones, articulation and life move the face, 0.11 s after the sound."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from vivant.easing import smoothstep
from vivant.errors import InputError
from vivant.motion.model import require_fps
from vivant.motion.noise import Vector
from vivant.motion.nonverbal import NonverbalMotion
from vivant.speech.alignment import TextAligner
from vivant.speech.articulation import AHEAD, BITE, CHANNELS, MOUTH_TO_ARKIT, SEAL, TONGUE, ArticulationTrack, Mouth
from vivant.speech.encoder import PhoneEncoder
from vivant.speech.features import TICK_US, FeatureExtractor
from vivant.speech.phones import SILENCE
from vivant.speech.prosody import Prosody, ProsodyTrack
from vivant.speech.resample import HOP, Resampler
from vivant.speech.spectrum import WINDOW, power_spectrum, windows_of
from vivant.types import ARKIT_INDEX, Act, AudioChunk, Controls, Float32Array, MotionFrame, Pose, frame_pts_us

_CLOSE, _JAW = ARKIT_INDEX["mouthClose"], ARKIT_INDEX["jawOpen"]
_AMOUNT_ACTS = ~np.isin(np.arange(len(CHANNELS)), [SEAL, BITE])
_EASE_US = 120_000
"""How long the mouth takes from where it was to where it belongs after a reset or a flush."""

_CLOSURE_US = 1_000_000 // 24
"""Lips may meet no longer than this. Frames that are farther apart show a closure that fell between them."""
_SHUT = 0.5
"""Seal from which lips have met."""


class Life(Protocol):
    """All but the mouth, tick by tick: by rules (`vivant.motion.nonverbal`) or learned (`vivant.motion.learned`)."""

    def step(self, prosody: Prosody, controls: Controls, mouth: Mouth) -> Vector:
        """(61,) as `NonverbalMotion` describes it."""
        ...

    def spoken(self, mouth: Mouth) -> Mouth:
        """What of the mouth that was just heard is this face's own."""
        ...

    def act(self, act: Act) -> None:
        """Begin it with the next tick, on top of all else."""
        ...


class ArticulatoryMotion:
    """Articulatory motion: a ``SpeechMotion``; has no state of its own."""

    name = "vivant voice 1"

    # A frame needs the tick after it (10), that tick's future (80), half of its window and the resampler's (17).
    look_ahead_ms = 110

    def open(self, fps: Fraction, seed: int, face: object = None) -> VoiceState:
        require_fps(fps)
        return VoiceState(fps, seed)


class VoiceState:
    """A ``MotionState``: audio drives ticks of 10 ms, frames are read off between them."""

    def __init__(self, fps: Fraction, seed: int, life: Life | None = None) -> None:
        self._fps = fps
        self._blind_us = max(0, frame_pts_us(1, fps) - _CLOSURE_US)
        self._next_index = 0
        self._life: Life = NonverbalMotion(seed) if life is None else life
        self._mouth_held = np.zeros(len(CHANNELS))
        self._mouth = np.zeros(len(CHANNELS))
        self._ease_from_us = -_EASE_US
        rest = np.zeros(len(CHANNELS) + NonverbalMotion.SIZE)
        self._rows = (rest, rest)  # the two latest ticks: mouth, then life
        self._begin_listening()

    def push(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        """Take (n,) samples at a rate that stays the same until ``reset``; values beyond [-1, 1] are clipped,
        NaN and infinity are silence.

        Lost audio (``start_sample`` ahead of what was heard) counts as silence, but no more than one second of it: a
        longer jump is a source that has moved, not a loss, and waiting it out would freeze the face.
        """
        frames = []
        for piece in self._front_end.pieces(chunk):
            self._front_end.push(piece, controls.singing)
            frames += self._certain_frames(controls)
        return frames

    def flush(self, controls: Controls) -> list[MotionFrame]:
        """The frames up to the end of the audio. Their future is silence; what is heard later does not change them."""
        # A twin hears the silence, so that this state can go on as if it had never been.
        twin = copy.deepcopy(self)
        twin._front_end.push_silence(ArticulatoryMotion.look_ahead_ms, controls.singing)
        frames = twin._certain_frames(controls)
        if frames:
            self._next_index = twin._next_index
            self._ease(twin._mouth)
        return frames

    def act(self, act: Act) -> None:
        """Begin it with the next tick."""
        self._life.act(act)

    def reset(self) -> None:
        """Forget the audio; the next sample pushed, whatever its ``start_sample``, sounds at the next frame's time."""
        self._ease(self._mouth)
        self._begin_listening()

    def say_text(self, text: str, language: str) -> None:
        """What the sound that is pushed from now on says, or goes on to say: it sharpens the lips."""
        self._front_end.tell(partial(TextAligner.say, text=text, language=language))

    def end_text(self) -> None:
        """The sound that is pushed from now on says something else."""
        self._front_end.tell(TextAligner.end)

    def _begin_listening(self) -> None:
        self._front_end = AudioFrontEnd()
        self._origin_us = frame_pts_us(self._next_index, self._fps)
        self._ticks_lived = 0

    def _ease(self, mouth: Mouth) -> None:
        self._mouth_held = mouth
        self._ease_from_us = frame_pts_us(self._next_index - 1, self._fps)

    def _certain_frames(self, controls: Controls) -> list[MotionFrame]:
        frames = []
        heard_us = self._origin_us + self._front_end.heard_us
        while (pts_us := frame_pts_us(self._next_index, self._fps)) + ArticulatoryMotion.look_ahead_ms * 1000 <= heard_us:
            frames.append(self._frame(pts_us, controls))
            self._next_index += 1
        return frames

    def _frame(self, pts_us: int, controls: Controls) -> MotionFrame:
        since_us = pts_us - self._origin_us
        missed: list[Vector] = []
        while (self._ticks_lived - 1) * TICK_US < since_us:
            mouth, prosody = self._front_end.next_tick()
            life = self._life.step(prosody, controls, mouth)
            self._rows = (self._rows[1], np.concatenate([self._life.spoken(mouth), life]))
            if 0 < since_us - self._ticks_lived * TICK_US <= self._blind_us:
                missed.append(self._rows[1])
            self._ticks_lived += 1
        share = since_us / TICK_US - (self._ticks_lived - 2)
        row = self._rows[0] + share * (self._rows[1] - self._rows[0])
        closure = max(missed, key=lambda past: float(past[SEAL]), default=row)
        shown = closure if closure[SEAL] > max(row[SEAL], _SHUT) else row
        self._mouth = self._eased(shown[: len(CHANNELS)], pts_us)
        return _motion_frame(self._next_index, pts_us, self._mouth, row[len(CHANNELS) :])

    def _eased(self, mouth: Mouth, pts_us: int) -> Mouth:
        share = smoothstep((pts_us - self._ease_from_us) / _EASE_US)
        eased: Mouth = share * mouth + (1 - share) * self._mouth_held
        return eased


_Told: TypeAlias = Callable[[TextAligner], None]


class AudioFrontEnd:
    """Audio front end: audio in, (mouth, prosody) out, one per tick; checks that the audio is what it claims to be."""

    def __init__(self) -> None:
        self._resampler: Resampler | None = None
        self._hops: deque[tuple[Float32Array, bool, list[_Told]]] = deque()
        """Sound that no frame needed yet, each with whether it is sung, and what became known of the text before it."""
        self._told: list[_Told] = []
        self._ticks: deque[tuple[Mouth, Prosody]] = deque()
        self._past = np.zeros(WINDOW - HOP, np.float32)
        self._features = FeatureExtractor()
        self._phones = PhoneEncoder()
        self._text = TextAligner()
        self._mouth = ArticulationTrack()
        self._prosody = ProsodyTrack()
        self._unborn = 1 + AHEAD
        """Outputs that belong to ticks before the first sample."""
        self._n_heard = 0
        self._next_sample = 0

    @property
    def heard_us(self) -> int:
        return self._n_heard * 1_000_000 // self._resampler.rate_hz if self._resampler else 0

    def pieces(self, chunk: AudioChunk) -> list[Float32Array]:
        """The chunk, checked, with lost audio as silence before it, in pieces of at most a second."""
        samples = _checked(chunk)
        rate_hz = chunk.sample_rate_hz
        if self._resampler is None:
            self._resampler = Resampler(rate_hz)
            self._next_sample = chunk.start_sample
        if rate_hz != self._resampler.rate_hz:
            raise InputError(f"sample_rate_hz changed from {self._resampler.rate_hz} to {rate_hz} within a stream; reset first")
        lost = chunk.start_sample - self._next_sample
        if lost < 0:
            raise InputError(f"start_sample must be at least {self._next_sample}, got {chunk.start_sample}: audio was repeated")
        self._next_sample = chunk.start_sample + len(samples)
        samples = np.concatenate([np.zeros(min(lost, rate_hz), np.float32), samples])
        return [samples[i : i + rate_hz] for i in range(0, len(samples), rate_hz)]

    def push(self, samples: Float32Array, singing: bool) -> None:
        assert self._resampler is not None
        self._n_heard += len(samples)
        for hop in self._resampler.push(samples):
            self._hops.append((hop, singing, self._told))
            self._told = []

    def tell(self, told: _Told) -> None:
        """Of the text, before the next sound."""
        self._told.append(told)

    def next_tick(self) -> tuple[Mouth, Prosody]:
        """All sound so far is understood at once when a frame needs the first tick of it: that costs half of what each piece
        by itself would."""
        if not self._ticks:
            self._understand()
        return self._ticks.popleft()

    def _understand(self) -> None:
        sound = np.concatenate([self._past, *(hop for hop, _, _ in self._hops)])
        self._past = sound[-len(self._past) :]
        power = power_spectrum(windows_of(sound))
        for (_, singing, told), features, phones in zip(
            self._hops, self._features.push(power), self._phones.push(power), strict=True
        ):
            speech = 1.0 - float(phones[0, SILENCE])
            for tell in told:
                tell(self._text)
            tick = (self._mouth.push(self._text.push(phones), features, singing), self._prosody.push(features, speech))
            if self._unborn > 0:
                self._unborn -= 1
            else:
                self._ticks.append(tick)
        self._hops.clear()

    def push_silence(self, duration_ms: int, singing: bool) -> None:
        """Nearly ``duration_ms``: one sample less, so that a frame at the very end of the audio stays out."""
        if self._resampler is not None:
            self.push(np.zeros(self._resampler.rate_hz * duration_ms // 1000 - 1, np.float32), singing)


def _checked(chunk: AudioChunk) -> Float32Array:
    samples = chunk.samples
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1:
        shape = f"{samples.dtype} {samples.shape}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise InputError(f"samples must be a float32 array of shape (n,), got {shape}")
    # A broken driver must not stop a face in mid-call: what is no number is silence.
    return np.clip(np.where(np.isfinite(samples), samples, np.float32(0)), -1.0, 1.0)


def _motion_frame(index: int, pts_us: int, mouth: Mouth, life: Vector) -> MotionFrame:
    # In the precision in which motion travels, so that it is the same to the bit on both sides of a wire.
    yaw, pitch, roll, x, y, scale, gaze_yaw, gaze_pitch = life[52:60].astype(np.float32).tolist()
    amount = float(life[60])
    moved = np.where(_AMOUNT_ACTS, np.clip(amount * mouth, 0.0, 1.6), mouth)
    weights = np.clip(moved @ MOUTH_TO_ARKIT + life[:52], 0.0, 1.0)
    weights[_CLOSE] = min(weights[_CLOSE], weights[_JAW])  # lips can undo no more than the jaw has done
    weights[weights < 1e-4] = 0.0  # the tails of easing
    return MotionFrame(
        index=index,
        pts_us=pts_us,
        weights=weights.astype(np.float32),
        tongue=(0.0, float(np.float32(min(moved[TONGUE], 1.0)))),
        pose=Pose(yaw, pitch, roll, x, y, scale),
        gaze=(gaze_yaw, gaze_pitch),
    )
