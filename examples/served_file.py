"""A sound file spoken by a served face: ``vivant serve &``, then ``python examples/served_file.py hello.wav``"""

import asyncio
import sys
from pathlib import Path

from vivant.client import Event, RemoteFrame, connect
from vivant.media import open_audio
from vivant.v1 import vivant_pb2 as pb


async def main() -> None:
    with open_audio(Path(sys.argv[1])) as voice:
        config = pb.SessionConfig(sample_rate_hz=voice.sample_rate_hz)
        async with connect("127.0.0.1:50750") as client, client.animate("ada", config) as face:
            for chunk in voice.chunks():
                await face.push(chunk.samples)
            await face.finish()
            async for item in face:
                if isinstance(item, RemoteFrame | Event):
                    sys.stdout.write(f"{item.pts_us / 1e6:.2f} s\r" if isinstance(item, RemoteFrame) else f"{item.kind}\n")


asyncio.run(main())
