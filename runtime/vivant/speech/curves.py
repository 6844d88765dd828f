"""A picture of what the model hears and does: spectrogram, phones, mouth, face and head over time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vivant.motion.model import SpeechMotion
from vivant.speech.encoder import DELAY_TICKS, PhoneEncoder
from vivant.speech.phones import PHONES
from vivant.speech.resample import HOP, Resampler
from vivant.speech.spectrum import WINDOW, mel_db, power_spectrum, windows_of
from vivant.types import ARKIT_INDEX, AudioChunk, Controls, Float32Array, MotionFrame, UInt8Array

TICK_PX = 2
FPS = Fraction(50)
MOST_S = 60.0
"""Longer sounds are shown from their beginning."""
_BAND_PX, _PANEL_PX, _LEGEND_PX = 4, 150, 170
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_COLOURS = ((200, 30, 30), (30, 90, 200), (20, 140, 60), (200, 120, 0), (130, 40, 160), (0, 140, 150))
_PANELS: tuple[tuple[str, float, float, tuple[str, ...]], ...] = (
    ("mouth", 0.0, 0.6, ("jawOpen", "mouthPucker", "mouthFunnel", "mouthStretchLeft", "mouthPressLeft", "mouthRollLower")),
    ("face", 0.0, 1.0, ("eyeBlinkLeft", "browInnerUp", "eyeWideLeft", "cheekSquintLeft")),
    ("head, degrees", -12.0, 12.0, ("yaw", "pitch", "roll")),
)


def curves_picture(samples: Float32Array, rate_hz: int, motion: SpeechMotion, seed: int = 0) -> UInt8Array:
    """(h, w, 3) for (n,) mono samples; the first minute."""
    samples = samples[: int(MOST_S * rate_hz)]
    power = _spectra(samples, rate_hz)
    state = motion.open(FPS, seed)
    frames = state.push(AudioChunk(samples, rate_hz), Controls()) + state.flush(Controls())
    width = max(len(power) * TICK_PX, 400) + _LEGEND_PX
    strips = [_spectrogram(power, width), _phones(power, width)]
    strips += [
        _panel(name, low, high, [(key, _curve(frames, key)) for key in keys], width) for name, low, high, keys in _PANELS
    ]
    picture: UInt8Array = np.concatenate(strips)
    return picture


def _spectra(samples: Float32Array, rate_hz: int) -> NDArray[np.float64]:
    """(n, 513) about each tick."""
    hops = Resampler(rate_hz).push(np.concatenate([samples, np.zeros(rate_hz // 20, np.float32)]))
    power = power_spectrum(windows_of(np.concatenate([np.zeros(WINDOW - HOP, np.float32), *hops])))
    return power[1 : 1 + len(samples) * 100 // rate_hz]


def _spectrogram(power: NDArray[np.float64], width: int) -> UInt8Array:
    levels = mel_db(power).T[::-1]
    grey = 255 - 255 * np.clip((levels - levels.max() + 70) / 70, 0, 1)
    image = np.repeat(np.repeat(grey.astype(np.uint8), _BAND_PX, 0), TICK_PX, 1)
    strip = np.full((image.shape[0], width, 3), 255, np.uint8)
    strip[:, _LEGEND_PX : _LEGEND_PX + image.shape[1]] = image[..., None]
    return _titled(strip, "spectrogram, 60 Hz to 7.6 kHz")


def _phones(power: NDArray[np.float64], width: int) -> UInt8Array:
    """Probability of each phone, dark is sure."""
    ends = np.repeat(power[-1:] * 0, DELAY_TICKS, 0)
    chance = PhoneEncoder().push(np.concatenate([power, ends]))[DELAY_TICKS:, 0]
    row_px = 11
    strip = np.full((row_px * len(PHONES), width, 3), 255, np.uint8)
    image = np.repeat(np.repeat((255 - 255 * chance.T).astype(np.uint8), row_px, 0), TICK_PX, 1)
    strip[:, _LEGEND_PX : _LEGEND_PX + image.shape[1]] = image[..., None]
    picture = Image.fromarray(strip)
    draw = ImageDraw.Draw(picture)
    for i, phone in enumerate(PHONES):
        draw.text((_LEGEND_PX - 24, i * row_px), phone, _INK, font=ImageFont.load_default(10))
    return _titled(np.asarray(picture), "phones heard")


def _curve(frames: Sequence[MotionFrame], key: str) -> NDArray[np.float64]:
    if key in ARKIT_INDEX:
        return np.array([frame.weights[ARKIT_INDEX[key]] for frame in frames], np.float64)
    return np.array([getattr(frame.pose, f"{key}_deg") for frame in frames], np.float64)


def _panel(name: str, low: float, high: float, curves: Sequence[tuple[str, NDArray[np.float64]]], width: int) -> UInt8Array:
    picture = Image.new("RGB", (width, _PANEL_PX), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.line([(_LEGEND_PX, 0), (width, 0)], fill=(210, 210, 210))
    for i, (key, values) in enumerate(curves):
        colour = _COLOURS[i % len(_COLOURS)]
        y = (_PANEL_PX - 4) * (1 - (np.clip(values, low, high) - low) / (high - low)) + 2
        x = _LEGEND_PX + np.arange(len(values)) * TICK_PX * 100 / float(FPS)
        draw.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], fill=colour, width=2)
        draw.text((6, 20 + 15 * i), key, colour, font=ImageFont.load_default(12))
    return _titled(np.asarray(picture), f"{name} ({low:g} to {high:g})")


def _titled(strip: UInt8Array, title: str) -> UInt8Array:
    picture = Image.fromarray(strip)
    ImageDraw.Draw(picture).text((6, 3), title, _INK, font=ImageFont.load_default(12))
    titled: UInt8Array = np.asarray(picture)
    return titled
