"""For the guest: ``python -m tests.device.camera_reader N`` prints what OpenCV sees: its size, and a line per picture."""

from __future__ import annotations

import sys

import cv2

from tests.device.guest_kit import CAMERA
from tests.device.pattern import has_right_colours, number_of


def main(n: int) -> None:
    capture = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
    print(round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    for _ in range(n):
        seen, picture = capture.read()
        assert seen, "the camera gave no picture"
        print(number_of(picture), has_right_colours(picture[..., ::-1]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
