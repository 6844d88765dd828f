"""Contact sheets: one picture by which to judge a rig."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vivant.face import Face, RigFace
from vivant.types import UInt8Array
from vivant.visemes import EXPRESSIONS, POSES, VISEMES, Look

CELL_PX = 320
GAP_PX = 4
INK, PAPER = (250, 240, 190), (28, 28, 30)


def contact_sheet(
    face: Face,
    looks: Sequence[Look] = VISEMES + EXPRESSIONS + POSES,
    *,
    columns: int = 6,
    cell_px: int = CELL_PX,
    zoom: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> UInt8Array:
    """(h, w, 3): every look rendered and labelled. ``zoom`` (left, top, right, bottom, in shares of the frame) crops first."""
    left, top, right, bottom = zoom
    size = min(2048, round(cell_px / min(right - left, bottom - top)))
    renderer = face.open(size)
    box = tuple(round(v * size) for v in zoom)
    height = round(cell_px * (bottom - top) / (right - left))
    cells = [
        Image.fromarray(_on_grey(renderer.render(look.frame()).pixels)).crop((box[0], box[1], box[2], box[3])) for look in looks
    ]
    return tile(
        [(look.name, np.asarray(cell.resize((cell_px, height)))) for look, cell in zip(looks, cells, strict=True)], columns
    )


def layer_sheet(
    face: RigFace, portrait: UInt8Array, landmarks: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> UInt8Array:
    """(h, w, 3): the portrait with its landmarks, and every texture of the rig."""
    marked = Image.fromarray(portrait).convert("RGB")
    draw = ImageDraw.Draw(marked)
    dot = max(1.0, portrait.shape[1] / 700)
    for x, y in landmarks[:, :2]:
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=(80, 255, 120))
    names = ["landmarks", "rig at rest", *face.rig.texture_names]
    pictures = [np.asarray(marked), face.open(CELL_PX * 2).render(Look("rest").frame()).pixels, *face.rig.textures]
    return tile([(name, _fitted(_on_grey(picture))) for name, picture in zip(names, pictures, strict=True)], 6)


def tile(cells: Sequence[tuple[str, UInt8Array]], columns: int) -> UInt8Array:
    """Labelled pictures of one size in rows."""
    height, width = cells[0][1].shape[:2]
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP_PX) + GAP_PX, rows * (height + GAP_PX) + GAP_PX), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for number, (name, picture) in enumerate(cells):
        x, y = GAP_PX + number % columns * (width + GAP_PX), GAP_PX + number // columns * (height + GAP_PX)
        sheet.paste(Image.fromarray(picture), (x, y))
        draw.text((x + 6, y + 3), name, font=font, fill=INK, stroke_width=2, stroke_fill=PAPER)
    return np.asarray(sheet)


def _fitted(picture: UInt8Array) -> UInt8Array:
    image = Image.fromarray(picture)
    scale = min(CELL_PX / image.width, CELL_PX / image.height)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    cell = Image.new("RGB", (CELL_PX, CELL_PX), PAPER)
    cell.paste(image, ((CELL_PX - image.width) // 2, (CELL_PX - image.height) // 2))
    return np.asarray(cell)


def _on_grey(pixels: UInt8Array) -> UInt8Array:
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    mixed: UInt8Array = (pixels[..., :3] * alpha + 96 * (1 - alpha)).round().astype(np.uint8)
    return mixed
