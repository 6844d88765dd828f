"""A portrait and a sound file become a video: ``VIVANT_CONSENT=me python examples/speak.py me.jpg hello.wav out.mp4``"""

import sys
from fractions import Fraction
from pathlib import Path

import vivant
from vivant.offline import render_file

portrait, audio, out = (Path(argument) for argument in sys.argv[1:4])
face = vivant.open_portrait(portrait)
report = render_file(face, audio, out, fps=Fraction(30), controls=vivant.Controls(emotion=vivant.Emotion.HAPPY))
sys.stdout.write(f"{out}: {report.frames} frames in {report.elapsed_s:.1f} s\n")
