"""For the guest: ``python -m tests.device.camera_writer FILE FPS`` shows the I420 pictures of FILE, over and over."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyvirtualcam

from tests.device.pattern import SIZE_PX


def main(file: Path, fps: float) -> None:
    pictures = np.fromfile(file, np.uint8).reshape(-1, SIZE_PX * SIZE_PX * 3 // 2)
    with pyvirtualcam.Camera(SIZE_PX, SIZE_PX, fps, fmt=pyvirtualcam.PixelFormat.I420) as camera:
        print(camera.device, flush=True)
        while True:
            for picture in pictures:
                camera.send(picture)
                camera.sleep_until_next_frame()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
