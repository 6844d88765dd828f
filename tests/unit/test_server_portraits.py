"""Which opened portraits a server keeps."""

from __future__ import annotations

import asyncio

import pytest

from vivant.server.clients import Client
from vivant.server.limits import Limits
from vivant.server.portraits import Portraits
from vivant.testing import PlainFace
from vivant.v1 import vivant_pb2 as pb

pytestmark = pytest.mark.unit


def test_the_face_that_was_not_used_for_longest_is_let_go() -> None:
    opened: list[bytes] = []

    def opener(image: bytes, /, *, transparent: bool) -> PlainFace:
        opened.append(image)
        return PlainFace()

    async def story() -> list[int]:
        portraits, after = Portraits(Limits(faces=2), opener), []
        for name in ("ada", "bram", "ada", "noor", "ada", "bram"):
            await portraits.open(Client("somebody", "lane"), pb.PortraitRef(id=name))
            after.append(len(opened))
        portraits.close()
        return after

    assert asyncio.run(story()) == [1, 2, 2, 3, 3, 4]
