"""The edge of an upper lid that closes: a dark line, and the lashes that hang from it.

Both are as fine as a frame can show and no finer: of finer strokes a frame shows chance ones, as stairs and specks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from vivant.easing import smoothsteps
from vivant.rig.mesh import strip_triangles
from vivant.rig.patch import Patch
from vivant.rig.scene_builder import SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.types import ARKIT_INDEX, FloatArray, IntArray, UInt8Array

FADES_IN, HIDDEN = 2.0, 0.08
"""Alpha of the lashes over the weight of a blink, beyond what is hidden of it."""
BEGIN = (0.0, 0.3)
"""Part of the lid, from the nose on, over which line and lashes come out."""
LASHES, LENGTH = 36, 0.055
"""How many there are: of fewer a gaze is seen in the lashes of a shut lid; and how long the longest is, outer-eye distances."""
LINE, LINE_ALPHA = (-0.008, 0.0, 0.013), 0.8
"""From where to where the line fades in and out, downwards, outer-eye distances, and its alpha over that of the lashes."""
RUNS_OUT, THINS = 0.045, (0.7, 1.0)
"""How far the line goes on beyond the outer corner, outer-eye distances, and over which part of the lid it becomes thinner."""
DARKER = 0.6
"""Colour of both over that of the open lid's own edge. All of this was chosen by eye."""


@dataclass(frozen=True)
class _Edge:
    """The lid's lower edge from the nose to the temple."""

    leaders: IntArray
    """(n,) vertices of the skin."""
    points: FloatArray
    """(n, 3)"""
    along: FloatArray
    """(n,) 0 to 1."""
    length: float
    """px"""
    blink: int
    """The shape that closes it."""

    @classmethod
    def of(cls, skin: Skin, side: int) -> _Edge:
        leaders = np.array(skin.upper_lids[side][:: 1 if side else -1])
        points = skin.points[leaders]
        way = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)))
        return cls(leaders, points, way / way[-1], float(way[-1]), ARKIT_INDEX[f"eyeBlink{('Right', 'Left')[side]}"])


def add_lashes(pool: SceneBuilder, skin: Skin, side: int, patch: Patch, unit: float, strength: float) -> None:
    """Line and lashes of the person's right (0) or left eye, in the colour of the open lid's edge in its ``patch``."""
    edge = _Edge.of(skin, side)
    x, y = np.clip(patch.uv(edge.points).astype(int), 0, np.array(patch.pixels.shape[1::-1]) - 1).T
    colour = DARKER * np.percentile(patch.pixels[y, x], 20, axis=0)
    shows = FADES_IN * strength * smoothsteps(edge.along, *BEGIN)
    _add_hairs(pool, edge, colour, shows, unit, patch.texels_per_px)
    _add_line(pool, edge, colour, shows, unit)


def _add_hairs(
    pool: SceneBuilder, edge: _Edge, colour: FloatArray, shows: FloatArray, unit: float, texels_per_px: float
) -> None:
    """Longest towards the temple; they turn down as the lid does."""
    reach = LENGTH * unit * (0.35 + 0.65 * np.sin(np.pi * (0.15 + 0.8 * edge.along)))
    picture = _hairs(colour, edge.length * texels_per_px, float(reach.max()) * texels_per_px)
    outwards = np.sign(edge.points[-1, 0] - edge.points[0, 0]) * 0.35 * (edge.along - 0.4)
    tips = reach[:, None] * np.column_stack([outwards, np.ones(len(reach)), np.zeros(len(reach))])
    starts = []
    for share in (0.0, 1.0):
        places = 0.5 + np.column_stack([edge.along, np.full(len(reach), share)]) * (np.array(picture.shape[1::-1]) - 1.0)
        starts.append(_add_row(pool, edge, edge.points, edge.leaders, places, shows))
        pool.add_moves(edge.blink, starts[-1], share * tips)
    pool.add_layer(strip_triangles(starts[0], starts[1], len(reach)), pool.add_texture("lashes", picture))


def _add_line(pool: SceneBuilder, edge: _Edge, colour: FloatArray, shows: FloatArray, unit: float) -> None:
    """It runs out beyond the outer corner."""
    onwards = edge.points[-1] - edge.points[0]
    points = np.concatenate([edge.points, [edge.points[-1] + RUNS_OUT * unit * onwards / np.linalg.norm(onwards)]])
    leaders = np.append(edge.leaders, edge.leaders[-1])
    alpha = np.append(LINE_ALPHA * shows * (1.0 - 0.6 * smoothsteps(edge.along, *THINS)), 0.0)
    thickness = unit * (0.5 + 0.5 * alpha / max(float(alpha.max()), 1e-6))
    starts = []
    for down, peak in zip(LINE, (0.0, 1.0, 0.0), strict=True):
        row = points + np.column_stack([np.zeros(len(points)), down * thickness, np.zeros(len(points))])
        starts.append(_add_row(pool, edge, row, leaders, np.full((len(points), 2), 2.0), peak * alpha))
    texture = pool.add_texture("line of the lid", np.full((4, 4, 4), (*np.round(colour), 255), np.uint8))
    for above, below in pairwise(starts):
        pool.add_layer(strip_triangles(above, below, len(points)), texture)


def _add_row(pool: SceneBuilder, edge: _Edge, points: FloatArray, leaders: IntArray, uv: FloatArray, alpha: FloatArray) -> int:
    """Vertices (n, 3) that go with the lid and show as it closes; returns the first one's number."""
    hidden = np.column_stack([np.ones((len(points), 3)), np.full(len(points), -HIDDEN)])
    start = pool.add_vertices(unproject(points + (0.0, 0.0, 1.0)), uv, 1.0, hidden)
    pool.link(start + np.arange(len(points)), leaders)
    pool.add_tints(edge.blink, start, np.column_stack([np.zeros((len(points), 3)), alpha]))
    return start


def _hairs(colour: FloatArray, width_texels: float, height_texels: float) -> UInt8Array:
    """Tapering lashes that hang from the upper border, drawn large and averaged down to about the size they are shown at."""
    width, height, zoom = max(16, round(width_texels)), max(4, round(height_texels)), 8
    picture = Image.new("L", (width * zoom, height * zoom), 0)
    draw = ImageDraw.Draw(picture)
    chance = np.random.default_rng(7)
    step = zoom * width / LASHES
    for middle in step * (np.arange(LASHES) + 0.5):
        x = middle + 0.3 * step * chance.normal()
        lean = 0.1 * (x - width * zoom / 2) + step * chance.normal()
        length = height * zoom * (0.6 + 0.4 * chance.random())
        steps = np.linspace(0, 1, 9)
        path = [(x + lean * t * t, length * t) for t in steps]
        for (a, b), t in zip(pairwise(path), steps, strict=False):
            draw.line((a, b), fill=int(200 * (1 - 0.75 * t)), width=max(1, round((0.55 * (1 - t) + 0.1) * step)))
    alpha = np.asarray(picture.resize((width, height), Image.Resampling.BOX))
    rgb = np.broadcast_to(np.round(colour).astype(np.uint8), (height, width, 3))
    return np.dstack([rgb, alpha])
