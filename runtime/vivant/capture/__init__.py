"""Capture: a video or a camera becomes motion. Nothing of what is seen is kept but the motion."""

from vivant.capture.tracker import FaceTracker, TrackedFace
from vivant.capture.video import VideoFacts, facts_of, open_frames

__all__ = ["FaceTracker", "TrackedFace", "VideoFacts", "facts_of", "open_frames"]
