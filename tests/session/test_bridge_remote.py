"""The bridge with a real server on loopback: the same above, gone and back, other portraits, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.session.server_kit import open_tint, picture, picture_in
from vivant.clock import MonotonicClock
from vivant.errors import InputError, UnavailableError
from vivant.server.server import Server, ServerConfig
from vivant.testing import index_in
from vivant.types import Controls, Output
from vivant_bridge.bridge import Bridge
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import MemoryCamera
from vivant_bridge.runtime.remote import RemoteRuntime
from vivant_bridge.runtime.runtime import StreamConfig
from vivant_bridge.sound.output import NullSink
from vivant_bridge.sound.source import tone

pytestmark = [pytest.mark.session, pytest.mark.realtime]

SIDE_PX = 64
WAIT_S = 30.0


class Show:
    """A bridge over a server in this process, and what it said."""

    def __init__(self, port: int, *portraits: Path) -> None:
        clock = MonotonicClock()
        self.said: list[str] = []
        self.camera = MemoryCamera(keep=1)
        runtime = RemoteRuntime(
            f"127.0.0.1:{port}", portraits, consents=["synthetic"] * len(portraits), report=self.said.append
        )
        compositor = Compositor(SIDE_PX, SIDE_PX, Fill("blur"))
        self.bridge = Bridge(
            runtime,
            tone(clock),
            self.camera,
            compositor,
            NullSink(clock),
            clock=clock,
            report=self.said.append,
            fps=Fraction(24),
        )

    def luma(self) -> float:
        """Of the foot of the last picture, where neither label nor index is."""
        return float(self.camera.frames[-1][SIDE_PX * 56 : SIDE_PX * 64].mean())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.02)


def run_show(story: Callable[[Server, Show], Awaitable[None]], tmp_path: Path) -> Show:
    files = []
    for tint in (90, 200):
        files.append(tmp_path / f"{tint}.png")
        files[-1].write_bytes(picture(tint))

    async def main() -> Show:
        async with Server(opener=open_tint) as server:
            show = Show(server.port, *files)
            running = asyncio.create_task(show.bridge.run())
            try:
                await story(server, show)
            finally:
                show.bridge.quit()
                await running
            return show

    return asyncio.run(main())


def test_pictures_come_from_the_server_and_portraits_change(tmp_path: Path) -> None:
    async def story(server: Server, show: Show) -> None:
        await show.until(lambda: bool(show.camera.frames) and abs(show.luma() - (16 + 90 * 0.86)) < 4)
        await show.bridge.supervisor.set_controls(Controls(gaze=(5.0, 0.0)))
        await show.bridge.supervisor.set_portrait(1)
        await show.until(lambda: abs(show.luma() - (16 + 200 * 0.86)) < 4)

    show = run_show(story, tmp_path)
    assert show.said == []
    assert show.bridge.supervisor.lives == 1


def test_server_gone_and_back(tmp_path: Path) -> None:
    async def story(server: Server, show: Show) -> None:
        await show.until(lambda: len(show.bridge.pacer.stats.delays_us) > 20)
        port = server.port
        await server._listener.close()
        await show.until(lambda: bool(show.said))
        sent = show.camera.sent
        await show.until(
            lambda: show.camera.sent > sent + 30 and np.array_equal(show.camera.frames[-1], show.bridge.pacer.standby)
        )
        async with Server(ServerConfig(port=port), opener=open_tint):
            await show.until(lambda: show.bridge.supervisor.lives == 2)
            fresh = len(show.bridge.pacer.stats.delays_us)
            await show.until(lambda: len(show.bridge.pacer.stats.delays_us) > fresh + 10)
            show.bridge.quit()

    show = run_show(story, tmp_path)
    first, *_, last = show.said
    assert first.endswith("; trying again")
    assert last.startswith("the face on 127.0.0.1:")
    assert last.endswith("is back")


def test_a_portrait_without_a_face(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(opener=open_tint) as server:
            bad = tmp_path / "bad.png"
            bad.write_bytes(picture(1) + b"nobody")
            with pytest.raises(InputError, match="no face was found"):
                await asyncio.wait_for(Show(server.port, bad).bridge.run(), WAIT_S)

    asyncio.run(story())


def test_a_portrait_that_fails_later_is_a_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(opener=open_tint) as server:
            good, bad = tmp_path / "good.png", tmp_path / "bad.png"
            good.write_bytes(picture(90))
            bad.write_bytes(picture(1) + b"nobody")
            show = Show(server.port, good, bad)
            running = asyncio.create_task(show.bridge.run())
            await show.until(lambda: len(show.bridge.pacer.stats.delays_us) > 5)
            await show.bridge.supervisor.set_portrait(1)
            await show.until(lambda: bool(show.said))
            show.bridge.quit()
            await running
            assert show.said == ["the other portrait cannot be shown: no face was found"]
            assert show.bridge.supervisor.lives == 1

    asyncio.run(story())


def test_frames_match_their_sound_whatever_the_pushes(tmp_path: Path) -> None:
    """Immediate delivery: the picture of index k belongs to sample k / fps, and none is left out."""

    async def story() -> None:
        async with Server(opener=open_tint) as server:
            file = tmp_path / "face.png"
            file.write_bytes(picture(90))
            runtime = RemoteRuntime(f"127.0.0.1:{server.port}", [file], consents=["synthetic"])
            config = StreamConfig(Fraction(25), SIDE_PX, 48_000, 0, lambda _: False)
            async with runtime.open(config, 0, Controls()) as face:
                for n in (100, 4_000, 48_000, 1):
                    await face.push(np.zeros(n, np.float32))
                seen = []
                async with asyncio.timeout(WAIT_S):
                    async for item in face:
                        if not isinstance(item, Output):
                            continue
                        seen.append((item.pts_us, index_in(picture_in(item))))
                        if len(seen) == 20:
                            break
        assert seen == [(40_000 * k, k) for k in range(20)]

    asyncio.run(story())


def test_without_the_server_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vivant.client", None)
    with pytest.raises(UnavailableError, match=r'pip install "\.\[server\]"'):
        RemoteRuntime("127.0.0.1:1", ["ada"])
