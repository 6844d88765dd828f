"""Kinds of pictures by their first bytes, and that only the parser of that kind ever sees a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vivant.errors import InputError
from vivant.media import load_image
from vivant.media.kinds import kind_of

pytestmark = pytest.mark.unit

READ = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF", "AVIF": "AVIF"}


def encoded(kind: str, *others: Image.Image, **options: Any) -> bytes:  # noqa: ANN401
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": list(others)} if others else {}
    plain(200).save(buffer, kind, **more, **options)
    return buffer.getvalue()


def plain(value: int) -> Image.Image:
    return Image.fromarray(np.full((64, 96, 3), value, np.uint8))


@pytest.mark.parametrize("kind", READ)
def test_what_is_read_is_named_and_read_under_any_name(kind: str, tmp_path: Path) -> None:
    data = encoded(kind)
    named = kind_of(data)
    assert named is not None and named.name == READ[kind] and named.decoder == kind
    path = tmp_path / "portrait.heic"
    path.write_bytes(data)
    assert load_image(path).pixels.mean() == pytest.approx(200, abs=2)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n", "is JPEG XL, which is not read"),
        (b"\xff\x0a\xfa\x1f", "is JPEG XL, which is not read"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "is JPEG 2000"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "is SVG or other XML"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg>', "is SVG or other XML"),
        (b"8BPS\0\1", "is a Photoshop document"),
        (b"gimp xcf v011", "is a GIMP document"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is PostScript"),
        (b"II*\0\x08\0\0\0\x01\0\x12\xc6\x01\0\x04\0\0\0\1\4\0\0", "is a camera's raw file"),
        (b"MM\0*\0\0\0\x08\0\x01\xc6\x12\0\x01\0\0\0\x04\1\4\0\0", "is a camera's raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "is a camera's raw file"),
        (b"FUJIFILMCCD-RAW 0201", "is a camera's raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "is a camera's raw file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "is a video, which is not read; save one of its frames"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81", "is a video"),
    ],
)
def test_what_is_not_read_is_named(head: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load_image(head + bytes(200))
    assert "JPEG, PNG or WebP" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"heix\0\0\0\0mif1heix"])
def test_heic_is_named_with_what_reads_it(brands: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pi_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(InputError, match="is HEIC, which is not read without the package pi-heif; save it as JPEG"):
        load_image(b"\0\0\0\x18ftyp" + brands + bytes(200))


def test_avif_behind_the_brand_of_heif_is_avif() -> None:
    kind = kind_of(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf" + bytes(100))
    assert kind is not None and kind.name == "AVIF"


@pytest.mark.parametrize(
    "head", [b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0\x08\0\0\0", b"hello"]
)
def test_no_other_parser_sees_a_file(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of Pillow's parsers gets to say that it was asked."""
    Image.init()
    asked: list[str] = []

    def listening(name: str) -> tuple[Any, Any]:
        factory, accept = Image.OPEN[name]

        def open_it(*arguments: Any) -> Any:  # noqa: ANN401
            asked.append(name)
            return factory(*arguments)

        return open_it, accept

    for name in list(Image.OPEN):
        monkeypatch.setitem(Image.OPEN, name, listening(name))
    with pytest.raises(InputError):
        load_image(head + bytes(100))
    assert set(asked) <= {"PNG", "JPEG", "TIFF"} and len(set(asked)) <= 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_several_pictures_in_one_file_are_said(kind: str) -> None:
    loaded = load_image(encoded(kind, plain(10), plain(90)))
    assert loaded.notes == ("the file holds 3 pictures; the first is used",)
    assert loaded.pixels.mean() == pytest.approx(200, abs=2)
    assert load_image(encoded("PNG")).notes == ()
