"""The whole chain over a real sound server: what a call hears and sees of ``vivant cam``, and whether the two belong together."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ, bundled_voice
from tests.device.sound_kit import SoundServer
from tests.device.sync_kit import Camera, Lips, Recording, picture_began_s, sound_began_s
from vivant.face import RigFace

pytestmark = pytest.mark.device

FPS = 25
SECONDS = 10
RECORD_HZ = 48_000
PROMISE_MS = (-45.0, 15.0)
"""Picture minus sound, positive = picture late."""
TOLERANCE_MS = 25.0
"""For a machine that does other work meanwhile, and for pictures that are 40 ms apart."""
TRIM_MS = 150.0


def spoken(folder: Path) -> Path:
    """A sound file that another program can play."""
    path = folder / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, VOICE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((32767 * bundled_voice()[: SECONDS * VOICE_RATE_HZ]).astype("<i2").tobytes())
    return path


def measure_offset_ms(sound: SoundServer, lips: Lips, folder: Path, *options: str) -> float:
    """Picture minus sound."""
    os.mkfifo(folder / "camera.y4m")
    camera = Camera(folder / "camera.y4m")
    camera.start()
    command = ["vivant", "cam", "ada", "--size", "square", "--fps", str(FPS), "--camera", f"file:{folder / 'camera.y4m'}"]
    devices = ["--mic", "pulse:mic", "--speaker", "pulse:cable"]
    vivant = Path(sys.executable).parent / "vivant"
    with (
        sound.start(vivant, *command[1:], *devices, *options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as cam,
        sound.start("parec", "-d", "cable.monitor", "--raw", "--format=float32le", f"--rate={RECORD_HZ}", "--channels=1",
                    "--latency-msec=10", stdout=subprocess.PIPE) as parec,
    ):
        recording = Recording(parec.stdout, RECORD_HZ)
        recording.start()
        assert cam.stdout is not None
        for line in cam.stdout:
            print(line)
            if b"fps; delay" in line: break
        assert sound.start("paplay", "-d", "room", spoken(folder)).wait(60) == 0
        sound.start("sleep", "1").wait()
        cam.terminate(); print(cam.stdout.read().decode())
        parec.terminate()
    camera.join(10); recording.join(10)
    p, rp = picture_began_s(camera, lips)
    s, rs = sound_began_s(recording, bundled_voice()[: SECONDS * VOICE_RATE_HZ], RECORD_HZ)
    print(p, rp, s, rs, 1000*(p-s), len(camera.times_s), np.diff(camera.times_s).max())
    np.savez(f"/tmp/wt/rigs-tmp/m{options and options[-1]}.npz", pics=np.array(camera.pictures), t=camera.times_s, w=lips.weights, lt=lips.times_s, lc=lips.course, s=recording.samples, sb=recording._began_s)
    return 1000*(p-s)


@pytest.mark.parametrize("trim_ms", [0.0, TRIM_MS])
def test_it(sound: SoundServer, ada: RigFace, tmp_path: Path, trim_ms: float) -> None:
    lips = Lips.speaking(ada, bundled_voice()[: SECONDS * VOICE_RATE_HZ], FPS)
    print(measure_offset_ms(sound, lips, tmp_path, "--sync-offset", str(trim_ms)))
