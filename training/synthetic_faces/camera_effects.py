"""The camera behind the lens: blur, noise, colour, compression; and drawings and paintings made of the picture."""

from __future__ import annotations

import cv2
import numpy as np

from training.synthetic_faces.assets import Bytes, Reals

BACKDROPS = ("plain", "gradient", "blobs", "noise", "stripes", "bokeh", "text", "room")
FILTERS = {"blur": 0.2, "motion": 0.06, "balance": 0.5, "contrast": 0.45, "low": 0.04, "vignette": 0.2, "paint": 0.05,
           "draw": 0.035, "grey": 0.05, "small": 0.12, "grain": 0.3, "noise": 0.55, "jpeg": 0.5}  # fmt: skip
"""Filters in order of use, and how often each is used."""


def choose(rng: np.random.Generator) -> tuple[str, ...]:
    """Names of the filters of one picture."""
    return tuple(n for n, share in FILTERS.items() if rng.random() < share)


def expose(image: Bytes, filters: tuple[str, ...], seed: int) -> Bytes:
    """(h, w, 3) sRGB through the filters."""
    rng = np.random.default_rng(seed)
    out: Reals = image.astype(np.float32) / 255
    for name in filters:
        out = np.clip(_STEPS[name](out, rng), 0, 1).astype(np.float32)
    return (out * 255 + 0.5).astype(np.uint8)


def _blur(image: Reals, rng: np.random.Generator) -> Reals:
    return cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.6)) * image.shape[0] / 256)


def _motion(image: Reals, rng: np.random.Generator) -> Reals:
    length = int(rng.integers(2, 6) * image.shape[0] / 256)
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    way = rng.normal(0, 1, 2)
    end = np.round(length * way / np.linalg.norm(way)).astype(int)
    cv2.line(kernel, (length - int(end[0]), length - int(end[1])), (length + int(end[0]), length + int(end[1])), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def _balance(image: Reals, rng: np.random.Generator) -> Reals:
    return image * np.exp(rng.normal(0, 0.09, 3)).astype(np.float32)


def _contrast(image: Reals, rng: np.random.Generator) -> Reals:
    grey = image.mean(2, keepdims=True)
    vivid = grey + (image - grey) * float(rng.uniform(0.5, 1.4))
    return (np.clip(vivid, 0, 1) ** float(np.exp(rng.normal(0, 0.18))) - 0.5) * float(rng.uniform(0.75, 1.3)) + 0.5


def _low(image: Reals, rng: np.random.Generator) -> Reals:
    dark = image * float(rng.uniform(0.12, 0.45))
    return np.clip(dark + rng.normal(0, rng.uniform(0.01, 0.035), image.shape), 0, 1) * float(rng.uniform(1.0, 2.5))


def _vignette(image: Reals, rng: np.random.Generator) -> Reals:
    h, w = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : 1j * h, -1 : 1 : 1j * w]
    return image * (1 - float(rng.uniform(0.1, 0.5)) * 0.5 * (x * x + y * y))[..., None]


def _paint(image: Reals, rng: np.random.Generator) -> Reals:
    small = (image * 255).astype(np.uint8)
    sigma = float(rng.uniform(3, 7)) * image.shape[0] / 256
    for _ in range(2):
        small = cv2.bilateralFilter(small, 0, 45, sigma)
    strokes = cv2.GaussianBlur(rng.standard_normal(image.shape[:2]).astype(np.float32), (0, 0), 1.2, sigmaY=2.5)
    levels = float(rng.uniform(8, 24))
    flat = np.round(small / 255.0 * levels) / levels
    return 0.5 * flat + 0.5 * small / 255.0 + 0.10 * strokes[..., None]


def _draw(image: Reals, rng: np.random.Generator) -> Reals:
    grey = cv2.GaussianBlur(image.mean(2), (0, 0), 0.8 * image.shape[0] / 256)
    wide = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(1.5, 3)) * image.shape[0] / 256)
    lines = np.clip(1 + float(rng.uniform(8, 16)) * np.minimum(grey - wide, 0), 0, 1)
    tone = float(rng.uniform(0, 0.5))
    paper = np.array([1.0, rng.uniform(0.93, 1), rng.uniform(0.8, 1)], np.float32)
    return (lines * (1 - tone + tone * grey))[..., None] * paper


def _grey(image: Reals, rng: np.random.Generator) -> Reals:
    tint = np.array([1, 0.92, 0.78], np.float32) if rng.random() < 0.4 else np.ones(3, np.float32)
    return image @ np.array([0.3, 0.6, 0.1], np.float32)[:, None] * tint


def _small(image: Reals, rng: np.random.Generator) -> Reals:
    h, w = image.shape[:2]
    share = float(rng.uniform(0.3, 0.8))
    less = cv2.resize(image, (int(w * share), int(h * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(less, (w, h), interpolation=cv2.INTER_LINEAR)


def _grain(image: Reals, rng: np.random.Generator) -> Reals:
    grain = cv2.GaussianBlur(rng.standard_normal(image.shape[:2]).astype(np.float32), (0, 0), 0.8)
    return image + float(rng.uniform(0.01, 0.07)) * grain[..., None]


def _noise(image: Reals, rng: np.random.Generator) -> Reals:
    level = float(rng.uniform(0.002, 0.035))
    white = rng.standard_normal(image.shape, np.float32)
    return image + level * np.sqrt(np.maximum(image, 0.02)) * white


def _jpeg(image: Reals, rng: np.random.Generator) -> Reals:
    quality = int(rng.uniform(22, 95))
    _, coded = cv2.imencode(".jpg", (image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.float32) / 255


_STEPS = {
    "blur": _blur, "motion": _motion, "balance": _balance, "contrast": _contrast, "low": _low, "vignette": _vignette,
    "paint": _paint, "draw": _draw, "grey": _grey, "small": _small, "grain": _grain, "noise": _noise, "jpeg": _jpeg,
}  # fmt: skip
