"""A live session that hears a file as it would a microphone: ``VIVANT_CONSENT=me python examples/live.py me.jpg hello.wav``"""

import asyncio
import sys
from pathlib import Path

import vivant
from vivant.media import AudioFile, open_audio


async def listen(session: vivant.Session, voice: AudioFile) -> None:
    for chunk in voice.chunks(block_ms=20):
        await session.push(chunk.samples)  # waits while two seconds are queued
    await session.finish()


async def main(face: vivant.Face, voice: AudioFile) -> None:
    config = vivant.SessionConfig(sample_rate_hz=voice.sample_rate_hz)
    async with vivant.Session(face, config) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(session, voice))
        async for item in session:
            sys.stdout.write(f"{item.pts_us / 1e6:.2f} s\r" if isinstance(item, vivant.Output) else f"{item}\n")


with open_audio(Path(sys.argv[2])) as voice:
    asyncio.run(main(vivant.open_portrait(sys.argv[1]), voice))
