"""Draws the parts of a person with their looks: skin, eyes, hair, clothes, things."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.synthetic_faces import cards
from training.synthetic_faces.assets import BITE_Y, TEETH, Assets, Card, Floats
from training.synthetic_faces.gl_renderer import NO_TEXTURE, Painter, Shell
from training.synthetic_faces.layers import smooth
from training.synthetic_faces.names import LABEL
from training.synthetic_faces.plan import Colour, Plan
from training.synthetic_faces.props import Prop
from training.synthetic_faces.rig import Shape

FUR_LAYERS = 9
UNCUT = 99.0
NO_TRIM = (-UNCUT, 0.0, UNCUT)
HAT_LINE = 8.5
"""Hair above this height (cm) is under the hat."""
CLOTH_BIAS = 0.6
"""Clothes are drawn this much nearer (cm), so that skin does not come through."""
FUZZ = ((0.2, 0.58), (0.4, 0.66), (0.7, 0.78))
"""Layers of loose hair: height as a share, level of noise above which strands are."""
LAYERS = ("layer_first", "layer_second", "layer_back", "noise")
JAW_OPEN = 17
UPPER_EDGE, LOWER_EDGE, UNDER_LIPS = -3.5, -3.35, 0.4
"""Where the teeth end, cm, and how much less light falls on them a centimetre further into the gums; chosen by eye."""
CARD_LOOK: dict[str, Any] = {"spec_tint": (1.0, 1.0, 1.0), "fibre": (0.0, 1.0, 1.0, 0.0), "shine": (0.0, 20.0, 0.0),
                             "bias": 0.0, "trim": NO_TRIM, "pattern": (0.0,) * 4, "shell": 0.0, "fuzz": 0.0}  # fmt: skip

Things = list[tuple[Prop, Shell]]


def turn_weight(points: Floats) -> Floats:
    """How far points (n, 3) of the neutral figure follow the head's turn."""
    y, z = points[:, 1], points[:, 2]
    line = np.maximum(-8.4, -3.2 - 0.82 * np.clip(z - 1, 0, None))
    return smooth(y - line, -7.5, -0.2)


def openness(material: Floats, neutral: Floats) -> Floats:
    """How much light reaches each corner (n,): less into the mouth and between the lips."""
    within = np.isin(material, (2, 4, 5, 7))
    deep = np.where(within, smooth(neutral[:, 2], 5.0, 10.6), 1.0)
    from_edge = np.where(neutral[:, 1] > BITE_Y, neutral[:, 1] - UPPER_EDGE, LOWER_EDGE - neutral[:, 1])
    deep *= np.where(material == TEETH, 1 - UNDER_LIPS * smooth(from_edge, 0.1, 1.0), 1.0)
    lip = (material == 0) & (np.abs(neutral[:, 0]) < 3.4) & (np.abs(neutral[:, 1] + 3.3) < 1.8)
    out: Floats = np.where(lip, 0.4 + 0.6 * smooth(neutral[:, 2], 10.2, 11.2), deep).astype(np.float32)
    return out


def worn(plan: Plan) -> list[tuple[str, str]]:
    """Kind and name of the cards of a plan."""
    brow = [("eyebrow", plan.hair.brow)] if plan.hair.brow_weight > 0 else []
    lash = [("eyelash", plan.eyes.lash)] if plan.eyes.lash_weight > 0 else []
    hair = [("hair", plan.hair.card)] if plan.hair.card else []
    return hair + brow + lash + [("clothes", n) for n in (plan.wear.clothes, plan.wear.hat) if n]


def trim(plan: Plan) -> tuple[float, float, float]:
    """Where the hair is cut off: fringe, its raggedness, hat."""
    return (*plan.hair.trim, HAT_LINE if plan.wear.hat else UNCUT)


class Brush:
    """Meshes of all persons, and how to draw them."""

    def __init__(self, assets: Assets, painter: Painter) -> None:
        self.assets, self.painter = assets, painter
        mesh = assets.mesh
        neutral = assets.head.vertices[mesh.source]
        extra = np.stack([mesh.material, turn_weight(neutral), openness(mesh.material, neutral)], 1)
        self.head = painter.mesh(mesh.uvs, extra, mesh.triangles)
        skin = np.isin(mesh.material[mesh.triangles[:, 0]], (0, 1))
        self.fur = painter.mesh(mesh.uvs, extra, mesh.triangles[skin])
        self.cards: dict[str, tuple[Card, Shell]] = {}

    def card(self, kind: str, name: str) -> tuple[Card, Shell]:
        """A card mesh, loaded at first use."""
        key = f"{kind}_{name}"
        if key not in self.cards:
            card = self.assets.card(kind, name)
            weight = np.ones(len(card.vertices), np.float32)
            if kind == "hair":
                weight = turn_weight(card.vertices)
            elif kind == "clothes" and "fedora" not in name:
                card, weight = cards.lower_arms(card), 0 * weight
            self.cards[key] = card, self.painter.card_mesh(card, weight)
        return self.cards[key]

    def upload(self, plan: Plan, shape: Shape) -> None:
        """Positions of everything worn."""
        source = self.assets.mesh.source
        self.head.write(shape.vertices[source], shape.normals[source])
        if plan.hair.fur[0] > 0 or plan.skin.beard[0] > 0:
            self.fur.write(shape.vertices[source], shape.normals[source])
        for kind, name in worn(plan):
            card, shell = self.card(kind, name)
            if kind == "hair":
                points = cards.styled(shape.follow(card, False), plan.hair)
            elif kind == "clothes" and "fedora" not in name:
                points = card.vertices
            else:
                points = shape.follow(card, kind in ("eyebrow", "eyelash"))
            shell.write(points, cards.card_normals(card, points))

    def things(self, props: list[Prop]) -> Things:
        """Meshes of props; to be released after use."""
        out = []
        for prop in props:
            extra = np.tile(np.array([0.0, 1.0, 1.0], np.float32), (len(prop.points), 1))
            mesh = self.painter.mesh((prop.points[:, :2] * 0.1).astype(np.float32), extra, prop.triangles)
            mesh.write(prop.points, prop.normals)
            out.append((prop, mesh))
        return out

    def shadow(self, plan: Plan, things: Things) -> None:
        """Everything that casts a shadow."""
        painter = self.painter
        painter.begin_shadow()
        self._caster(self.head, tuck=1.0)
        for kind, name in worn(plan):
            if kind in ("hair", "clothes"):
                card, shell = self.card(kind, name)
                self._caster(shell, card.texture, trim=trim(plan) if kind == "hair" else NO_TRIM)
        for prop, mesh in things:
            if prop.alpha == 1:
                self._caster(mesh)

    def _caster(self, shell: Shell, texture: str = NO_TEXTURE, tuck: float = 0.0, trim: tuple[float, ...] = NO_TRIM) -> None:
        self.painter.bind("shadow", {"map": self.painter.texture(texture)})
        self.painter.set({"cut": (0.5, float(texture.endswith("png"))), "tuck": tuck, "trim": trim}, "shadow")
        self.painter.draw("shadow", shell)

    def solid(self, plan: Plan, things: Things) -> None:
        """All opaque surfaces."""
        self.painter.only("both")
        self._skin(plan)
        for kind, name in worn(plan):
            if kind == "clothes":
                self._cloth(plan, name)
        for prop, mesh in things:
            if prop.alpha > 0.5:
                self._thing(prop, mesh)
        self._furs(plan)
        if plan.hair.card:
            self._hair(plan, 0.5)

    def fringes(self, plan: Plan, things: Things) -> None:
        """Blended edges: brows, lashes, hair, lenses; and what the labels need of them."""
        self.painter.only("colour")
        self._lines(plan, ("eyebrow", "eyelash"))
        self.painter.only("truth")
        self._lines(plan, ("eyebrow",))
        self.painter.only("colour")
        if plan.hair.card:
            self._hair(plan, 0.02)
            for height, level in FUZZ:
                self._hair(plan, 0.02, shell=height * plan.hair.fuzz, fuzz=level)
        for prop, mesh in things:
            if prop.alpha <= 0.5:
                self._thing(prop, mesh)

    def _skin(self, plan: Plan) -> None:
        painter, skin = self.painter, plan.skin
        face, mean = painter.skin(skin.name, "face")
        back, _ = painter.skin(skin.name, "head")
        layers = {k: painter.textures[k] for k in LAYERS}
        eye = painter.texture(f"eyes_front/{plan.eyes.texture}_eye.png")
        painter.bind("head", {"skin_face": face, "skin_back": back, **layers, "eye_map": eye, "shadow": painter.shadow})
        painter.set({
            "mean_face": mean, "mean_back": mean, "tone": skin.tone, "lip_tint": skin.lip_tint, "lip_hue": skin.lip_hue,
            "blush_tint": skin.blush_tint, "shade_tint": skin.shade_tint, "hair_tint": plan.hair.brow_tint,
            "iris_tint": plan.eyes.tint, "flush": (1.0, 0.8, 0.78), "paint": skin.paint, "grow": skin.grow,
            "texture_": skin.texture, "glare": skin.glare,
            "sheen": skin.sheen, "iris": plan.eyes.iris, "teeth_tint": skin.teeth, "tuck": 1.0,
            "gape": plan.mouth.light * (0.30 + 0.5 * min(float(plan.face.weights[JAW_OPEN]) * 1.5, 1.0)),
        }, "head")  # fmt: skip
        painter.draw("head", self.head)

    def _paint(self, shell: Shell, texture: str, look: dict[str, Any]) -> None:
        painter = self.painter
        painter.bind("card", {"map": painter.texture(texture), "noise": painter.textures["noise"], "shadow": painter.shadow})
        painter.set(CARD_LOOK | look, "card")
        painter.draw("card", shell)

    def _thing(self, prop: Prop, mesh: Shell) -> None:
        shine = (*prop.gloss, float(prop.hair))
        self._paint(mesh, NO_TEXTURE, {"tint": prop.tint, "fibre": (0.15, 3.0, 3.0, 1.0), "shine": shine,
                                       "weave": (0.0, 0.0, float(prop.label), prop.alpha)})  # fmt: skip

    def _cloth(self, plan: Plan, name: str) -> None:
        card, shell = self.card("clothes", name)
        hat = name == plan.wear.hat
        plain = hat or plan.wear.pattern[0] > 0
        self._paint(shell, card.texture, {
            "tint": plan.wear.hat_tint if hat else plan.wear.clothes_tint, "fibre": (0.25, 14.0, 14.0, 0.0),
            "weave": (float(not plain), 0.5, float(LABEL["clothes"]), 1.0), "shine": (0.01, 12.0, 0.0), "bias": CLOTH_BIAS,
            "pattern": CARD_LOOK["pattern"] if hat else plan.wear.pattern,
        })  # fmt: skip

    def _hair(self, plan: Plan, cut: float, shell: float = 0.0, fuzz: float = 0.0) -> None:
        hair = plan.hair
        card, mesh = self.card("hair", hair.card)
        drawn = float(card.texture.endswith("png"))
        gain = cards.HAIR_GAIN.get(hair.card, 1.0) if drawn else 1.0
        self._paint(mesh, card.texture, {
            "tint": tuple(gain * c for c in hair.tint), "spec_tint": tuple(0.3 + 0.7 * c for c in hair.tint),
            "weave": (0.85 * drawn, cut, float(LABEL["hair"]), 1.0), "fibre": (0.9, 7.0, 2.5, max(drawn, float(fuzz > 0))),
            "shine": (*hair.shine, 1.0), "trim": trim(plan), "shell": shell, "fuzz": fuzz,
        })  # fmt: skip

    def _lines(self, plan: Plan, kinds: tuple[str, ...]) -> None:
        """Brows and lashes."""
        looks: dict[str, tuple[float, Colour, float]] = {
            "eyebrow": (plan.hair.brow_weight, plan.hair.brow_tint, 0.3),
            "eyelash": (plan.eyes.lash_weight, (0.012, 0.01, 0.01), 0.12),
        }
        for kind, name in worn(plan):
            if kind not in kinds:
                continue
            weight, tint, bias = looks[kind]
            card, shell = self.card(kind, name)
            self._paint(shell, card.texture or f"{name}.png", {
                "tint": tint, "spec_tint": tint, "weave": (0.0, 0.3, float(LABEL["brow"]), weight), "bias": bias,
                "fibre": (0.3, 4.0, 4.0, 1.0),
            })  # fmt: skip

    def _furs(self, plan: Plan) -> None:
        """Hair in thin layers off the skin: short scalp hair and beards."""
        skin, hair, painter = plan.skin, plan.hair, self.painter
        painter.bind("fur", {**{k: painter.textures[k] for k in LAYERS}, "shadow": painter.shadow})
        jobs = ((hair.fur, hair.tint, 0, "hair"), ((*skin.beard[:2], skin.beard_scale), hair.brow_tint, skin.beard[2], "skin"))
        for (length, density, scale), tint, region, label in jobs:
            if length <= 0:
                continue
            count = FUR_LAYERS if length > 0.4 else 5
            painter.set({"tint": tint, "label": float(LABEL[label]), "cap": trim(plan)[2]}, "fur")
            for height in np.linspace(1 / count, 1, count):
                painter.set({"fur": (float(height), density, scale, float(region)), "shell": float(length * height),
                             "sag": (0.0, -0.35 * float(height), 0.0)}, "fur")  # fmt: skip
                painter.draw("fur", self.fur)
