"""Only the motion, for an avatar of your own, as CSV: ``python examples/motion.py hello.wav > hello.csv``"""

import csv
import sys
from fractions import Fraction
from pathlib import Path

import vivant
from vivant.media import open_audio

table = csv.writer(sys.stdout)
table.writerow(["time_s", *vivant.ARKIT_NAMES, "yaw_deg", "pitch_deg", "roll_deg"])
state = vivant.Voice().open(Fraction(30), seed=0)
with open_audio(Path(sys.argv[1])) as voice:
    frames = [frame for chunk in voice.chunks() for frame in state.push(chunk, vivant.Controls())]
for frame in frames + state.flush(vivant.Controls()):
    pose = frame.pose
    table.writerow([frame.pts_us / 1e6, *frame.weights.round(4), pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
