"""Synthesised speech with exact phone times: espeak-ng (all languages, all its voice variants), flite, festival."""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.speech.inventory import from_arpabet, from_festival, from_ipa, split_s
from vivant.media import read_sound
from vivant.speech.phones import PHONE_INDEX
from vivant.types import Float32Array

Phones = list[tuple[int, float, float]]
"""(index into PHONES, start_s, end_s), in order, without gaps."""


@dataclass(frozen=True)
class Utterance:
    """Speech and what is said when."""

    samples: Float32Array
    rate_hz: int
    phones: Phones
    voice: str


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of espeak-ng's speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p), ("id", _Id),
    )  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_SYNCHRONOUS, _PHONE_EVENTS_IN_IPA, _PHONE_EVENT, _UTF8 = 2, 3, 7, 1
_RATE, _PITCH, _RANGE = 1, 3, 4


class Espeak:
    """libespeak-ng in this process; one at a time."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONE_EVENTS_IN_IPA))
        if self.rate_hz <= 0:
            raise RuntimeError("espeak-ng does not start; install espeak-ng")
        self._sound: list[NDArray[np.int16]] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, *, words_per_min: int = 170, pitch: int = 50, pitch_range: int = 50) -> Utterance:
        """``voice`` is a language and a variant such as ``de+f3``; pitch and range 0 to 100."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_RATE, words_per_min), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound, self._events = [np.zeros(0, np.int16)], []
        spoken = text.encode()
        self._library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, _UTF8, None, None)
        samples: Float32Array = np.concatenate(self._sound).astype(np.float32) / np.float32(32768)
        return Utterance(
            samples, self.rate_hz, _with_closures(self._phones(len(samples)), samples, self.rate_hz), f"espeak {voice}"
        )

    def _collect(self, wave: Any, count: int, events: Any) -> int:  # noqa: ANN401 - pointers
        if wave and count:
            self._sound.append(np.ctypeslib.as_array(wave, (count,)).copy())
        place = 0
        while events[place].type != 0:
            if events[place].type == _PHONE_EVENT:
                self._events.append((events[place].sample, events[place].id.string.decode("utf-8", "ignore")))
            place += 1
        return 0

    def _phones(self, n: int) -> Phones:
        starts = [(0, ""), *self._events]
        ends = [start for start, _ in starts[1:]] + [n]
        found: Phones = []
        for (start, name), end in zip(starts, ends, strict=True):
            parts = split_s(from_ipa(name), start / self.rate_hz, end / self.rate_hz) if end > start else []
            if not parts and found:  # a diacritic: the phone before it lasts longer
                found[-1] = (found[-1][0], found[-1][1], end / self.rate_hz)
            found += parts
        return found


def _with_closures(phones: Phones, samples: Float32Array, rate_hz: int) -> Phones:
    """espeak-ng reports a voiceless stop at its burst; the silence of its closure, before that, belongs to it too."""
    step = rate_hz // 200
    quiet = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(1) < _CLOSURE_LEVEL
    moved = list(phones)
    for i in range(1, len(moved)):
        phone, start_s, end_s = moved[i]
        before, before_start_s, _ = moved[i - 1]
        if phone not in _STOPS or before == PHONE_INDEX["_"]:
            continue
        first = last = min(round(start_s * 200), len(quiet))
        while first > 0 and last - first < _CLOSURE_MAX and first / 200 > (before_start_s + start_s) / 2 and quiet[first - 1]:
            first -= 1
        moved[i - 1], moved[i] = (before, before_start_s, first / 200), (phone, first / 200, end_s)
    return moved


_STOPS = {PHONE_INDEX[name] for name in ("p", "t", "k", "sh", "s")}
_CLOSURE_LEVEL = 0.006
_CLOSURE_MAX = 18
"""Steps of 5 ms."""


def flite(text: str, voice: str, *, stretch: float = 1.0, pitch_hz: float | None = None) -> Utterance:
    """One of flite's voices; it prints the ends of its phones."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        options = ["--setf", f"duration_stretch={stretch:.3f}"]
        options += ["--setf", f"int_f0_target_mean={pitch_hz:.1f}"] if pitch_hz else []
        command = ["flite", "-voice", voice, "-psdur", *options, "-t", text, "-o", str(wav)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples, rate_hz = read_sound(wav)
    phones: Phones = []
    offset_s = last_s = 0.0
    for name, end in re.findall(r"([a-z@]+):([\d.]+)", printed):
        if float(end) < last_s:  # every sentence starts at zero
            offset_s, last_s = offset_s + last_s, 0.0
        phones += split_s(from_arpabet(name), offset_s + last_s, offset_s + float(end))
        last_s = float(end)
    return Utterance(samples, rate_hz, phones, f"flite {voice}")


def festival(texts: Sequence[str], voice: str, encoding: str = "utf-8") -> Iterator[Utterance]:
    """A batch of sentences by one festival voice (one start of the program); those that it cannot say are left out."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})"]
        for i, text in enumerate(texts):
            said = text.replace('"', " ").replace("\\", " ")
            lines.append(f'(unwind-protect (begin (set! u (SynthText "{said}")) (utt.save.wave u "{folder}/{i}.wav") '
                         f'(utt.save.segs u "{folder}/{i}.lab")) (print "failed"))')  # fmt: skip
        script = Path(folder) / "say.scm"
        script.write_bytes("\n".join(lines).encode(encoding, "replace"))
        subprocess.run(["festival", "-b", str(script)], check=False, capture_output=True, timeout=600)
        for i in range(len(texts)):
            wav, labels = Path(folder) / f"{i}.wav", Path(folder) / f"{i}.lab"
            if wav.exists() and labels.exists() and wav.stat().st_size > 8000:
                samples, rate_hz = read_sound(wav)
                yield Utterance(samples, rate_hz, _segments(labels.read_text("latin-1"), voice), f"festival {voice}")


def _segments(text: str, voice: str) -> Phones:
    phones: Phones = []
    last_s = 0.0
    for end, _, name in re.findall(r"^\s*([\d.]+)\s+(\d+)\s+(\S+)", text, re.MULTILINE):
        phones += split_s(from_festival(voice, name), last_s, float(end))
        last_s = float(end)
    return phones
