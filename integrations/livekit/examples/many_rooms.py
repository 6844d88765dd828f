"""Many rooms on one machine: how many pictures each gets, how much later than their sound, and what it costs.

    python examples/many_rooms.py [ROOMS] [SECONDS] [--server]

Every room has an agent of its own that speaks, is interrupted and listens by turns, and somebody who looks and hears; the video
is not encoded. With --server the faces are drawn by one `vivant serve`, else in this process.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import nullcontext
from typing import Any

import numpy as np
from livekit.agents import Agent, AgentSession
from livekit.plugins import vivant
from local_room import LocalRoom, Viewer
from scripted import ClipTTS, ScriptedLLM
from serving import Serving

SIDE_PX = 256
FPS = 25
LINE_S = 4.0
FACES = ("ada", "amara", "bram", "lena", "noor", "sana", "tomas", "walter")


async def main(n_rooms: int, seconds: float, server: Serving | None) -> None:
    async with asyncio.timeout(60 + 3 * seconds):
        rooms = [await Room.open(FACES[i % len(FACES)], server) for i in range(n_rooms)]
        await asyncio.sleep(2)
        cpu_s, began_s = time.process_time(), time.monotonic()
        await asyncio.gather(*(room.talk(seconds, i) for i, room in enumerate(rooms)))
        took_s = time.monotonic() - began_s
        cores = (time.process_time() - cpu_s) / took_s
    report(rooms, took_s, cores)
    for room in rooms:
        await room.aclose()


def report(rooms: list[Room], took_s: float, cores: float) -> None:
    rates = sorted(len(room.viewer.pictures) / took_s for room in rooms)
    gap_ms = 1000 * max(float(np.diff(room.viewer.pictures).max()) for room in rooms)
    waits_ms = np.array([wait for room in rooms for wait in room.waits_ms])
    print(f"{len(rooms)} rooms, {SIDE_PX} px, {took_s:.0f} s; {cores:.2f} cores in this process")
    print(f"pictures a second: worst room {rates[0]:.1f}, median {rates[len(rates) // 2]:.1f} of {FPS}")
    print(f"longest gap between pictures: {gap_ms:.0f} ms")
    print(f"from the ask to the voice: median {np.median(waits_ms):.0f} ms, p95 {np.percentile(waits_ms, 95):.0f} ms")
    print(f"{sum(room.n_lines for room in rooms)} lines, {sum(room.n_ends for room in rooms)} ends")


class Room:
    """One agent, its face and somebody who looks."""

    def __init__(self, session: AgentSession, avatar: vivant.AvatarSession, viewer: Viewer) -> None:
        self.session, self.avatar, self.viewer = session, avatar, viewer
        self.waits_ms: list[float] = []
        self.n_lines = self.n_ends = 0

    @classmethod
    async def open(cls, portrait: str, server: Serving | None) -> Room:
        room, session = LocalRoom(), AgentSession(llm=ScriptedLLM(*["A line."] * 1000), tts=ClipTTS(LINE_S), vad=None)
        where: dict[str, Any] = {} if server is None else {"server": server.address}
        avatar = vivant.AvatarSession(portrait, size_px=SIDE_PX, fps=FPS, **where)
        await avatar.start(session, room)  # type: ignore[arg-type]
        await session.start(Agent(instructions=""))
        return cls(session, avatar, await room.viewer())

    async def talk(self, seconds: float, seed: int) -> None:
        """Every third line is interrupted."""
        clock, chance = asyncio.get_running_loop(), np.random.default_rng(seed)
        self.viewer.pictures.clear()
        until_s = clock.time() + seconds
        await asyncio.sleep(chance.uniform(0, LINE_S))
        while clock.time() < until_s:
            n_sounds, said_s = len(self.viewer.sounds), clock.time()
            reply = self.session.generate_reply(user_input="go on")
            while not (first_s := self._loud_since(n_sounds)):
                n_sounds = len(self.viewer.sounds)
                await asyncio.sleep(0.01)
            self.waits_ms.append(1000 * (first_s - said_s))
            self.n_lines += 1
            if self.n_lines % 3 == 0:
                await asyncio.sleep(chance.uniform(0.2, 2))
                await self.session.interrupt()
            await reply
            self.n_ends += 1
            self.viewer.sounds.clear()
            await asyncio.sleep(chance.uniform(0.5, 3))
        await asyncio.sleep(max(0.0, until_s - clock.time()))

    def _loud_since(self, n: int) -> float:
        loud = (at_s for at_s, frame in self.viewer.sounds[n:] if np.abs(np.frombuffer(frame.data, np.int16)).max() > 100)
        return next(loud, 0.0)

    async def aclose(self) -> None:
        await self.viewer.aclose()
        await self.avatar.aclose()
        await self.session.aclose()


if __name__ == "__main__":
    numbers = [float(argument) for argument in sys.argv[1:] if argument != "--server"]
    n_rooms, seconds = int(numbers[0]) if numbers else 8, numbers[1] if len(numbers) > 1 else 60.0
    with Serving() if "--server" in sys.argv else nullcontext() as server:
        asyncio.run(main(n_rooms, seconds, server))
