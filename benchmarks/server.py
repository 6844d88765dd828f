"""What serving costs, and how soon a face answers. ``python -m benchmarks.server [--soak SECONDS]``

The server is ``vivant serve`` in a process of its own; this process is the client, and both share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.report import Row, show, voice
from vivant.client import Client, Event, RemoteFace, RemoteFrame, connect
from vivant.face import open_portrait
from vivant.honest.finisher import FrameFinisher, live_session_id
from vivant.motion.voice import Voice
from vivant.types import AudioChunk, Controls
from vivant.v1 import vivant_pb2 as pb

LINES = 40
INTERRUPTS = 20
STEPS = (2, 4, 6, 8, 10, 12, 16)
STEP_S = 8.0
MB_FRAME = 512 * 512 * 4
_BARE = """
import asyncio, sys
from fractions import Fraction
import grpc
PAYLOAD = bytes({size})
async def pour(_, context):
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in range({frames}):
        await asyncio.sleep(max(0, began + n / 25 - loop.time()))
        await context.write(PAYLOAD)
async def main():
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(pour)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bare.Bare", {{"Pour": handler}}),))
    print("port", server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""


@asynccontextmanager
async def process(*command: str, port_after: str) -> AsyncIterator[tuple[int, int]]:
    """A server process that prints its port: (pid, port)."""
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        line = await asyncio.to_thread(child.stdout.readline)
        yield child.pid, int(line.split(port_after)[1].split()[0])
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[int, Client]]:
    """``vivant serve`` with a warm portrait: (pid, client)."""
    code = "from vivant.cli import main; main()"
    async with (
        process("-c", code, "serve", "--port", "0", port_after="127.0.0.1:") as (pid, port),
        connect(f"127.0.0.1:{port}") as client,
    ):
        await client.warm_up("ada")
        yield pid, client


def speech(seconds: float) -> Any:  # noqa: ANN401
    samples, rate_hz = voice()
    return np.resize(samples[:: rate_hz // 12_000][: 12_000 * 10], round(seconds * 12_000))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def settings(**more: Any) -> pb.SessionConfig:  # noqa: ANN401
    return pb.SessionConfig(sample_rate_hz=12_000, **more)


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
                    arrivals.append((now, item.pts_us, item.index))
                elif isinstance(item, pb.Statistics):
                    detail = max(detail, item.detail_level)
                if now - began > seconds:
                    break
        delays = np.array([1000 * now - pts_us / 1000 for now, pts_us, _ in arrivals])
        late.extend(delays - delays.min())
        missing += arrivals[-1][2] - arrivals[0][2] + 1 - len(arrivals)

    await asyncio.gather(*(one(place) for place in range(n)))
    return late, missing, detail


async def frame_cost_ms(pid: int, client: Client, **more: Any) -> float:  # noqa: ANN401
    """CPU of the server's process per frame of four talking faces."""
    n, began = 0, cpu_s(pid)

    async def one() -> None:
        nonlocal n
        async with client.animate("ada", settings(**more)) as face:
            await face.push(speech(STEP_S))
            await face.finish()
            async for item in face:
                n += not isinstance(item, Event | pb.Statistics)

    await asyncio.gather(*(one() for _ in range(4)))
    return 1000 * (cpu_s(pid) - began) / n


async def bare_cost_ms() -> float:
    """CPU per message of a bare stream of as many bytes, as often, to four readers."""
    frames = round(25 * STEP_S)
    async with process("-c", _BARE.format(size=MB_FRAME, frames=frames), port_after="port ") as (pid, port):
        began = cpu_s(pid)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

            async def read() -> None:
                async for _ in channel.unary_stream("/bare.Bare/Pour")(b""):
                    pass

            await asyncio.gather(*(read() for _ in range(4)))
        return 1000 * (cpu_s(pid) - began) / (4 * frames)


def rendering_ms() -> float:
    """CPU of inference, drawing, label and mark alone, per talking frame."""
    from fractions import Fraction

    face = open_portrait(Path(str(Path(sys.modules["vivant"].__file__ or "").parent / "assets" / "portraits" / "ada.jpg")))
    frames = Voice().open(Fraction(25), 0).push(AudioChunk(speech(8).astype(np.float32), 12_000, 0), Controls())
    renderer, finisher = face.open(512), FrameFinisher.for_face(face, live_session_id())
    began = time.process_time()
    for frame in frames:
        finisher.finish(renderer.render(frame))
    return 1000 * (time.process_time() - began) / len(frames)


async def soak(client: Client, pid: int, seconds: float) -> Row:
    """Four faces with random lines, interruptions and portraits: errors, memory and the pictures' time against the clock."""
    errors = 0
    drift: list[float] = []
    before = 0.0

    async def one(seed: int) -> None:
        nonlocal errors
        chance = random.Random(seed)
        try:
            async with client.animate("ada", settings()) as face, asyncio.TaskGroup() as tasks:
                acting = tasks.create_task(_act(face, chance))
                began = time.monotonic()
                offsets: list[float] = []
                async for item in face:
                    if isinstance(item, RemoteFrame):
                        offsets.append(time.monotonic() - began - item.pts_us / 1e6)
                    if time.monotonic() - began > seconds:
                        break
                acting.cancel()
                half = len(offsets) // 2
                drift.append(1000 * (float(np.median(offsets[half:])) - float(np.median(offsets[:half]))))
        except Exception as error:  # counted, and said
            sys.stderr.write(f"{error!r}\n")
            errors += 1

    async def settled() -> None:
        nonlocal before
        await asyncio.sleep(min(20, seconds / 3))
        before = memory_mb(pid)

    await asyncio.gather(settled(), *(one(seed) for seed in range(4)))
    growth = memory_mb(pid) - before
    worst = max((abs(value) for value in drift), default=float("nan"))
    measured = f"{errors} errors, drift {worst:.0f} ms, memory {growth:+.0f} MB"
    return Row(f"soak of {seconds:.0f} s, 4 faces", "0 errors, drift <= 40 ms, flat", measured)


async def _act(face: RemoteFace, chance: random.Random) -> None:
    while True:
        await face.push(speech(chance.uniform(0.3, 6)))
        await asyncio.sleep(chance.uniform(0.5, 4))
        await chance.choice((face.interrupt, face.end, lambda: face.show(chance.choice(("ada", "bram", "noor")))))()


async def rows(soak_s: float = 60.0, say: Callable[[str], object] = sys.stderr.write) -> list[Row]:
    """All of them; three minutes and the soak."""
    table: list[Row] = []
    async with serving() as (pid, client):
        say("first frames\n")
        delays = np.array(await first_frames(client))
        p50, p99 = np.percentile(delays, (50, 99))
        table.append(
            Row(f"first frame of a line, {LINES} lines", "p50 <= 150 ms, p99 <= 300 ms", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        )
        say("interruptions\n")
        stale = max(await stale_frames(client))
        table.append(Row(f"interrupt to last stale frame at the client, worst of {INTERRUPTS}", "<= 50 ms", f"{stale:.0f} ms"))
        say("costs\n")
        drawing = rendering_ms()
        motion = await frame_cost_ms(pid, client, outputs=pb.OUTPUTS_MOTION)
        costs: dict[str, Awaitable[float]] = {
            "RGBA": frame_cost_ms(pid, client),
            "JPEG": frame_cost_ms(pid, client, pixel_format=pb.PIXEL_FORMAT_JPEG),
            "shared memory": frame_cost_ms(pid, client, frame_transport=pb.FRAME_TRANSPORT_SHARED_MEMORY),
        }
        measured = {name: await cost for name, cost in costs.items()}
        bare = await bare_cost_ms()
        table.append(
            Row(
                "CPU per frame: drawing alone; motion only, served; bare stream",
                "",
                f"{drawing:.2f}; {motion:.2f}; {bare:.2f} ms",
            )
        )
        for name, cost in measured.items():
            added = cost - motion - drawing
            against = f"{added / bare:.2f} of a bare stream" if name == "RGBA" else f"{100 * added / drawing:.0f} % of drawing"
            target = "<= 1.5 of a bare stream" if name == "RGBA" else "<= 25 % of a frame"
            table.append(
                Row(f"{name}: CPU per frame, and what sending adds", target, f"{cost:.2f} ms, {added:+.2f} ms, {against}")
            )
        best = 0
        for n in STEPS:
            say(f"{n} faces\n")
            late, missing, detail = await crowd(client, n, STEP_S)
            p99 = float(np.percentile(late, 99))
            table.append(
                Row(
                    f"{n} faces, 25 fps, 512 px RGBA",
                    "",
                    f"p99 lateness {p99:.0f} ms, {missing} missing, detail level {detail}",
                )
            )
            if p99 <= 20 and missing <= 0.01 * len(late) and not detail:
                best = n
            elif missing > 0.2 * len(late) or p99 > 100:
                break
        table.append(Row("faces with p99 lateness <= 20 ms, 2 cores with the client", ">= 8", str(best)))
        say("soak\n")
        table.append(await soak(client, pid, soak_s))
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--soak", type=float, default=60.0, metavar="SECONDS")
    show(asyncio.run(rows(parser.parse_args().soak)))
