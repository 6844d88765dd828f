"""Eyes, teeth, jaw motion and the outline profile of the ICT head."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.fields.head import Floats, Head, Ints, rasterise
from training.fields.topology import OVAL

IRIS_CM = 0.62
GAZE_DEG = {"In": 30.0, "Out": 30.0, "Up": 25.0, "Down": 30.0}
"""Eyeball rotation at weight 1."""
SIDES = ("right", "left")
PROFILE_STEPS = 8


def rigid(before: NDArray[Any], after: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rotation and translation with after ~ before @ R.T + t."""
    mean_a, mean_b = before.mean(0), after.mean(0)
    u, _, vt = np.linalg.svd((before - mean_a).T @ (after - mean_b))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ flip @ u.T
    return rotation, mean_b - rotation @ mean_a


def eyes(head: Head) -> dict[str, NDArray[Any]]:
    """Eyeball spheres (left, right) and the iris radius, in cm."""
    return {"eyes": head.eye_spheres.copy(), "iris_radius": np.array(IRIS_CM, np.float32)}


def iris_points(head: Head, seen: Floats) -> Floats:
    """The 10 iris points on the front of the eyeballs.

    `seen` (10, 2) holds detected offsets from the centre (y down); they only give the order.
    """
    out = np.zeros((10, 3), np.float32)
    for eye, side in enumerate(SIDES):
        mesh = head.vertices[head.part_range(f"sclera_{side}")]
        front = mesh[mesh[:, 2].argmax()]
        for k in range(5):
            offset = seen[5 * eye + k] * (1, -1)
            if k == 0:
                out[5 * eye] = front
                continue
            axis = int(np.abs(offset).argmax())
            place = front[:2].copy()
            place[axis] += np.sign(offset[axis]) * IRIS_CM
            near = np.linalg.norm(mesh[:, :2] - place, axis=1)
            near[mesh[:, 2] < front[2] - 0.8] = np.inf
            some = np.argsort(near)[:6]
            weight = 1 / (near[some] + 1e-3)
            out[5 * eye + k] = *place, (mesh[some, 2] * weight).sum() / weight.sum()
    return out


def iris_normals(head: Head, iris: Floats) -> Floats:
    """Directions from the eyeball centres (right eye first) to the iris points."""
    out = iris - np.repeat(head.eye_spheres[::-1, :3], 5, axis=0)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def iris_delta(head: Head, name: str, iris: Floats) -> Floats:
    """Displacement of the iris points by the eyeball turning under one ARKit shape.

    The eyeballs of the model do not move with its eyeLook shapes, so the angles are set here.
    """
    out = np.zeros((10, 3), np.float32)
    for eye, side in enumerate(("Right", "Left")):
        look = name.removeprefix("eyeLook").removesuffix(side)
        if not name.startswith("eyeLook") or not name.endswith(side):
            continue
        inward = (1, -1)[eye]
        right, up = {"In": (inward, 0), "Out": (-inward, 0), "Up": (0, 1), "Down": (0, -1)}[look]
        angle = np.radians(GAZE_DEG[look])
        cos, sin = np.cos(angle), np.sin(angle)
        about_y = np.array([[cos, 0, right * sin], [0, 1, 0], [-right * sin, 0, cos]])
        about_x = np.array([[1, 0, 0], [0, cos, up * sin], [0, -up * sin, cos]])
        turn = about_y if right else about_x
        arm = iris[5 * eye : 5 * eye + 5] - head.eye_spheres[1 - eye, :3]
        out[5 * eye : 5 * eye + 5] = arm @ turn.T - arm
    return out


def _arch(head: Head, upper: bool) -> tuple[Floats, Floats]:
    """Incisal edge and gum line of one arch, seen from outside, right to left."""
    word = "_upper_" if upper else "_lower_"
    chosen = [i for i, n in enumerate(head.tooth_names) if word in n and "3rd" not in n]
    poly = head.triangle_polygon
    enamel = np.zeros(len(poly), bool)
    for first, last in head.tooth_polygons[chosen]:
        enamel |= (poly >= first) & (poly < last)
    tris = np.concatenate([np.flatnonzero(enamel), head.part_triangles("gums_tongue")])
    used = head.vertices[head.triangles[np.flatnonzero(enamel)].ravel()]
    axis = np.array([0.0, used[:, 2].min() + 0.4 * np.ptp(used[:, 2])])
    flat = head.vertices[:, [0, 2]] - axis
    angle, reach = np.arctan2(flat[:, 0], flat[:, 1]), np.linalg.norm(flat, axis=1)
    low = used[:, 1].min() - 0.3
    scale = np.array([120.0, 100.0])
    screen = np.stack([(angle + np.pi) * scale[0], (head.vertices[:, 1] - low) * scale[1]], 1)
    size = (int((np.ptp(used[:, 1]) + 0.6) * scale[1]), int(2 * np.pi * scale[0]))
    seam = np.ptp(angle[head.triangles[tris]], axis=1) > 3
    tris = tris[~seam]
    raster = rasterise(screen, reach, head.triangles[tris], size, cull=False)
    visible = (raster.triangle >= 0) & enamel[tris[raster.triangle]]
    return _trace(head, raster.triangle, raster.bary, tris, visible, upper)


def _trace(head: Head, hit: Ints, bary: Floats, tris: Ints, visible: NDArray[Any], upper: bool) -> tuple[Floats, Floats]:
    """Ends of the visible run of tooth from the incisal edge in each column, as 3D points."""
    edge: list[Floats] = []
    gum: list[Floats] = []
    turns = []
    middle = visible.shape[1] / 2 - 0.5
    for column in np.flatnonzero(visible.sum(0) >= 8):
        rows = np.flatnonzero(visible[:, column])
        rows = rows if upper else rows[::-1]
        run = rows[: int(np.argmax(np.append(np.abs(np.diff(rows)) > 1, True))) + 1]
        if len(run) < 8:
            continue
        turns.append(column - middle)
        for store, row in ((edge, run[0]), (gum, run[-1])):
            corner = head.vertices[head.triangles[tris[hit[row, column]]]]
            store.append((corner * bary[row, column][:, None]).sum(0))
    return _resample(np.array(turns), np.array(edge)), _resample(np.array(turns), np.array(gum))


def _resample(turns: Floats, line: Floats, count: int = 65) -> Floats:
    """Points at equal angles along the arch, made symmetric in x."""
    reach = min(-turns[0], turns[-1])
    at = np.linspace(-reach, reach, count)
    out = np.stack([np.interp(at, turns, line[:, k]) for k in range(3)], 1)
    return (0.5 * (out + out[::-1] * (-1, 1, 1))).astype(np.float32)


def teeth(head: Head) -> dict[str, NDArray[Any]]:
    """Tooth and gum lines and the motion of the lower teeth, in cm."""
    out: dict[str, NDArray[Any]] = {}
    out["teeth_upper"], out["gum_upper"] = _arch(head, True)
    out["teeth_lower"], out["gum_lower"] = _arch(head, False)
    return out | jaw(head)


def _lower_teeth(head: Head) -> Ints:
    chosen = [r for n, r in zip(head.tooth_names, head.tooth_vertices, strict=True) if "_lower_" in n]
    return np.concatenate([np.arange(*r) for r in chosen])


def jaw(head: Head) -> dict[str, NDArray[Any]]:
    """Hinge, opening angle, rest translation and the mean jaw shifts, in cm and degrees."""
    rows = _lower_teeth(head)
    before = head.vertices[rows].astype(np.float64)
    rotation, shift = rigid(before, before + head.expressions["jawOpen"][rows])
    angle = float(np.arctan2(rotation[2, 1] - rotation[1, 2], rotation[1, 1] + rotation[2, 2]))
    cos, sin = np.cos(angle), np.sin(angle)
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    fixed = np.linalg.solve(np.eye(2) - about_x[1:, 1:], shift[1:])
    hinge = np.array([0.0, *fixed])
    moved = (before - hinge) @ about_x.T + hinge
    rest = (before + head.expressions["jawOpen"][rows] - moved).mean(0)
    out = {
        "jaw_hinge": hinge.astype(np.float32),
        "jaw_open_deg": np.float32(np.degrees(angle)),
        "jaw_open_shift": rest.astype(np.float32),
    }
    worst = np.abs(before + head.expressions["jawOpen"][rows] - moved - rest).max()
    print(f"jaw: hinge {hinge.round(2)} cm, {np.degrees(angle):.1f} deg, residual {worst:.3f} cm")
    for key, name in (("forward", "jawForward"), ("left", "jawLeft"), ("right", "jawRight")):
        out[f"jaw_{key}"] = head.expressions[name][rows].mean(0)
    return out


def profile(head: Head, points: Floats, pixels: float = 40.0) -> Floats:
    """Points (36, 8, 3) on the front-most skin outward from the face oval, in cm."""
    oval = points[list(OVAL)]
    middle = 0.5 * (oval[:, :2].max(0) + oval[:, :2].min(0))
    tris = head.triangles[head.part_triangles("face", "head_neck")]
    screen = np.stack([(head.vertices[:, 0] + 16) * pixels, (16 - head.vertices[:, 1]) * pixels], 1)
    size = (int(34 * pixels), int(32 * pixels))
    raster = rasterise(screen, head.vertices[:, 2], tris, size)
    limit = 0.6 * float(np.linalg.norm(points[33] - points[263]))
    out = np.zeros((len(oval), PROFILE_STEPS, 3), np.float32)
    for i, start in enumerate(oval):
        way = (start[:2] - middle) / np.linalg.norm(start[:2] - middle)
        walk = np.arange(0.0, limit, 0.5 / pixels)
        at = start[:2] + walk[:, None] * way
        column = ((at[:, 0] + 16) * pixels).astype(int)
        row = ((16 - at[:, 1]) * pixels).astype(int)
        depth = raster.depth[row, column]
        inside = np.isfinite(depth)
        inside[:4] = True
        end = int(np.argmin(inside)) if not inside.all() else len(walk)
        good = np.isfinite(depth[:end])
        steps = walk[end - 1] * np.arange(1, PROFILE_STEPS + 1) / PROFILE_STEPS
        out[i, :, :2] = start[:2] + steps[:, None] * way
        out[i, :, 2] = np.interp(steps, walk[:end][good], depth[:end][good]) if good.any() else start[2]
    return out
