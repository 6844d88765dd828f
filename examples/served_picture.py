"""A face on a server, in a window: ``vivant serve &``, then ``python examples/served_picture.py hello.wav [HOST:PORT]``.

Without a display: ``python examples/served_picture.py hello.wav 127.0.0.1:50750 face.png`` saves the widest mouth.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vivant import ARKIT_NAMES, Output, PixelFormat, UtteranceEnd
from vivant.client import RemoteConfig, RemoteSession, connect
from vivant.media import AudioFile, open_audio

JAW = ARKIT_NAMES.index("jawOpen")
Show = Callable[[Output], None]


async def speak(session: RemoteSession, voice: AudioFile) -> None:
    for chunk in voice.chunks():
        await session.push(chunk.samples)
    await session.end()


async def watch(voice: AudioFile, show: Show, address: str) -> None:
    """Every picture of the line, when it is due."""
    config = RemoteConfig(sample_rate_hz=voice.sample_rate_hz, pixel_format=PixelFormat.RGB, size_px=256)
    async with connect(address) as client, client.animate("ada", config) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(session, voice))
        async for item in session:
            if isinstance(item, Output) and item.picture is not None:
                show(item)
            if isinstance(item, UtteranceEnd):
                break


def window() -> Show:
    import tkinter

    root = tkinter.Tk()
    label = tkinter.Label(root)
    label.pack()

    def show(item: Output) -> None:
        assert item.picture is not None
        pixels = item.picture.pixels
        picture = tkinter.PhotoImage(data=b"P6 %d %d 255\n" % pixels.shape[1::-1] + pixels.tobytes())
        label.configure(image=picture)
        label.image = picture  # type: ignore[attr-defined]  # or Python would forget it
        root.update()

    return show


def main(voice: AudioFile, address: str = "127.0.0.1:50750", out: str | None = None) -> None:
    if out is None:
        asyncio.run(watch(voice, window(), address))
        return
    widest = (-1.0, np.zeros((1, 1, 3), np.uint8))

    def keep(item: Output) -> None:
        nonlocal widest
        assert item.picture is not None
        widest = max(widest, (float(item.motion.weights[JAW]), item.picture.pixels), key=lambda found: found[0])

    asyncio.run(watch(voice, keep, address))
    Image.fromarray(widest[1]).save(out)


with open_audio(Path(sys.argv[1])) as voice:
    main(voice, *sys.argv[2:])
