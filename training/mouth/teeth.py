"""Procedural tooth and gum textures, unrolled along a dental arch.

Texture axes: s = arc length along the arch in cm (0 at the midline, positive
to the person's left), y = height in cm (ICT head space, up).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LIGHT = np.array([0.0, 0.42, 0.91], np.float32)
HALF = np.array([0.0, 0.22, 0.975], np.float32)

# Crown outlines, (a, b): a = -1 mesial .. 1 distal, b = 0 gum .. 1 biting edge.
OUTLINES: dict[str, list[tuple[float, float]]] = {
    "central": [(0.04, 0), (0.4, 0.04), (0.66, 0.16), (0.8, 0.34), (0.92, 0.56), (1, 0.76),
                (0.97, 0.9), (0.85, 0.975), (0.5, 1), (0, 1), (-0.5, 1.005), (-0.86, 1),
                (-0.97, 0.945), (-1, 0.8), (-0.94, 0.56), (-0.84, 0.34), (-0.68, 0.16),
                (-0.38, 0.04)],
    "lateral": [(0.06, 0), (0.4, 0.045), (0.66, 0.17), (0.82, 0.36), (0.94, 0.54), (1, 0.7),
                (0.95, 0.85), (0.76, 0.955), (0.4, 0.995), (0, 1), (-0.45, 1.005), (-0.8, 0.985),
                (-0.96, 0.91), (-1, 0.76), (-0.94, 0.54), (-0.82, 0.34), (-0.66, 0.16),
                (-0.36, 0.04)],
    "canine": [(0.06, 0), (0.42, 0.04), (0.7, 0.16), (0.86, 0.34), (0.97, 0.52), (1, 0.66),
               (0.94, 0.85), (0.64, 0.955), (0.16, 0.995), (-0.18, 1), (-0.62, 0.965), (-0.92, 0.89),
               (-1, 0.74), (-0.95, 0.54), (-0.84, 0.34), (-0.68, 0.16), (-0.38, 0.04)],
    "premolar": [(0, 0), (0.42, 0.04), (0.72, 0.17), (0.88, 0.38), (1, 0.62), (0.96, 0.85),
                 (0.66, 0.955), (0.14, 1), (-0.16, 1), (-0.66, 0.96), (-0.96, 0.87), (-1, 0.64),
                 (-0.88, 0.38), (-0.72, 0.17), (-0.42, 0.04)],
    "molar": [(0, 0.06), (0.4, 0.0), (0.74, 0.12), (0.9, 0.36), (1, 0.62), (0.94, 0.84),
              (0.62, 0.97), (0.3, 0.98), (0.02, 0.91), (-0.3, 1), (-0.62, 0.99), (-0.95, 0.86),
              (-1, 0.64), (-0.9, 0.36), (-0.74, 0.12), (-0.4, 0.0)],
    "lower": [(0, 0), (0.36, 0.035), (0.62, 0.13), (0.78, 0.3), (0.9, 0.54), (0.98, 0.8),
              (0.97, 0.94), (0.86, 0.995), (0.4, 1), (-0.1, 0.995), (-0.5, 1), (-0.88, 1),
              (-0.98, 0.95), (-0.99, 0.82), (-0.91, 0.54), (-0.79, 0.3), (-0.62, 0.13),
              (-0.34, 0.035)],
}


@dataclass(frozen=True)
class Tooth:
    """One crown: centre and width along s, gum and biting-edge heights (cm)."""

    kind: str
    side: int
    centre: float
    width: float
    neck: float
    edge: float
    tilt: float
    tone: float
    depth: float
    twist: float


@dataclass
class Canvas:
    """Supersampled layers, (H, W) or (H, W, 3); colours are linear light."""

    s: Array
    y: Array
    cm: float
    normal_s: Array
    height: Array
    albedo: Array
    occlusion: Array
    gloss: Array
    alpha: Array
    crowns: Array


def to_linear(rgb: Array | tuple[float, ...]) -> Array:
    """sRGB 0..255 to linear 0..1."""
    c = np.asarray(rgb, np.float32) / 255.0
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(lin: Array) -> Array:
    """Linear 0..1 to sRGB 0..255 (float)."""
    c = np.clip(lin, 0.0, 1.0)
    return (255 * np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)).astype(np.float32)


def smooth(x: Array, lo: float, hi: float) -> Array:
    """Smoothstep of x between lo and hi (hi may be below lo)."""
    t = np.clip((x - lo) / (hi - lo), 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def blur(img: Array, sigma_px: float) -> Array:
    """Gaussian blur with edge replication."""
    return cv2.GaussianBlur(img, (0, 0), max(sigma_px, 0.1), borderType=cv2.BORDER_REPLICATE)


def noise(rng: np.random.Generator, shape: tuple[int, ...], sx: float, sy: float) -> Array:
    """Band-limited unit-variance noise with blur radii sx, sy in pixels."""
    n = rng.standard_normal(shape).astype(np.float32)
    soft: Array = cv2.GaussianBlur(n, (0, 0), sigmaX=sx, sigmaY=sy)
    unit: Array = (soft - soft.mean()) / (soft.std() + 1e-9)
    return unit.astype(np.float32)


def spline(points: list[tuple[float, float]], steps: int = 10) -> Array:
    """Closed Catmull-Rom curve through points, (n * steps, 2)."""
    p = np.asarray(points, np.float32)
    t = (np.arange(steps, dtype=np.float32) / steps)[None, :, None]
    p0, p1, p2, p3 = (np.roll(p, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    c = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
    return (0.5 * (c + (3 * p1 - p0 - 3 * p2 + p3) * t**3)).reshape(-1, 2)


def crown_mask(cv: Canvas, tooth: Tooth) -> tuple[Array, Array, Array]:
    """Mask 0/1 and the local coordinates a (signed mesial-distal), b of one crown."""
    pts = spline(OUTLINES[tooth.kind])
    pts[:, 0] *= tooth.side
    da = pts[:, 0] * tooth.width / 2
    dy = (tooth.edge - tooth.neck) * (pts[:, 1] - 0.5)
    c, s = np.cos(tooth.tilt), np.sin(tooth.tilt)
    ps = tooth.centre + c * da - s * dy
    py = (tooth.edge + tooth.neck) / 2 + s * da + c * dy
    px = np.stack([(ps - cv.s[0, 0]) * cv.cm - 0.5, (cv.y[0, 0] - py) * cv.cm - 0.5], 1)
    mask = np.zeros(cv.height.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(px * 16).astype(np.int32)], 1, shift=4)
    ds, dh = cv.s - tooth.centre, cv.y - (tooth.edge + tooth.neck) / 2
    a = tooth.side * (c * ds + s * dh) / (tooth.width / 2)
    b = (c * dh - s * ds) / (tooth.edge - tooth.neck) + 0.5
    return mask.astype(np.float32), a.astype(np.float32), b.astype(np.float32)


def crown_relief(tooth: Tooth, a: Array, b: Array, dist: Array) -> Array:
    """Labial relief of a crown in cm; dist = distance to its outline in cm."""
    e = np.clip(dist / 0.2, 0, 1)
    h = 0.085 * (1 - (1 - e) ** 2.2) - 0.035 * a**2 - 0.12 * (b - 0.42) ** 2
    lobes = smooth(b, 0.15, 0.8) * np.exp(-((np.abs(a) - 0.36) / 0.16) ** 2)
    ridge = np.exp(-((a / 0.3) ** 2))
    if tooth.kind in ("canine", "premolar"):
        h = h + 0.022 * ridge * smooth(b, 0.05, 0.5)
    elif tooth.kind == "molar":
        h = h - 0.03 * ridge * smooth(b, 0.1, 0.9)
    else:
        h = h - 0.006 * lobes
    return (h + 0.06 + tooth.depth + tooth.twist * a).astype(np.float32)


def crown_albedo(tooth: Tooth, a: Array, b: Array, dist: Array, grain: Array) -> Array:
    """Enamel colour, linear light (H, W, 3): warm neck, ivory body, cool edge."""
    mid, neck = to_linear((235, 225, 208)), to_linear((221, 199, 163))
    cool, halo = to_linear((203, 206, 208)), to_linear((236, 222, 200))
    front = {"central": 1.0, "lateral": 1.0, "lower": 0.9}.get(tooth.kind, 0.25)
    wb = (0.85 * (1 - smooth(b, -0.02, 0.42)))[..., None]
    col = mid * (1 - wb) + neck * wb
    rim = front * smooth(b, 0.72, 0.97) * (0.75 + 0.25 * np.cos(a * 9.0)) * 0.36
    rim = np.maximum(rim, front * 0.3 * smooth(dist, 0.1, 0.0) * smooth(b, 0.35, 0.7))[..., None]
    col = col * (1 - rim) + cool * rim
    line = (0.4 * front * smooth(dist, 0.035, 0.0) * smooth(b, 0.9, 0.98))[..., None]
    col = col * (1 - line) + halo * line
    warm = {"canine": 0.5, "premolar": 0.3, "molar": 0.4}.get(tooth.kind, 0.0)
    warm = warm + 3.0 * tooth.tone
    tint = np.array([1 - 0.035 * warm, 1 - 0.075 * warm, 1 - 0.17 * warm], np.float32)
    return (col * tint * (1 + 0.02 * grain[..., None]) * (1 + tooth.tone)).astype(np.float32)


def paint_crown(cv: Canvas, tooth: Tooth, grain: Array) -> None:
    """Paint one crown over the canvas with a soft contact shadow beneath it."""
    mask, a, b = crown_mask(cv, tooth)
    dist = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) / cv.cm
    cv.occlusion *= 1 - 0.22 * np.clip(blur(mask, 0.035 * cv.cm) * 1.6, 0, 1)
    m = mask > 0
    cv.height[m] = crown_relief(tooth, a, b, blur(dist, 0.04 * cv.cm))[m]
    cv.albedo[m] = crown_albedo(tooth, a, b, dist, grain)[m]
    side = smooth(np.abs(a), 0.55, 1.0) * smooth(b, 1.0, 0.8)
    neck = smooth(b, 0.22, -0.02)
    crease = np.exp(-dist / 0.038) * smooth(b, 1.02, 0.8)
    cv.occlusion[m] = ((1 - 0.16 * side) * (1 - 0.16 * neck) * (1 - 0.32 * crease))[m]
    cv.gloss[m] = 1.0
    cv.alpha[m] = 1.0
    cv.crowns[m] = 1.0


def paint_gum(cv: Canvas, teeth: list[Tooth], rng: np.random.Generator) -> None:
    """Paint the gum and the dark of the gaps behind the (already chosen) crowns."""
    up = 1.0 if teeth[0].neck > teeth[0].edge else -1.0
    order = sorted(teeth, key=lambda t: t.centre)
    pairs = list(itertools.pairwise(order))
    gaps = [(p.centre + p.width / 2 + q.centre - q.width / 2) / 2 for p, q in pairs]
    reach = 0.56 if up > 0 else 0.6
    neck = np.array([(p.neck + q.neck) / 2 for p, q in pairs])
    edge = np.array([(p.edge + q.edge) / 2 for p, q in pairs])
    row = cv.s[0]
    tip, stop = (np.interp(row, gaps, neck + (edge - neck) * f).astype(np.float32)[None] for f in (reach, 0.76))
    crowns = np.zeros_like(cv.height)
    for t in teeth:
        crowns = np.maximum(crowns, crown_mask(cv, t)[0])
    free = (1 - crowns).astype(np.uint8)
    gum = (cv.y - tip) * up > 0
    dist = cv2.distanceTransform(free, cv2.DIST_L2, 5) / cv.cm
    root = sum(np.exp(-(((cv.s - t.centre) / (0.33 * t.width)) ** 2)) for t in teeth)
    rise = (cv.y - np.interp(row, [t.centre for t in order], [t.neck for t in order])[None]) * up
    n = cv.cm
    stipple = noise(rng, cv.s.shape, 0.018 * n, 0.02 * n)
    blot = noise(rng, cv.s.shape, 0.16 * n, 0.2 * n)
    cv.height[:] = (0.1 * (1 - np.exp(-dist / 0.07)) + 0.045 * root * smooth(rise, 0.9, 0.05)
                    - 0.03 * np.clip(rise, 0, 2) + 0.0016 * stipple)
    cv.albedo[:] = gum_albedo(dist, rise, blot)
    cv.occlusion[:] = 1 - 0.14 * np.exp(-dist / 0.05)
    deep = to_linear((168, 102, 88))
    cv.albedo[~gum] = deep
    cv.height[~gum] = -0.06
    cv.occlusion[~gum] = 0.8
    cv.gloss[:] = np.where(gum, 0.9, 0.1)
    cv.alpha[:] = np.where((cv.y - stop) * up > 0, 1.0, 0.0)


def gum_albedo(dist: Array, rise: Array, blot: Array) -> Array:
    """Gum colour, linear (H, W, 3): red margin, paler attached gum, redder mucosa."""
    margin, pale, mucosa = (to_linear(c) for c in ((206, 128, 120), (216, 146, 136), (184, 98, 94)))
    k = smooth(dist, 0.0, 0.16)[..., None]
    col = margin * (1 - k) + pale * k
    k2 = smooth(rise, 0.35, 0.8)[..., None]
    col = col * (1 - k2) + mucosa * k2
    tint: Array = np.array([0.6, 1.0, 1.0], np.float32)
    out: Array = col * (1 + 0.055 * blot[..., None] * tint)
    return out


def warm_dark(k: Array) -> Array:
    """Shade factor k as RGB (..., 3): shadows inside a mouth turn red, not grey."""
    k = np.clip(k, 0, 1)[..., None]
    out: Array = k ** np.array([0.86, 1.08, 1.16], np.float32)
    return out


def shade(cv: Canvas, normals: Array, shadow: Array) -> Array:
    """Light the canvas; normals (2, W) = arch normal x, z; returns linear RGB."""
    h = blur(cv.height, 0.012 * cv.cm)
    gs = cv2.Sobel(h, cv2.CV_32F, 1, 0, ksize=3) / 8 * cv.cm
    gy = -cv2.Sobel(h, cv2.CV_32F, 0, 1, ksize=3) / 8 * cv.cm + cv.normal_s
    gs, gy = np.clip(gs, -1.6, 1.6), np.clip(gy, -1.6, 1.6)
    nx, nz = normals[0][None], normals[1][None]
    n = np.stack([nx - gs * nz, -gy, nz + gs * nx], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    diff = np.clip((n @ LIGHT + 0.45) / 1.45, 0, 1)
    sky = 0.5 + 0.5 * n[..., 1]
    cavity = np.clip(1 - 2.2 * np.clip(blur(h, 0.09 * cv.cm) - h, 0, 0.2), 0.4, 1)
    light = 0.2 + 0.1 * sky + 0.78 * diff
    bounce = np.array([1.02, 1.0, 0.985], np.float32) * warm_dark(cv.occlusion * cavity)
    ndh = np.clip(n @ HALF, 0, 1)
    spec = cv.gloss * (0.06 * ndh**14 + 0.26 * ndh**140) * cv.occlusion
    spec = blur(spec.astype(np.float32), 0.012 * cv.cm)
    lit = cv.albedo * light[..., None] * bounce + spec[..., None]
    out: Array = (lit * warm_dark(shadow)[None]).astype(np.float32)
    return out


def occlusal(s: Array, teeth: list[Tooth], rows: int, cm: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Biting surfaces seen from above: linear RGB (rows, W, 3) and alpha (rows, W).

    The first two thirds run from the labial to the lingual edge of each tooth,
    the last third down the inner gum; s = arc length per column, cm = pixels per cm.
    """
    v = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    c = v * 3 - 1
    lin = (smooth(v, 1.0, 0.66) * 0.8 + 0.2)[..., None] * to_linear((150, 74, 68))
    lin = np.repeat(lin, s.size, axis=1)
    alpha = np.repeat(smooth(c, -0.85, -0.7) * smooth(v, 1.0, 0.8), s.size, axis=1)
    grain = noise(rng, (rows, s.size), 0.03 * cm, 0.03 * cm)
    for t in teeth:
        a = ((s - t.centre) / (0.515 * t.width))[None] * t.side
        ct = np.where(c > 0, c / 1.3, c)
        r = (np.abs(a) ** 3.2 + np.abs(ct) ** 3.2) ** (1 / 3.2)
        rim = smooth(r, 1.0, 0.72)
        if t.kind in ("premolar", "molar"):
            k = 0.5 if t.kind == "molar" else 0.0
            bumps = sum(np.exp(-((a - i) / 0.42) ** 2 - ((c - j) / 0.38) ** 2)
                        for i in sorted({k, -k}) for j in (-0.55, 0.55))
            fissure = np.exp(-((c + 0.05 * np.sin(6 * a)) / 0.1) ** 2) * smooth(np.abs(a), 0.85, 0.6)
            if k:
                fissure = np.maximum(fissure, np.exp(-((a + 0.08 * c) / 0.07) ** 2) * smooth(np.abs(c), 0.9, 0.6))
            tone = 0.6 + 0.34 * np.clip(bumps, 0, 1) - 0.12 * fissure
            base = to_linear((232, 205, 176))
        else:
            tone = 0.42 + 0.5 * smooth(c, 0.2, -0.7) + 0 * a
            base = to_linear((230, 208, 184))
        tone = tone * (0.62 + 0.38 * rim) * (1 - 0.45 * smooth(c, 0.8, 1.3)) * (1 + 0.03 * grain)
        col = base * warm_dark(tone) * (1 + t.tone)
        m = (r < 1.0)[..., None]
        lin = np.where(m, col, lin).astype(np.float32)
        alpha = np.maximum(alpha, smooth(r, 1.0, 0.94))
    return lin, alpha
