"""From a picture to what a rig is built of: who is in it, and where."""

from vivant.portrait.analyser import Face, PortraitAnalyser

__all__ = ["Face", "PortraitAnalyser", "default_analyser"]


def default_analyser() -> PortraitAnalyser:
    """The analyser that is used when none is given; loads its networks, which takes about a second.

    Raises UnavailableError when the extra that brings it is not installed.
    """
    from vivant.portrait.mediapipe import MediapipeAnalyser

    return MediapipeAnalyser()
