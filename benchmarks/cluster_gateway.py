"""What a gateway takes of the processor for each message that it hands on: a process of its own before ``vivant serve``."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.processes import cpu_ms, process
from benchmarks.report import Row
from benchmarks.served import served_frames, vivant_serve
from vivant.client import connect
from vivant.v1 import vivant_pb2 as pb

N_FACES, SECONDS = 4, 8.0
WAYS: dict[str, dict[str, Any]] = {
    "RGBA, 1 MiB": {"size_px": 512, "frame_transport": pb.FRAME_TRANSPORT_INLINE},
    "JPEG": {"size_px": 512, "frame_transport": pb.FRAME_TRANSPORT_INLINE, "pixel_format": pb.PIXEL_FORMAT_JPEG},
    "motion": {"outputs": pb.OUTPUTS_MOTION},
}
_GATEWAY = """
import asyncio, sys
from vivant.cluster.gateway import Gateway
from vivant.cluster.lease import Lease
from vivant.server.clients import Clients
from vivant.server.limits import Limits
from vivant.server.listener import Listener
from vivant.server.security import Security

class One:
    async def lease(self):
        yield Lease("", f"127.0.0.1:{sys.argv[1]}", "", None)

async def main():
    listener = Listener(Security(), 0, Limits())
    gateway = Gateway(One(), Clients(token=False), Limits())
    await listener.open(lambda server: server.add_generic_rpc_handlers((gateway,)))
    print("port", listener.port, flush=True)
    await listener.wait()
asyncio.run(main())
"""


def measure() -> list[Row]:
    """Processor time of the gateway and of the server, per frame of faces that speak at their pace."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    rows = []
    async with (
        vivant_serve() as (server_pid, server_port),
        process(_GATEWAY, str(server_port), port_after="port ") as (pid, port),
        connect(f"127.0.0.1:{port}") as client,
    ):
        await client.warm_up("ada")
        for name, more in WAYS.items():
            await served_frames(client, N_FACES, 1.0, **more)
            before, served_before = cpu_ms(pid), cpu_ms(server_pid)
            n = await served_frames(client, N_FACES, SECONDS, **more)
            own, served = (cpu_ms(pid) - before) / n, (cpu_ms(server_pid) - served_before) / n
            rows.append(Row(f"gateway: processor time per frame, {name}; the server's", "", f"{own:.2f}; {served:.2f} ms"))
    return rows
