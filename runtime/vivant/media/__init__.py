"""Files in and out: portraits, sound and video."""

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
