"""The whole chain over a real sound server: what a call hears and sees of ``vivant cam``, and whether the two belong together.

A spoken file is played into the microphone; ``vivant cam`` shows a face in a camera that is a FIFO and plays the delayed voice
into a second null sink. Both are recorded by programs that know nothing of each other, on one clock. The face is drawn by
`jaw_server`: everything is real but its looks.
"""

from __future__ import annotations

import os
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ, bundled_voice
from tests.device.jaw_server import JawFace
from tests.device.sound_kit import SoundServer, next_line
from tests.device.sync_kit import Camera, Course, Recorder, evenly, loudness, picture_minus_sound_ms
from vivant import FaceStream, Output
from vivant.types import ARKIT_INDEX, Float32Array

pytestmark = pytest.mark.device

FPS = 25
SECONDS = 12
RATE_HZ = 48_000
PROMISE_MS = (-45.0, 15.0)
"""Picture minus sound, positive = picture late."""
TOLERANCE_MS = 25.0
"""Of this measure: pictures are 40 ms apart, the sinks work in blocks of 10 ms, and the machine does other work meanwhile."""
TRIM_MS = 120.0
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def voice() -> Float32Array:
    return bundled_voice()[: SECONDS * VOICE_RATE_HZ]


@pytest.mark.parametrize("trim_ms", [0.0, TRIM_MS])
def test_a_call_sees_and_hears_the_same_instant(
    sound: SoundServer, voice: Float32Array, tmp_path: Path, trim_ms: float
) -> None:
    seen, heard = seen_and_heard(sound, voice, tmp_path, trim_ms)
    offsets_ms = picture_minus_sound_ms(seen, heard, jaw(voice), Course(0.0, loudness(voice, VOICE_RATE_HZ)))
    assert len(offsets_ms) >= SECONDS / 3, f"the voice or its pictures were seldom clear: {offsets_ms}"
    offset_ms = float(np.median(offsets_ms))
    print(f"picture minus sound, trimmed by {trim_ms:g} ms: {offset_ms:+.0f} ms, windows {np.round(offsets_ms)}")
    assert PROMISE_MS[0] - TOLERANCE_MS <= offset_ms + trim_ms <= PROMISE_MS[1] + TOLERANCE_MS, offsets_ms


def seen_and_heard(sound: SoundServer, voice: Float32Array, folder: Path, trim_ms: float) -> tuple[Course, Course]:
    """What camera and cable gave while the voice was spoken into the microphone."""
    fifo = folder / "camera.y4m"
    os.mkfifo(fifo)
    camera = Camera(fifo)
    camera.start()
    with (
        sound.running(sys.executable, "-m", "tests.device.jaw_server") as server,
        sound.running(*recorder()) as recording,
        sound.running(*bridge(next_line(server), fifo, trim_ms)) as cam,
    ):
        assert recording.stdout is not None
        heard = Recorder(recording.stdout, RATE_HZ)
        heard.start()
        while " fps; " not in next_line(cam):  # its first figures: all devices are open
            pass
        sound.run("paplay", "-d", "room", wav(voice, folder))
        sound.run("sleep", "1")  # the pictures are later than the sound
    for thread in (camera, heard):
        thread.join(10)
    return camera.course(), heard.course()


def recorder() -> list[str]:
    options = ["--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=10"]
    return ["parec", "-d", "cable.monitor", *options]


def bridge(server: str, fifo: Path, trim_ms: float) -> list[str]:
    devices = ["--mic", "pulse:mic", "--speaker", "pulse:cable", "--camera", f"file:{fifo}"]
    picture = ["--size", "square", "--fps", str(FPS), "--sync-offset", str(trim_ms)]
    return [str(BIN / "vivant"), "cam", "ada", "--runtime", server, *devices, *picture]


def jaw(voice: Float32Array) -> Course:
    """How bright the pictures of the voice are, when no time passes."""
    with FaceStream(JawFace(), fps=FPS, sample_rate_hz=VOICE_RATE_HZ, pictures=False) as stream:
        items = stream.push(np.append(voice, np.zeros(VOICE_RATE_HZ, np.float32)))
        motion = [item.motion for item in items if isinstance(item, Output)]
    times_s = np.array([frame.pts_us / 1e6 for frame in motion])
    return evenly(times_s, np.array([frame.weights[ARKIT_INDEX["jawOpen"]] for frame in motion]))


def wav(voice: Float32Array, folder: Path) -> Path:
    """A sound file that another program can play."""
    path = folder / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, VOICE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((32767 * voice).astype("<i2").tobytes())
    return path
