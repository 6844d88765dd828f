"""For the guest: ``python -m tests.device.webcam_reader N`` says what N pictures are that `vivant capture webcam` would see.

Per picture: its number, width and height, and whether its colours are right.
"""

from __future__ import annotations

import sys
from itertools import islice

from tests.device.pattern import has_right_colours, number_of
from vivant.capture import open_frames

for picture, _ in islice(open_frames("webcam"), int(sys.argv[1])):
    right = picture.shape == (512, 512, 3) and has_right_colours(picture)
    print(number_of(picture), picture.shape[1], picture.shape[0], right, flush=True)
