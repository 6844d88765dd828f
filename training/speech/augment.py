"""What happens to a voice on its way, done to its mel levels: cheap enough to be new in every batch.

Powers add: noise, music and other voices behind a voice are sums of mel powers. Equalisers, gain, a narrow line and a
distant room act on levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from training.speech.shards import UNKNOWN
from vivant.speech.phones import PHONE_INDEX, PHONES, SILENCE
from vivant.speech.spectrum import BANDS, FLOOR_DB

Levels = NDArray[np.float32]
VOWELS = [PHONE_INDEX[name] for name in ("i", "y", "e", "a", "@", "o", "u", "ih")]


def augmented(voice: Levels, behind: Levels, babble: Levels, rng: np.random.Generator) -> Levels:
    """(n, 40) dB from the voice's, a noise's and another voice's, each (n, 40)."""
    loud_db = float(np.quantile(voice.max(1), 0.9))
    out = voice + _equaliser(rng)
    if rng.random() < 0.25:
        out = _reverberant(out, rng)
    if rng.random() < 0.6:
        out = _sum_db(out, _at_level(behind + _equaliser(rng), loud_db - rng.uniform(3, 35)))
    if rng.random() < 0.25:
        out = _sum_db(out, _at_level(babble, loud_db - rng.uniform(12, 30)))
    if rng.random() < 0.25:
        out = out - np.maximum(0, np.arange(BANDS) - rng.uniform(26, 31)).astype(np.float32) * rng.uniform(
            4, 30
        )  # a narrow line
    if rng.random() < 0.15:
        start, length = rng.integers(len(out)), rng.integers(2, 12)
        out[start : start + length] = FLOOR_DB  # a lost packet
    # Peaks of quiet microphones lie near -45 dB, those of loud ones near 0; the converter adds its own hiss.
    out = out - loud_db + rng.uniform(-45, -4)
    return _sum_db(out, np.full_like(out, rng.uniform(-105, -72)) + rng.normal(0, 2.5, out.shape).astype(np.float32))


def lively(mel: Levels, phone: NDArray[np.uint8], rng: np.random.Generator) -> Levels:
    """(n, 40) levels, some sounds louder and some softer than a synthesiser makes them; phrases fade out, and grow duller."""
    spoken = (phone != SILENCE) & (phone != UNKNOWN)
    each = np.append(rng.normal(0, rng.uniform(0, 5), len(PHONES)), 0.0)
    gain = uniform_filter1d(np.where(spoken, each[np.minimum(phone, len(PHONES))], 0.0), 5)
    for end in np.flatnonzero(spoken & ~np.append(spoken[1:], True)).tolist():
        n = min(int(rng.integers(10, 60)), end + 1)
        gain[end + 1 - n : end + 1] -= rng.uniform(0, 24) * np.linspace(0, 1, n) ** rng.uniform(0.3, 1.5)
    tilt = 1 + rng.uniform(0, 0.8) * (np.arange(BANDS) / BANDS - 0.3)
    return (mel + gain[:, None] * tilt).astype(np.float32)


def held(mel: Levels, phone: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Levels, NDArray[np.uint8]]:
    """The same length with one vowel held for up to 3 s, to and fro through its middle, swelling; or as it was, without one."""
    inside = np.flatnonzero(np.isin(phone, VOWELS) & (phone == np.roll(phone, 2)) & (phone == np.roll(phone, -2)))
    if len(inside) == 0:
        return mel, phone
    at = int(inside[rng.integers(len(inside))])
    n = int(rng.integers(50, 300))
    time_s = np.arange(n) / 100
    rows = np.clip(
        at + np.round(2 * np.sin(2 * np.pi * rng.uniform(3, 8) * time_s + rng.uniform(0, 6))).astype(int), 0, len(mel) - 1
    )
    swell = rng.uniform(0, 4) * np.sin(2 * np.pi * rng.uniform(4, 7) * time_s) - rng.uniform(0, 6) * time_s
    note = mel[rows] + swell[:, None].astype(np.float32) + rng.normal(0, 1, (n, BANDS)).astype(np.float32)
    size = len(mel)
    longer = np.concatenate([mel[:at], note, mel[at:]])[:size]
    return longer, np.concatenate([phone[:at], np.full(n, phone[at], np.uint8), phone[at:]])[:size]


def _equaliser(rng: np.random.Generator) -> Levels:
    """(40,) smooth gains of some dB."""
    gains = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 7), rng.normal(0, rng.uniform(0, 6), 7))
    return (gains + rng.uniform(-0.35, 0.35) * (np.arange(BANDS) - BANDS / 2)).astype(np.float32)


def _reverberant(levels: Levels, rng: np.random.Generator) -> Levels:
    """Each band's power leaks on, decaying by 60 dB in 0.15 to 0.8 s, some dB below the direct sound."""
    ratio = 10 ** (-6 / (100 * rng.uniform(0.15, 0.8)))
    share = 10 ** (-rng.uniform(2, 14) / 10) * (1 - ratio)
    power = 10 ** (levels / 10)
    tail = np.zeros(BANDS)
    for row in power:
        tail *= ratio
        leak = share * tail
        tail += row
        row += leak
    return (10 * np.log10(power)).astype(np.float32)


def _at_level(levels: Levels, loud_db: float) -> Levels:
    return levels - np.float32(np.quantile(levels.max(1), 0.9) - loud_db)


def _sum_db(a: Levels, b: Levels) -> Levels:
    return (10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))).astype(np.float32)
