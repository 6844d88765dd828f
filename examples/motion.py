"""Only the motion, for an avatar of your own, as CSV: ``python examples/motion.py me.jpg hello.wav > hello.csv``"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import vivant
from vivant.media import AudioFile, open_audio


def spoken(stream: vivant.FaceStream, voice: AudioFile) -> Iterator[vivant.Item]:
    for chunk in voice.chunks():
        yield from stream.push(chunk.samples)
    yield from stream.finish()


table = csv.writer(sys.stdout)
table.writerow(["time_s", *vivant.ARKIT_NAMES, "yaw_deg", "pitch_deg", "roll_deg"])
face = vivant.open_portrait(sys.argv[1])
with open_audio(Path(sys.argv[2])) as voice:
    stream = vivant.FaceStream(face, sample_rate_hz=voice.sample_rate_hz, pictures=False)
    for item in spoken(stream, voice):
        if isinstance(item, vivant.Output):
            pose = item.motion.pose
            table.writerow([item.pts_us / 1e6, *item.motion.weights.round(4), pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
