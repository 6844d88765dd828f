"""A voice from a pipe, as a synthesiser or a microphone gives it, spoken while it comes: raw PCM of 16 bit, mono, 22050 Hz.

espeak-ng --stdout hello | ffmpeg -loglevel error -i - -f s16le -ac 1 -ar 22050 - | python examples/served_pipe.py [HOST:PORT]
arecord -q -f S16_LE -c 1 -r 22050 -t raw | python examples/served_pipe.py
"""

import asyncio
import sys

import numpy as np

from vivant import Output
from vivant.client import RemoteConfig, RemoteSession, Statistics, connect


async def listen(face: RemoteSession) -> None:
    while data := await asyncio.to_thread(sys.stdin.buffer.read, 882):  # 20 ms
        await face.push(np.frombuffer(data[: len(data) // 2 * 2], "<i2"))
    await face.finish()


async def main(address: str = "127.0.0.1:50750") -> None:
    config = RemoteConfig(sample_rate_hz=22_050)
    async with connect(address) as client, client.animate("ada", config) as face, asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(face))
        async for item in face:
            if not isinstance(item, Output | Statistics):
                sys.stdout.write(f"{item}\n")


asyncio.run(main(*sys.argv[1:]))
