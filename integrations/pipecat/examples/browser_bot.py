"""A bot with a face in your browser, without a cloud: scripted lines, a voice, a user who interrupts.

    pip install "pipecat-ai[webrtc]"
    python examples/browser_bot.py [--port 7860] [--portrait ada] [--size 512]

and open the address that it prints. Sound and pictures go through Pipecat's own small WebRTC transport; nobody is asked for a
STUN server, so the browser must be on this machine or its network.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from aiohttp import web
from loguru import logger
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner
from pipecat_vivant import VivantVideoService
from scripted import Listener, Voice, talk, voice

import vivant

FPS = 30
"""The transport's video track counts 30 a second, whatever it is given."""
PAGE = Path(__file__).with_name("browser_bot.html")


async def main(port: int, portrait: str, size_px: int, n_lines: int) -> None:
    opened, speak = vivant.open_portrait(portrait), voice()  # once, so that no greeting waits for it
    app = web.Application()
    bots: set[asyncio.Task[None]] = set()

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE)

    async def offer(request: web.Request) -> web.Response:
        asked = await request.json()
        connection = SmallWebRTCConnection()
        await connection.initialize(asked["sdp"], asked["type"])
        bot = asyncio.create_task(run_bot(connection, opened, size_px, speak, n_lines))
        bots.add(bot)
        bot.add_done_callback(bots.discard)
        return web.json_response(connection.get_answer())

    app.add_routes([web.get("/", page), web.post("/offer", offer)])
    serving = web.AppRunner(app)
    await serving.setup()
    site = web.TCPSite(serving, "127.0.0.1", port)
    await site.start()
    print(f"open http://127.0.0.1:{serving.addresses[0][1]}/", flush=True)
    await asyncio.Event().wait()


async def run_bot(connection: SmallWebRTCConnection, portrait: vivant.Face, size_px: int, speak: Voice, n_lines: int) -> None:
    """Until the browser leaves, or all is said."""
    params = TransportParams(
        audio_out_enabled=True,
        video_out_enabled=True,
        video_out_is_live=True,
        video_out_width=size_px,
        video_out_height=size_px,
        video_out_framerate=FPS,
    )
    transport = SmallWebRTCTransport(connection, params)
    face, listener = VivantVideoService(portrait, fps=FPS, size_px=size_px, seed=1), Listener()
    worker = PipelineWorker(Pipeline([transport.input(), face, transport.output(), listener]), cancel_on_idle_timeout=False)
    talking: list[asyncio.Task[list[float]]] = []

    @transport.event_handler("on_client_connected")
    async def begin(*_: object) -> None:
        talking.append(asyncio.create_task(talk(worker, listener, speak, n_lines)))

    @transport.event_handler("on_client_disconnected")
    async def leave(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
    for task in talking:
        task.cancel()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--port", type=int, default=7860)
    asked.add_argument("--portrait", default="ada")
    asked.add_argument("--size", type=int, default=512, help="px of a side")
    asked.add_argument("--lines", type=int, default=1000)
    options = asked.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    asyncio.run(main(options.port, options.portrait, options.size, options.lines))
