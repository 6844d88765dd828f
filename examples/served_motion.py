"""Motion alone, for an avatar of your own: ``vivant serve &``, then ``python examples/served_motion.py hello.wav``"""

import asyncio
import sys
from pathlib import Path

from vivant import ARKIT_NAMES, MotionFrame
from vivant.client import connect
from vivant.media import open_audio
from vivant.v1 import vivant_pb2 as pb


async def main() -> None:
    with open_audio(Path(sys.argv[1])) as voice:
        config = pb.SessionConfig(sample_rate_hz=voice.sample_rate_hz, outputs=pb.OUTPUTS_MOTION)
        async with connect("127.0.0.1:50750") as client, client.animate("ada", config) as face:
            for chunk in voice.chunks():
                await face.push(chunk.samples)
            await face.finish()
            async for item in face:
                if isinstance(item, MotionFrame):
                    jaw = item.weights[ARKIT_NAMES.index("jawOpen")]
                    sys.stdout.write(f"{item.pts_us / 1e6:6.2f} s  {'#' * round(40 * jaw)}\n")


asyncio.run(main())
