"""Regions of the skin in texture space: lips, beard, brows' shade, blush, scalp, neck; and noise tiles.

Each is a function of the neutral head's surface position, so it holds for every skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.fields.head import rasterise
from training.synthetic_faces import names
from training.synthetic_faces.assets import Assets, Bytes, Floats, Reals

SIZE = 512


@dataclass(frozen=True)
class Layers:
    """(SIZE, SIZE, 4) bytes per tile, top row first."""

    first: Bytes
    """Lips, beard, blush, shade around the eyes."""
    second: Bytes
    """Scalp, eyeliner, moustache and goatee, behind the lips or lids (not skin)."""
    back: Bytes
    """The same channels as `second` for the back of the head (scalp only)."""


def smooth(x: Reals, low: float | Reals, high: float | Reals) -> Floats:
    """Smoothstep from low to high (either order)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    out: Floats = np.asarray(t * t * (3 - 2 * t), np.float32)
    return out


def position_map(assets: Assets, part: str, size: int) -> tuple[Floats, Floats]:
    """Neutral surface position (size, size, 3) and coverage (size, size) of a texture tile."""
    head = assets.head
    tris = head.part_triangles(part)
    uv = head.uvs[head.triangle_uvs[tris]].reshape(-1, 2).copy()
    uv[:, 0] -= 1 if part == "head_neck" else 0
    screen = np.stack([uv[:, 0] * size, (1 - uv[:, 1]) * size], 1)
    corner = np.arange(len(screen)).reshape(-1, 3)
    raster = rasterise(screen, np.zeros(len(screen), np.float32), corner, (size, size), cull=False)
    place = head.vertices[head.triangles[tris[raster.triangle]]]
    out = (place * raster.bary[..., None]).sum(2).astype(np.float32)
    hit = raster.triangle >= 0
    _, label = cv2.distanceTransformWithLabels((~hit).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros((int(label.max()) + 1, 3), np.float32)
    table[label[hit]] = out[hit]
    return table[label], hit.astype(np.float32)


def closed_curve(points: Floats, steps: int = 8) -> Floats:
    """Catmull-Rom through a closed polygon (n, 2)."""
    a, b, c, d = (np.roll(points, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    out: Floats = curve.reshape(-1, 2)
    return out


def landmark_uvs(assets: Assets) -> Floats:
    """Texture position (468, 2) of the surface points on the face tile."""
    head = assets.head
    tris = head.part_triangles("face")
    uv_of = np.zeros((len(head.vertices), 2), np.float32)
    uv_of[head.triangles[tris].ravel()] = head.uvs[head.triangle_uvs[tris].ravel()]
    return (uv_of[assets.tie_vertices[:468]] * assets.tie_weights[:468, :, None]).sum(1)


def polygon(uvs: Floats, rows: tuple[int, ...], size: int) -> Floats:
    """Anti-aliased filled curve through points of the face tile."""
    curve = closed_curve(uvs[list(rows)]) * (size, -size) + (0, size)
    canvas = np.zeros((4 * size, 4 * size), np.uint8)
    cv2.fillPoly(canvas, [np.round(4 * curve).astype(np.int32)], 255)
    out: Floats = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return out


def eye_bands(place: Floats) -> tuple[Floats, Floats]:
    """(shade, liner): the upper lid up to the brow, and a thin band along the lid margins."""
    x, y = np.abs(place[..., 0]), place[..., 1]
    across = (x - 3.15) / 1.75
    upper = 3.62 + 0.55 * np.sqrt(np.clip(1 - across**2, 0, 1))
    lower = 3.42 - 0.45 * np.sqrt(np.clip(1 - across**2, 0, 1))
    front = smooth(place[..., 2], 6.5, 8.0)
    shade = smooth(y, 3.5, 3.9) * smooth(y, 5.2, 4.2) * smooth(np.abs(across), 1.35, 0.7) * front
    gap = np.minimum(np.abs(y - upper), np.abs(y - lower))
    liner = smooth(gap, 0.22, 0.05) * smooth(np.abs(across), 1.12, 0.98) * front
    return shade, liner


def beards(place: Floats, lips: Floats) -> tuple[Floats, Floats]:
    """(full beard, moustache with goatee)."""
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    cheek = -2.6 - 0.9 * smooth(x, 6.0, 2.0) * 2.2 + 2.2 * smooth(x, 6.3, 7.4)
    low = smooth(y - np.maximum(-8.4, -3.2 - 0.82 * np.clip(z - 1, 0, None)), -1.3, -0.2)
    jaw = smooth(y, cheek + 0.7, cheek - 0.8) * low * smooth(z, 0.2, 1.6)
    top = -1.75 - 0.12 * x
    lip_zone = smooth(x, 3.4, 2.4) * smooth(y, top, top - 0.45) * smooth(y, -4.2, -3.4) * (0.35 + 0.65 * smooth(x, 0.1, 0.5))
    chin = smooth(x, 2.6, 1.5) * smooth(y, -4.6, -5.3) * smooth(y, -9.6, -8.6)
    corner = smooth(x, 3.9, 3.2) * smooth(x, 2.1, 2.6) * smooth(y, -2.0, -2.6) * smooth(y, -7.5, -6.0)
    clear = 1 - np.clip(cv2.GaussianBlur(lips, (0, 0), 1.5) * 1.6, 0, 1)
    goatee = np.clip(np.maximum(chin, np.maximum(0.65 * lip_zone, 0.45 * corner)), 0, 1) * clear * smooth(z, 4.5, 7.0)
    return np.clip(np.maximum(jaw, 0.65 * np.maximum(lip_zone, corner * smooth(z, 4.5, 7.0))), 0, 1) * clear, goatee


def scalp_region(place: Floats) -> Floats:
    """Where hair grows."""
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    front = 9.4 - 1.2 * smooth(x, 3.0, 5.5)
    line = np.where(z > 4.0, front - 2.6 * smooth(x, 5.2, 7.4), np.interp(z, [-6, -2, 1.5, 4], [-3.4, -0.6, 3.6, 5.6]))
    side = smooth(x, 4.2, 6.4)
    line = line * side + np.where(z > 2, front, -3.5) * (1 - side)
    ear = (x > 7.2) & (z > -3.2) & (z < 1.6) & (y < 4.4)
    out: Floats = smooth(y - line, -0.7, 0.7) * ~ear
    return out


def make_layers(assets: Assets) -> Layers:
    """All region maps."""
    place, covered = position_map(assets, "face", SIZE)
    uvs = landmark_uvs(assets)
    lips = polygon(uvs, names.OUTER_LIPS, SIZE)
    beard, goatee = beards(place, lips)
    shade, liner = eye_bands(place)
    cheek = np.exp(-(((np.abs(place[..., 0]) - 5.0) / 1.6) ** 2) - ((place[..., 1] + 0.6) / 1.7) ** 2)
    inside = np.clip(1 - covered + hidden(uvs), 0, 1)
    first = np.stack([lips, beard, cheek, shade], -1)
    second = np.stack([scalp_region(place), liner, goatee, inside], -1)
    back, _ = position_map(assets, "head_neck", SIZE)
    zero = np.zeros((SIZE, SIZE), np.float32)
    third = np.stack([scalp_region(back), zero, zero, zero], -1)
    return Layers(*((255 * np.clip(m, 0, 1)).astype(np.uint8) for m in (first, second, third)))


def hidden(uvs: Floats) -> Floats:
    """Texels inside the lips' inner edge at rest and inside the lid margins: their paint is not skin."""
    mouth = names.UPPER_INNER_LIP + names.LOWER_INNER_LIP[-2:0:-1]
    rings = [mouth] + [u + d[-2:0:-1] for u, d in zip(names.UPPER_LIDS, names.LOWER_LIDS, strict=True)]
    return np.max([polygon(uvs, ring, SIZE) for ring in rings], axis=0)


def noise_tile(size: int = 512, seed: int = 5) -> Bytes:
    """(size, size, 4) tiling noise: fine, strands along v, spots, large blotches."""
    rng = np.random.default_rng(seed)
    f = np.fft.fftfreq(size)[:, None] * size, np.fft.fftfreq(size)[None] * size

    def band(sigma_y: float, sigma_x: float) -> Floats:
        white = np.fft.fft2(rng.standard_normal((size, size)))
        out = np.fft.ifft2(white * np.exp(-0.5 * ((f[0] / sigma_y) ** 2 + (f[1] / sigma_x) ** 2))).real
        flat = np.argsort(np.argsort(out.ravel())).reshape(size, size) / (size * size)
        return flat.astype(np.float32)

    tiles = [band(120, 120), band(10, 110), band(28, 28), band(6, 6)]
    out: Bytes = (255 * np.stack(tiles, -1)).astype(np.uint8)
    return out
