"""Lip-sync: how much later a picture comes than its sound is played, measured where a generator gives them out."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd
from livekit.plugins.vivant.generator import FaceVideoGenerator, Item
from livekit.plugins.vivant.remote import RemoteVideoGenerator

import vivant
from vivant.testing import index_in


class PlayedLine:
    """When each sample of a line is played by a room that plays what it has as soon as it can."""

    def __init__(self, rate_hz: int) -> None:
        self.n = 0
        self._rate_hz, self._end_s = rate_hz, 0.0
        self._firsts: list[int] = []
        self._at_s: list[float] = []

    def add(self, n_samples: int, now_s: float) -> None:
        self._firsts.append(self.n)
        self._at_s.append(max(now_s, self._end_s) if self.n else now_s)
        self._end_s = self._at_s[-1] + n_samples / self._rate_hz
        self.n += n_samples

    def plays_s(self, sample: float) -> float:
        chunk = max(0, int(np.searchsorted(self._firsts, sample, "right")) - 1)
        return self._at_s[chunk] + (sample - self._firsts[chunk]) / self._rate_hz


class Measure:
    """Skews of all lines, in ms; one line at a time."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.skews_ms: list[float] = []
        self._line = PlayedLine(rate_hz)
        self._pictures: list[tuple[float, float]] = []
        """Sample and time."""

    def sound(self, n_samples: int) -> None:
        self._line.add(n_samples, asyncio.get_running_loop().time())

    def picture(self, sample: float) -> None:
        self._pictures.append((sample, asyncio.get_running_loop().time()))

    def over(self) -> None:
        """The line has ended, or was interrupted."""
        heard = [(sample, at_s) for sample, at_s in self._pictures if sample < self._line.n]
        self.skews_ms += [1000 * (at_s - self._line.plays_s(sample)) for sample, at_s in heard]
        self._line, self._pictures = PlayedLine(self.rate_hz), []


class MeasuredGenerator(FaceVideoGenerator):
    """Generator of a face on this machine; ``measure`` knows its outputs."""

    def __init__(self, face: vivant.Face, *, sample_rate_hz: int, **how: Any) -> None:
        super().__init__(face, sample_rate_hz=sample_rate_hz, **how)
        self.measure = Measure(sample_rate_hz)
        self._start_us = 0

    def _parts(self, item: vivant.Item) -> list[Item]:
        parts = super()._parts(item)
        if isinstance(item, vivant.UtteranceStart):
            self._start_us = item.position_us
        elif isinstance(item, vivant.UtteranceEnd | vivant.Interrupted):
            self.measure.over()
        elif isinstance(item, vivant.Output) and item.utterance is not None:
            if item.picture is not None:
                self.measure.picture((item.pts_us - self._start_us) * self.measure.rate_hz / 1e6)
            if item.audio is not None:
                self.measure.sound(len(item.audio.samples))
        return parts


class MeasuredRemote(RemoteVideoGenerator):
    """Generator of a `PlainFace` on a server, whose pictures say their index."""

    fps = 25

    def __init__(self, *where: str, sample_rate_hz: int, **how: Any) -> None:
        super().__init__(*where, sample_rate_hz=sample_rate_hz, **how)
        self.measure = Measure(sample_rate_hz)

    def _put(self, item: Item) -> None:
        super()._put(item)
        if isinstance(item, AudioSegmentEnd):
            self.measure.over()
        elif isinstance(item, rtc.AudioFrame):
            self.measure.sound(item.samples_per_channel)
        elif self._lines and (line := self._lines[0]).origin_us is not None:
            place_s = index_of(item) / self.fps - line.origin_us / 1e6
            if place_s >= 0:
                self.measure.picture(line.first + place_s * self.measure.rate_hz)


def index_of(picture: rtc.VideoFrame) -> int:
    """The index that a `PlainFace` wrote."""
    n = picture.width * picture.height
    luma = np.frombuffer(picture.data, np.uint8)[:n].reshape(picture.height, picture.width)
    return index_in(luma[..., None])
