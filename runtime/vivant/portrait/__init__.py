"""From a picture to what a rig is built of: who is in it, and where."""

from vivant.portrait.analyser import Cutout, DetectedFace, PortraitAnalyser
from vivant.providers import Provider

__all__ = ["Cutout", "DetectedFace", "PortraitAnalyser", "Provider", "default_analyser"]


def default_analyser(provider: Provider = Provider.AUTO) -> PortraitAnalyser:
    """The analyser that is used when none is given; loads its networks, which takes a tenth of a second.

    Raises UnavailableError when onnxruntime is not installed or cannot run on the provider.
    """
    from vivant.portrait.networks import NetworkAnalyser

    return NetworkAnalyser(provider)
