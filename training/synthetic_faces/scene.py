"""Puts a plan's meshes together and draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic_faces import names, props
from training.synthetic_faces.assets import Assets, Floats
from training.synthetic_faces.gl_renderer import Buffers, Painter
from training.synthetic_faces.person_renderer import Brush
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.rig import Rig, Shape, turn

NECK = np.array([0.0, -8.0, -1.0], np.float32)
FACE_CM = 19.0
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


def quaternion(rotation: Floats) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a rotation matrix."""
    w = np.sqrt(max(1 + np.trace(rotation), 1e-9)) / 2
    r = rotation
    x, y, z = (float(v) / (4 * w) for v in (r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]))
    return x, y, z, float(w)


class Scene:
    """Draws plans at one image size."""

    def __init__(self, assets: Assets, size: int) -> None:
        self.rig, self.image_size = Rig(assets), size
        self.painter = Painter(assets, size)
        self.brush = Brush(assets, self.painter)

    def draw(self, plan: Plan) -> Drawn:
        """Render one plan."""
        face, brush = plan.face, self.brush
        shape = self.rig.shape(face.identity, face.weights, face.gaze, face.stretch, face.tongue_back, plan.mouth)
        points, normals = self.rig.points(shape, plan.eyes.iris[0])
        rotation = turn(*plan.view.pose)
        origin = 0.5 * (points[names.RIGHT_OUTER_EYE] + points[names.LEFT_OUTER_EYE])
        view = (points - origin) @ rotation.T
        lens = self._lens(plan, view)
        self._frame(plan, rotation, origin, lens, shape)
        brush.upload(plan, shape)
        near = props.glasses(plan, points, shape.eyes) + props.strands(plan)
        things = brush.things(near + props.held(plan, rotation, origin))
        brush.shadow(plan, things)
        self.painter.begin()
        brush.solid(plan, things)
        brush.fringes(plan, things)
        buffers = self.painter.read(*lens.span)
        for _, mesh in things:
            mesh.release()
        return Drawn(buffers, lens, rotation, view, normals @ rotation.T)

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
            "camera": (0.0, 0.0, lens.distance), "softness": lights.softness, "lift": lights.lift, "bias": 0.0, "shell": 0.0,
            "sag": (0.0, 0.0, 0.0), "eye_y": float(shape.eyes[:, 1].mean()),
        })  # fmt: skip
