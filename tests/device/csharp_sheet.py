"""The picture in the Unity package's README, of frames as its core assembly receives them.

``VIVANT_DOTNET_TOOLS=FOLDER python -m tests.device.csharp_sheet OUT.jpg``, after ``scripts/dotnet-tools FOLDER``.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import voice
from benchmarks.served import vivant_serve
from tests.device.test_csharp_client import CORE, build_program, run_program

COLUMNS, SIDE_PX, SECONDS = 6, 256, 4


async def main(out: Path) -> None:
    samples, rate_hz = voice()
    every = np.arange(0, SECONDS * rate_hz, rate_hz / 16_000)
    pcm = (np.interp(every, np.arange(len(samples)), samples) * 32767).astype("<i2")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "voice.pcm").write_bytes(pcm.tobytes())
        program = await build_program(folder, Path(__file__).parent / "csharp" / "SheetClient.cs", *CORE)
        async with vivant_serve() as (_, port):
            code, said = await run_program(program, f"http://127.0.0.1:{port}", "ada", folder / "voice.pcm", folder)
        if code:
            raise SystemExit(said)
        frames = sorted(folder.glob("*.rgba"))[: 2 * COLUMNS]
        sheet = Image.new("RGB", (COLUMNS * SIDE_PX, -(-len(frames) // COLUMNS) * SIDE_PX))
        for place, frame in enumerate(frames):
            tile = Image.frombytes("RGBA", (SIDE_PX, SIDE_PX), frame.read_bytes()).convert("RGB")
            sheet.paste(tile, (place % COLUMNS * SIDE_PX, place // COLUMNS * SIDE_PX))
        sheet.save(out, quality=88)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
