"""The bridge into a real camera driver, in a guest, with the server here. ``python -m benchmarks.guest_camera BUILD``

``BUILD`` is the folder of ``tests/device/guest/build``. The guest runs `benchmarks.bridge` into its v4l2loopback camera, and
ffmpeg reads that camera meanwhile, as a call would.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.served import vivant_serve
from tests.device.guest_kit import CAMERA, PATIENCE_S, Guest

FPS = 24


def run(build: Path, minutes: float, port: int) -> str:
    """What the bridge and the reader say in the end."""
    server = f"--runtime {Guest.HOST}:{port}"
    bridge = f"python -m benchmarks.bridge --minutes {minutes} --camera v4l2loopback --size square --fps {FPS} {server}"
    look = f"ffmpeg -v error -stats -f v4l2 -i {CAMERA} -t {60 * minutes:.0f} -c copy -f null -"
    reader = f"timeout {60 * minutes + PATIENCE_S:.0f} sh -c 'until {look}; do sleep 1; done'"
    with tempfile.TemporaryDirectory() as folder, Guest(build, Path(folder)) as guest:
        guest.plug_in()
        with guest.start(bridge) as written, guest.start(reader) as read:
            told, _ = written.communicate(timeout=60 * minutes + PATIENCE_S)
            assert written.returncode == 0, told
            seen, _ = read.communicate(timeout=PATIENCE_S)
    n_frames = int(re.findall(r"frame=\s*(\d+)", seen)[-1])
    return f"{told}ffmpeg read {n_frames} pictures from the guest's camera in {60 * minutes:.0f} s\n"


async def measure(build: Path, minutes: float) -> str:
    async with vivant_serve() as (_, port):
        return await asyncio.to_thread(run, build, minutes, port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    sys.stdout.write(asyncio.run(measure(options.build, options.minutes)))


if __name__ == "__main__":
    main()
