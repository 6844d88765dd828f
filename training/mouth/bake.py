"""Bake the mouth-interior atlas: upper and lower dental arch strips and tongue.

Usage: python -m training.mouth.bake --assets DIR --out FILE
DIR holds ict_facekit.npz. Positions are ICT head space, cm.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from training.mouth import teeth as enamel
from training.mouth import tongue
from training.mouth.teeth import Array, Tooth

SEED = 7
SCALE = 3
COLUMNS, ROWS, LID_ROWS = 33, 6, 7
WIDTH = 896
CAVITY_RGB = (58, 24, 21)
MIDLINE_OUT = ("central_incisor", "lateral_incisor", "canine", "1st_bicuspid", "2nd_bicuspid",
               "1st_molar", "2nd_molar", "3rd_molar")


@dataclass(frozen=True)
class ArchSpec:
    """Crown sizes from the midline outwards (cm) and strip extent (cm)."""

    name: str
    kinds: tuple[str, ...]
    widths: tuple[float, ...]
    edges: tuple[float, ...]
    necks: tuple[float, ...]
    half_length: float
    top: float
    bottom: float
    pixels: int
    lid: int


UPPER = ArchSpec("upper", ("central", "lateral", "canine", "premolar", "premolar", "molar", "molar"),
                 (0.88, 0.69, 0.79, 0.72, 0.69, 1.04, 0.96),
                 (-3.53, -3.465, -3.49, -3.44, -3.41, -3.36, -3.3),
                 (-2.45, -2.53, -2.41, -2.52, -2.57, -2.58, -2.58), 5.5, -1.45, -3.65, 192, 0)
LOWER = ArchSpec("lower", ("lower", "lower", "canine", "premolar", "premolar", "molar", "molar"),
                 (0.575, 0.63, 0.71, 0.72, 0.73, 1.13, 1.06),
                 (-3.415, -3.42, -3.36, -3.4, -3.4, -3.36, -3.3),
                 (-4.33, -4.34, -4.4, -4.28, -4.2, -4.1, -4.02), 5.2, -3.25, -5.15, 192, 96)


@dataclass(frozen=True)
class Arch:
    """Labial curve of an arch: arc length s (n), points x, z (n, 2), normals (n, 2)."""

    s: Array
    points: Array
    normals: Array

    def at(self, s: Array, values: Array) -> Array:
        """Interpolate a per-sample array (n, 2) at arc lengths s, (2, len(s))."""
        return np.stack([np.interp(s, self.s, values[:, k]) for k in (0, 1)]).astype(np.float32)


def labial_curve(head: dict[str, Array], jaw: str) -> Arch:
    """Symmetric curve through the frontmost crown points of the ICT teeth."""
    names, ranges = [str(n) for n in head["tooth_names"]], head["tooth_vertices"]
    pts = []
    for base in MIDLINE_OUT:
        a, b = ranges[names.index(f"{base}_{jaw}_left")]
        v = head["vertices"][a:b].astype(np.float64)
        edge = v[:, 1].min() if jaw == "upper" else v[:, 1].max()
        crown = v[np.abs(v[:, 1] - edge) < 0.8]
        mid = crown[:, [0, 2]].mean(0)
        out = np.array([mid[0] * 0.9, (mid[1] - 5.5) * 0.55])
        out /= np.linalg.norm(out)
        reach = np.quantile((crown[:, [0, 2]] - mid) @ out, 0.95)
        pts.append(mid + reach * out)
    half = np.array(pts)
    full = np.concatenate([half[::-1] * [-1, 1], half])
    t = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(full, axis=0), axis=1))])
    t -= t[-1] / 2
    fine = np.linspace(t[0], t[-1], 2001)
    p = CubicSpline(t, gaussian_filter(full, (0.6, 0), mode="nearest"))(fine)
    s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    tan = gaussian_filter(np.gradient(p, axis=0), (60, 0), mode="nearest")
    nrm = np.stack([-tan[:, 1], tan[:, 0]], 1)
    nrm /= np.linalg.norm(nrm, axis=1, keepdims=True)
    return Arch((s - s[-1] / 2).astype(np.float32), p.astype(np.float32), nrm.astype(np.float32))


def surface_points(head: dict[str, Array]) -> Array:
    """Dense samples (n, 3) of the ICT teeth and gum surface."""
    names = [str(n) for n in head["part_names"]]
    out = []
    for part in ("teeth", "gums_tongue"):
        lo, hi = head["part_polygons"][names.index(part)]
        tri = head["triangles"][(head["triangle_polygon"] >= lo) & (head["triangle_polygon"] < hi)]
        v = head["vertices"][tri].astype(np.float32)
        for w in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3), (0.5, 0.5, 0), (0, 0.5, 0.5)):
            out.append(np.einsum("k,nkc->nc", np.asarray(w, np.float32), v))
    return np.concatenate(out)


def depth_field(points: Array, arch: Arch, spec: ArchSpec, s: Array, y: Array) -> Array:
    """Smooth outward offset (len(y), len(s)) cm of the labial surface from the curve."""
    near = cKDTree(arch.points).query(points[:, [0, 2]])[1]
    d = np.einsum("nc,nc->n", points[:, [0, 2]] - arch.points[near], arch.normals[near])
    keep = (np.abs(d) < 0.4) & (points[:, 1] > spec.bottom - 0.2) & (points[:, 1] < spec.top + 0.2)
    ps, py, d = arch.s[near][keep], points[keep, 1], d[keep]
    field = np.empty((len(y), len(s)), np.float32)
    for j, yy in enumerate(y):
        for i, ss in enumerate(s):
            m = (np.abs(np.abs(ps) - abs(ss)) < 0.4) & (np.abs(py - yy) < 0.25)
            field[j, i] = np.quantile(d[m], 0.9) if m.sum() > 4 else np.nan
    for j in range(len(y)):
        bad = np.isnan(field[j])
        field[j, bad] = np.nanmedian(field[j]) if not bad.all() else 0.0
    smoothed: Array = gaussian_filter(field, (0.7, 1.5), mode="nearest")
    return smoothed


def lay_teeth(spec: ArchSpec, rng: np.random.Generator) -> list[Tooth]:
    """Teeth of one arch with small seeded irregularities, back teeth first."""
    teeth: list[Tooth] = []
    for side in (-1, 1):
        pos = 0.0
        for kind, width, edge, neck in zip(spec.kinds, spec.widths, spec.edges, spec.necks, strict=True):
            j = rng.uniform(-1, 1, 7)
            w = width * (1 + 0.022 * j[0])
            crowd = 1.0 if spec.name == "upper" else 1.5
            teeth.append(Tooth(kind, side, side * (pos + w / 2 + 0.005 * j[1]), w * 1.03, neck + 0.045 * j[2],
                               edge + 0.028 * j[3], 0.03 * crowd * j[4] + 0.012 * side,
                               0.045 * j[5], 0.02 * crowd * j[1], 0.016 * crowd * j[6]))
            pos += w
    return sorted(teeth, key=lambda t: -abs(t.centre))


def arch_texture(spec: ArchSpec, arch: Arch, slope: Array, rng: np.random.Generator) -> Array:
    """Arch texture (pixels + lid, WIDTH, 4), sRGB and straight alpha, 0..255."""
    w = WIDTH * SCALE
    cm = w / (2 * spec.half_length)
    hy = round((spec.top - spec.bottom) * cm)
    s, y = np.meshgrid(-spec.half_length + (np.arange(w) + 0.5) / cm, spec.top - (np.arange(hy) + 0.5) / cm)
    s, y = s.astype(np.float32), y.astype(np.float32)
    zero = np.zeros_like(s)
    cv = enamel.Canvas(s, y, cm, cv2.resize(slope, (w, hy), interpolation=cv2.INTER_CUBIC), zero.copy(),
                  np.zeros((*s.shape, 3), np.float32), zero.copy() + 1, zero.copy(), zero.copy(), zero.copy())
    teeth = lay_teeth(spec, rng)
    enamel.paint_gum(cv, teeth, rng)
    grain = enamel.noise(rng, s.shape, 0.09 * cm, 0.03 * cm) * 0.6 + enamel.noise(rng, s.shape, 0.03 * cm, 0.12 * cm) * 0.5
    for tooth in teeth:
        enamel.paint_crown(cv, tooth, grain)
    normals = arch.at(s[0], arch.normals)
    shadow = 0.2 + 0.8 * enamel.smooth(np.abs(s[0]), 4.9, 1.3)
    lin = enamel.shade(cv, normals, shadow.astype(np.float32))
    root = (y - spec.top if spec.name == "upper" else spec.bottom - y) * -1
    cv.alpha *= enamel.smooth(root, 0.02, 0.3) * enamel.smooth(np.abs(s), spec.half_length, spec.half_length - 0.4)
    front = shrink(lin, cv.alpha, spec.pixels)
    if not spec.lid:
        return front
    top, alpha = enamel.occlusal(s[0], teeth, spec.lid * SCALE, cm, rng)
    alpha *= enamel.smooth(np.abs(s[0]), spec.half_length, spec.half_length - 0.4)[None]
    return np.concatenate([front, shrink(0.62 * top * enamel.warm_dark(shadow)[None], alpha, spec.lid)])


def shrink(lin: Array, alpha: Array, rows: int) -> Array:
    """Area-average to texture size in premultiplied linear light, bleed the colour."""
    size = (WIDTH, rows)
    pre = cv2.resize(lin * alpha[..., None], size, interpolation=cv2.INTER_AREA)
    a = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    rgb, weight = pre.copy(), a.copy()
    for sigma in (1, 2, 4, 8, 16, 32):
        hole = (weight < 1e-3)
        p, q = enamel.blur(pre, sigma), enamel.blur(a, sigma)
        rgb[hole], weight[hole] = p[hole], q[hole]
    rgb = rgb / np.maximum(weight, 1e-6)[..., None]
    return np.dstack([enamel.to_srgb(rgb), 255 * a])


def grid_triangles(rows: int, columns: int) -> NDArray[np.int64]:
    """Triangles (m, 3) of a row-major grid, counter-clockwise with row 0 on top."""
    idx = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = idx[:-1, :-1], idx[:-1, 1:], idx[1:, :-1], idx[1:, 1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


def arch_mesh(spec: ArchSpec, arch: Arch, field: Array, s: Array, y: Array) -> dict[str, Array]:
    """Grid mesh of an arch strip: vertices cm, uv (v down), triangles."""
    pos, nrm = arch.at(s, arch.points), arch.at(s, arch.normals)
    x = pos[0][None] + nrm[0][None] * field
    z = pos[1][None] + nrm[1][None] * field
    v = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1).reshape(-1, 3)
    share = spec.pixels / (spec.pixels + spec.lid)
    u, w = np.meshgrid(np.linspace(0, 1, len(s)), np.linspace(0, share, len(y)))
    uv, tri = np.stack([u.ravel(), w.ravel()], 1), grid_triangles(len(y), len(s))
    if spec.lid:
        lid_v, lid_uv = lid_mesh(spec, arch, field[0], s)
        lid_uv[:, 1] = share + (1 - share) * (0.02 + 0.96 * lid_uv[:, 1])
        tri = np.concatenate([grid_triangles(LID_ROWS, len(s)) + len(v), tri])
        v, uv = np.concatenate([v, lid_v]), np.concatenate([uv, lid_uv])
    return {"vertices": v.astype(np.float32), "uv": uv.astype(np.float32), "triangles": tri.astype(np.int16)}


def lid_mesh(spec: ArchSpec, arch: Arch, offset: Array, s: Array) -> tuple[Array, Array]:
    """Ribbon from the inner gum (row 0) over the biting surfaces to the labial edge: cm, uv."""
    ends = np.concatenate([[0], np.cumsum(spec.widths)])
    mids = (ends[:-1] + ends[1:]) / 2
    edge = np.interp(np.abs(s), mids, spec.edges)
    thick = np.interp(np.abs(s), mids, [0.3, 0.32, 0.5, 0.72, 0.8, 0.98, 0.96])
    pos, nrm = arch.at(s, arch.points), arch.at(s, arch.normals)
    v = np.linspace(1, 0, LID_ROWS)[:, None]
    t, fall = np.minimum(1.5 * v, 1.0), np.maximum(3 * v - 2, 0.0)
    d = offset[None] - 0.03 - thick[None] * t - 0.12 * fall
    front = np.interp(np.abs(s), mids, [0.12, 0.1, 0.05, 0.0, 0.0, 0.0, 0.0])
    y = edge[None] - 0.03 - front[None] * t - 0.05 * (1 - (2 * t - 1) ** 2) - 0.95 * fall
    xyz = np.stack([pos[0][None] + nrm[0][None] * d, y, pos[1][None] + nrm[1][None] * d], -1)
    u = np.broadcast_to(np.linspace(0, 1, len(s))[None], d.shape)
    return xyz.reshape(-1, 3), np.stack([u.ravel(), np.broadcast_to(v, d.shape).ravel()], 1)


def encode(rgba: Array) -> NDArray[np.uint8]:
    """PNG bytes (n,) u8 of an RGBA image given as floats 0..255."""
    img = np.clip(np.round(rgba), 0, 255).astype(np.uint8)
    ok, data = cv2.imencode(".png", cv2.cvtColor(img, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not ok:
        raise RuntimeError("PNG encoding failed")
    return data.ravel()


def bake(assets: Path) -> dict[str, Array]:
    """All arrays of the atlas."""
    with np.load(assets / "ict_facekit.npz") as f:
        head = {k: f[k] for k in ("vertices", "triangles", "triangle_polygon", "part_names", "part_polygons",
                                  "tooth_names", "tooth_vertices")}
    rng = np.random.default_rng(SEED)
    points = surface_points(head)
    out: dict[str, Array] = {"cavity_rgb": np.array(CAVITY_RGB, np.uint8)}
    for spec in (UPPER, LOWER):
        arch = labial_curve(head, spec.name)
        s = np.linspace(-spec.half_length, spec.half_length, COLUMNS, dtype=np.float32)
        y = np.linspace(spec.top, spec.bottom, ROWS, dtype=np.float32)
        field = depth_field(points, arch, spec, s, y)
        slope = -np.gradient(field, axis=0) / np.abs(y[1] - y[0])
        mesh = arch_mesh(spec, arch, field, s, y)
        out.update({f"{spec.name}_{k}": v for k, v in mesh.items()})
        out[f"{spec.name}_png"] = encode(arch_texture(spec, arch, slope.astype(np.float32), rng))
    parts = tongue.mesh()
    for key in ("vertices", "uv", "triangles"):
        out[f"tongue_{key}"] = parts[key]
    out["tongue_out"], out["tongue_up"] = parts["tongue_out"], parts["tongue_up"]
    out["tongue_png"] = encode(tongue.texture(256, SCALE, rng))
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Bake the mouth-interior atlas.")
    parser.add_argument("--assets", type=Path, required=True, help="directory with ict_facekit.npz")
    parser.add_argument("--out", type=Path, required=True, help="output .npz")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    atlas: dict[str, Any] = bake(args.assets)
    np.savez_compressed(args.out, **atlas)
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
