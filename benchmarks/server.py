"""What serving costs, and how soon a face answers. ``python -m benchmarks.server [--soak SECONDS] [--hours HOURS] [--write]``

The server is ``vivant serve`` in a process of its own; this process is the client, and both share the machine's cores.
``--write`` puts the table into docs/server.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from typing import Any

import numpy as np

from benchmarks import server_cost, server_soak
from benchmarks.report import ROOT, Row, put, show, table
from benchmarks.served import FPS, serving, settings, speech
from vivant.client import Client, Event, RemoteFrame
from vivant.v1 import vivant_pb2 as pb

LINES = 40
INTERRUPTS = 20
STEPS = (2, 4, 6, 8, 10, 12, 16)
STEP_S = 8.0
LATE_MS = 20.0


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
                if isinstance(item, RemoteFrame) and item.utterance_id == f"{line}":
                    delays.append(1000 * (time.monotonic() - sent))
                    break
            async for item in items:
                if isinstance(item, Event) and item.kind == "UTTERANCE_FINISHED":
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


async def crowd(client: Client, n: int, seconds: float, **more: Any) -> tuple[list[float], int, int]:  # noqa: ANN401
    """n faces that speak: (lateness of every frame in ms, frames due and not received, highest detail level)."""
    late: list[float] = []
    missing = detail = 0

    async def one(place: int) -> None:
        nonlocal missing, detail
        async with client.animate("ada", settings(seed=place, **more)) as face:
            await face.push(speech(seconds + 5))
            arrivals = []
            began = time.monotonic()
            async for item in face:
                now = time.monotonic()
                if isinstance(item, RemoteFrame) and now - began > 1.5:
                    arrivals.append((now, item.pts_us, item.motion.index))
                elif isinstance(item, pb.Statistics):
                    detail = max(detail, item.detail_level)
                if now - began > seconds:
                    break
        delays = np.array([1000 * now - pts_us / 1000 for now, pts_us, _ in arrivals])
        late.extend(delays - delays.min())
        missing += arrivals[-1][2] - arrivals[0][2] + 1 - len(arrivals)

    await asyncio.gather(*(one(place) for place in range(n)))
    return late, missing, detail


async def prompt_rows(client: Client) -> list[Row]:
    """How soon a face begins and stops."""
    p50, p99 = np.percentile(await first_frames(client), (50, 99))
    stale = max(await stale_frames(client))
    return [
        Row(f"first frame of a line, {LINES} lines", "p50 <= 150 ms, p99 <= 300 ms", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"),
        Row(f"interrupt to last stale frame at the client, worst of {INTERRUPTS}", "<= 50 ms", f"{stale:.0f} ms"),
    ]


async def crowd_rows(client: Client) -> list[Row]:
    """More and more faces, until frames come late or are left out."""
    rows, best = [], 0
    for n in STEPS:
        late, missing, detail = await crowd(client, n, STEP_S)
        p99 = float(np.percentile(late, 99))
        measured = f"p99 lateness {p99:.0f} ms, {missing} of {missing + len(late)} missing, detail level {detail}"
        rows.append(Row(f"{n} faces, {FPS} fps, 512 px RGBA", "", measured))
        if p99 <= LATE_MS and missing <= 0.01 * len(late) and not detail:
            best = n
        elif missing > 0.2 * len(late) or p99 > 5 * LATE_MS:
            break
    return [*rows, Row(f"faces with p99 lateness <= {LATE_MS:.0f} ms, 2 cores with the client", ">= 8", str(best))]


async def rows(soak_s: float) -> list[Row]:
    """All that a real server is asked for."""
    found: list[Row] = []
    async with serving() as (pid, client):
        for name, part in (
            ("first frames and interruptions", prompt_rows(client)),
            ("costs", server_cost.rows(pid, client)),
            ("crowds", crowd_rows(client)),
        ):
            sys.stderr.write(f"{name}\n")
            found += await part
    if soak_s:
        sys.stderr.write("soak\n")
        async with serving() as (pid, client):
            found.append(await server_soak.row(pid, client, soak_s))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--soak", type=float, default=60.0, metavar="SECONDS", help="in real time; 0 leaves it out")
    parser.add_argument("--hours", type=float, default=0.1, help="of sound in virtual time; 0 leaves it out")
    parser.add_argument("--write", action="store_true", help="put the table into docs/server.md")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    found = asyncio.run(rows(asked.soak))
    if asked.hours:
        found.append(server_soak.virtual_row(asked.hours))
    found.append(Row("load of the machine by others when this run began, and its cores", "", f"{load:.1f}, {os.cpu_count()}"))
    show(found)
    if asked.write:
        put(ROOT / "docs" / "server.md", "server", table(found))


if __name__ == "__main__":
    main()
