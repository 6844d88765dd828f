"""Where sound comes from and goes to: sources, sinks and devices."""

from __future__ import annotations

import io
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.session.command_line import sine, write_wav
from vivant.clock import VirtualClock
from vivant.errors import InputError, UnavailableError
from vivant.types import Float32Array
from vivant_bridge.device_registry import choose_speaker
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.sound import portaudio
from vivant_bridge.sound.output import AudioSink, MemorySink, NullSink
from vivant_bridge.sound.pipe import PcmSource, network
from vivant_bridge.sound.portaudio import SoundDevice, find_device
from vivant_bridge.sound.source import MOST_DUE_S, AudioSource, FileSource, SampleFormat, mono, silence, tone, voice_of

pytestmark = pytest.mark.unit

RATE_HZ = 48_000
BLOCK = 480


def test_mono_of_an_interface_with_one_voice_in_eight_channels() -> None:
    voice, noise = sine(960, 96_000), np.float32(1e-5) * np.ones(960, np.float32)
    block = np.stack([noise, noise, voice, noise, noise, noise, noise, noise], axis=1)
    assert np.allclose(mono(block), voice)
    assert np.allclose(mono(np.stack([voice, voice], axis=1)), voice)
    assert not mono(np.zeros((10, 8), np.float32)).any()
    assert mono(voice).shape == mono(voice[:, None]).shape == (960,)


@pytest.fixture(params=["tone", "silence", "file", "loop"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[AudioSource, VirtualClock]:
    clock = VirtualClock()
    path = write_wav(tmp_path / "voice.wav", sine(8_000, 16_000), 16_000)
    made: dict[str, AudioSource] = {
        "tone": tone(clock, 44_100),
        "silence": silence(clock),
        "file": FileSource(path, clock),
        "loop": FileSource(path, clock, repeat=True),
    }
    return made[request.param], clock


def test_sources_deliver_at_the_speed_of_time(source: tuple[AudioSource, VirtualClock]) -> None:
    sound, clock = source
    sound.open()
    total = 0
    for milliseconds in (10, 20, 1500, 1500, 3000):
        clock._now_us = 1000 * milliseconds
        total += len(sound.read())
        assert total == sound.rate_hz * milliseconds // 1000
    sound.close()
    sound.close()
    sound.open()
    assert len(sound.read()) <= 1


def test_a_machine_that_slept_missed_no_sound(source: tuple[AudioSource, VirtualClock]) -> None:
    """Hours of samples at once would fill its memory."""
    sound, clock = source
    sound.open()
    clock._now_us = 1_000_000
    assert len(sound.read()) == sound.rate_hz
    clock._now_us += 60_000_000
    assert len(sound.read()) == MOST_DUE_S * sound.rate_hz
    clock._now_us += 500_000
    assert abs(len(sound.read()) - sound.rate_hz // 2) <= 1


def test_a_file_ends_in_silence_and_a_loop_goes_on(tmp_path: Path) -> None:
    clock = VirtualClock()
    path = write_wav(tmp_path / "voice.wav", sine(8_000, 16_000), 16_000)
    for repeat in (False, True):
        sound = FileSource(path, clock, repeat=repeat)
        sound.open()
        clock._now_us += 1_000_000
        samples = sound.read()
        assert samples[:8_000].any()
        assert samples[8_000:].any() == repeat
    with pytest.raises(InputError, match="does not exist"):
        FileSource(tmp_path / "none.wav", clock).open()


def wait_for(source: AudioSource, n: int) -> Float32Array:
    pieces: list[Float32Array] = []
    wake = threading.Event()
    while sum(map(len, pieces)) < n:
        pieces.append(source.read())
        wake.wait(0.005)
    return np.concatenate(pieces)


def test_raw_pcm_of_two_channels_cut_anywhere() -> None:
    samples = (np.arange(600, dtype=np.float32) / 1000).repeat(2)
    data = struct.pack(f"<{len(samples)}h", *(int(s * 32767) for s in samples))

    class Dribble(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return super().read1(7)

    source = PcmSource("a pipe", 48_000, 2, lambda: Dribble(data))
    source.open()
    assert np.allclose(wait_for(source, 600), np.arange(600, dtype=np.float32) / 1000, atol=1e-3)
    with pytest.raises(DeviceLostError, match="a pipe has ended"):
        wait_for(source, 1)


def test_a_voice_over_tcp_and_another_after_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = network(f"127.0.0.1:{port}", 16_000, 1)
    for value in (8_000, -8_000):
        source.open()
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    connection.sendall(struct.pack("<h", value) * 400)
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.01)
        assert np.allclose(wait_for(source, 400), value / 32768)
        with pytest.raises(DeviceLostError, match="has ended"):
            wait_for(source, 1)
        source.close()


@pytest.mark.parametrize("address", ["0.0.0.0:5000", "example.org:80", "127.0.0.1", "127.0.0.1:x"])
def test_a_network_voice_is_local(address: str) -> None:
    with pytest.raises(InputError, match=r"tcp:127\.0\.0\.1:5050"):
        network(address, 48_000, 1)


@pytest.mark.parametrize(("rate_hz", "channels"), [(7_999, 1), (192_001, 1), (48_000, 0), (48_000, 33)])
def test_impossible_pcm(rate_hz: int, channels: int) -> None:
    with pytest.raises(InputError, match="raw PCM needs"):
        network("127.0.0.1:5000", rate_hz, channels)


@pytest.mark.parametrize("kind", [MemorySink, NullSink])
def test_sinks_tell_when_a_sample_is_heard(kind: type[MemorySink]) -> None:
    clock = VirtualClock()
    sink: AudioSink = kind(clock, 48_000, latency_us=20_000)
    sink.open()
    assert (sink.queued_us(), sink.heard_at_us()) == (0, 20_000)
    sink.write(np.ones(4_800, np.float32))
    assert (sink.queued_us(), sink.heard_at_us()) == (100_000, 120_000)
    clock._now_us = 60_000
    assert (sink.queued_us(), sink.heard_at_us()) == (40_000, 120_000)
    clock._now_us = 200_000  # starved: silence was played meanwhile
    assert sink.heard_at_us() == pytest.approx(220_000, abs=25)
    sink.close()
    sink.close()


DEVICES = [
    SoundDevice(0, "HDA Intel: Analog", "ALSA", 2, 2, 44_100),
    SoundDevice(1, "USB Podcaster", "ALSA", 1, 0, 48_000),
    SoundDevice(2, "USB Headset", "ALSA", 1, 2, 48_000),
    SoundDevice(3, "USB Headset", "JACK", 1, 2, 48_000),
]


def test_devices_are_found_by_name() -> None:
    assert find_device("podcast", output=False, devices=DEVICES).index == 1
    assert find_device("usb headset", output=True, devices=DEVICES).index == 2
    assert find_device("default", output=False, devices=DEVICES, default=2).index == 2
    assert find_device("default", output=False, devices=DEVICES).index == 0
    with pytest.raises(InputError, match="several microphones are called like 'usb': 'USB Podcaster', 'USB Headset'"):
        find_device("usb", output=False, devices=DEVICES)
    with pytest.raises(DeviceLostError, match="no output is called 'podcast'; `vivant devices` lists them"):
        find_device("podcast", output=True, devices=DEVICES)
    with pytest.raises(DeviceLostError, match="there is no microphone"):
        find_device("default", output=False, devices=[])


def test_without_the_sound_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    with pytest.raises(UnavailableError, match=r"extra 'mic': pip install .\.\[mic\]"):
        choose_speaker("default", VirtualClock())
    with pytest.raises(UnavailableError):
        portaudio.sound_devices()


def test_a_source_may_give_integers_and_several_channels() -> None:
    left = np.array([32767, -32768, 0, 16384], np.int16)
    heard = voice_of(np.stack([left, np.zeros_like(left)], axis=1), SampleFormat.S16)
    assert heard.dtype == np.float32 and heard.tolist() == pytest.approx([1, -1, 0, 0.5], abs=1e-4)
    same = np.array([0.25, -0.5], np.float32)
    assert np.array_equal(voice_of(same, SampleFormat.F32), same)
