"""A face on a server, with the verbs of a local session: ``push``, ``end``, ``interrupt``. Needs the extra ``server``.

async with connect("127.0.0.1:50750") as client, client.animate("ada") as face:
    await face.push(samples)
    async for item in face:
        ...
"""

from vivant.client.client import Client, connect
from vivant.client.face import RemoteFace
from vivant.client.messages import Event, RemoteFrame

__all__ = ["Client", "Event", "RemoteFace", "RemoteFrame", "connect"]
