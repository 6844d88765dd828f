"""A face that draws for several sessions at once, as one on a GPU wants to: all of it behind `Face.open`."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from vivant.session.session import Session, SessionConfig
from vivant.size import Size
from vivant.testing import PlainFace, index_in
from vivant.testing.faces import PlainRenderer
from vivant.types import MotionFrame, Output, UInt8Array, VideoFrame

pytestmark = pytest.mark.session

SESSIONS = 3
WAIT_S = 20.0
Request = tuple[PlainRenderer, MotionFrame, Future[VideoFrame]]


class BatchedFace(PlainFace):
    """Requests of all renderers come together in one queue; one thread draws them, as many at once as there are sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: queue.Queue[Request | None] = queue.Queue()
        self.batches: list[int] = []

    def open(self, size_px: int | tuple[int, int]) -> BatchedRenderer:  # type: ignore[override]
        return BatchedRenderer(self.requests, PlainRenderer(self.tint, Size.of(size_px)))

    def work(self) -> None:
        batch: list[Request] = []
        while (request := self.requests.get()) is not None:
            batch.append(request)
            if len(batch) == SESSIONS:
                self.batches.append(len(batch))
                for renderer, motion, answer in batch:
                    answer.set_result(renderer.render(motion))
                batch.clear()


class BatchedRenderer:
    def __init__(self, requests: queue.Queue[Request | None], renderer: PlainRenderer) -> None:
        self._requests, self._renderer = requests, renderer

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        answer: Future[VideoFrame] = Future()
        self._requests.put((self._renderer, motion, answer))
        return answer.result(WAIT_S)


@contextmanager
def working(face: BatchedFace) -> Iterator[None]:
    worker = threading.Thread(target=face.work)
    worker.start()
    try:
        yield
    finally:
        face.requests.put(None)
        worker.join()


async def spoken(face: BatchedFace, size_px: int, executor: ThreadPoolExecutor) -> list[Output]:
    async with Session(face, SessionConfig(size_px=size_px, paced=False), executor=executor) as session:
        await session.push(np.zeros(16_000, np.float32))
        await session.finish()
        return [item async for item in session if isinstance(item, Output)]


def test_several_sessions_are_drawn_in_batches_and_each_gets_its_own() -> None:
    face, sizes_px = BatchedFace(), [64 + 32 * number for number in range(SESSIONS)]

    async def story() -> list[list[Output]]:
        with ThreadPoolExecutor(SESSIONS) as executor:
            return await asyncio.gather(*(spoken(face, size_px, executor) for size_px in sizes_px))

    with working(face):
        told = asyncio.run(story())
    for outputs, size_px in zip(told, sizes_px, strict=True):
        pictures = [output.picture for output in outputs]
        assert [picture and picture.size_px for picture in pictures] == [(size_px, size_px)] * len(outputs)
        assert [picture and index_in(picture.pixels) for picture in pictures] == list(range(len(outputs)))
    assert face.batches == [SESSIONS] * len(told[0])
