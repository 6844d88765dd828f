"""The synthetic finish where faces are shown: in credentials, from a server, on a camera. It changes the mouth alone."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import c2pa
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import ADA, SMALL, Run, frames_of, write_wav
from tests.session.test_other_packages import served  # the same server
from vivant.client import RemoteConfig, connect
from vivant.face import RigFace, open_portrait
from vivant.finish.network import Finish, FinishCard, blank
from vivant.finish.synthetic import FinishKind, shared, worn
from vivant.rig.canonical import OUTER_LIPS
from vivant.session import presenter
from vivant.session.presenter import Presenter
from vivant.testing import Inline, LoopClock, run_virtual
from vivant.types import Float32Array, Output, UInt8Array
from vivant_bridge.bridge import Bridge
from vivant_bridge.open_runtime import Drawing, open_local_runtime
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import MemoryCamera
from vivant_bridge.runtime.local import LocalRuntime
from vivant_bridge.sound.output import NullSink
from vivant_bridge.sound.source import FileSource

pytestmark = pytest.mark.session

SIZE_PX, FPS = 512, 25
REACH = 0.35
"""Around the lips at rest, outer-eye distances: whatever a mouth does when it speaks, and as far as a mark looks around."""
MARK = 7
"""Of every session here, so that the invisible mark is the same."""
WAIT_S = 60


@pytest.mark.parametrize("kind", ["personal finish", "synthetic finish"])
def test_the_credentials_of_a_file_name_it(run: Run, short: Path, kind: str) -> None:
    said: tuple[str, ...] = (ADA, "--finish", "synthetic")
    if kind == "personal finish":
        finish = Finish(blank().parts, FinishCard(consent="synthetic", seconds=40.0))
        replace(open_portrait(ADA).rig, finish=finish).save(Path("me.vivant"))
        said = ("me.vivant",)
    done = run("render", *said, short, "-o", "out.mp4", *SMALL)
    assert done.code == 0, done.err
    with c2pa.Reader("out.mp4") as reader:
        assert re.findall(r'"vivant rig \d+, ([^"]+)"', reader.json()) == [kind]


def outside(face: RigFace) -> NDArray[np.bool_]:
    """(size, size) all but the mouth."""
    rest, unit = face.rig.arrays["rest"], float(face.rig.arrays["head_frame"][3])
    lips = rest[list(OUTER_LIPS), :2]  # px of a frame of this size, as it happens
    low, high = lips.min(axis=0) - REACH * unit, lips.max(axis=0) + REACH * unit
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    return np.asarray((x < low[0]) | (x > high[0]) | (y < low[1]) | (y > high[1]))


@pytest.mark.realtime
@pytest.mark.usefixtures("run")
def test_a_server_streams_it(voice: Float32Array) -> None:
    """What comes over gRPC is to the bit what the finished face gives here, and differs from the rig's in the mouth alone; at
    the pace of speech it comes as often as it should."""

    async def call(address: str, *, paced: bool) -> tuple[str, list[Output]]:
        config = RemoteConfig(size_px=SIZE_PX, sample_rate_hz=VOICE_RATE_HZ, fps=FPS, seed=5, paced=paced)
        async with connect(address) as client, client.animate("ada", config) as session:
            await session.push(voice)
            await session.finish()
            return session.started.session_id, [item async for item in session if isinstance(item, Output)]

    with served("--finish", "synthetic") as address:
        session_id, outputs = asyncio.run(asyncio.wait_for(call(address, paced=False), WAIT_S))
        paced = asyncio.run(asyncio.wait_for(call(address, paced=True), WAIT_S))[1]
    plain = open_portrait(ADA)
    rig, own = (
        Presenter(face, size_px=SIZE_PX, consent="synthetic", session_id=int(session_id, 16))
        for face in (plain, worn(plain, shared()))
    )
    still, seen = outside(plain), []
    for output in outputs:
        shown, without = own.present(output.motion), rig.present(output.motion)
        assert output.picture is not None and shown is not None and without is not None
        np.testing.assert_array_equal(output.picture.pixels, shown.pixels)
        np.testing.assert_array_equal(output.picture.pixels[still], without.pixels[still])
        seen.append(np.abs(output.picture.pixels.astype(int) - without.pixels).max())
    assert np.mean(np.array(seen) > 20) > 0.3, "whenever the lips are parted"
    assert len([output for output in paced if output.picture is not None]) > 0.9 * len(outputs)


@pytest.mark.usefixtures("run")
def test_a_camera_shows_it(voice: Float32Array, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``vivant cam`` opens it: no picture is late, and the mouth alone differs from the rig's."""
    monkeypatch.setattr(presenter, "live_session_id", lambda: MARK)
    wav = write_wav(Path("voice.wav"), voice[: 2 * VOICE_RATE_HZ], VOICE_RATE_HZ)
    runtimes = [
        open_local_runtime([Path(ADA)], Drawing(finish=kind), 5, "synthetic", None) for kind in (FinishKind.SYNTHETIC, None)
    ]
    own, rig = (_shown(LocalRuntime(runtime._faces, executor=Inline()), wav) for runtime in runtimes)
    assert len(own) == len(rig) > 30
    changes = np.abs(own.astype(int) - rig)
    still = outside(open_portrait(ADA))
    assert changes[:, still].max() == 0
    assert np.mean(changes[:, ~still].max(axis=1) > 20) > 0.3


def _shown(runtime: LocalRuntime, sound: Path) -> UInt8Array:
    """(n, size, size) what a camera showed, brightness alone."""

    async def main() -> MemoryCamera:
        clock, camera = LoopClock(), MemoryCamera()
        compositor = Compositor(SIZE_PX, SIZE_PX, Fill("blur"))
        devices = FileSource(sound, clock), camera, compositor, NullSink(clock)
        bridge = Bridge(runtime, *devices, clock=clock, executor=Inline(), spawn=lambda story: story(), seed=5)
        asyncio.get_running_loop().call_later(2.5, bridge.quit)
        await bridge.run()
        assert (bridge.figures().repeated, bridge.figures().late) == (0, 0)
        return camera

    camera = run_virtual(main())
    planes: UInt8Array = np.stack([frame[: SIZE_PX**2].reshape(SIZE_PX, SIZE_PX) for frame in camera.frames])
    return planes


@pytest.mark.realtime
def test_cam_keeps_its_rate_with_it(run: Run) -> None:
    line = ("--mic", "tone", "--speaker", "null", "--camera", "file:out.y4m", "--size", "square", "--seconds", "2")
    done = run("cam", ADA, "--finish", "synthetic", *line)
    assert done.code == 0, done.err
    assert len(frames_of(Path("out.y4m"))) > 40
