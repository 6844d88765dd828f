"""Portraits: the same picture in any form, opened here or put on a server, or one InputError there and then."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vivant.face
from tests.conftest import portrait_path
from tests.odd_values import (
    NO_AMOUNTS,
    NO_CONTROLS,
    NO_FLAGS,
    NO_NAMES,
    refused,
)
from vivant.client import Client, connect
from vivant.errors import InputError
from vivant.face import open_portrait
from vivant.media import load_image
from vivant.server.server import Server
from vivant.session.config import SessionConfig
from vivant.testing import PlainFace

pytestmark = [pytest.mark.session, pytest.mark.filterwarnings("ignore:vivant.Talker:DeprecationWarning")]

WAIT_S = 60.0


@asynccontextmanager
async def seeing_server() -> AsyncIterator[tuple[Client, list[bytes]]]:
    """A server that keeps the image files that it was asked to open."""
    seen: list[bytes] = []

    def opener(image: bytes, /, *, transparent: bool) -> PlainFace:
        seen.append(image)
        return PlainFace()

    async with Server(opener=opener) as server, connect(f"127.0.0.1:{server.port}") as client:
        yield client, seen


def portraits_of_ada() -> dict[str, Any]:
    path = portrait_path("ada")
    with Image.open(path) as picture:
        picture.load()
        pixels = np.asarray(picture.convert("RGB"))
        return {
            "bundled name": "ada",
            "path": path,
            "text": str(path),
            "bytes": path.read_bytes(),
            "bytearray": bytearray(path.read_bytes()),
            "open file": io.BytesIO(path.read_bytes()),
            "picture": picture,
            "RGBA": picture.convert("RGBA"),
            "array": pixels,
            "floats": pixels / 255,
            "uint16": pixels.astype(np.uint16) * 257,
        }


@pytest.fixture
def opened_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """What `open_portrait` would build a rig of."""

    class SeenError(Exception):
        pass

    def cached_rig(image: Any, *_: object, **__: object) -> None:  # noqa: ANN401
        raise SeenError(image)

    def open_here(source: Any) -> Any:  # noqa: ANN401
        with pytest.raises(SeenError) as seen:
            open_portrait(source)
        return seen.value.args[0]

    monkeypatch.setattr(vivant.face, "cached_rig", cached_rig)
    return open_here


def test_one_portrait_in_any_form_here_and_on_a_server(opened_here: Callable[[Any], Any]) -> None:
    pixels = load_image(portrait_path("ada")).pixels
    for name, source in portraits_of_ada().items():
        assert np.array_equal(opened_here(source).pixels, pixels), name

    async def story() -> None:
        async with seeing_server() as (client, seen):
            for name, source in portraits_of_ada().items():
                portrait = await client.put_portrait(source, "synthetic")
                assert np.array_equal(load_image(seen[-1]).pixels, pixels), name
                await client.delete_portrait(portrait)

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_what_is_no_portrait_is_refused_alike_here_and_on_its_way() -> None:
    odd: list[Any] = [
        None, 7, 0.5, ["ada"], {"ada"}, object(), "x" * 200_000, "nobody-here", "zero\0byte", b"", b"hello" * 40_000,
        np.zeros((3, 80, 80), np.uint8), np.full((80, 80), 255.0), np.zeros((80, 80), np.int64), Image.new("RGB", (40, 40)),
        io.StringIO("text"), Path("nowhere.jpg"), Path("/"),
    ]  # fmt: skip

    async def story() -> None:
        async with seeing_server() as (client, _):
            for source in odd:
                for take in (client.put_portrait, lambda source: client.warm_up(source, "me")):
                    with pytest.raises(InputError) as caught:
                        await take(source)
                    refused(caught.value)
                with pytest.raises(InputError) as caught:
                    async with client.animate(source, consent="me"):
                        pass
                refused(caught.value)
            for name in NO_NAMES:
                with pytest.raises(InputError, match="portrait_id must be a text"):
                    await client.delete_portrait(name)
            for consent in ("maybe", 1, True, ["me"]):
                with pytest.raises(InputError, match="consent must be one of"):
                    await client.put_portrait("ada", consent)  # type: ignore[arg-type]
                with pytest.raises(InputError, match="consent must be one of"):
                    client.animate("ada", consent=consent)  # type: ignore[arg-type]
            for flag in NO_FLAGS:
                with pytest.raises(InputError, match="transparent must be True or False"):
                    await client.warm_up("ada", transparent=flag)
            for controls in NO_CONTROLS[1:]:
                with pytest.raises(InputError, match="controls must be"):
                    client.animate("ada", controls=controls)
            for config in ("fast", 30, SessionConfig(), {"fps": 30}):
                with pytest.raises(InputError, match="config must be a RemoteConfig"):
                    client.animate("ada", config)  # type: ignore[arg-type]

    for source in odd:
        with pytest.raises(InputError) as caught:
            open_portrait(source)
        refused(caught.value)
    with pytest.raises(InputError, match=r"nobody-here does not exist; .* bundled portrait: ada, ada_painting"):
        open_portrait("nobody-here")
    for number in [*NO_AMOUNTS, "1", 0, -1, 1.5]:
        with pytest.raises(InputError, match="face must be") as caught:
            open_portrait("ada", face=number)
        refused(caught.value)
    for answer in ("maybe", 1, True, ["me"], b"me"):
        with pytest.raises(InputError, match="consent must be one of me, agreed, unreal, synthetic, got"):
            open_portrait("ada", consent=answer)  # type: ignore[arg-type]
    asyncio.run(asyncio.wait_for(story(), WAIT_S))
