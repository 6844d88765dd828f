"""Backgrounds: pictures that pages put behind their faces. In memory, each page's for itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import numpy as np
from PIL import Image, ImageOps

from vivant.server.clients import Client
from vivant.server.decoder import Decoder
from vivant.session.background import Background

SIDE_PX = 512
"""Of the pictures that a page is sent."""
MOST = 8
"""Of one page; the oldest goes. Chosen."""


class Backgrounds:
    """On the event loop; pictures are decoded in a process of their own."""

    def __init__(self, most_pixels: int) -> None:
        self._decoder = Decoder(most_pixels)
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[tuple[str, str], Background] = OrderedDict()
        self._n = 0

    def of(self, client: Client, name: str) -> Background | None:
        """The page's own of that name."""
        return self._kept.get((client.key, name))

    async def put(self, client: Client, image: bytes) -> str:
        """Its name. Raises InputError for what is no picture."""
        async with self._turn:
            pixels = await asyncio.to_thread(self._read, image)
        self._n += 1
        name = f"picture {self._n}"
        self._kept[client.key, name] = Background(pixels)
        own = [key for key in self._kept if key[0] == client.key]
        for key in own[:-MOST]:
            del self._kept[key]
        return name

    def close(self) -> None:
        self._decoder.close()

    def _read(self, image: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.asarray(ImageOps.fit(Image.fromarray(self._decoder.decode(image).pixels), (SIDE_PX, SIDE_PX)))
