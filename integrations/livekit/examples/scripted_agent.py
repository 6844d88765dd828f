"""A whole agent without a cloud: scripted lines, a voice, a user who interrupts, and a room of one process.

    python examples/scripted_agent.py [LINES]

prints how soon the face spoke after the voice came, and what somebody in the room saw and heard.
With hibari-tts installed (Apache-2.0, 8 MB) it speaks the lines; else every line is the bundled voice.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

import numpy as np
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.plugins import vivant
from local_room import LocalRoom, Viewer
from scripted import RATE_HZ, ClipTTS, HibariTTS, ScriptedLLM

LINES = (
    "Hello. I am a picture, and this is my voice.",
    "Nothing of this leaves your machine: no key, no cloud, no meter that runs.",
    "Ask me something while I speak. I will stop at once, and I will not mind.",
    "Where were we? I listen, I think, and then I answer.",
)
LOUD = 1000
"""Of int16: the voice is heard."""


async def main(n_lines: int) -> None:
    room = LocalRoom()
    voice = HibariTTS() if HibariTTS.is_here() else ClipTTS(2.0)
    session = AgentSession(llm=ScriptedLLM(*(LINES[i % len(LINES)] for i in range(n_lines))), tts=voice, vad=None)
    avatar = vivant.AvatarSession("ada", seed=1)
    await avatar.start(session, room)  # type: ignore[arg-type]
    await session.start(Agent(instructions=""))
    viewer = await room.viewer()
    waits_ms = [await one_line(session, avatar, is_cut=i % 4 == 2) for i in range(n_lines)]
    print(f"first sound and picture after the voice: median {statistics.median(waits_ms):.0f} ms, worst {max(waits_ms):.0f} ms")
    print(f"{len(viewer.pictures)} pictures, {heard_s(viewer):.1f} s of sound seen and heard in the room")
    await viewer.aclose()
    await avatar.aclose()
    await session.aclose()


async def one_line(session: AgentSession, avatar: vivant.AvatarSession, *, is_cut: bool) -> float:
    """The agent answers, is interrupted if ``is_cut``. Returns ms from the voice's first sound to the face's."""
    generator, clock = avatar.generator, asyncio.get_running_loop()
    assert generator is not None
    watch = Watch(generator, clock)
    reply = session.generate_reply(user_input="go on")
    if is_cut:
        await watch.spoken.wait()
        await asyncio.sleep(1.0)
        await session.interrupt()
    await reply
    return 1000 * (watch.spoken_s - watch.came_s)


class Watch:
    """When the next line's voice comes into a generator and leaves it."""

    def __init__(self, generator: vivant.FaceVideoGenerator, clock: asyncio.AbstractEventLoop) -> None:
        self.came_s = self.spoken_s = 0.0
        self.spoken = asyncio.Event()
        self._push, self._parts, self._clock = type(generator).push_audio, type(generator)._parts, clock
        generator.push_audio = self._pushed  # type: ignore[method-assign]
        generator._parts = self._given  # type: ignore[method-assign]
        self._generator = generator

    async def _pushed(self, frame: object) -> None:
        self.came_s = self.came_s or self._clock.time()
        await self._push(self._generator, frame)  # type: ignore[arg-type]

    def _given(self, item: object) -> list[object]:
        parts = self._parts(self._generator, item)  # type: ignore[arg-type]
        if self.came_s and not self.spoken_s and any(isinstance(part, rtc.AudioFrame) for part in parts):
            self.spoken_s = self._clock.time()
            self.spoken.set()
        return list(parts)


def heard_s(viewer: Viewer) -> float:
    sound = [np.frombuffer(frame.data, np.int16) for _, frame in viewer.sounds]
    return sum(len(part) for part in sound if np.abs(part).max(initial=0) > LOUD) / RATE_HZ


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 12))
