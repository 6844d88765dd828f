"""Tongue mesh, its out and up displacements, and its texture."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from training.mouth.teeth import HALF, LIGHT, Array, blur, noise, smooth, to_linear, to_srgb, warm_dark

GRID = 13

Stations = list[tuple[float, float, float, float, float]]

# Midline stations from under the tip (q = 0) to the root (q = 1):
# q, height y, depth z, half width, crown (middle above the sides), all in cm.
REST: Stations = [(0.0, -4.35, 9.45, 0.8, 0.0), (0.08, -3.98, 9.85, 1.0, 0.08), (0.17, -3.68, 9.82, 1.15, 0.16),
        (0.3, -3.42, 9.3, 1.35, 0.28), (0.5, -3.15, 8.2, 1.62, 0.42), (0.75, -3.02, 6.7, 1.85, 0.5),
        (1.0, -3.35, 5.0, 2.0, 0.45)]
OUT: Stations = [(0.0, -5.5, 12.9, 0.8, 0.0), (0.08, -5.25, 13.25, 1.05, 0.06), (0.17, -4.85, 13.25, 1.27, 0.12),
       (0.3, -4.15, 12.65, 1.4, 0.14), (0.5, -3.3, 11.5, 1.45, 0.1), (0.75, -2.92, 9.3, 1.5, 0.12),
       (1.0, -3.3, 6.0, 1.8, 0.25)]
UP: Stations = [(0.0, -4.4, 9.5, 1.75, 0.0), (0.08, -3.1, 10.05, 1.42, 0.0), (0.17, -2.2, 10.3, 1.3, 0.05),
      (0.3, -2.1, 9.5, 1.45, 0.1), (0.5, -2.35, 8.2, 1.62, 0.05), (0.75, -2.7, 6.7, 1.85, 0.2),
      (1.0, -3.3, 5.0, 2.0, 0.4)]
TIP_ROUND = {"rest": 0.26, "out": 0.3, "up": 0.24}


def surface(stations: Stations, round_tip: float, p: Array, q: Array) -> Array:
    """Tongue points (n, 3) cm; round_tip pulls the tip's sides back; p in -1..1 (across), q in 0..1 (tip to root)."""
    st = np.asarray(stations)
    q = q + round_tip * p**2 * (1 - q) ** 3
    y, z, width, crown = (CubicSpline(st[:, 0], st[:, k])(q) for k in (1, 2, 3, 4))
    bend = np.sin(p * 1.25) / np.sin(1.25)
    x = width * bend
    drop = crown * np.abs(p) ** 2.4 + 0.3 * smooth(np.abs(p), 0.65, 1.0) * smooth(q, 0.1, 0.35)
    groove = 0.06 * np.exp(-((p / 0.2) ** 2)) * smooth(q, 0.12, 0.4)
    back = 0.15 * p**2 * smooth(q, 0.3, 0.0)
    return np.stack([x, y - drop - groove, z - back], 1).astype(np.float32)


def mesh() -> dict[str, Array]:
    """Rest vertices, uv, triangles and the displacement fields of the tongue."""
    t = np.linspace(0, 1, GRID)
    rows = t**1.15
    p, q = (g.ravel().astype(np.float32) for g in np.meshgrid(2 * t - 1, rows[::-1]))
    idx = np.arange(GRID * GRID).reshape(GRID, GRID)
    a, b, c, d = idx[:-1, :-1], idx[:-1, 1:], idx[1:, :-1], idx[1:, 1:]
    tri = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    rest = surface(REST, TIP_ROUND["rest"], p, q)
    return {"vertices": rest, "uv": np.stack([(p + 1) / 2, 1 - q], 1).astype(np.float32),
            "triangles": tri.astype(np.int16), "tongue_out": surface(OUT, TIP_ROUND["out"], p, q) - rest,
            "tongue_up": surface(UP, TIP_ROUND["up"], p, q) - rest}


def texture(size: int, scale: int, rng: np.random.Generator) -> Array:
    """Tongue texture (size, size, 4), sRGB 0..255 floats, straight alpha 0..255."""
    n = size * scale
    t = (np.arange(n, dtype=np.float32) + 0.5) / n
    p, q = np.meshgrid(2 * t - 1, 1 - t)
    fine = noise(rng, (n, n), 0.004 * n, 0.0045 * n)
    mid = noise(rng, (n, n), 0.012 * n, 0.012 * n)
    large = noise(rng, (n, n), 0.07 * n, 0.1 * n)
    dorsum = smooth(q, 0.1, 0.35) * smooth(np.abs(p), 0.95, 0.6)
    relief = 0.004 * fine * dorsum + 0.006 * mid * dorsum
    relief = relief - 0.05 * np.exp(-((p / 0.1) ** 2)) * smooth(q, 0.15, 0.4)
    pink, coat, tip = to_linear((196, 112, 108)), to_linear((206, 142, 134)), to_linear((192, 96, 96))
    k = (0.65 * dorsum * smooth(q, 0.15, 0.5) * (1 + 0.25 * large))[..., None]
    col = pink * (1 - k) + coat * k
    k = (0.8 * np.maximum(smooth(q, 0.2, 0.05), smooth(np.abs(p), 0.7, 1.0)))[..., None]
    col = col * (1 - k) + tip * k
    crease = np.exp(-(((p - 0.02 * np.sin(5 * q)) / 0.07) ** 2)) * smooth(q, 0.12, 0.35)
    col = col * (1 - 0.16 * crease * np.array([0.7, 1.0, 1.0], np.float32)[:, None, None]).transpose(1, 2, 0)
    col = col * (1 + 0.05 * (fine * dorsum)[..., None] + 0.03 * large[..., None])
    gy, gx = np.gradient(blur(relief.astype(np.float32), 0.6 * scale), 2.0 / n)
    nx = 0.95 * p * np.abs(p) ** 0.6 + 0.7 * p * smooth(q, 0.22, 0.06) - gx * 0.5
    ny = 0.25 + 0.5 * smooth(q, 0.05, 0.35) - 0.75 * smooth(q, 0.14, 0.0) + gy * 0.5
    nrm = np.stack([nx, ny, np.full_like(p, 0.72)], -1)
    nrm /= np.linalg.norm(nrm, axis=-1, keepdims=True)
    diff = np.clip((nrm @ LIGHT + 0.4) / 1.4, 0, 1)
    ndh = np.clip(nrm @ HALF, 0, 1)
    wet = (0.05 * ndh**10 + 0.09 * ndh**70 * (0.75 + 0.25 * mid)) * smooth(q, 0.75, 0.4)
    depth = (0.16 + 0.84 * smooth(q, 0.88, 0.2)) * (1 - 0.5 * smooth(q, 0.11, 0.0))
    depth = depth * (1 - 0.35 * smooth(np.abs(p), 0.55, 1.0) * smooth(q, 0.2, 0.08))
    lin = (col * (0.28 + 0.72 * diff)[..., None] + wet[..., None]) * warm_dark(depth)
    edge = smooth(np.abs(p), 1.0, 0.9) * smooth(q, 0.0, 0.06) * smooth(q, 1.0, 0.9)
    rgba = np.dstack([to_srgb(lin.astype(np.float32)), 255 * edge])
    small: Array = rgba.reshape(size, scale, size, scale, 4).mean((1, 3)).astype(np.float32)
    return small
