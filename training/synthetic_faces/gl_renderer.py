"""Draws one plan with OpenGL (EGL, software or card): colour with alpha, labels, normals and depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np

from training.synthetic_faces import shader_head, shaders
from training.synthetic_faces.assets import Assets, Bytes, Card, Floats, Ints
from training.synthetic_faces.layers import make_layers, noise_tile

SHADOW_SIZE, FINE_SHADOW_SIZE = 512, 2048
FINE = 512
"""Pictures of at least this size (px) get finer textures and shadows."""
FRAGMENTS = {"head": shader_head.HEAD, "card": shaders.CARD, "fur": shaders.FUR, "shadow": shaders.SHADOW}
NO_TEXTURE = ""


@dataclass(frozen=True)
class Buffers:
    """What comes back, top row first, at twice the image size."""

    colour: Bytes
    """(h, w, 4) premultiplied sRGB."""
    truth: Bytes
    """(h, w, 4) normal * 0.5 + 0.5 and label."""
    depth: Floats
    """(h, w) cm from the camera; inf where nothing is."""


class Shell:
    """A drawable mesh: positions and normals change, the rest is fixed."""

    def __init__(
        self, context: moderngl.Context, uvs: Floats, extra: Floats, triangles: Ints, programs: list[moderngl.Program]
    ) -> None:
        self.points = context.buffer(reserve=12 * len(uvs))
        self.normals = context.buffer(reserve=12 * len(uvs))
        self.fixed = context.buffer(np.concatenate([uvs, extra], 1).astype("f4").tobytes())
        self.index = context.buffer(triangles.astype("i4").tobytes())
        self.arrays = {p: self._array(context, p) for p in programs}

    def _array(self, context: moderngl.Context, program: moderngl.Program) -> moderngl.VertexArray:
        parts: list[Any] = []
        for buffer, layout, names in (
            (self.points, "3f", ("in_position",)),
            (self.normals, "3f", ("in_normal",)),
            (self.fixed, "2f 3f", ("in_uv", "in_extra")),
        ):
            kept = [n if n in program else None for n in names]
            fields = " ".join(f if k else f"{4 * int(f[0])}x" for f, k in zip(layout.split(), kept, strict=True))
            if any(kept):
                parts.append((buffer, fields, *[k for k in kept if k]))
        return context.vertex_array(program, parts, self.index)

    def write(self, points: Floats, normals: Floats) -> None:
        """New positions and normals (n, 3)."""
        self.points.write(np.ascontiguousarray(points, np.float32))
        self.normals.write(np.ascontiguousarray(normals, np.float32))

    def release(self) -> None:
        """Free the card's memory."""
        for array in self.arrays.values():
            array.release()
        for buffer in (self.points, self.normals, self.fixed, self.index):
            buffer.release()


class Painter:
    """Context, programs, targets and textures."""

    def __init__(self, assets: Assets, size: int) -> None:
        self.assets = assets
        options: dict[str, Any] = {"backend": "egl"}  # moderngl's own types know no strings here
        self.context = moderngl.create_standalone_context(**options)
        self.detail = 2 if size >= FINE else 1
        self.programs = {name: self._program(text) for name, text in FRAGMENTS.items()}
        self.textures: dict[str, moderngl.Texture] = {}
        self.skin_means: dict[str, Floats] = {}
        self._targets(2 * size)
        layers = make_layers(assets)
        for name, image in (("layer_first", layers.first), ("layer_second", layers.second), ("layer_back", layers.back),
                            ("noise", noise_tile())):  # fmt: skip
            self.textures[name] = self._upload(image, repeat=name == "noise")
        self.textures[NO_TEXTURE] = self._upload(np.full((2, 2, 4), 255, np.uint8))

    def _program(self, fragment: str) -> moderngl.Program:
        if self.detail > 1:
            fragment = fragment.replace("#version 330\n", "#version 330\n#define FINE\n")
        return self.context.program(vertex_shader=shaders.VERTEX, fragment_shader=fragment)

    def _targets(self, size: int) -> None:
        context, self.size = self.context, (size, size)
        self.colour, self.truth = context.texture(self.size, 4), context.texture(self.size, 4)
        self.depth = context.depth_texture(self.size)
        self.both = context.framebuffer([self.colour, self.truth], self.depth)
        self.colour_only = context.framebuffer([self.colour], self.depth)
        self.truth_only = context.framebuffer([self.truth], self.depth)
        side = FINE_SHADOW_SIZE if self.detail > 1 else SHADOW_SIZE
        self.shadow = context.depth_texture((side, side))
        self.shadow.compare_func = "<="
        self.shadow.repeat_x = self.shadow.repeat_y = False
        self.shadow_target = context.framebuffer([], self.shadow)

    def _upload(self, image: Bytes, repeat: bool = False) -> moderngl.Texture:
        height, width, channels = image.shape
        out = self.context.texture((width, height), channels, np.ascontiguousarray(image[::-1]).tobytes(), alignment=1)
        out.build_mipmaps()
        out.filter = (moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR)
        out.repeat_x = out.repeat_y = repeat
        return out

    def texture(self, name: str, width: int = 512) -> moderngl.Texture:
        """A MakeHuman texture on the card."""
        if name not in self.textures:
            self.textures[name] = self._upload(self.assets.texture(name, width * self.detail))
        return self.textures[name]

    def skin(self, name: str, tile: str) -> tuple[moderngl.Texture, Floats]:
        """A baked skin on the card and its mean colour (linear)."""
        key = f"{name}/{tile}"
        if key not in self.textures:
            image = self.assets.skin(name, tile, self.detail * (1024 if tile == "face" else 512))
            self.textures[key] = self._upload(image)
            n = len(image)
            patch = image[n // 2 : 5 * n // 6, n // 4 : 3 * n // 4]  # cheeks and chin
            self.skin_means[key] = ((patch / 255.0) ** 2.2).mean((0, 1)).astype(np.float32)
        return self.textures[key], self.skin_means[key]

    def mesh(self, uvs: Floats, extra: Floats, triangles: Ints) -> Shell:
        """A drawable mesh for all programs."""
        return Shell(self.context, uvs, extra, triangles, list(self.programs.values()))

    def card_mesh(self, card: Card, weight: Floats) -> Shell:
        """A drawable card; `weight` (n,) of the head's turn."""
        ones = np.ones_like(weight)
        return self.mesh(card.uvs, np.stack([0 * ones, weight, ones], 1), card.triangles)

    def set(self, values: dict[str, Any], program: str = "") -> None:
        """Uniforms by name, in one program or in all that have them."""
        for name, one in self.programs.items():
            if program and name != program:
                continue
            for key, value in values.items():
                uniform = one.get(key, None)
                if not isinstance(uniform, moderngl.Uniform):
                    continue
                if isinstance(value, np.ndarray):
                    uniform.write(np.ascontiguousarray(value.T if value.ndim == 2 else value, np.float32).tobytes())
                else:
                    uniform.value = value

    def bind(self, program: str, maps: dict[str, moderngl.Texture]) -> None:
        """Textures of a program, in order of units."""
        for unit, (key, texture) in enumerate(maps.items()):
            texture.use(unit)
            self.set({key: unit}, program)

    def draw(self, program: str, shell: Shell) -> None:
        """Draw with what is set."""
        shell.arrays[self.programs[program]].render()

    def begin_shadow(self) -> None:
        """Clear and select the shadow map."""
        self.shadow_target.use()
        self.shadow_target.clear()
        self.context.enable_only(moderngl.DEPTH_TEST)
        self.set({"shadow_pass": 1.0, "bias": 0.0, "shell": 0.0, "sag": (0.0, 0.0, 0.0), "tuck": 0.0})

    def begin(self) -> None:
        """Clear and select the picture."""
        self.both.use()
        self.both.clear()
        self.set({"shadow_pass": 0.0, "mode": 0})

    def only(self, what: str) -> None:
        """Go on with blended colour ('colour'), labels alone ('truth') or both ('both')."""
        {"colour": self.colour_only, "truth": self.truth_only, "both": self.both}[what].use()
        self.set({"mode": {"colour": 1, "truth": 2, "both": 0}[what]})
        self.context.enable_only(moderngl.DEPTH_TEST | (moderngl.BLEND if what == "colour" else 0))
        self.context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        for target in (self.colour_only, self.truth_only):
            target.depth_mask = False
        self.both.depth_mask = True

    def read(self, near: float, far: float) -> Buffers:
        """The finished picture."""
        width, height = self.size
        colour, truth = (np.frombuffer(t.read(), np.uint8).reshape(height, width, 4)[::-1] for t in (self.colour, self.truth))
        z = np.frombuffer(self.depth.read(), np.float32).reshape(height, width)[::-1]
        with np.errstate(divide="ignore"):
            depth = np.where(z < 1, 2 * far * near / ((far + near) - (2 * z - 1) * (far - near)), np.inf)
        return Buffers(colour, truth, depth.astype(np.float32))
