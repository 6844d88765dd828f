"""For tests of what is built on Vivant: virtual time, plain faces, a voice. Imported by nothing else of it."""

from vivant.testing.faces import PlainFace, index_in
from vivant.testing.virtual import Inline, LoopClock, VirtualLoop, run_virtual
from vivant.testing.voice import VOICE_RATE_HZ, bundled_voice

__all__ = ["VOICE_RATE_HZ", "Inline", "LoopClock", "PlainFace", "VirtualLoop", "bundled_voice", "index_in", "run_virtual"]
