"""A sound file spoken by a served face: ``vivant serve &``, then ``python examples/served_file.py hello.wav [HOST:PORT]``"""

import asyncio
import sys
from pathlib import Path

import vivant
from vivant.client import RemoteConfig, RemoteSession, connect
from vivant.media import AudioFile, open_audio


async def speak(session: RemoteSession, voice: AudioFile) -> None:
    for chunk in voice.chunks():
        await session.push(chunk.samples)  # waits where the server holds enough, however long the voice is
    await session.end()


async def main(voice: AudioFile, address: str = "127.0.0.1:50750") -> None:
    config = RemoteConfig(sample_rate_hz=voice.sample_rate_hz)
    async with connect(address) as client, client.animate("ada", config) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(session, voice))
        async for item in session:  # while it speaks: whoever takes nothing is hung up on
            sys.stdout.write(f"{item.pts_us / 1e6:.2f} s\r" if isinstance(item, vivant.Output) else f"{item}\n")
            if isinstance(item, vivant.UtteranceEnd):
                break


with open_audio(Path(sys.argv[1])) as voice:
    asyncio.run(main(voice, *sys.argv[2:]))
