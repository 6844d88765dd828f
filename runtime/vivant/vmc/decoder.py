"""VMC protocol, read: VSeeFace, Warudo, VMagicMirror, phone apps and whatever else drives VRM avatars.

Expressions of VRM 0 and 1, the 52 of perfect sync, and the bones of neck, head and eyes. What a sender never names is not its
to say: the voice goes on to move it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vivant.avatars import OPEN_JAW, PARTED_LIPS, ROUND_LIPS, Quaternion
from vivant.drive.checks import LOOKS, MOST_WEIGHT, seen_of
from vivant.drive.driver import GAZE, N_VALUES, N_WEIGHTS, SCALE, TURN, Seen
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.motion.driven import LIPS
from vivant.motion.expression import EMOTIONS
from vivant.types import ARKIT_INDEX, EYE_LOOK_FULL_DEG, Emotion, FloatArray, arkit_weights

try:
    from pythonosc.osc_packet import OscPacket, ParseError
except ImportError as error:
    raise UnavailableError(f"VMC needs the extra 'vtubing': {install('vtubing')}") from error


def _is_ours(record: logging.LogRecord) -> bool:
    """pythonosc writes what it cannot read to the root logger, packet for packet and byte for byte."""
    return record.module not in ("osc_bundle", "osc_message", "osc_packet")


logging.getLogger().addFilter(_is_ours)

_APART = PARTED_LIPS / 2
MOUTHS = {
    "a": arkit_weights(jawOpen=OPEN_JAW),
    "i": arkit_weights(mouthLowerDownLeft=_APART, mouthLowerDownRight=_APART, mouthUpperUpLeft=_APART, mouthUpperUpRight=_APART,
                       mouthStretchLeft=0.3, mouthStretchRight=0.3),
    "u": arkit_weights(mouthPucker=0.7 * ROUND_LIPS, mouthFunnel=0.3 * ROUND_LIPS),
    "e": arkit_weights(jawOpen=OPEN_JAW / 2, mouthLowerDownLeft=0.05, mouthLowerDownRight=0.05, mouthStretchLeft=0.2,
                       mouthStretchRight=0.2),
    "o": arkit_weights(jawOpen=OPEN_JAW, mouthFunnel=0.7 * ROUND_LIPS, mouthPucker=0.3 * ROUND_LIPS),
}  # fmt: skip
"""Five mouths as weights: what `vivant.avatars.vowels` takes for one of them."""
_BLINK = {side: arkit_weights(**{f"eyeBlink{side}": 1.0}) for side in ("Left", "Right")}
_MOODS = {
    Emotion.HAPPY: ("joy", "happy"), Emotion.ANGRY: ("angry",), Emotion.SAD: ("sorrow", "sad"),
    Emotion.SURPRISED: ("surprised",),
}  # fmt: skip
EXPRESSIONS: dict[str, FloatArray] = {
    **{name.casefold(): arkit_weights(**{name: 1.0}) for name in ARKIT_INDEX},
    **MOUTHS,
    **dict(zip(("aa", "ih", "ou", "ee", "oh"), MOUTHS.values(), strict=True)),
    "blink": _BLINK["Left"] + _BLINK["Right"],
    **dict.fromkeys(("blink_l", "blinkleft"), _BLINK["Left"]),
    **dict.fromkeys(("blink_r", "blinkright"), _BLINK["Right"]),
    **{name: EMOTIONS[mood] for mood, names in _MOODS.items() for name in names},
    **dict.fromkeys(("fun", "relaxed"), 0.5 * EMOTIONS[Emotion.HAPPY]),
}
"""(52,) of each expression's name, without its case: VRM 0, VRM 1, perfect sync."""
VOWELS = {*MOUTHS, "aa", "ih", "ou", "ee", "oh"}
LOOK_DEG = {"lookleft": (1, 0), "lookright": (-1, 0), "lookup": (0, 1), "lookdown": (0, -1)}
"""Yaw and pitch of the expressions that look, in parts of `EYE_LOOK_FULL_DEG`."""
READ = EXPRESSIONS.keys() | LOOK_DEG.keys()
"""Others are an avatar's own, any number of them."""
BONES = ("Neck", "Head", "LeftEye", "RightEye")


class VmcDecoder:
    """Packets of one sender to sights: what it named last stays."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._bones: dict[str, Quaternion] = {}
        self._tracks = True
        self._named: frozenset[str] = frozenset()
        self._known = np.zeros(N_VALUES, bool)

    def __call__(self, packet: bytes, time_us: int) -> Seen | None:
        try:
            messages = [(timed.message.address, timed.message.params) for timed in OscPacket(packet).messages]
        except (ParseError, IndexError, TypeError, OverflowError) as error:
            raise ValueError("no OSC") from error
        if not any(address.startswith("/VMC/") for address, _ in messages):
            raise ValueError("nothing of VMC's")
        values, bones, tracks, shows = dict(self._values), dict(self._bones), self._tracks, False
        for address, params in messages:
            if address == "/VMC/Ext/Blend/Val":
                name, value = _expression(params)
                if name in READ:
                    values[name] = value
            elif address == "/VMC/Ext/Bone/Pos" and params and params[0] in BONES:
                bones[params[0]] = _turned(params)
            elif address == "/VMC/Ext/OK":
                tracks = _tracks(params)
            shows |= address in ("/VMC/Ext/Blend/Apply", "/VMC/Ext/Bone/Pos", "/VMC/Ext/OK")
        self._values, self._bones, self._tracks = values, bones, tracks
        return self._seen(time_us) if shows else None

    def _seen(self, time_us: int) -> Seen | None:
        if not self._tracks:
            return Seen(time_us, None)
        self._know()
        if not self._known.any():
            return None
        vector = np.zeros(N_VALUES)
        vector[SCALE] = 1.0
        vector[:N_WEIGHTS] = np.clip(sum((v * EXPRESSIONS[name] for name, v in self._shown()), np.zeros(N_WEIGHTS)), 0.0, 1.0)
        vector[TURN] = np.clip(_angles_deg(self._bones, "Neck", "Head"), -180.0, 180.0)
        vector[GAZE] = self._gaze(vector)
        vector[LOOKS] = 0.0
        return seen_of(time_us, vector, self._known)

    def _shown(self) -> list[tuple[str, float]]:
        """Expressions but those that a more exact one tells better."""
        exact = {"jawopen", *(name for name in EXPRESSIONS if name.startswith("mouth"))} & self._values.keys()
        return [(name, value) for name, value in self._values.items() if name in EXPRESSIONS and not (exact and name in VOWELS)]

    def _gaze(self, vector: FloatArray) -> FloatArray:
        eyes = [np.array(_angles_deg(self._bones, eye)[:2]) for eye in ("LeftEye", "RightEye") if eye in self._bones]
        looks = sum((self._values[name] * np.array(way) for name, way in LOOK_DEG.items() if name in self._values), np.zeros(2))
        pairs = [(vector[ARKIT_INDEX[more]] - vector[ARKIT_INDEX[less]]) / 2 for more, less in _LOOK_PAIRS]
        looks = EYE_LOOK_FULL_DEG * (looks + np.array((pairs[0] + pairs[1], pairs[2] + pairs[3])))
        gaze: FloatArray = np.mean(eyes, axis=0) if eyes and not looks.any() else looks
        return gaze

    def _know(self) -> None:
        """What the sender has named so far."""
        named = frozenset((*self._values, *self._bones))
        if named == self._named:
            return
        self._named, known = named, np.zeros(N_VALUES, bool)
        for name in named & EXPRESSIONS.keys():
            known[:N_WEIGHTS] |= EXPRESSIONS[name] != 0
        if named & (VOWELS | {"jawopen"}):
            known[[i for i in LIPS if i < N_WEIGHTS]] = True
        known[TURN] = bool(named & {"Neck", "Head"})
        known[GAZE] = known[LOOKS].any() or bool(named & {"LeftEye", "RightEye", *LOOK_DEG})
        self._known = known


_LOOK_PAIRS = (
    ("eyeLookOutLeft", "eyeLookInLeft"), ("eyeLookInRight", "eyeLookOutRight"),
    ("eyeLookUpLeft", "eyeLookDownLeft"), ("eyeLookUpRight", "eyeLookDownRight"),
)  # fmt: skip


def _expression(params: Sequence[Any]) -> tuple[str, float]:
    """Name without its case, and weight. Raises ValueError."""
    name, value = _texts_and_numbers(params, 1)
    if not -MOST_WEIGHT <= value <= MOST_WEIGHT:
        raise ValueError("a weight that cannot be")
    return name.casefold(), max(0.0, value)


def _turned(params: Sequence[Any]) -> Quaternion:
    """Of a bone. Raises ValueError."""
    _, *numbers = _texts_and_numbers(params, 7)
    x, y, z, w = numbers[3:]
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not 0.5 < length < 2:
        raise ValueError("no rotation")
    return Quaternion(x / length, y / length, z / length, w / length)


def _texts_and_numbers(params: Sequence[Any], n_numbers: int) -> tuple[Any, ...]:
    text, *numbers = params or [None]
    is_right = isinstance(text, str) and len(numbers) == n_numbers
    if not is_right or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("other values than the protocol's")
    return text, *map(float, numbers)


def _tracks(params: Sequence[Any]) -> bool:
    """Whether an avatar is loaded and, from version 2.7 on, tracking goes well."""
    return bool(params) and params[0] != 0 and (len(params) < 4 or params[3] != 0)


def _angles_deg(bones: dict[str, Quaternion], *chain: str) -> tuple[float, float, float]:
    """Yaw, pitch and roll of bones that turn one another."""
    turned = Quaternion(0.0, 0.0, 0.0, 1.0)
    for bone in chain:
        turned = turned * bones.get(bone, Quaternion(0.0, 0.0, 0.0, 1.0))
    return turned.angles_deg()
