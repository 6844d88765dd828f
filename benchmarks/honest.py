"""Honest clients of a soak: four ways to use a face, each watched, with some of its pictures drawn here again."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from benchmarks.report import ASSETS
from benchmarks.served import FPS, RATE_HZ, speech
from benchmarks.soak_watch import Watch
from vivant.client import Client, RemoteConfig, RemoteSession
from vivant.errors import VivantError
from vivant.face import Face, open_portrait
from vivant.session.presenter import Presenter
from vivant.types import Output

PORTRAITS = ("ada", "bram", "noor")
SIZE_PX = 512
BLOCK_S = 0.04
"""Of sound from a microphone; chosen."""
COMPARED = 25
"""One picture in so many is drawn here, too; chosen: one a second."""
AGAIN_S = 1.0
"""Before a lost call is opened again; chosen."""


class Twin:
    """The same faces, drawn in this process from the motion that came with each picture."""

    def __init__(self, faces: dict[str, Face]) -> None:
        self.faults: list[str] = []
        self.n_compared = 0
        self._faces = faces
        self._presenters: dict[tuple[str, int], Presenter] = {}
        self._session_id = 0

    def begin(self, session_id: str) -> None:
        """Another call: its mark is in every picture."""
        self._session_id, self._presenters = int(session_id, 16), {}

    def compare(self, output: Output) -> None:
        """Must be the same to the bit."""
        assert output.picture is not None
        of = output.portrait, output.picture.size_px[0]
        if of not in self._presenters:
            self._presenters[of] = Presenter(self._faces[of[0]], size_px=of[1], session_id=self._session_id)
        own = self._presenters[of].present(output.motion)
        self.n_compared += 1
        if own is None or not np.array_equal(own.pixels, output.picture.pixels):
            self.faults.append(f"frame {output.motion.index} of {of[0]} at {of[1]} px")


def open_faces() -> dict[str, Face]:
    """The portraits that are shown, by name."""
    return {name: open_portrait(ASSETS / "portraits" / f"{name}.jpg") for name in PORTRAITS}


class Honest:
    """One face for the whole run, opened again where its call is lost."""

    def __init__(self, role: str, seed: int, faces: dict[str, Face]) -> None:
        self.role = role
        self.watches: list[Watch] = []
        """One per call."""
        self.lost: list[str] = []
        """Why calls ended."""
        self.twin = Twin(faces)
        self._seed = seed + list(ROLES).index(role)
        self._chance = random.Random(self._seed)
        self._scene, self._calm = "", True

    @property
    def faults(self) -> list[str]:
        return [fault for watch in self.watches for fault in watch.faults]

    @property
    def counts(self) -> Counter[str]:
        return sum((watch.counts for watch in self.watches), Counter())

    @property
    def stillness(self) -> tuple[float, str]:
        """s, and in which scene."""
        return max((watch.stillness for watch in self.watches), default=(float("inf"), "no call"))

    def set_scene(self, scene: str, *, calm: bool) -> None:
        """What befalls the server from now on."""
        self._scene, self._calm = scene, calm
        for watch in self.watches[-1:]:
            watch.scene, watch.drift.calm = scene, calm

    def resumes(self, now_s: float) -> None:
        """The server had been stopped and runs again."""
        for watch in self.watches[-1:]:
            watch.resumes(now_s)

    async def live(self, client: Client) -> None:
        """Until cancelled."""
        config = RemoteConfig(FPS, SIZE_PX, RATE_HZ, seed=self._seed)
        while True:
            try:
                async with client.animate("ada", config) as face:
                    self.twin.begin(face.started.session_id)
                    watch = Watch(face.fps, SIZE_PX, face.started.delay_us, time.monotonic())
                    watch.scene, watch.drift.calm = self._scene, self._calm
                    self.watches.append(watch)
                    await self._call(face, watch)
                self.lost.append(f"it ended by itself ({self._scene})")
            except VivantError as error:
                self.lost.append(f"{error} ({self._scene})")
            await asyncio.sleep(AGAIN_S)

    async def _call(self, face: RemoteSession, watch: Watch) -> None:
        """Raises what ends either side early."""
        acting = asyncio.create_task(ROLES[self.role](face, watch, self._chance))
        try:
            async for item in face:
                watch.hears(item, time.monotonic())
                if isinstance(item, Output) and item.picture is not None and self._chance.random() < 1 / COMPARED:
                    await asyncio.to_thread(self.twin.compare, item)
                if acting.done():
                    break
        finally:
            watch.stands_still(time.monotonic())
            acting.cancel()
            (ended,) = await asyncio.gather(acting, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def say(face: RemoteSession, watch: Watch, number: int, seconds: float) -> None:
    """A line, all of its sound at once."""
    seconds = round(seconds, 2)
    watch.says(f"{number}", seconds)
    await face.begin(f"{number}")
    await face.push(speech(seconds))
    await face.end()


async def at_once(face: RemoteSession, watch: Watch, chance: random.Random) -> None:
    """As a synthesiser gives its lines."""
    for number in range(1, 1_000_000):
        seconds = chance.uniform(0.5, 6)
        await say(face, watch, number, seconds)
        await asyncio.sleep(seconds + chance.uniform(0, 3))


async def microphone(face: RemoteSession, watch: Watch, chance: random.Random) -> None:
    """Lines that come as they are spoken."""
    step = round(RATE_HZ * BLOCK_S)
    for number in range(1, 1_000_000):
        samples, began_s = speech(chance.uniform(1, 8)), time.monotonic()
        watch.says(f"{number}", None)
        await face.begin(f"{number}")
        for first in range(0, len(samples), step):
            await asyncio.sleep(began_s + (first + step) / RATE_HZ - time.monotonic())
            await face.push(samples[first : first + step])
        await face.end()
        await asyncio.sleep(chance.uniform(0.5, 3))


async def interruptions(face: RemoteSession, watch: Watch, chance: random.Random) -> None:
    """Several long lines at once, cut short: before they begin, in the middle, and now and then not at all."""
    number = 0
    while True:
        for _ in range(chance.randint(1, 3)):
            number += 1
            await say(face, watch, number, chance.uniform(2, 6))
        await asyncio.sleep(chance.choice((0.0, chance.uniform(0, 1), chance.uniform(0, 8))))
        watch.interrupts()
        await face.interrupt()
        await asyncio.sleep(chance.choice((0.0, chance.uniform(0, 2))))


async def portraits(face: RemoteSession, watch: Watch, chance: random.Random) -> None:
    """Another portrait every few seconds, in lines and between them."""
    speaking = asyncio.create_task(at_once(face, watch, random.Random(chance.random())))
    try:
        while not speaking.done():
            await face.set_portrait(chance.choice(PORTRAITS))
            await asyncio.sleep(chance.uniform(0.1, 4))
        await speaking
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)


Role = Callable[[RemoteSession, Watch, random.Random], Coroutine[Any, Any, None]]
ROLES: dict[str, Role] = {
    "at once": at_once,
    "microphone": microphone,
    "interruptions": interruptions,
    "portraits": portraits,
}
