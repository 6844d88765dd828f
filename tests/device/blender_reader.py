"""What Blender makes of a motion file: ``python blender_reader.py line.glb FRAME... [--pictures FOLDER]``; prints JSON.

Needs bpy, Blender as a Python module, and nothing of ours.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

FPS = 30


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("frames", type=int, nargs="+")
    parser.add_argument("--pictures", type=Path)
    told = parser.parse_args()
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = FPS
    bpy.ops.import_scene.gltf(filepath=str(told.file))
    mask = next(thing for thing in bpy.data.objects if thing.type == "MESH")
    own = another_mesh(bpy.data.actions[told.file.stem])
    if told.pictures:
        light_and_camera(mask)
    found = []
    for frame in told.frames:
        scene.frame_set(frame)
        found.append({"weights": weights(mask), "own": weights(own), "looks": [-x for x in mask.matrix_world.to_3x3().col[1]]})
        if told.pictures:
            scene.render.filepath = str(told.pictures / f"{frame:04}.png")
            bpy.ops.render.render(write_still=True)
    print("RESULT", json.dumps(found))


def weights(thing: Any) -> dict[str, float]:  # noqa: ANN401
    return {key.name: key.value for key in thing.data.shape_keys.key_blocks if key.name != "Basis"}


def another_mesh(action: Any) -> Any:  # noqa: ANN401
    """Somebody's own, with two of the shapes, that is given the action as the guide says."""
    import bpy

    bpy.ops.mesh.primitive_cube_add(location=(50, 50, 50))
    own = bpy.context.object
    for name in ("Basis", "jawOpen", "mouthSmileLeft"):
        own.shape_key_add(name=name)
    animation = own.data.shape_keys.animation_data_create()
    animation.action = action
    animation.action_slot = next(slot for slot in action.slots if slot.target_id_type == "KEY")
    return own


def light_and_camera(mask: Any) -> None:  # noqa: ANN401
    """A picture of 240 x 280 px without a graphics card."""
    import bpy

    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 24
    scene.render.resolution_x, scene.render.resolution_y = 240, 280
    scene.render.film_transparent, scene.view_settings.view_transform = True, "Standard"
    skin = bpy.data.materials.new("skin")
    skin.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.8, 0.48, 0.34, 1)
    mask.data.materials.append(skin)
    for polygon in mask.data.polygons:
        polygon.use_smooth = True
    bpy.ops.object.light_add(type="AREA", location=(0.4, -0.9, 0.6), rotation=(math.radians(55), 0, math.radians(25)))
    bpy.context.object.data.energy = 15
    bpy.ops.object.camera_add(location=(0, -0.75, 0.055), rotation=(math.pi / 2, 0, 0))
    bpy.context.object.data.lens = 90
    scene.camera = bpy.context.object


if __name__ == "__main__":
    main()
