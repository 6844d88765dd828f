"""Photometric changes on top of the renderer's own camera."""

from __future__ import annotations

import cv2
import numpy as np

from training.analyser.data import Bytes

BANK = np.random.default_rng(0).standard_normal((600, 600, 3)).astype(np.float32)
"""Noise to cut from: drawing it anew costs more than all the rest."""


def changed(image: Bytes, rng: np.random.Generator, patch: bool = True, least_px: int = 64) -> Bytes:
    """Gamma, gain and tint, grey, low resolution (from `least_px` on), softness, noise, a patch of colour."""
    side = image.shape[0]
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    tint = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.06, 3)).astype(np.float32)
    table = 255 * ((levels ** float(np.exp(rng.normal(0, 0.25)))) * tint + float(rng.normal(0, 0.04)))
    out = np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.12:
        out = np.repeat(np.asarray(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY))[..., None], 3, 2)
    if rng.random() < 0.15:
        low = int(np.exp(rng.uniform(np.log(least_px), np.log(0.7 * side))))
        small = cv2.resize(out, (low, low), interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.2:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.8))), np.uint8)
    if rng.random() < 0.35:
        y, x = rng.integers(0, BANK.shape[0] - side, 2)
        grain = BANK[y : y + side, x : x + side] * np.float32(rng.uniform(1, 12))
        out = np.clip(out + grain, 0, 255).astype(np.uint8)
    if patch and rng.random() < 0.15:
        (x, y), (w, h) = rng.integers(0, side, 2), rng.integers(8, side // 3, 2)
        out = out.copy()
        out[y : y + h, x : x + w] = rng.uniform(0, 255, 3)
    return out
