"""A portrait is the same picture as a path, bytes, an open file, a picture of Pillow or an array."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import portrait_path
from tests.odd_values import MOST_CHARS, Tensor
from vivant.bundled import is_bundled, portrait_bytes, portrait_sha256, portraits
from vivant.errors import InputError
from vivant.media.images import PortraitImage, load_image
from vivant.media.sources import path_or_bytes
from vivant.types import UInt8Array
from vivant.wire.values import MAX_ID_CHARS, image_bytes, portrait_ref

pytestmark = pytest.mark.unit

HEIGHT, WIDTH = 80, 100
ORIENTATION = 0x0112


@pytest.fixture
def rgb() -> UInt8Array:
    """(80, 100, 3), nowhere the same."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 2, y * 3, 255 - x - y], axis=-1).astype(np.uint8)


def read(source: Any) -> PortraitImage:  # noqa: ANN401
    return load_image(path_or_bytes(source))


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def test_every_way_to_hand_in_one_file(tmp_path: Path, rgb: UInt8Array) -> None:
    data = png(Image.fromarray(rgb))
    path = tmp_path / "me.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        ways = [path, str(path), data, bytearray(data), memoryview(data), file, io.BytesIO(data)]
        read_ways = [read(way) for way in ways]
    assert {image.sha256 for image in read_ways} == {load_image(path).sha256}
    assert all(np.array_equal(image.pixels, rgb) and image.alpha is None for image in read_ways)


def test_pixels_of_any_shape_and_type(rgb: UInt8Array) -> None:
    wide = rgb.astype(np.uint16) * 257
    unit = rgb / 255
    ways = [
        rgb, rgb[::-1][::-1], np.asfortranarray(rgb), wide, wide.astype(">u2"), unit, unit.astype(np.float32), Tensor(rgb),
        Image.fromarray(rgb), Image.fromarray(rgb).convert("RGBA"), np.dstack([rgb, np.full((HEIGHT, WIDTH), 255, np.uint8)]),
    ]  # fmt: skip
    for way in ways:
        assert np.array_equal(read(way).pixels, rgb)
    grey = rgb[..., 0]
    for way in (grey, grey[..., None], grey.astype(np.uint16) * 257, Image.fromarray(grey), np.repeat(grey[..., None], 3, 2)):
        assert np.array_equal(read(way).pixels, np.repeat(grey[..., None], 3, axis=2))
    assert len({read(way).sha256 for way in (rgb, unit, wide, Image.fromarray(rgb))}) == 1  # one rig, one answer about consent


def test_alpha_is_kept(rgb: UInt8Array) -> None:
    alpha = rgb[..., 1]
    rgba = np.dstack([rgb, alpha])
    for way in (rgba, rgba / 255, Image.fromarray(rgba), png(Image.fromarray(rgba))):
        image = read(way)
        assert image.alpha is not None and np.array_equal(image.alpha, alpha) and np.array_equal(image.pixels, rgb)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_is_what_its_file_is(mode: str, rgb: UInt8Array) -> None:
    """In every mode that a PNG can hold."""
    picture = Image.fromarray(rgb[..., 0].astype(np.uint16) * 250) if mode == "I;16" else Image.fromarray(rgb).convert(mode)
    assert picture.mode == mode
    there, here = load_image(png(picture)), read(picture)
    assert np.array_equal(there.pixels, here.pixels)
    assert (there.alpha is None) == (here.alpha is None) and (there.alpha is None or np.array_equal(there.alpha, here.alpha))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "LAB", "RGBX", "RGBa", "PA", "La", "I"])
def test_pictures_in_the_other_modes(mode: str, rgb: UInt8Array) -> None:
    if mode == "LAB":
        from PIL import ImageCms

        turn = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        picture = ImageCms.applyTransform(Image.fromarray(rgb), turn)
    elif mode == "I":
        picture = Image.fromarray(rgb[..., 0].astype(np.int32) * 257)
    else:
        between = {"RGBa": "RGBA", "PA": "P", "La": "LA"}.get(mode)
        picture = Image.fromarray(rgb).convert(between) if between else Image.fromarray(rgb)
        picture = picture.convert(mode)
    assert picture is not None and picture.mode == mode
    expected = {
        "La": np.asarray(Image.fromarray(rgb).convert("L"))[..., None],
        "I": rgb[..., :1],
        "PA": np.asarray(Image.fromarray(rgb).convert("P").convert("RGB")),
    }.get(mode, rgb)
    assert np.abs(read(picture).pixels.astype(int) - expected).mean() < 3


def test_a_picture_that_lies_on_its_side_is_turned_once(rgb: UInt8Array) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "PNG", exif=exif)
    with Image.open(io.BytesIO(data.getvalue())) as picture:
        turned = read(picture)
    assert np.array_equal(turned.pixels, load_image(data.getvalue()).pixels)
    assert turned.pixels.shape == (WIDTH, HEIGHT, 3)


def test_the_callers_picture_stays_as_it_is(rgb: UInt8Array) -> None:
    picture, pixels = Image.fromarray(rgb).convert("P"), rgb.copy()
    before = picture.tobytes(), picture.mode, dict(picture.info)
    read(picture), read(pixels)
    assert (picture.tobytes(), picture.mode, picture.info) == before and np.array_equal(pixels, rgb)


REFUSED: dict[str, tuple[Any, str]] = {
    "None": (None, "a portrait must be a path, .* got None"),
    "number": (7, "got 7"),
    "list": ([[0, 0]], "got a list of 1"),
    "module": (io, "got module"),
    "a file's content as text": ("data:image/png;base64," + "A" * 180_000, "path of a file, got a text of 180022 characters"),
    "int64": (np.zeros((80, 80, 3), np.int64), "got int64"),
    "bool": (np.zeros((80, 80), bool), "got bool"),
    "objects": (np.full((80, 80), None), "got object"),
    "complex": (np.zeros((80, 80), complex), "got complex128"),
    "floats of 255": (np.full((80, 80, 3), 255.0), "from 0 to 1, got some beyond"),
    "negative": (np.full((80, 80, 3), -0.5, np.float16), "from 0 to 1, got some beyond"),
    "NaN": (np.full((80, 80, 3), np.nan), "from 0 to 1, got some beyond"),
    "channels first": (np.zeros((3, 80, 80), np.uint8), r"shape \(3, 80, 80\); put the channels last"),
    "two channels": (np.zeros((80, 80, 2), np.uint8), r"shape \(80, 80, 2\)"),
    "a batch": (np.zeros((1, 80, 80, 3), np.uint8), r"shape \(1, 80, 80, 3\)"),
    "a row": (np.zeros(80, np.uint8), r"shape \(80,\)"),
    "empty": (np.zeros((0, 0, 3), np.uint8), "at least 64"),
    "small": (np.zeros((63, 80), np.uint8), "80 x 63 pixels"),
    "wide": (np.zeros((64, 9000), np.uint8), "too large"),
    "tensor elsewhere": (Tensor(TypeError("cuda" * 999)), "got Tensor, which NumPy cannot read"),
    "a small picture": (Image.new("RGB", (40, 80)), "40 x 80 pixels"),
    "floating-point picture": (Image.new("F", (80, 80)), "floating-point pixels"),
    "text file": (io.StringIO("text"), "must give bytes, got str; open it with mode 'rb'"),
    "no picture": (b"hello" * 40_000, "not a readable image"),
    "empty bytes": (b"", "is empty"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_picture_is_one_short_sentence(name: str) -> None:
    source, sentence = REFUSED[name]
    with pytest.raises(InputError, match=sentence) as caught:
        read(source)
    assert len(str(caught.value)) < MOST_CHARS


def test_a_closed_file_or_picture(tmp_path: Path, rgb: UInt8Array) -> None:
    path = tmp_path / "me.png"
    path.write_bytes(png(Image.fromarray(rgb)))
    file = path.open("rb")
    file.close()
    picture = Image.open(path)
    picture.close()
    for closed in (file, picture):
        with pytest.raises(InputError):
            read(closed)


def test_bundled_portraits_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import vivant

    assert vivant.portraits() == portraits() == tuple(sorted(path.stem for path in portrait_path("ada").parent.glob("*.jpg")))
    assert "ada" in portraits() and portrait_bytes("ada") == portrait_path("ada").read_bytes()
    assert portrait_sha256("ada") == load_image(portrait_path("ada")).sha256
    with pytest.raises(InputError, match="there are ada, "):
        portrait_bytes("nobody")
    monkeypatch.chdir(tmp_path)
    assert is_bundled(Path("ada")) and not is_bundled(Path("nobody")) and not is_bundled(Path("ada.jpg"))
    Path("ada").write_bytes(b"a file of one's own comes first")
    assert not is_bundled(Path("ada"))


def test_pictures_on_their_way_to_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rgb: UInt8Array) -> None:
    monkeypatch.chdir(tmp_path)
    Path("me.png").write_bytes(png(Image.fromarray(rgb)))
    for way in (Path("me.png"), Path("me.png").read_bytes(), rgb, Image.fromarray(rgb), io.BytesIO(png(Image.fromarray(rgb)))):
        assert np.array_equal(load_image(portrait_ref(way).image).pixels, rgb)
    assert (
        portrait_ref("ada").id == "ada" and portrait_ref("me.png").id == "me.png"
    )  # a text never makes a file leave the machine
    assert image_bytes("ada") == portrait_ref(Path("ada")).image == portrait_bytes("ada")
    for odd in (None, "x" * (MAX_ID_CHARS + 1), Path("nowhere.png"), Path("zero\0byte"), tmp_path, 7):
        with pytest.raises(InputError) as caught:
            portrait_ref(odd)  # type: ignore[arg-type]
        assert len(str(caught.value)) < MOST_CHARS
