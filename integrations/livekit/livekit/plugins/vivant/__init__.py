"""A face for LiveKit voice agents: a portrait that speaks the agent's voice, on the agent's own CPU.

from livekit.plugins import vivant

avatar = vivant.AvatarSession("me.png", consent="me")
await avatar.start(session, room=ctx.room)
await session.start(agent=agent, room=ctx.room)
"""

from livekit.agents import Plugin

try:
    import vivant as _vivant  # noqa: F401
except ImportError as error:
    raise ImportError(
        "livekit-plugins-vivant needs Vivant, which is in no package index yet: pip install . in the folder of its repository"
    ) from error

from livekit.plugins.vivant.avatar import AvatarSession, prewarm
from livekit.plugins.vivant.generator import FaceVideoGenerator
from livekit.plugins.vivant.log import logger
from livekit.plugins.vivant.version import __version__

__all__ = ["AvatarSession", "FaceVideoGenerator", "__version__", "prewarm"]


class VivantPlugin(Plugin):
    """Plugin: tells the framework that this one is there."""

    def __init__(self) -> None:
        super().__init__(__name__, __version__, __package__ or __name__, logger)


Plugin.register_plugin(VivantPlugin())
