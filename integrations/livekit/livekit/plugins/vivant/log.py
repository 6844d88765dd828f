"""Logger of the plugin, named as LiveKit's other plugins name theirs."""

import logging

logger = logging.getLogger("livekit.plugins.vivant")
