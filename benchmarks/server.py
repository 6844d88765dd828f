"""What serving costs, and how soon a face answers. ``python -m benchmarks.server [--hours HOURS] [--write]``

The server is ``vivant serve`` in a process of its own; this process is the client, and both share the machine's cores. Many
faces are in `load`, long runs with hostile neighbours in `server_soak`. ``--write`` puts the table into docs/server.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time

import numpy as np

from benchmarks import server_cost, virtual_soak
from benchmarks.report import ROOT, Row, put, show, table
from benchmarks.served import serving, settings, speech
from vivant.client import Client
from vivant.types import Output, UtteranceEnd
from vivant.v1 import vivant_pb2 as pb

LINES = 40
INTERRUPTS = 20


async def first_frames(client: Client) -> list[float]:
    """ms from sending a line's first audio to its first frame, one warm session."""
    delays, chance = [], random.Random(1)
    async with client.animate("ada", settings()) as face:
        items = aiter(face)
        for line in range(LINES):
            pause_until = time.monotonic() + chance.uniform(0.3, 0.8)
            async for _ in items:
                if time.monotonic() > pause_until:
                    break
            sent = time.monotonic()
            await face.begin(f"{line}")
            await face.push(speech(0.6))
            await face.end()
            async for item in items:
                if isinstance(item, Output) and item.utterance_id == f"{line}":
                    delays.append(1000 * (time.monotonic() - sent))
                    break
            async for item in items:
                if isinstance(item, UtteranceEnd):
                    break
    return delays


async def stale_frames(client: Client) -> list[float]:
    """ms from sending an interrupt until the last frame of before has arrived."""
    delays = []
    async with client.animate("ada", settings()) as face:
        call = face._call
        for epoch in range(1, INTERRUPTS + 1):
            await face.begin(f"{epoch}")
            await face.push(speech(20))
            for _ in range(20):
                await call.read()
            sent = last = time.monotonic()
            await face.interrupt()
            while True:
                response = await call.read()
                if response.WhichOneof("message") == "event" and response.event.type == pb.EVENT_TYPE_INTERRUPTED:
                    break
                if response.WhichOneof("message") == "frame" and response.frame.epoch < epoch:
                    last = time.monotonic()
            delays.append(1000 * (last - sent))
    return delays


async def prompt_rows(client: Client) -> list[Row]:
    """How soon a face begins and stops."""
    p50, p99 = np.percentile(await first_frames(client), (50, 99))
    stale = max(await stale_frames(client))
    return [
        Row(f"first frame of a line, {LINES} lines", "p50 <= 150 ms, p99 <= 300 ms", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"),
        Row(f"interrupt to last stale frame at the client, worst of {INTERRUPTS}", "<= 50 ms", f"{stale:.0f} ms"),
    ]


async def rows() -> list[Row]:
    """All that a real server is asked for."""
    found: list[Row] = []
    async with serving() as (pid, client):
        for name, part in (
            ("first frames and interruptions", prompt_rows(client)),
            ("costs", server_cost.rows(pid, client)),
        ):
            sys.stderr.write(f"{name}\n")
            found += await part
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=0.1, help="of sound in virtual time; 0 leaves it out")
    parser.add_argument("--write", action="store_true", help="put the table into docs/server.md")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    found = asyncio.run(rows())
    if asked.hours:
        found.append(virtual_soak.row(asked.hours))
    found.append(Row("load of the machine by others when this run began, and its cores", "", f"{load:.1f}, {os.cpu_count()}"))
    show(found)
    if asked.write:
        put(ROOT / "docs" / "server.md", "server", table(found))


if __name__ == "__main__":
    main()
