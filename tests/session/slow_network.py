"""A network between client and server as a program sees it: so many bytes a second, so much delay, and a bounded queue.

On the event loop of the test. What a wait takes longer than it should on a busy machine is made up for by the next piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

PIECE_BYTES = 16_384
SYSTEM_BYTES = 65_536
"""Of the system's own buffers at each end, which would hide the network from those who write."""


@dataclass
class Network:
    """Its figures may change while it carries."""

    port: int = 0
    bytes_per_s: float = float("inf")
    """From the server to the client."""
    delay_s: float = 0.0
    """Each way."""
    carried: int = 0
    """Bytes that have arrived at the client."""


@asynccontextmanager
async def slow_network(port: int, bytes_per_s: float = float("inf"), delay_s: float = 0.0) -> AsyncIterator[Network]:
    """A way to the server at ``port``; clients take `Network.port`."""
    network = Network(0, bytes_per_s, delay_s)
    ways: set[asyncio.Task[None]] = set()
    carrying: list[asyncio.Task[None] | None] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrying.append(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port, limit=SYSTEM_BYTES)
        both = {
            asyncio.create_task(_way(network, reader, far_writer, down=False)),
            asyncio.create_task(_way(network, far_reader, writer, down=True)),
        }
        ways.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for way in both:
            way.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for each in (writer, far_writer):
            each.close()
            with suppress(OSError):
                await each.wait_closed()
        ways.difference_update(both)

    async with await asyncio.start_server(carry, "127.0.0.1", 0, limit=SYSTEM_BYTES) as listener:
        network.port = listener.sockets[0].getsockname()[1]
        yield network
        for way in ways:
            way.cancel()
        await asyncio.gather(*(each for each in carrying if each is not None))


async def _way(network: Network, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
    """One direction of one connection."""
    loop, line = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]](1024)

    async def arrive() -> None:
        while (item := await line.get())[1]:
            due_s, data = item
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            writer.write(data)
            await writer.drain()
            network.carried += len(data) * down

    arriving = asyncio.create_task(arrive())
    free_s = loop.time()
    try:
        while data := await reader.read(PIECE_BYTES):
            free_s = max(free_s, loop.time()) + len(data) / (network.bytes_per_s if down else float("inf"))
            await asyncio.sleep(max(0.0, free_s - loop.time()))
            await line.put((free_s + network.delay_s, data))
        await line.put((0.0, b""))
        await arriving
    except OSError:
        pass  # an end has gone
    finally:
        arriving.cancel()
