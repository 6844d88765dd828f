"""Sound cards by their names, through the extra ``mic`` (sounddevice, which brings PortAudio on Windows and macOS)."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from vivant.clock import Clock
from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.types import Float32Array
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.sound.ring import SampleRing
from vivant_bridge.sound.source import SampleFormat, mono

BLOCK_S = 0.01
"""Asked for: the bridge's tick."""
RING_S = 1.0
"""Kept for a reader that is late."""
OUTPUT_LATENCY_S = 0.06
"""Asked of outputs. PulseAudio behind ALSA starves with two blocks; what it costs is inside the delay of the picture."""
SILENT_US = 1_000_000
"""A stream that calls back no more for so long is lost: unplugged devices seldom say so."""
START_US = 4_000_000
"""What it may take more before the first time."""
PREFERRED_HOST = "WASAPI"
"""Windows lists every device once for each of its sound systems; this one is quick and converts rates."""
SHORT_NAME = 31
"""To so many characters its oldest one cuts names."""
PULSE = "pulse:"
"""``pulse:NAME`` is a source or sink of PulseAudio or PipeWire, monitors included; ``pactl list short`` names them."""

_lock = threading.RLock()
_streams: weakref.WeakSet[_Stream] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """What PortAudio knows of a device."""

    index: int
    name: str
    host: str
    inputs: int
    outputs: int
    rate_hz: int


def sounddevice() -> ModuleType:
    """The library. Raises UnavailableError with what to install."""
    try:
        import sounddevice as library
    except ImportError as error:
        raise UnavailableError(
            f"microphones and speakers need the extra 'mic': {install('mic')}; or use --mic none --speaker none"
        ) from error
    except OSError as error:
        on_linux = sys.platform.startswith("linux")
        fix = "sudo apt install libportaudio2" if on_linux else "pip install --force-reinstall sounddevice"
        raise UnavailableError(f"the sound library PortAudio is missing: {fix}") from error
    return cast(ModuleType, library)


def sound_devices() -> list[SoundDevice]:
    """All of them."""
    library = sounddevice()
    hosts = [host["name"] for host in library.query_hostapis()]
    return [
        SoundDevice(
            i, d["name"], hosts[d["hostapi"]], d["max_input_channels"], d["max_output_channels"], round(d["default_samplerate"])
        )
        for i, d in enumerate(library.query_devices())
    ]


def find_device(name: str, *, output: bool, devices: list[SoundDevice], default: int = -1) -> SoundDevice:
    """By its name, or a part of it that only one device has; ``default`` is the system's choice. Raises DeviceLostError."""
    noun = "output" if output else "microphone"
    fitting = [device for device in devices if (device.outputs if output else device.inputs)]
    fitting.sort(key=lambda device: PREFERRED_HOST not in device.host)
    if name == "default":
        found = [device for device in fitting if device.index == default] or fitting[:1]
    else:
        low = name.lower()
        exact = [device for device in fitting if device.name.lower() == low]
        found = exact[:1] or [device for device in fitting if low in device.name.lower()]
    if not found:
        wanted = f"there is no {noun}" if name == "default" else f"no {noun} is called {name!r}"
        raise DeviceLostError(f"{wanted}; `vivant devices` lists them")
    if len({device.name[:SHORT_NAME] for device in found}) > 1:
        names = ", ".join(dict.fromkeys(repr(device.name) for device in found[:4]))
        raise InputError(f"several {noun}s are called like {name!r}: {names}; give one whole name")
    return found[0]


def rescan() -> None:
    """Find devices that were plugged in. PortAudio looks only when it starts, and stopping it ends every stream."""
    library = sounddevice()
    with _lock:
        for stream in list(_streams):
            stream.close()
        library._terminate()
        library._initialize()


class _Stream:
    """What a microphone and a speaker have in common. Callbacks copy samples and note the time, and nothing else."""

    _output = False

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self.rate_hz, self.latency_us = name, 0, 0
        self._clock = clock
        self._stream: Any = None
        self._called_us = 0

    def open(self) -> None:
        library = sounddevice()
        with _lock:
            try:
                self._begin(library)
            except DeviceLostError:
                rescan()
                self._begin(library)

    def _begin(self, library: ModuleType) -> None:
        device = self._find(library)
        self.rate_hz = device.rate_hz
        self._ring = SampleRing(round(RING_S * self.rate_hz))
        try:
            self._stream = self._start(library, device)
            self._stream.start()
        except library.PortAudioError as error:
            self.close()
            raise DeviceLostError(
                f"{device.name} cannot be opened now ({_reason(error)}); does another program hold it?"
            ) from error
        self._called_us = self._clock.now_us() + START_US
        _streams.add(self)

    def close(self) -> None:
        with _lock:
            stream, self._stream = self._stream, None
            _streams.discard(self)
            if stream is not None:
                stream.close(ignore_errors=True)

    def _find(self, library: ModuleType) -> SoundDevice:
        name = self.name
        if name.startswith(PULSE):
            os.environ["PULSE_SINK" if self._output else "PULSE_SOURCE"] = name.removeprefix(PULSE)
            name = "pulse"
        return find_device(name, output=self._output, devices=sound_devices(), default=self._default(library))

    def _default(self, library: ModuleType) -> int:
        for host in library.query_hostapis():
            if PREFERRED_HOST in host["name"]:
                return int(host["default_output_device" if self._output else "default_input_device"])
        return int(library.default.device[1 if self._output else 0])

    def _start(self, library: ModuleType, device: SoundDevice) -> Any:  # noqa: ANN401
        raise NotImplementedError

    def _require_alive(self) -> None:
        stream = self._stream
        if stream is None:
            raise DeviceLostError(f"{self.name} was interrupted, for another device was looked for")
        if not stream.active or self._clock.now_us() - self._called_us > SILENT_US:
            raise DeviceLostError(f"{self.name} is gone; plug it in again")

    def _options(self, library: ModuleType, device: SoundDevice) -> dict[str, Any]:
        settings = library.WasapiSettings(auto_convert=True) if PREFERRED_HOST in device.host else None
        return {
            "device": device.index,
            "samplerate": device.rate_hz,
            "blocksize": round(BLOCK_S * device.rate_hz),
            "dtype": "float32",
            "latency": OUTPUT_LATENCY_S if self._output else "low",
            "extra_settings": settings,
        }


class Microphone(_Stream):
    """`AudioSource` over an input of any rate and any number of channels."""

    sample_format = SampleFormat.F32

    def read(self) -> Float32Array:
        self._require_alive()
        return self._ring.pop()

    def _start(self, library: ModuleType, device: SoundDevice) -> Any:  # noqa: ANN401
        def arrived(block: Any, n: int, times: Any, status: Any) -> None:  # noqa: ANN401
            self._called_us = self._clock.now_us()
            self._ring.push(mono(block))
            self.latency_us = _plausible_us(times.currentTime - times.inputBufferAdcTime)

        channels = min(device.inputs, 32)
        if device.name in ("pulse", "default", "pipewire"):
            channels = min(channels, 2)  # these offer 32 and mean any number
        return library.InputStream(callback=arrived, channels=channels, **self._options(library, device))


class Speaker(_Stream):
    """`AudioSink` over an output; the voice goes to its first two channels."""

    _output = True

    def open(self) -> None:
        self._mark = (0, 0)
        """Samples that the device has taken, and when the last of them is heard."""
        self._written = 0
        super().open()
        if self._mark == (0, 0):  # no callback yet
            self._mark = (0, self._clock.now_us() + round(1e6 * self._stream_latency()))

    def queued_us(self) -> int:
        return len(self._ring) * 1_000_000 // self.rate_hz

    def heard_at_us(self) -> int:
        self._require_alive()
        taken, heard_us = self._mark
        return heard_us + (self._written - taken) * 1_000_000 // self.rate_hz

    def write(self, samples: Float32Array) -> None:
        self._written += len(samples)
        self._ring.push(samples)

    def _start(self, library: ModuleType, device: SoundDevice) -> Any:  # noqa: ANN401
        taken = 0

        def wanted(block: Any, n: int, times: Any, status: Any) -> None:  # noqa: ANN401
            nonlocal taken
            samples = self._ring.pop(n)
            block[: len(samples)] = samples[:, None]
            block[len(samples) :] = 0
            taken += len(samples)
            self._called_us = now_us = self._clock.now_us()
            self.latency_us = _plausible_us(times.outputBufferDacTime - times.currentTime) or round(
                1e6 * self._stream_latency()
            )
            self._mark = (taken, now_us + self.latency_us + n * 1_000_000 // self.rate_hz)

        return library.OutputStream(callback=wanted, channels=min(device.outputs, 2), **self._options(library, device))

    def _stream_latency(self) -> float:
        stream = self._stream
        return float(stream.latency) if stream is not None else 0.0


def _plausible_us(seconds: float) -> int:
    """Some drivers tell nonsense."""
    return round(1e6 * seconds) if 0.0 < seconds < 1.0 else 0


def _reason(error: Exception) -> str:
    return str(error).split(" [")[0].removeprefix("Error opening InputStream: ").removeprefix("Error opening OutputStream: ")
