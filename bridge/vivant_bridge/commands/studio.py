"""``vivant studio``: a page to see, hear, steer and use a face."""

from __future__ import annotations

import asyncio
import os
import signal
import webbrowser
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from vivant import MonotonicClock
from vivant.commands.extensions import MannerOption, MotionOption, in_manner
from vivant.commands.reach import LOOPBACK, HostOption, TlsCertOption, TlsKeyOption, TokenFileOption, token_of
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.registry import motion_model
from vivant_bridge.commands.cam import CameraOption, DeviceOption
from vivant_bridge.device_registry import choose_camera

PORT = 50760
"""Always the same unless told, so that an address in OBS stays."""


def studio(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = PORT,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only say the address; open no browser.")] = False,
    camera: CameraOption = "auto",
    device: DeviceOption = None,
    motion: MotionOption = "voice",
    manner: MannerOption = None,
    host: HostOption = LOOPBACK,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Open a page with faces that speak: with your voice, with your picture, steered, recorded, as a webcam or in OBS.

    The page is for this machine alone, unless --host says otherwise. Ends with Ctrl-C.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from vivant.web import WebServer
        from vivant_bridge.studio.app import Security, studio_app
    except ImportError as error:
        raise UnavailableError(f"the studio needs {error.name}; {install('studio')} brings it") from error
    choose_camera(camera, device)  # an unknown name is refused now
    model = motion_model(in_manner(motion, manner))
    security = Security(host, tls_cert, tls_key, token_of(token_file))
    app = studio_app(partial(choose_camera, camera, device), MonotonicClock(), security=security, motion=model)

    async def serve() -> None:
        async with WebServer(app, port=port, security=security) as web:
            loop = asyncio.get_running_loop()
            for sign in (signal.SIGINT, signal.SIGTERM):
                with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
                    loop.add_signal_handler(sign, web.stop)
            print(f"the studio is at {web.url}; Ctrl-C ends it", flush=True)
            if not no_open:
                await asyncio.to_thread(webbrowser.open, web.url)
            await web.wait()

    asyncio.run(serve())
