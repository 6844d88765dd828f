"""A face for Pipecat voice agents: a portrait that speaks the bot's voice, on the bot's own CPU.

from pipecat_vivant import VivantVideoService

face = VivantVideoService("me.png", consent="me")
pipeline = Pipeline([transport.input(), stt, aggregator.user(), llm, tts, face, transport.output()])
"""

try:
    import vivant as _vivant  # noqa: F401
except ImportError as error:
    raise ImportError(
        "pipecat-vivant needs Vivant, which is in no package index yet: pip install . in the folder of its repository"
    ) from error

from pipecat_vivant.video import VivantVideoService, VivantVideoSettings

__version__ = "0.1.0"
__all__ = ["VivantVideoService", "VivantVideoSettings"]
