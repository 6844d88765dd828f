"""Files in and out: portraits, sound and video."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivant.media.audio import AudioFile, SoundBlock, has_sound, open_audio, read_sound
    from vivant.media.images import PortraitImage, load_image
    from vivant.media.sequence import write_picture, write_png
    from vivant.media.silence import Silence
    from vivant.media.video import VideoSink, open_video

__all__ = [
    "AudioFile",
    "PortraitImage",
    "Silence",
    "SoundBlock",
    "VideoSink",
    "has_sound",
    "load_image",
    "open_audio",
    "open_video",
    "read_sound",
    "write_picture",
    "write_png",
]
_HOMES = {
    "vivant.media.audio": "AudioFile SoundBlock has_sound open_audio read_sound",
    "vivant.media.images": "PortraitImage load_image",
    "vivant.media.sequence": "write_picture write_png",
    "vivant.media.silence": "Silence",
    "vivant.media.video": "VideoSink open_video",
}
"""Names by the module that defines them, which is imported when one of them is first asked for: a server reads no films."""
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_HOME[name]), name)
    return found
