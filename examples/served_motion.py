"""Motion alone, for an avatar of your own: ``vivant serve &``, then ``python examples/served_motion.py hello.wav``"""

import asyncio
import sys
from pathlib import Path

from vivant import ARKIT_NAMES, Output
from vivant.client import RemoteConfig, connect
from vivant.media import open_audio


async def main() -> None:
    with open_audio(Path(sys.argv[1])) as voice:
        config = RemoteConfig(sample_rate_hz=voice.sample_rate_hz, pictures=False)
        async with connect("127.0.0.1:50750") as client, client.animate("ada", config) as session:
            for chunk in voice.chunks():
                await session.push(chunk.samples)
            await session.finish()
            async for item in session:
                if isinstance(item, Output):
                    jaw = item.motion.weights[ARKIT_NAMES.index("jawOpen")]
                    sys.stdout.write(f"{item.pts_us / 1e6:6.2f} s  {'#' * round(40 * jaw)}\n")


asyncio.run(main())
