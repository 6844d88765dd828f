"""A light stage: one plan drawn under many single lamps, each with its own shadow, whose pictures add up.

The sum of lamps spread over a softbox or the sky has soft shadows and dark corners that no single drawing has. Skin and its
shine are drawn apart, so that light can spread under the skin by a blur of what falls on it, not of its texture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synthetic_faces.assets import Bytes, Floats
from training.synthetic_faces.names import LABEL
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Colour, Light, Lights, Plan
from training.synthetic_faces.rig import turn
from training.synthetic_faces.sample_plan import direction
from training.synthetic_faces.scene import Drawn

BLACK: Colour = (0.0, 0.0, 0.0)
WEIGHTS = np.array([0.3, 0.6, 0.1], np.float32)
SKIN = [LABEL[n] for n in ("skin", "lips", "neck")]
EYE = [LABEL[n] for n in ("eyeball", "iris")]
UNDER_SKIN_CM = ((0.20, 0.11, 0.08), (0.06, 0.04, 0.03))
"""How far light spreads under the skin in red, green and blue: a wide and a narrow part, mixed half and half."""
UNDER_SKIN = 0.75
"""Share of the light that does so."""
LOBES = (11.0, 34.0)
"""Powers of the two parts of the skin's shine."""
EYE_SHADE = 0.8
"""Light that lids and lashes leave to the eyes."""
IRIS_SINE = 0.5
"""Sine of the angle from the eye's axis to the rim of the iris."""
CORNEA = 1.5
"""The cornea is so much rounder than the eyeball."""


OFF = Light(direction(150, 20), BLACK)
EVEN = Lights(OFF, OFF, OFF, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 0.001)
"""Light from everywhere, which shows the bare reflectance."""


@dataclass(frozen=True)
class Lamp:
    """A softbox, or with a spread of 90 degrees and more a part of the sky."""

    azimuth_deg: float
    height_deg: float
    spread_deg: float
    colour: Colour
    samples: int
    shine: float = 1.0
    """Share of its light that shines on the skin."""
    glint: float = 0.0
    """Strength of its reflection in the eyes."""

    def ways(self) -> Iterator[Floats]:
        """Unit vectors (3,) towards its parts: a golden spiral over a cap about the middle."""
        middle = direction(self.azimuth_deg, self.height_deg)
        side = np.cross([0.0, 1.0, 0.01], middle)
        side /= np.linalg.norm(side)
        for k in range(self.samples):
            cos = 1 - (1 - np.cos(np.radians(self.spread_deg))) * (k + 0.5) / self.samples
            sin, angle = np.sqrt(1 - cos * cos), 2.39996 * k
            around = np.cos(angle) * side + np.sin(angle) * np.cross(middle, side)
            yield np.asarray(cos * middle + sin * around, np.float32)


def curve() -> Floats:
    """(256,) linear light of an `encode`d grey byte, before its soft shoulder is undone."""
    out: Floats = (np.arange(256, dtype=np.float32) / np.float32(255)) ** np.float32(2.2)
    return out


CURVE = curve()


def decode(colour: Bytes) -> Floats:
    """Undo `encode` of the shaders: (h, w, 4) premultiplied bytes to premultiplied linear light."""
    alpha = colour[..., 3:].astype(np.float32) / 255
    toned = CURVE[colour[..., :3]]
    edge = (colour[..., 3] < 255) & (colour[..., 3] > 0)
    share = alpha[edge]
    toned[edge] = np.clip(colour[edge][:, :3] / (255 * share), 0, 1) ** 2.2 * share
    light = toned / np.maximum(1 - 0.18 * (toned @ WEIGHTS), 0.2)[..., None]
    return np.concatenate([light, alpha], 2)


class Stage:
    """Photographs plans at the size of a studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.size = studio, studio.size

    def photograph(self, plan: Plan, lamps: tuple[Lamp, ...]) -> tuple[Floats, Floats]:
        """Premultiplied linear light (h, w, 4) and the share of skin (h, w)."""
        dull = replace(plan, skin=replace(plan.skin, sheen=(0.0, 20.0, 0.0, plan.skin.sheen[3])))
        flat = self._drawn(dull, EVEN)
        albedo = decode(self._half(flat.buffers.colour))[..., :3]
        seen = np.isfinite(flat.buffers.depth)
        labels = flat.buffers.truth[..., 3]
        skin, eyes = (self._half((np.isin(labels, rows) & seen).astype(np.float32)) for rows in (SKIN, EYE))
        light, shine = np.zeros((*albedo.shape[:2], 4), np.float32), np.zeros_like(albedo)
        normals, count = np.zeros_like(albedo), 0
        for lamp in lamps:
            for k, way in enumerate(lamp.ways()):
                part = np.asarray(lamp.colour, np.float32) / lamp.samples
                count += 1
                drawn = self._drawn(self._moved(dull, count), single(way))
                linear = decode(self._half(drawn.buffers.colour))
                light += np.append(part, 1) * linear
                normals += self._half(drawn.buffers.truth)[..., :3]
                if lamp.shine > 0 and k % 2 == 0:
                    wet = self._drawn(self._moved(glossy(plan, LOBES[k // 2 % 2]), count), single(way))
                    shine += 2 * lamp.shine * part * decode(self._half(wet.buffers.colour))[..., :3]
        light[..., 3] /= count
        scale = flat.lens.focal / flat.lens.distance
        light[..., :3] = spread(light[..., :3], albedo, skin, scale) + shine * skin[..., None]
        glints = cv2.GaussianBlur(
            reflections((normals / count / 127.5 - 1).astype(np.float32), plan, lamps), (0, 0), 0.0009 * self.size
        )
        light[..., :3] += eyes[..., None] * (glints - (1 - EYE_SHADE) * light[..., :3])
        return light, skin

    def _drawn(self, plan: Plan, lights: Lights) -> Drawn:
        return self.studio.scene.draw(replace(plan, lights=lights))

    def _moved(self, plan: Plan, count: int) -> Plan:
        """Moved within a pixel, another way each time, so that edges are smooth in the sum."""
        x, y = ((count + 1) * np.array([0.7549, 0.5698])) % 1 - 0.5
        centre = plan.view.centre[0] + float(x) / self.size, plan.view.centre[1] + float(y) / self.size
        return replace(plan, view=replace(plan.view, centre=centre))

    def _half(self, image: NDArray[Any]) -> NDArray[Any]:
        out: NDArray[Any] = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return out


def single(way: Floats) -> Lights:
    """One white lamp alone, with a sharp shadow."""
    return Lights(Light(way, (1.0, 1.0, 1.0)), OFF, OFF, BLACK, BLACK, 0.004, 0.004)


def glossy(plan: Plan, power: float) -> Plan:
    """Skin that shines and is black otherwise."""
    strength, _, lips, scatter = plan.skin.sheen
    return replace(plan, skin=replace(plan.skin, tone=BLACK, lip_tint=BLACK, sheen=(strength, power, lips, scatter),
                                      paint=(0.0, 0.0, 0.0, 0.0)))  # fmt: skip


def spread(light: Floats, albedo: Floats, skin: Floats, px_per_cm: float) -> Floats:
    """Light (h, w, 3) off a surface with reflectance `albedo`, spread under what is skin (h, w)."""
    safe = np.maximum(albedo, 0.004)
    fallen = light / safe * skin[..., None]
    wide = np.zeros_like(fallen)
    for radii in UNDER_SKIN_CM:
        for c, radius in enumerate(radii):
            sigma = max(radius * px_per_cm, 0.3)
            share = cv2.GaussianBlur(skin, (0, 0), sigma)
            wide[..., c] += 0.5 * cv2.GaussianBlur(fallen[..., c], (0, 0), sigma) / np.maximum(share, 0.05)
    return np.asarray(light + UNDER_SKIN * skin[..., None] ** 2 * (wide * safe - light), np.float32)


def reflections(normals: Floats, plan: Plan, lamps: tuple[Lamp, ...]) -> Floats:
    """Lamps (h, w, 3) seen in wet eyes with these normals (h, w, 3) in the view frame."""
    n = normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-3)
    out = np.zeros_like(n)
    gaze = turn(*plan.view.pose) @ turn(*(float(v) for v in plan.face.gaze.mean(0)))[:, 2]
    away = np.linalg.norm(n - gaze, axis=2, keepdims=True)
    rounder = 1 + (CORNEA - 1) * np.clip((1.25 * IRIS_SINE - away) / (0.25 * IRIS_SINE), 0, 1)
    n = gaze + rounder * (n - gaze)
    n = n / np.linalg.norm(n, axis=2, keepdims=True)
    mirrored = 2 * n[..., 2:] * n - (0.0, 0.0, 1.0)
    for lamp in lamps:
        if lamp.glint > 0:
            middle = direction(lamp.azimuth_deg, lamp.height_deg)
            side = np.cross([0.0, 1.0, 0.01], middle)
            side /= np.linalg.norm(side)
            x, y = np.abs(mirrored @ side), np.abs(mirrored @ np.cross(middle, side))
            half = np.sin(np.radians(lamp.spread_deg))
            seen = np.clip((1 - np.maximum(x, y) / half) * 6, 0, 1) * (mirrored @ middle > 0)
            out += lamp.glint * seen[..., None] * np.asarray(lamp.colour, np.float32)
    return out.astype(np.float32)


def expose(light: Floats, skin: Floats, behind: Floats, face: float) -> Floats:
    """(h, w, 3) sRGB 0..1 of premultiplied linear light before a linear backdrop (h, w, 3); the face's mean becomes `face`."""
    mean = float((light[..., :3] @ WEIGHTS)[skin > 0.9].mean())
    gain = face**2.2 / mean
    lit = light[..., :3] * gain + behind * (1 - light[..., 3:])
    return np.asarray(developed(lit), np.float32)


def developed(lit: Floats) -> Floats:
    """Linear light to sRGB with a soft shoulder: white is reached at 4, 18 % grey stays."""
    toned = lit * (1 + lit / 16.0) / (1 + 0.22 * lit)
    out: Floats = np.clip(toned, 0, 1) ** np.float32(1 / 2.2)
    return out
