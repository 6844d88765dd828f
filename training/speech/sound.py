"""Sound in the time domain: any rate to mel levels as the runtime hears them, rooms, lines, and noises to put behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from vivant.speech.resample import HOP, LEAD, RATE_HZ, Resampler
from vivant.speech.spectrum import WINDOW, mel_db, power_spectrum
from vivant.types import Float32Array


def hear(samples: Float32Array, rate_hz: int) -> Float32Array:
    """(n, 40) mel levels in dB; row k is centred at k * 10 ms, exactly as the runtime's stream has it."""
    padded = np.concatenate([samples, np.zeros(rate_hz // 20, np.float32)])
    stream = np.concatenate([np.zeros(WINDOW, np.float32), *Resampler(rate_hz).push(padded)])
    # Hop b ends LEAD after tick b; the window about tick k is the last WINDOW samples up to hop k + 1.
    ends = WINDOW + HOP * np.arange(2, len(samples) * 100 // rate_hz + 2)
    ends = ends[ends <= len(stream)]
    windows = stream[ends[:, None] - np.arange(WINDOW, 0, -1)]
    assert LEAD - HOP + HOP == WINDOW // 2 - HOP  # what "centred" rests on
    return mel_db(power_spectrum(windows)).astype(np.float32)


def trimmed(samples: Float32Array, rate_hz: int) -> Float32Array:
    """From 50 ms before the first sound to 50 ms after the last."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[max(0, loud[0] - rate_hz // 20) : loud[-1] + rate_hz // 20]


def worn(samples: Float32Array, rate_hz: int, rng: np.random.Generator) -> Float32Array:
    """As from another room, line or microphone, by chance; most stay as they are."""
    if rng.random() < 0.35:
        samples = _in_room(samples, rate_hz, rng)
    chance = rng.random()
    if chance < 0.12:  # telephone: mu-law
        peak = np.abs(samples).max() + 1e-9
        squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256)
        samples = np.sign(squeezed) * np.expm1(np.abs(np.round(squeezed * 127) / 127) * np.log(256)) / 255 * peak
    elif chance < 0.18:  # too loud for its converter
        level = np.quantile(np.abs(samples), rng.uniform(0.95, 0.999)) + 1e-9
        samples = np.clip(samples, -level, level)
    return samples.astype(np.float32)


def _in_room(samples: Float32Array, rate_hz: int, rng: np.random.Generator) -> Float32Array:
    """Direct sound, then exponentially decaying noise (Polack's model); nothing is moved in time."""
    decay_s = rng.uniform(0.15, 0.7)
    n = int(decay_s * rate_hz)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[: int(rng.uniform(0.002, 0.02) * rate_hz)] = 0
    tail = lfilter([1], [1, -rng.uniform(0.2, 0.8)], tail)
    tail *= np.sqrt(10 ** (-rng.uniform(0, 15) / 10) / (np.sum(tail**2) + 1e-12))
    tail[0] = 1.0
    wet: Float32Array = fftconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return wet


def noise(seconds: float, rng: np.random.Generator) -> Float32Array:
    """At 16 kHz: coloured hiss, fans and motors with a hum and slow swell, clicks of keys, or chords; mean square 1."""
    n = int(seconds * RATE_HZ)
    kind = rng.integers(5)
    time_s = np.arange(n) / RATE_HZ
    if kind == 0:
        made = _coloured(n, rng.uniform(-1, 1.5), rng)
    elif kind == 1:
        made = _coloured(n, rng.uniform(0.5, 2), rng) + _hum(time_s, rng.uniform(40, 240), rng)
    elif kind == 2:
        made = _coloured(n, rng.uniform(0, 1.5), rng) * (1 + 0.7 * np.sin(2 * np.pi * rng.uniform(0.2, 6) * time_s))
    elif kind == 3:
        made = 0.02 * _coloured(n, 1, rng)
        for at in rng.integers(0, n - 800, int(seconds * rng.uniform(2, 9))):
            made[at : at + 800] += _coloured(800, 0, rng) * np.exp(-np.arange(800) / rng.uniform(30, 200)) * rng.uniform(0.3, 1)
    else:
        made = _music(n, rng)
    scaled: Float32Array = (made / np.sqrt(np.mean(made**2) + 1e-12)).astype(np.float32)
    return scaled


def _coloured(n: int, slope: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls as 1 / f**slope."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.maximum(np.arange(len(spectrum)) * RATE_HZ / n, 40)
    made = np.fft.irfft(spectrum * frequency ** (-slope / 2), n)
    scaled: NDArray[np.float64] = made / (made.std() + 1e-12)
    return scaled


def _hum(time_s: NDArray[np.float64], pitch_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    total = np.zeros(len(time_s))
    for harmonic in range(1, 12):
        total += rng.uniform(0, 1.5) / harmonic * np.sin(2 * np.pi * harmonic * pitch_hz * time_s + rng.uniform(0, 6.3))
    return total


def _music(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Chords of plucked and held notes over a beat."""
    made = np.zeros(n)
    beat = int(rng.uniform(0.15, 0.6) * RATE_HZ)
    root = rng.uniform(80, 250)
    for start in range(0, n - 1, beat):
        length = min(int(beat * rng.uniform(0.8, 3)), n - start)
        time_s = np.arange(length) / RATE_HZ
        for _ in range(rng.integers(1, 4)):
            pitch_hz = root * 2 ** (rng.choice([0, 3, 4, 5, 7, 9, 12, 16, 19]) / 12)
            envelope = np.exp(-time_s * rng.uniform(0.5, 8)) * np.minimum(time_s * 200, 1)
            made[start : start + length] += rng.uniform(0.3, 1) * envelope * _hum(time_s, pitch_hz, rng)
        if rng.random() < 0.6:  # a drum
            length = min(2000, n - start)
            made[start : start + length] += 3 * rng.standard_normal(length) * np.exp(-np.arange(length) / 300)
    return made
