"""For tests of what is built on Vivant: virtual time, plain faces. Imported by nothing else of it."""

from vivant.testing.faces import PlainFace, index_in
from vivant.testing.virtual import Inline, LoopClock, VirtualLoop, run_virtual

__all__ = ["Inline", "LoopClock", "PlainFace", "VirtualLoop", "index_in", "run_virtual"]
