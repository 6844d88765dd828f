"""Puts a plan's meshes together and draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np
from training.people import names

from training.people import cards, props
from training.people.assets import Assets, Card, Floats
from training.people.layers import smooth
from training.people.names import LABEL
from training.people.painter import NO_TEXTURE, Buffers, Painter, Shell
from training.people.plan import Colour, Plan
from training.people.rig import Rig, Shape, turn

NECK = np.array([0.0, -8.0, -1.0], np.float32)
FACE_CM = 19.0
FUR_LAYERS = 9
UNCUT = 99.0
NO_PATTERN = (0.0, 0.0, 0.0, 0.0)
CLOTH_BIAS = 0.6
"""Clothes are drawn this much nearer (cm), so that skin does not come through."""
HAT_LINE = 8.5
"""Hair above this height (cm) is under the hat."""
NO_TRIM = (-99.0, 0.0, UNCUT)
SHADOW_BOX = (27.0, -45.0, 45.0)


@dataclass(frozen=True)
class Lens:
    """Pinhole camera on the head's axis."""

    focal: float
    """Pixels of the finished image."""
    centre: tuple[float, float]
    """Pixel (y down) where the head's origin is seen."""
    distance: float
    size: int

    @property
    def span(self) -> tuple[float, float]:
        """Near and far planes, cm."""
        return max(self.distance - 60.0, 6.0), self.distance + 80.0

    def project(self, view: Floats) -> Floats:
        """Pixels and cm from the camera (n, 3) of points in the view frame."""
        away = self.distance - view[:, 2]
        x = self.centre[0] + self.focal * view[:, 0] / away
        y = self.centre[1] - self.focal * view[:, 1] / away
        return np.stack([x, y, away], 1)


@dataclass(frozen=True)
class Drawn:
    """One drawn plan."""

    buffers: Buffers
    lens: Lens
    rotation: Floats
    """Head frame to view frame."""
    view: Floats
    """(478, 3) points in the view frame, cm."""
    normals: Floats
    eyes: Floats
    """(2, 3) eyeball centres in the view frame."""


def turn_weight(points: Floats) -> Floats:
    """How far points (n, 3) of the neutral figure follow the head's turn."""
    y, z = points[:, 1], points[:, 2]
    line = np.maximum(-8.4, -3.2 - 0.82 * np.clip(z - 1, 0, None))
    return smooth(y - line, -7.5, -0.2)


def quaternion(rotation: Floats) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a rotation matrix."""
    w = np.sqrt(max(1 + np.trace(rotation), 1e-9)) / 2
    r = rotation
    return (float(r[2, 1] - r[1, 2]) / (4 * w), float(r[0, 2] - r[2, 0]) / (4 * w), float(r[1, 0] - r[0, 1]) / (4 * w), float(w))


class Scene:
    """Draws plans at one image size."""

    def __init__(self, assets: Assets, size: int) -> None:
        self.assets, self.rig, self.image_size = assets, Rig(assets), size
        self.painter = Painter(assets, size)
        mesh = assets.mesh
        neutral = assets.head.vertices[mesh.source]
        within = np.isin(mesh.material, (2, 4, 5, 7))
        openness = np.where(within, smooth(neutral[:, 2], 5.0, 10.6), 1.0)
        lip = (mesh.material == 0) & (np.abs(neutral[:, 0]) < 3.4) & (np.abs(neutral[:, 1] + 3.3) < 1.8)
        openness = np.where(lip, 0.4 + 0.6 * smooth(neutral[:, 2], 10.2, 11.2), openness)
        extra = np.stack([mesh.material, turn_weight(neutral), openness], 1)
        self.head = self.painter.mesh(mesh.uvs, extra, mesh.triangles)
        skin = np.isin(mesh.material[mesh.triangles[:, 0]], (0, 1))
        self.fur = self.painter.mesh(mesh.uvs, extra, mesh.triangles[skin])
        self.cards: dict[str, tuple[Card, Shell]] = {}

    def card(self, kind: str, name: str) -> tuple[Card, Shell]:
        """A card mesh, loaded at first use."""
        key = f"{kind}_{name}"
        if key not in self.cards:
            card = self.assets.card(kind, name)
            if kind == "clothes" and "fedora" not in name:
                card = cards.lower_arms(card)
            weight = np.zeros(len(card.vertices), np.float32) if kind == "clothes" else turn_weight(card.vertices)
            if "fedora" in name or kind != "hair":
                weight = np.full(len(card.vertices), float(kind != "clothes" or "fedora" in name), np.float32)
            self.cards[key] = card, self.painter.card_mesh(card, weight)
        return self.cards[key]

    def draw(self, plan: Plan) -> Drawn:
        """Render one plan."""
        face = plan.face
        shape = self.rig.shape(face.identity, face.weights, face.gaze, face.stretch, face.extra, face.tongue_back)
        points, normals = self.rig.points(shape, plan.eyes.iris[0])
        rotation = turn(*plan.view.pose)
        origin = 0.5 * (points[names.RIGHT_OUTER_EYE] + points[names.LEFT_OUTER_EYE])
        view = (points - origin) @ rotation.T
        lens = self._lens(plan, view)
        self._frame(plan, rotation, origin, lens, shape)
        self._upload(plan, shape)
        things = props.glasses(plan, points, shape.eyes) + props.strands(plan, points) + props.held(plan, rotation, origin)
        drawn = [(p, self._prop_mesh(p)) for p in things]
        self._shadow(plan, drawn)
        self.painter.begin()
        self._solid(plan, drawn)
        self._fringes(plan, drawn)
        buffers = self.painter.read(*lens.span)
        for _, mesh in drawn:
            mesh.release()
        return Drawn(buffers, lens, rotation, view, normals @ rotation.T, (shape.eyes - origin) @ rotation.T)

    def _lens(self, plan: Plan, view: Floats) -> Lens:
        size, look = self.image_size, plan.view
        focal = look.face * size / FACE_CM * look.distance
        probe = Lens(focal, (0.0, 0.0), look.distance, size).project(view)
        middle = 0.5 * (probe[:, :2].min(0) + probe[:, :2].max(0))
        return Lens(focal, (look.centre[0] * size - middle[0], look.centre[1] * size - middle[1]), look.distance, size)

    def _frame(self, plan: Plan, rotation: Floats, origin: Floats, lens: Lens, shape: Shape) -> None:
        lights, size = plan.lights, self.image_size
        key = lights.key.way
        side = np.cross([0.0, 1.0, 0.01], key)
        side /= np.linalg.norm(side)
        to_light = np.stack([side, np.cross(key, side), key]).astype(np.float32)
        scale = 2 * lens.focal / size
        near, far = lens.span
        self.painter.set({
            "head_turn": rotation, "bend": quaternion(rotation.T @ turn(*plan.view.body)), "neck": NECK * plan.face.stretch,
            "origin": origin, "lens": (scale, scale, 2 * lens.centre[0] / size - 1, 1 - 2 * lens.centre[1] / size),
            "range": (lens.distance, near, far), "to_light": to_light, "light_box": SHADOW_BOX,
            "key_way": key, "key_colour": lights.key.colour, "fill_way": lights.fill.way, "fill_colour": lights.fill.colour,
            "rim_way": lights.rim.way, "rim_colour": lights.rim.colour, "sky": lights.sky, "ground": lights.ground,
            "camera": (0.0, 0.0, lens.distance), "softness": lights.softness, "bias": 0.0, "shell": 0.0, "sag": (0.0, 0.0, 0.0),
            "eye_y": float(shape.eyes[:, 1].mean()),
        })  # fmt: skip

    def _upload(self, plan: Plan, shape: Shape) -> None:
        source = self.assets.mesh.source
        self.head.write(shape.vertices[source], shape.normals[source])
        if plan.hair.fur[0] > 0 or plan.skin.beard[0] > 0:
            self.fur.write(shape.vertices[source], shape.normals[source])
        for kind, name in self._worn(plan):
            card, shell = self.card(kind, name)
            if kind == "hair":
                points = self._styled(plan, shape.follow(card, False))
            elif kind == "clothes" and "fedora" not in name:
                points = card.vertices
            else:
                points = shape.follow(card, kind in ("eyebrow", "eyelash"))
            shell.write(points, cards.card_normals(card, points))

    def _styled(self, plan: Plan, points: Floats) -> Floats:
        middle = np.array([0.0, 4.0, 0.0], np.float32)
        scale = plan.hair.grow * np.array([-1.0 if plan.hair.mirrored else 1.0, 1.0, 1.0], np.float32)
        return ((points - middle) * scale + middle).astype(np.float32)

    def _worn(self, plan: Plan) -> list[tuple[str, str]]:
        hair = [("hair", plan.hair.card)] if plan.hair.card else []
        brow = [("eyebrow", plan.hair.brow)] if plan.hair.brow_weight > 0 else []
        lash = [("eyelash", plan.eyes.lash)] if plan.eyes.lash_weight > 0 else []
        wear = [("clothes", n) for n in (plan.wear.clothes, plan.wear.hat) if n]
        return hair + brow + lash + wear

    def _shadow(self, plan: Plan, things: list[tuple[props.Prop, Shell]]) -> None:
        self.painter.begin_shadow()
        self._mapless()
        self.painter.set({"tuck": 1.0})
        self.painter.draw("shadow", self.head)
        self.painter.set({"tuck": 0.0})
        for kind, name in self._worn(plan):
            if kind in ("hair", "clothes"):
                card, shell = self.card(kind, name)
                self.painter.set({"trim": self._trim(plan) if kind == "hair" else NO_TRIM})
                self.painter.bind("shadow", {"map": self.painter.texture(card.texture)})
                self.painter.set({"cut": (0.5, float(card.texture.endswith("png")))})
                self.painter.draw("shadow", shell)
        self._mapless()
        for prop, mesh in things:
            if prop.alpha == 1:
                self.painter.draw("shadow", mesh)

    def _trim(self, plan: Plan) -> tuple[float, float, float]:
        return (*plan.hair.trim, HAT_LINE if plan.wear.hat else UNCUT)

    def _mapless(self) -> None:
        self.painter.bind("shadow", {"map": self.painter.texture(NO_TEXTURE)})
        self.painter.set({"cut": (0.5, 0.0), "trim": NO_TRIM})

    def _solid(self, plan: Plan, things: list[tuple[props.Prop, Shell]]) -> None:
        painter, skin = self.painter, plan.skin
        painter.only("both")
        face, mean_face = painter.skin(skin.name, "face")
        back, _ = painter.skin(skin.name, "head")
        layers = {k: painter.textures[k] for k in ("layer_first", "layer_second", "layer_back", "noise")}
        eye = painter.texture(f"eyes_front/{plan.eyes.texture}_eye.png")
        painter.bind("head", {"skin_face": face, "skin_back": back, **layers, "eye_map": eye, "shadow": painter.shadow})
        gape = 0.30 + 0.5 * min(float(plan.face.weights[17]) * 1.5, 1.0)
        painter.set({
            "mean_face": mean_face, "mean_back": mean_face, "tone": skin.tone, "lip_tint": skin.lip_tint, "lip_hue": skin.lip_hue,
            "blush_tint": skin.blush_tint, "shade_tint": skin.shade_tint, "hair_tint": plan.hair.brow_tint,
            "iris_tint": plan.eyes.tint, "flush": (1.0, 0.8, 0.78), "paint": skin.paint, "grow": skin.grow,
            "texture_": skin.texture, "sheen": skin.sheen, "iris": plan.eyes.iris, "teeth_tint": skin.teeth, "gape": gape,
        }, "head")  # fmt: skip
        painter.set({"tuck": 1.0})
        painter.draw("head", self.head)
        painter.set({"tuck": 0.0})
        for kind, name in self._worn(plan):
            if kind == "clothes":
                hat = "fedora" in name
                tint = plan.wear.hat_tint if hat else plan.wear.clothes_tint
                plain = hat or plan.wear.pattern[0] > 0
                self._cloth(*self.card(kind, name), tint, plain, NO_PATTERN if hat else plan.wear.pattern)
        for prop, mesh in things:
            if prop.alpha > 0.5:
                self._thing(prop, mesh)
        self._furs(plan, layers)
        if plan.hair.card:
            self._hair(plan, 0.5)

    def _prop_mesh(self, prop: props.Prop) -> Shell:
        n = len(prop.points)
        extra = np.tile(np.array([0.0, 1.0, 1.0], np.float32), (n, 1))
        mesh = self.painter.mesh((prop.points[:, :2] * 0.1).astype(np.float32), extra, prop.triangles)
        mesh.write(prop.points, prop.normals)
        return mesh

    def _thing(self, prop: props.Prop, mesh: Shell) -> None:
        painter = self.painter
        painter.bind("card", {"map": painter.texture(NO_TEXTURE), "noise": painter.textures["noise"], "shadow": painter.shadow})
        painter.set({"tint": prop.tint, "spec_tint": (1.0, 1.0, 1.0), "fibre": (0.15, 3.0, 3.0, 1.0),
                     "weave": (0.0, 0.0, float(prop.label), prop.alpha), "shine": (*prop.gloss, float(prop.hair)), "bias": 0.0,
                     "trim": NO_TRIM, "pattern": NO_PATTERN})  # fmt: skip
        painter.draw("card", mesh)

    def _cloth(self, card: Card, shell: Shell, tint: Colour, plain: bool, pattern: tuple[float, ...]) -> None:
        painter = self.painter
        painter.bind("card", {"map": painter.texture(card.texture), "noise": painter.textures["noise"], "shadow": painter.shadow})
        painter.set({"tint": tint, "spec_tint": (1.0, 1.0, 1.0), "weave": (float(not plain), 0.5, float(LABEL["clothes"]), 1.0),
                     "fibre": (0.25, 14.0, 14.0, 0.0), "shine": (0.01, 12.0, 0.0), "bias": CLOTH_BIAS, "pattern": pattern,
                     "trim": NO_TRIM}, "card")  # fmt: skip
        painter.draw("card", shell)
        painter.set({"bias": 0.0})

    def _hair(self, plan: Plan, cut: float) -> None:
        painter, hair = self.painter, plan.hair
        card, shell = self.card("hair", hair.card)
        painter.bind("card", {"map": painter.texture(card.texture), "noise": painter.textures["noise"], "shadow": painter.shadow})
        drawn = float(card.texture.endswith("png"))
        tint = tuple(float(c) * (cards.HAIR_GAIN.get(hair.card, 1.0) if drawn else 1.0) for c in hair.tint)
        painter.set({"tint": tint, "spec_tint": tuple(0.3 + 0.7 * c for c in hair.tint),
                     "weave": (drawn * 0.85, cut, float(LABEL["hair"]), 1.0), "fibre": (0.9, 7.0, 2.5, drawn),
                     "shine": (*hair.shine, 1.0), "bias": 0.0, "trim": self._trim(plan), "pattern": NO_PATTERN}, "card")  # fmt: skip
        painter.draw("card", shell)

    def _furs(self, plan: Plan, layers: dict[str, Any]) -> None:
        skin, hair, painter = plan.skin, plan.hair, self.painter
        painter.bind("fur", {**layers, "shadow": painter.shadow})
        jobs = ((hair.fur, hair.tint, 0, "hair"), ((*skin.beard[:2], 3.0), hair.brow_tint, skin.beard[2], "skin"))
        for (length, density, scale), tint, region, label in jobs:
            if length <= 0:
                continue
            n = FUR_LAYERS if length > 0.4 else 5
            for height in np.linspace(1 / n, 1, n):
                painter.set({"tint": tint, "fur": (float(height), density, scale, float(region)), "label": float(LABEL[label]), "cap": HAT_LINE if plan.wear.hat else UNCUT,
                             "shell": float(length * height), "sag": (0.0, -0.35 * float(height), 0.0)})  # fmt: skip
                painter.draw("fur", self.fur)
            painter.set({"shell": 0.0, "sag": (0.0, 0.0, 0.0)})

    def _fringes(self, plan: Plan, things: list[tuple[props.Prop, Shell]]) -> None:
        """Blended edges: brows, lashes, hair, and what the labels need of them."""
        painter = self.painter
        jobs = (("eyebrow", plan.hair.brow, plan.hair.brow_weight, plan.hair.brow_tint, 0.3),
                ("eyelash", plan.eyes.lash, plan.eyes.lash_weight, (0.012, 0.01, 0.01), 0.12))  # fmt: skip
        for what in ("colour", "truth"):
            painter.only(what)
            for kind, name, weight, tint, bias in jobs:
                if weight <= 0 or (what == "truth" and kind == "eyelash"):
                    continue
                card, shell = self.card(kind, name)
                painter.bind("card", {"map": painter.texture(card.texture or f"{name}.png"), "noise": painter.textures["noise"],
                                      "shadow": painter.shadow})  # fmt: skip
                painter.set({"tint": tint, "spec_tint": tint, "weave": (0.0, 0.3, float(LABEL["brow"]), weight), "bias": bias,
                             "fibre": (0.3, 4.0, 4.0, 1.0), "shine": (0.0, 20.0, 0.0), "trim": NO_TRIM, "pattern": NO_PATTERN}, "card")  # fmt: skip
                painter.draw("card", shell)
                painter.set({"bias": 0.0})
        painter.only("colour")
        if plan.hair.card:
            self._hair(plan, 0.02)
        for prop, mesh in things:
            if prop.alpha <= 0.5:
                self._thing(prop, mesh)
