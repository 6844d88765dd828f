"""A scripted conversation as a video, both sides heard: the user's voice, and what the plugin gives a room.

    python examples/record.py conversation.mp4

In virtual time, so that a busy machine leaves no picture out. The pictures are labelled and marked as all of them are, and the
file is signed. Needs hibari-tts.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from hibari import Hibari
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd
from livekit.plugins import vivant
from scripted import RATE_HZ

from vivant import Attention, Controls
from vivant.commands.options import portrait_file
from vivant.media import open_video
from vivant.provenance.production import begin
from vivant.samples import pcm_s16le
from vivant.testing import Inline, LoopClock, run_virtual
from vivant.types import AudioChunk, PixelFormat, VideoFrame

PORTRAIT = "ada"
SIDE_PX = 512
FPS = 25
SCRIPT = (
    ("Hi. Who are you?", "Hello. I am a picture of nobody, and this is my voice."),
    ("Can I interrupt you?", "Of course. You need only begin to speak, and whatever it is that I am just telling you"),
    ("Stop! And while I speak?", "I listen. I look at you, and I nod. Then I think, and then I answer."),
    ("What does it cost?", "A processor that you already have. No key, no cloud, no meter that runs."),
)
CUT, CUT_AFTER_S = 1, 2.6
"""In whose answer the user begins to speak, and when."""
NOTICED_S = 0.25
"""After so long a detector of voices knows that the user speaks."""
THINKS_S = 0.6
USER_PITCH = 0.8
"""Of the same voice, so that one hears who speaks; chosen by ear."""


class Recording:
    """What a room is given, and the user over it, on one timeline."""

    def __init__(self, generator: vivant.FaceVideoGenerator) -> None:
        self._generator = generator
        self._pictures: list[tuple[float, rtc.VideoFrame]] = []
        self._sounds: list[tuple[float, np.ndarray]] = []
        self._user: list[tuple[float, np.ndarray]] = []
        self.ended = asyncio.Event()

    async def take(self) -> None:
        played_s = 0.0
        async for item in self._generator:
            now_s = asyncio.get_running_loop().time()
            if isinstance(item, rtc.VideoFrame):
                self._pictures.append((now_s, item))
            elif isinstance(item, AudioSegmentEnd):
                self.ended.set()
            else:
                played_s = max(now_s, played_s)  # a room plays one piece after the other
                self._sounds.append((played_s, np.frombuffer(item.data, np.int16) / np.float32(32768)))
                played_s += item.samples_per_channel / RATE_HZ

    async def user_says(self, samples: np.ndarray) -> None:
        self._user.append((asyncio.get_running_loop().time(), samples))
        await asyncio.sleep(len(samples) / RATE_HZ)

    def forget_from(self, now_s: float) -> None:
        """The room's queue was emptied."""
        self._sounds = [(at_s, part[: max(0, round((now_s - at_s) * RATE_HZ))]) for at_s, part in self._sounds]

    def sound(self) -> np.ndarray:
        """(n,) floats."""
        heard = np.zeros(round((self._pictures[-1][0] + 10) * RATE_HZ), np.float32)
        for at_s, samples in (*self._sounds, *self._user):
            first = round(at_s * RATE_HZ)
            heard[first : first + len(samples)] += samples
        return np.clip(heard[: round(self._pictures[-1][0] * RATE_HZ)], -1, 1)

    def pixels(self, at_s: float) -> np.ndarray:
        """(h, w, 3) of the newest picture at that time."""
        shown = [picture for shown_s, picture in self._pictures if shown_s <= at_s + 0.5 / FPS] or [self._pictures[0][1]]
        rgb = shown[-1].convert(rtc.VideoBufferType.RGB24)
        return np.frombuffer(rgb.data, np.uint8).reshape(SIDE_PX, SIDE_PX, 3)


async def converse(generator: vivant.FaceVideoGenerator, lines: list[tuple[np.ndarray, np.ndarray]]) -> Recording:
    recording = Recording(generator)
    taking = asyncio.create_task(recording.take())
    await asyncio.sleep(1)
    for i, (question, answer) in enumerate(lines):
        asking = asyncio.create_task(recording.user_says(question))
        if i == CUT + 1:
            await asyncio.sleep(NOTICED_S)
            await generator.clear_buffer()
            recording.forget_from(asyncio.get_running_loop().time())
        generator.steer(Controls(attention=Attention.LISTENING))
        await asking
        generator.steer(Controls(attention=Attention.THINKING))
        await asyncio.sleep(THINKS_S)
        generator.steer(Controls(attention=Attention.SPEAKING))
        recording.ended.clear()
        await generator.push_audio(rtc.AudioFrame(pcm_s16le(answer), RATE_HZ, 1, len(answer)))
        await generator.push_audio(AudioSegmentEnd())
        await (asyncio.sleep(CUT_AFTER_S) if i == CUT else recording.ended.wait())
        await asyncio.sleep(0 if i == CUT else THINKS_S)
    await asyncio.sleep(1)
    taking.cancel()
    await generator.aclose()
    return recording


def lower(samples: np.ndarray) -> np.ndarray:
    places = np.arange(0, len(samples) - 1, USER_PITCH)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def main(out: Path) -> None:
    hibari = Hibari()
    lines = [(lower(hibari(question)), np.asarray(hibari(answer), np.float32)) for question, answer in SCRIPT]
    face = vivant.prewarm(PORTRAIT)

    async def record() -> tuple[Recording, int]:
        how = {"size_px": SIDE_PX, "fps": FPS, "seed": 1, "clock": LoopClock(), "executor": Inline()}
        generator = vivant.FaceVideoGenerator(face, sample_rate_hz=RATE_HZ, **how)  # type: ignore[arg-type]
        return await converse(generator, lines), generator.session.stream.presenter.session_id

    recording, session_id = run_virtual(record())
    sound = recording.sound()
    with portrait_file(Path(PORTRAIT)) as portrait:
        work = begin(face, portrait, None, 1, None)
        work = replace(work, claim=replace(work.claim, session_id=session_id))  # what the pictures' mark says
        shape = {"width": SIDE_PX, "height": SIDE_PX, "fps": Fraction(FPS), "sample_rate_hz": RATE_HZ, "alpha": False}
        with open_video(out, **shape, complete=work.complete(out)) as video:  # type: ignore[arg-type]
            video.write_audio(AudioChunk(sound, RATE_HZ, 0))
            for index in range(len(sound) * FPS // RATE_HZ):
                pixels = recording.pixels(index / FPS)
                video.write(VideoFrame(index, index * 1_000_000 // FPS, pixels, PixelFormat.RGB))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
