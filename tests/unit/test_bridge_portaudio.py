"""Microphone and speaker over a sound library that is put together here: callbacks, times, loss, looking anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vivant.clock import VirtualClock
from vivant.types import Float32Array
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.sound.portaudio import SILENT_US, START_US, Microphone, Speaker, sound_devices

pytestmark = pytest.mark.unit


class FakeStream:
    def __init__(self, library: FakeLibrary, callback: Callable[..., None], **options: Any) -> None:  # noqa: ANN401
        if options["device"] in library.busy or library.seen[options["device"]] not in library.plugged:
            raise library.PortAudioError("Error opening InputStream: Device unavailable [PaErrorCode -9985]")
        self.callback, self.options = callback, options
        self.active, self.closed, self.latency = False, False, 0.03
        library.streams.append(self)

    def start(self) -> None:
        self.active = True

    def close(self, ignore_errors: bool) -> None:
        self.active, self.closed = False, True


class FakeLibrary(ModuleType):
    """sounddevice, as far as it is used. ``plugged`` is seen only after a new start, as with PortAudio."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.plugged = [device("Interface", 8, 0, 96_000), device("Headphones", 0, 2, 44_100)]
        self.seen = list(self.plugged)
        self.busy: set[int] = set()
        self.streams: list[FakeStream] = []
        self.starts = 0
        self.default = SimpleNamespace(device=[0, 1])

    def query_devices(self) -> list[dict[str, Any]]:
        return self.seen

    def query_hostapis(self) -> list[dict[str, Any]]:
        wasapi = {"name": "Windows WASAPI", "default_input_device": 2, "default_output_device": 3}
        return [{"name": "ALSA"}, *([wasapi] if any(device["hostapi"] == 1 for device in self.seen) else [])]

    def WasapiSettings(self, **options: bool) -> dict[str, bool]:  # noqa: N802
        return options

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: ANN401, N802
        return FakeStream(self, **options)

    OutputStream = InputStream

    def _terminate(self) -> None:
        assert all(stream.closed for stream in self.streams), "streams must be closed first"

    def _initialize(self) -> None:
        self.starts += 1
        self.seen = list(self.plugged)


def device(name: str, inputs: int, outputs: int, rate_hz: float, host: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "hostapi": host,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": rate_hz,
    }


TIMES = SimpleNamespace(currentTime=5.0, inputBufferAdcTime=4.99, outputBufferDacTime=5.02)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    fake = FakeLibrary()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_a_microphone_of_eight_channels_at_96_khz(library: FakeLibrary) -> None:
    microphone = Microphone("interface", VirtualClock())
    microphone.open()
    (stream,) = library.streams
    assert stream.options["channels"] == 8
    assert (microphone.rate_hz, stream.options["blocksize"]) == (96_000, 960)
    block = np.zeros((960, 8), np.float32)
    block[:, 2] = 0.5
    for _ in range(3):
        stream.callback(block, 960, TIMES, None)
    heard = microphone.read()
    assert np.array_equal(heard, np.full(2_880, 0.5, np.float32))
    assert microphone.latency_us == pytest.approx(10_000)
    assert len(microphone.read()) == 0
    microphone.close()
    microphone.close()
    assert stream.closed


def test_a_speaker_tells_when_its_samples_are_heard(library: FakeLibrary) -> None:
    clock = VirtualClock()
    speaker = Speaker("default", clock)
    speaker.open()
    (stream,) = library.streams
    assert 0.03 <= stream.options["latency"] <= 0.1  # less starves behind PulseAudio; more would be heard
    assert speaker.heard_at_us() == 30_000
    speaker.write(np.ones(1_000, np.float32))
    assert speaker.queued_us() == 1_000_000 * 1_000 // 44_100
    clock._now_us = 50_000
    out = np.full((441, 2), 9.0, np.float32)
    stream.callback(out, 441, TIMES, None)
    assert (out == 1.0).all()
    # 441 samples are heard from 70 ms on; 559 are left, so the next one written comes a thousand samples after 70 ms.
    assert speaker.heard_at_us() == pytest.approx(70_000 + 1e6 * 1_000 / 44_100, abs=3)
    for _ in range(2):
        stream.callback(out, 441, TIMES, None)
    assert (out[118:] == 0.0).all(), "silence when there is nothing"
    stream.callback(out, 441, SimpleNamespace(currentTime=0.0, outputBufferDacTime=99.0), None)
    assert speaker.latency_us == 30_000, "nonsense from a driver gives way to the stream's own latency"


def test_unplugged_and_plugged_in_again(library: FakeLibrary) -> None:
    clock = VirtualClock()
    microphone = Microphone("interface", clock)
    microphone.open()
    assert len(microphone.read()) == 0
    clock._now_us += START_US + SILENT_US + 1
    with pytest.raises(DeviceLostError, match="interface is gone; plug it in again"):
        microphone.read()
    microphone.close()
    gone = library.plugged.pop(0)
    with pytest.raises(DeviceLostError, match="no microphone is called 'interface'"):
        microphone.open()
    library.plugged.append(gone)
    microphone.open()
    assert library.streams[-1].options["device"] == 1, "found by its name at another place"
    assert len(microphone.read()) == 0


def test_looking_for_devices_interrupts_others_once(library: FakeLibrary) -> None:
    clock = VirtualClock()
    speaker, microphone = Speaker("headphones", clock), Microphone("podcaster", clock)
    speaker.open()
    with pytest.raises(DeviceLostError, match="no microphone is called 'podcaster'"):
        microphone.open()
    with pytest.raises(DeviceLostError, match="headphones was interrupted"):
        speaker.heard_at_us()
    speaker.open()
    assert library.starts == 1, "a device that is there is opened without looking anew"
    speaker.heard_at_us()


def test_a_device_that_another_program_holds(library: FakeLibrary) -> None:
    library.busy = {0}
    microphone = Microphone("default", VirtualClock())
    with pytest.raises(DeviceLostError, match=r"Interface cannot be opened now \(Device unavailable\); does another program"):
        microphone.open()
    library.busy = set()
    microphone.open()


def test_names_of_pulseaudio(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULSE_SOURCE", "PULSE_SINK"):
        monkeypatch.setenv(name, "")
    library.plugged = library.seen = [device("pulse", 32, 32, 44_100.0)]
    Microphone("pulse:call.monitor", VirtualClock()).open()
    Speaker("pulse:call", VirtualClock()).open()
    import os

    assert (os.environ["PULSE_SOURCE"], os.environ["PULSE_SINK"]) == ("call.monitor", "call")
    assert [stream.options["channels"] for stream in library.streams] == [2, 2]


def test_wasapi_converts_rates_itself(library: FakeLibrary) -> None:
    short, whole = "CABLE Input (VB-Audio Virtual C", "CABLE Input (VB-Audio Virtual Cable)"
    rows = [(short, 0, 2, 0), (short.replace("In", "Out"), 2, 0, 0), ("Headset", 1, 0, 1), (whole, 0, 2, 1)]
    library.plugged = library.seen = [device(name, n_in, n_out, 48_000, host) for name, n_in, n_out, host in rows]
    Speaker("cable input", VirtualClock()).open()
    Microphone("default", VirtualClock()).open()
    assert [stream.options["device"] for stream in library.streams] == [3, 2]
    assert library.streams[0].options["extra_settings"] == {"auto_convert": True}
    assert sound_devices()[3].host == "Windows WASAPI"


def test_callbacks_keep_what_nobody_reads_bounded(library: FakeLibrary) -> None:
    microphone = Microphone("default", VirtualClock())
    microphone.open()
    block: Float32Array = np.full((960, 8), 0.1, np.float32)
    for _ in range(300):
        library.streams[0].callback(block, 960, TIMES, None)
    assert len(microphone.read()) == 96_000
