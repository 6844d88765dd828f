"""Client of a server: sessions with the verbs and outputs of local ones. Needs the extra ``server``.

async with connect("127.0.0.1:50750") as client, client.animate("ada") as session:
    await session.push(samples)
    async for item in session:
        ...
"""

from __future__ import annotations

import warnings

from vivant.client.client import Client, connect
from vivant.client.config import RemoteConfig
from vivant.client.messages import Capabilities, Event, RemoteFrame, ServerLimits, Statistics
from vivant.client.session import RemoteSession

__all__ = [
    "Capabilities",
    "Client",
    "Event",
    "RemoteConfig",
    "RemoteFrame",
    "RemoteSession",
    "ServerLimits",
    "Statistics",
    "connect",
]


def __getattr__(name: str) -> type[RemoteSession]:
    if name != "RemoteFace":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("vivant.client.RemoteFace is now RemoteSession (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
    return RemoteSession  # to go in 0.3
