"""A scripted conversation as a video, both sides heard: what somebody in the agent's room sees and hears, and the user.

    python examples/record.py conversation.mp4

It is recorded live. Its pictures are labelled and marked as all of them are, and the file is signed. Needs hibari-tts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from hibari import Hibari
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.plugins import vivant
from local_room import LocalRoom, Viewer
from scripted import RATE_HZ, HibariTTS, ScriptedLLM

from vivant import Face
from vivant.commands.options import portrait_file
from vivant.media import open_video
from vivant.provenance.production import begin
from vivant.types import AudioChunk, PixelFormat, VideoFrame

PORTRAIT = "ada"
SIDE_PX = 512
FPS = 25
SCRIPT = (
    ("Hi. Who are you?", "Hello. I am a picture of nobody, and this is my voice. I am drawn on this machine, on its C P U."),
    (
        "Can I interrupt you?",
        "Of course. You need only begin to speak, and whatever it is that I am just telling you",
    ),
    ("Stop! What do you do while I speak?", "I listen. I look at you, and sometimes I nod. Then I think, and then I answer."),
    ("And what does it cost?", "A processor that you already have. No key, no cloud, no meter that runs."),
)
CUT = 1
"""In whose answer the user begins to speak."""
CUT_AFTER_S = 3.2
NOTICED_S = 0.25
"""After so long a detector of voices knows that the user speaks."""
USER_PITCH = 0.8
"""Of the same voice, so that one hears who speaks; chosen by ear."""


class Recording:
    """What is seen and heard, on one timeline that begins with it."""

    def __init__(self, viewer: Viewer) -> None:
        self._began_s = asyncio.get_running_loop().time()
        self._pictures: list[tuple[float, rtc.VideoFrame]] = []
        self._user: list[tuple[float, np.ndarray]] = []
        self._viewer = viewer
        viewer.sounds.clear()
        viewer.show = lambda picture: self._pictures.append((self._now_s, picture))

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_s

    async def user_says(self, samples: np.ndarray) -> None:
        self._user.append((self._now_s, samples))
        await asyncio.sleep(len(samples) / RATE_HZ)

    def sound(self) -> np.ndarray:
        """(n,) floats: what came from the room, each frame after the one before it, and the user over it."""
        heard = np.zeros(round((self._now_s + 10) * RATE_HZ), np.float32)
        end = 0
        for at_s, frame in self._viewer.sounds:
            samples = np.frombuffer(frame.data, np.int16) / np.float32(32768)
            end = max(end, round((at_s - self._began_s) * RATE_HZ) - len(samples) - RATE_HZ // 20)
            heard[end : end + len(samples)] += samples
            end += len(samples)
        for at_s, samples in self._user:
            first = round(at_s * RATE_HZ)
            heard[first : first + len(samples)] += samples
        return np.clip(heard[: round(self._now_s * RATE_HZ)], -1, 1)

    def write(self, out: Path, face: Face, session_id: int) -> None:
        """``session_id`` is what the pictures' mark says."""
        sound = self.sound()
        with portrait_file(Path(PORTRAIT)) as portrait:
            work = begin(face, portrait, None, 1, None)
            work = replace(work, claim=replace(work.claim, session_id=session_id))
            shape = {"width": SIDE_PX, "height": SIDE_PX, "fps": Fraction(FPS), "sample_rate_hz": RATE_HZ, "alpha": False}
            with open_video(out, **shape, complete=work.complete(out)) as video:  # type: ignore[arg-type]
                video.write_audio(AudioChunk(sound, RATE_HZ, 0))
                for index in range(len(sound) * FPS // RATE_HZ):
                    video.write(VideoFrame(index, index * 1_000_000 // FPS, self._pixels(index / FPS), PixelFormat.RGB))

    def _pixels(self, at_s: float) -> np.ndarray:
        """Of the newest picture at that time."""
        seen = [picture for shown_s, picture in self._pictures if shown_s <= at_s] or [self._pictures[0][1]]
        rgb = seen[-1].convert(rtc.VideoBufferType.RGB24)
        return np.frombuffer(rgb.data, np.uint8).reshape(SIDE_PX, SIDE_PX, 3)


async def main(out: Path) -> None:
    hibari = Hibari()
    asked = [_lower(await asyncio.to_thread(hibari, question)) for question, _ in SCRIPT]
    room = LocalRoom()
    session = AgentSession(llm=ScriptedLLM(*(answer for _, answer in SCRIPT)), tts=HibariTTS(), vad=None)
    face = await asyncio.to_thread(vivant.prewarm, PORTRAIT)
    avatar = vivant.AvatarSession(face, size_px=SIDE_PX, fps=FPS, seed=1)
    await avatar.start(session, room)  # type: ignore[arg-type]
    await session.start(Agent(instructions=""))
    viewer = await room.viewer()
    await asyncio.sleep(1)
    recording = Recording(viewer)
    answer: Awaitable[object] | None = None
    for i, (question, _) in enumerate(SCRIPT):
        if answer is not None and i != CUT + 1:
            await answer
            await asyncio.sleep(0.7)
        if i == CUT + 1:
            await asyncio.sleep(CUT_AFTER_S)
        asking = asyncio.create_task(recording.user_says(asked[i]))
        if i == CUT + 1:
            await asyncio.sleep(NOTICED_S)
            await session.interrupt()
        await asking
        answer = session.generate_reply(user_input=question)
    if answer is not None:
        await answer
    await asyncio.sleep(1)
    assert isinstance(avatar.generator, vivant.FaceVideoGenerator)
    recording.write(out, face, avatar.generator.session.stream.presenter.session_id)
    await viewer.aclose()
    await avatar.aclose()
    await session.aclose()


def _lower(samples: np.ndarray) -> np.ndarray:
    places = np.arange(0, len(samples) - 1, USER_PITCH)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
