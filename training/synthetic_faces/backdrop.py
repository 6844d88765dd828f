"""Procedural backgrounds."""

from __future__ import annotations

import cv2
import numpy as np

from training.synthetic_faces.assets import Floats, Reals


def backdrop(kind: str, size: int, seed: int) -> Floats:
    """(size, size, 3) sRGB in 0..1."""
    rng = np.random.default_rng(seed)
    image = np.clip(_KINDS[kind](size, rng), 0, 1).astype(np.float32)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 6)) * size / 256)
    return np.asarray(image, np.float32)


def _colour(rng: np.random.Generator) -> Floats:
    grey = float(rng.uniform(0.05, 0.95))
    return np.clip(grey + rng.normal(0, rng.choice((0.03, 0.2)), 3), 0, 1).astype(np.float32)


def _plain(size: int, rng: np.random.Generator) -> Reals:
    return np.broadcast_to(_colour(rng), (size, size, 3)).astype(np.float32)


def _gradient(size: int, rng: np.random.Generator) -> Reals:
    y, x = np.mgrid[-1 : 1 : 1j * size, -1 : 1 : 1j * size]
    angle = rng.uniform(0, 6.3)
    t = 0.5 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y) if rng.random() < 0.6 else np.hypot(x - rng.normal(0, 0.3), y)
    t = np.clip(t, 0, 1)[..., None]
    return _colour(rng) * (1 - t) + _colour(rng) * t


def _blobs(size: int, rng: np.random.Generator) -> Reals:
    image = _plain(size, rng).copy()
    for _ in range(int(rng.integers(4, 30))):
        x, y, a, b = (int(v * size) for v in rng.uniform((0, 0, 0.03, 0.03), (1, 1, 0.4, 0.4)))
        tint = [float(c) for c in _colour(rng)]
        if rng.random() < 0.5:
            cv2.ellipse(image, (x, y), (a, b), float(rng.uniform(0, 180)), 0, 360, tint, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(image, (x - a, y - b), (x + a, y + b), tint, -1)
    return image


def _noise(size: int, rng: np.random.Generator) -> Reals:
    image = np.zeros((size, size, 3), np.float32)
    for cells in (3, 7, 15, 40, 100):
        grid = rng.standard_normal((cells, cells, 3)).astype(np.float32)
        image += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) * cells ** float(rng.uniform(-0.9, -0.3))
    return _colour(rng) + 0.5 * image * rng.uniform(0.2, 1, 3)


def _stripes(size: int, rng: np.random.Generator) -> Reals:
    y, x = np.mgrid[0 : 1 : 1j * size, 0 : 1 : 1j * size]
    angle, count = rng.uniform(0, 3.2), rng.uniform(3, 40)
    wave = np.sin(6.28 * count * (np.cos(angle) * x + np.sin(angle) * y) + rng.uniform(0, 6))
    if rng.random() < 0.5:
        wave = wave * np.sin(6.28 * count * (np.cos(angle) * y - np.sin(angle) * x))
    t = np.clip(0.5 + wave * rng.uniform(0.5, 4), 0, 1)[..., None]
    return _colour(rng) * (1 - t) + _colour(rng) * t


def _bokeh(size: int, rng: np.random.Generator) -> Reals:
    image = _gradient(size, rng).astype(np.float32) * 0.5
    for _ in range(int(rng.integers(10, 60))):
        layer = np.zeros((size, size), np.float32)
        x, y, r = (int(v * size) for v in rng.uniform((0, 0, 0.01), (1, 1, 0.09)))
        cv2.circle(layer, (x, y), max(r, 2), float(rng.uniform(0.1, 0.7)), -1, cv2.LINE_AA)
        image += layer[..., None] * _colour(rng)
    return cv2.GaussianBlur(image, (0, 0), 0.8)


def _text(size: int, rng: np.random.Generator) -> Reals:
    image = _gradient(size, rng).astype(np.float32)
    for _ in range(int(rng.integers(6, 30))):
        word = "".join(chr(int(c)) for c in rng.integers(48, 122, int(rng.integers(2, 12))))
        x, y = (int(v * size) for v in rng.uniform((-0.2, 0), (0.9, 1)))
        scale = float(rng.uniform(0.3, 2.0)) * size / 256
        tint = [float(c) for c in _colour(rng)]
        cv2.putText(image, word, (x, y), int(rng.integers(0, 8)), scale, tint, int(rng.integers(1, 4)), cv2.LINE_AA)
    return image


def _room(size: int, rng: np.random.Generator) -> Reals:
    """Wall, shelves and books, a window: straight edges at many scales."""
    image = _gradient(size, rng).astype(np.float32)
    for _ in range(int(rng.integers(1, 5))):
        top, left = (int(v * size) for v in rng.uniform((-0.1, -0.2), (0.8, 0.8)))
        height, width = (int(v * size) for v in rng.uniform((0.1, 0.2), (0.5, 0.7)))
        cv2.rectangle(image, (left, top), (left + width, top + height), [float(c) for c in _colour(rng)], -1)
        x = left
        while x < left + width:
            step = int(rng.uniform(0.015, 0.07) * size) + 2
            low = top + int(rng.uniform(0, 0.35) * height)
            cv2.rectangle(image, (x, low), (x + step - 1, top + height), [float(c) for c in _colour(rng)], -1)
            x += step
    return image


_KINDS = {"plain": _plain, "gradient": _gradient, "blobs": _blobs, "noise": _noise, "stripes": _stripes, "bokeh": _bokeh,
          "text": _text, "room": _room}  # fmt: skip
