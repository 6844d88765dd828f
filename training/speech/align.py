"""When the phones of a text are spoken in a recording: the best path through what the encoder hears, or pocketsphinx."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.speech.inventory import from_arpabet, split_s
from training.speech.shards import UNKNOWN
from training.speech.voices import Phones
from vivant.speech.phones import PHONE_INDEX
from vivant.types import Float32Array, UInt8Array

if TYPE_CHECKING:
    from pocketsphinx import Decoder

LEAST_TICKS = 3
"""No phone is shorter."""
UNSURE = -3.0
"""Phones that score below this are not learnt."""
RISE_DB, RANGE_DB = 15.0, 34.0
"""What is louder than the quietest ticks by the first and within the second of the loudest ones is no silence."""


def sounding(chance: NDArray[np.float64], mel: Float32Array) -> NDArray[np.float64]:
    """(n, phones) chances, without silence where (n, 40) levels of a clean recording are loud: a fading voice still speaks."""
    level = mel.max(1)
    quiet, loud = np.quantile(level, (0.03, 0.97))
    out = chance.copy()
    out[level > max(quiet + RISE_DB, loud - RANGE_DB), PHONE_INDEX["_"]] = 0
    return out / np.maximum(out.sum(1, keepdims=True), 1e-9)


def align(log_chance: NDArray[np.float64], phones: Sequence[int]) -> tuple[UInt8Array, float]:
    """(n,) the phone of every tick on the best path through the text, and its mean score.

    ``log_chance`` is (n, phones). Silence may stand before, after and between any two phones; phones last at least
    LEAST_TICKS. Where the text does not fit (a phone scores below UNSURE), UNKNOWN.
    """
    silence = PHONE_INDEX["_"]
    states: list[tuple[int, int]] = [(silence, -1)]  # (phone, place in the text or -1); silences every LEAST_TICKS + 1
    for place, phone in enumerate(phones):
        states += [(phone, place)] * LEAST_TICKS + [(silence, -1)]
    emission = log_chance[:, [phone for phone, _ in states]]
    count, step = len(states), LEAST_TICKS + 1
    is_silence = np.arange(count) % step == 0
    stays = is_silence | (np.arange(count) % step == LEAST_TICKS)
    best = np.full(count, -np.inf)
    best[0], best[1] = emission[0, 0], emission[0, 1]
    came = np.zeros((len(log_chance), count), np.int8)
    for t in range(1, len(log_chance)):
        stay = np.where(stays, best, -np.inf)
        forward = np.concatenate([[-np.inf], best[:-1]])
        skip = np.where(np.arange(count) % step == 1, np.concatenate([[-np.inf] * 2, best[:-2]]), -np.inf)
        # A pause in the middle of a text is rare.
        forward = forward - np.where(is_silence & (np.arange(count) < count - 1), 3.0, 0.0)
        options = np.stack([stay, forward, skip])
        came[t] = options.argmax(0)
        best = options.max(0) + emission[t]
    state = count - 1 if best[-1] >= best[-2] else count - 2
    score = best[state] / len(log_chance)
    path = np.zeros(len(log_chance), np.int64)
    for t in range(len(log_chance) - 1, -1, -1):
        path[t] = state
        state -= int(came[t, state])
    label = np.array([phone for phone, _ in states], np.uint8)[path]
    places = np.array([place for _, place in states])[path]
    own = np.take_along_axis(log_chance, label[:, None].astype(np.int64), 1)[:, 0]
    for k in range(len(phones)):
        if (here := places == k).any() and own[here].mean() < UNSURE:
            label[here] = UNKNOWN
    return label, float(score)


def align_english(samples: Float32Array, text: str) -> Phones:
    """Phones of an English text in (n,) samples at 16 kHz by pocketsphinx; nothing where a word is unknown or it fails."""
    if not known_words(text):
        return []
    decoder, pcm = _decoder(), (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
    try:
        for again in (False, True):
            if again:
                decoder.set_alignment()
            else:
                decoder.set_align_text(" ".join(_words(text)))
            decoder.start_utt()
            decoder.process_raw(pcm, full_utt=True)
            decoder.end_utt()
        alignment = decoder.get_alignment()
    except RuntimeError:
        return []
    phones: Phones = []
    for phone in (phone for word in alignment or () for phone in word):
        phones += split_s(from_arpabet(phone.name), phone.start / 100, (phone.start + phone.duration) / 100)
    return phones


def known_words(text: str) -> bool:
    """Whether pocketsphinx's dictionary has them all."""
    return all(_dictionary().lookup_word(word) is not None for word in _words(text))


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


@cache
def _dictionary() -> Decoder:
    return _decoder()


def _decoder() -> Decoder:
    """A fresh one for each recording: it adapts to what it has heard."""
    from pocketsphinx import Decoder

    return Decoder(lm=None, samprate=16000, loglevel="FATAL")
