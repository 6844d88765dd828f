"""A sound file spoken by a served face: ``vivant serve &``, then ``python examples/served_file.py hello.wav [HOST:PORT]``"""

import asyncio
import sys
from pathlib import Path

import vivant
from vivant.client import RemoteConfig, RemoteSession, connect
from vivant.media import AudioFile, open_audio

AHEAD_US = 2_000_000
"""Sound is sent so long before it is due: a server queues only so much of it."""


async def speak(session: RemoteSession, voice: AudioFile, clock: vivant.Clock) -> None:
    start_us = clock.now_us()
    for chunk in voice.chunks():
        due_us = start_us + chunk.start_sample * 1_000_000 // chunk.sample_rate_hz
        await clock.sleep_until(due_us - AHEAD_US)
        await session.push(chunk.samples)
    await session.finish()


async def main(voice: AudioFile, address: str = "127.0.0.1:50750") -> None:
    config = RemoteConfig(sample_rate_hz=voice.sample_rate_hz)
    async with connect(address) as client, client.animate("ada", config) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(session, voice, vivant.MonotonicClock()))
        async for item in session:  # while it speaks: frames that nobody takes would hold up everything
            sys.stdout.write(f"{item.pts_us / 1e6:.2f} s\r" if isinstance(item, vivant.Output) else f"{item}\n")


with open_audio(Path(sys.argv[1])) as voice:
    asyncio.run(main(voice, *sys.argv[2:]))
