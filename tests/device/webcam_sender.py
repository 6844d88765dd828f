"""For the guest: ``python -m tests.device.webcam_sender HOST PORT`` sends the pictures that ``--drive webcam`` would see there.

Each is its time in microseconds (int64), height and width (int32), little-endian, and RGB.
"""

from __future__ import annotations

import socket
import struct
import sys

from vivant.capture import open_frames

HEAD = struct.Struct("<qii")


def main(host: str, port: int) -> None:
    with socket.create_connection((host, port)) as there:
        for picture, pts_us in open_frames("webcam"):
            there.sendall(HEAD.pack(pts_us, *picture.shape[:2]) + picture.tobytes())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
