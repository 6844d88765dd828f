"""Portrait files: every mode and format comes out as upright 8 bit sRGB, everything else as one sentence."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.examples import examples
from tests.privileges import without_privileges
from vivant.errors import InputError
from vivant.media import images as images_module
from vivant.media import load_image

pytestmark = pytest.mark.unit

Pixels = NDArray[np.uint8]

_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("L", "RGB", "RGBA"),
    "GIF": ("L", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16"),
}
_PAIRS = [(kind, mode) for kind, modes in _MODES.items() for mode in modes]


def _gradient(width: int = 96, height: int = 64) -> Pixels:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    gradient: Pixels = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    return gradient


def _encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:  # noqa: ANN401
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _in_mode(mode: str, pixels: Pixels) -> Image.Image:
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    if mode == "LAB":
        profile = ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), profile, outputMode="LAB")
        assert converted is not None
        return converted
    return image.convert(mode)


def _png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds almost no data."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@examples(60)
@given(st.sampled_from(_PAIRS), st.integers(64, 130), st.integers(64, 130))
def test_any_mode_gives_rgb_of_the_same_size(pair: tuple[str, str], width: int, height: int) -> None:
    kind, mode = pair
    data = _encoded(_in_mode(mode, _gradient(width, height)), kind)
    loaded = load_image(data)
    assert loaded.pixels.shape == (height, width, 3)
    assert loaded.pixels.dtype == np.uint8
    assert loaded.pixels.flags.writeable
    assert loaded.sha256 == hashlib.sha256(data).hexdigest()
    if mode in ("LA", "RGBA") and kind in ("PNG", "TIFF"):  # the others leave out an alpha that is opaque throughout
        assert loaded.alpha is not None
    if loaded.alpha is not None:
        assert loaded.alpha.shape == (height, width)
        assert loaded.alpha.min() == 255


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_lossless_colours_are_exact(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(load_image(_encoded(Image.fromarray(_gradient()), kind, **options)).pixels, _gradient())


@pytest.mark.parametrize(("kind", "mode", "limit"), [("JPEG", "RGB", 3), ("JPEG", "CMYK", 3), ("TIFF", "LAB", 4)])
def test_lossy_colours_are_near(kind: str, mode: str, limit: float) -> None:
    options = {"quality": 95, "subsampling": 0} if mode == "RGB" else {}
    loaded = load_image(_encoded(_in_mode(mode, _gradient()), kind, **options))
    assert np.abs(loaded.pixels.astype(int) - _gradient()).mean() < limit


def test_16_bit_grey_keeps_its_range() -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    pixels = load_image(_encoded(Image.fromarray(ramp))).pixels
    np.testing.assert_array_equal(pixels[0, :, 0], np.arange(256))


def test_16_bit_rgb_png() -> None:
    """Written by hand, as Pillow writes no such file."""
    rows = b"".join(b"\0" + np.full((64, 3), (0x1234, 0x80FF, 0xFFFF), ">u2").tobytes() for _ in range(64))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(load_image(data).pixels[5, 5], (0x12, 0x80, 0xFF))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    upright = _gradient()
    undo = {6: np.rot90(upright, 1), 8: np.rot90(upright, -1), 3: np.rot90(upright, 2), 1: upright}
    undo |= {2: upright[:, ::-1], 4: upright[::-1], 5: upright.swapaxes(0, 1), 7: upright[::-1, ::-1].swapaxes(0, 1)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation])
    opaque = np.full((*stored.shape[:2], 1), 255, np.uint8)
    opaque[0, 0] = 7
    data = _encoded(Image.fromarray(np.concatenate([stored, opaque], axis=-1)), exif=exif.tobytes())
    loaded = load_image(data)
    np.testing.assert_array_equal(loaded.pixels, upright)
    assert loaded.alpha is not None
    assert loaded.alpha.shape == upright.shape[:2]
    assert (loaded.alpha == 7).sum() == 1


def test_broken_exif_counts_as_upright() -> None:
    data = _encoded(Image.fromarray(_gradient()), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert load_image(data).pixels.shape == (64, 96, 3)


def test_alpha_is_kept_straight() -> None:
    alpha = np.tile(np.arange(96, dtype=np.uint8), (64, 1))
    loaded = load_image(_encoded(Image.fromarray(np.dstack([_gradient(), alpha]))))
    assert loaded.alpha is not None
    np.testing.assert_array_equal(loaded.alpha, alpha)
    np.testing.assert_array_equal(loaded.pixels, _gradient())


def test_transparent_palette_colour_becomes_alpha() -> None:
    indices = np.zeros((64, 64), np.uint8)
    indices[:32] = 1
    image = Image.fromarray(indices)
    image.putpalette([10, 20, 30, 200, 100, 50])
    loaded = load_image(_encoded(image, transparency=1))
    assert loaded.alpha is not None
    assert (loaded.alpha[:32] == 0).all()
    assert (loaded.alpha[32:] == 255).all()
    assert loaded.pixels[40, 0].tolist() == [10, 20, 30]


def test_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(np.full((64, 64, 3), value, np.uint8)) for value in (200, 10, 90)]
    data = _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert load_image(data).pixels.mean() == pytest.approx(200, abs=2)


def test_colour_profile_is_converted() -> None:
    """A profile with red and green swapped, made from sRGB by swapping its two tags, must swap the channels back."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = icc.index(b"rXYZ"), icc.index(b"gXYZ")
    icc[red : red + 4], icc[green : green + 4] = b"gXYZ", b"rXYZ"
    patch = np.full((64, 64, 3), (220, 60, 30), np.uint8)
    data = _encoded(Image.fromarray(patch), icc_profile=bytes(icc))
    np.testing.assert_allclose(load_image(data).pixels[0, 0], (60, 220, 30), atol=2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK"])
@pytest.mark.parametrize("icc", [b"junk", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
def test_broken_or_mismatched_profile_is_ignored(mode: str, icc: bytes) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    loaded = load_image(_encoded(_in_mode(mode, _gradient()), kind, icc_profile=icc))
    plain = load_image(_encoded(_in_mode(mode, _gradient()), kind))
    assert np.abs(loaded.pixels.astype(int) - plain.pixels).mean() < 1.5


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "portrait.txt"
    path.write_bytes(_encoded(Image.fromarray(_gradient())))
    np.testing.assert_array_equal(load_image(path).pixels, _gradient())


@pytest.mark.parametrize(("width", "height"), [(64, 64), (8192, 64)])
def test_extreme_sizes_are_accepted(width: int, height: int) -> None:
    assert load_image(_encoded(Image.new("L", (width, height)))).pixels.shape == (height, width, 3)


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [(63, 64, "at least 64"), (64, 8193, "too large"), (8000, 8000, "50 megapixels"), (60000, 60000, "too large")],
)
def test_sizes_are_refused_from_the_header(width: int, height: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_image(_png_header(width, height))


@pytest.mark.parametrize("content", [b"", b"hello, I am a text file\n" * 9, b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WAVEfmt "])
def test_not_an_image(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(InputError, match=r"empty|not a readable image"):
            load_image(source)


def test_pillow_formats_beyond_the_list_are_refused() -> None:
    with pytest.raises(InputError, match="JPEG, PNG or WebP"):
        load_image(_encoded(Image.fromarray(_gradient()), "PPM"))


def test_float_pixels_are_refused() -> None:
    with pytest.raises(InputError, match="floating-point"):
        load_image(_encoded(Image.fromarray(np.zeros((64, 64), np.float32)), "TIFF"))


def test_missing_folder_and_odd_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_image(tmp_path / "none.png")
    with pytest.raises(InputError, match="is a folder"):
        load_image(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        load_image(tmp_path / "a\0b.png")
    with pytest.raises(InputError, match="cannot be read"):
        load_image(tmp_path / ("n" * 300))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="not a regular file"):
        load_image(tmp_path / "pipe.png")


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "private.png"
    path.write_bytes(_encoded(Image.fromarray(_gradient())))
    path.chmod(0)
    with without_privileges(), pytest.raises(InputError, match="no permission to read"):
        load_image(path)


def test_huge_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(images_module.MAX_BYTES + 1)
    with pytest.raises(InputError, match="at most 100 MB"):
        load_image(path)


@examples(150)
@given(st.sampled_from(_PAIRS), st.floats(0, 1))
def test_truncation_never_escapes(pair: tuple[str, str], share: float) -> None:
    data = _encoded(_in_mode(pair[1], _gradient(64, 64)), pair[0])
    try:
        assert load_image(data[: int(share * len(data))]).pixels.shape == (64, 64, 3)
    except InputError as error:
        assert str(error).count("\n") == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_half_a_file_is_named_as_such(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    data = _encoded(Image.fromarray(noise), kind)
    with pytest.raises(InputError, match=r"truncated|whole"):
        load_image(data[: len(data) // 2])


@examples(150)
@given(st.sampled_from(_PAIRS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_never_escape(pair: tuple[str, str], changes: list[tuple[float, int]]) -> None:
    data = bytearray(_encoded(_in_mode(pair[1], _gradient(64, 64)), pair[0]))
    for where, value in changes:
        data[int(where * len(data))] = value
    try:
        assert load_image(bytes(data)).pixels.ndim == 3
    except InputError as error:
        assert str(error).count("\n") == 0


@examples(80)
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"RIFF"]), st.binary(max_size=300)
)
def test_random_bytes_never_escape(magic: bytes, body: bytes) -> None:
    with pytest.raises(InputError):
        load_image(magic + body)
