"""The camera before the one who speaks: her face, followed here, drives the portrait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

from vivant import Clock, InputError, MonotonicClock, UnavailableError, VivantError
from vivant.capture.tracker import FaceTracker
from vivant.capture.video import CAMERA_RATE_HZ, open_frames
from vivant.drive.live import ClockOffset, LiveDrive, LiveTrack
from vivant.drive.recorded import sight_of
from vivant.types import UInt8Array
from vivant_bridge.devices import retry_us

log = logging.getLogger(__name__)
END_S = 2.0
"""For the last picture; a driver that hangs is left to its thread."""

Pictures = Iterator[tuple[UInt8Array, int]]


def webcam(argument: str) -> Webcam:
    """Driver for ``webcam:N``, the first camera without a number. Raises InputError."""
    if argument and not (argument.isascii() and argument.isdecimal() and len(argument) < 4):
        raise InputError(f"--drive webcam:N counts cameras from 0, got {argument!r}")
    return Webcam(f"webcam:{argument or 0}")


class Webcam:
    """`Driver` that follows the face before a camera on a thread of its own, and looks for the camera when it has gone."""

    kind = "camera"

    def __init__(self, source: str, clock: Clock | None = None) -> None:
        """``source`` as `vivant.capture.video.open_frames` takes it; a video file is a camera that ends and begins again."""
        self.name = source
        self._clock = clock or MonotonicClock()
        self._track = LiveTrack()
        self._state = ""
        self._stopped = threading.Event()

    def open(self, look_ahead_us: int) -> LiveDrive:
        return LiveDrive(self._track, self._clock, look_ahead_us)

    def state(self) -> str:
        return f"{self.name}: {self._state}"

    def __enter__(self) -> Webcam:
        pictures = open_frames(self.name)
        first = next(pictures)
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(pictures, first), name="webcam", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join(END_S)

    def _run(self, pictures: Pictures, first: tuple[UInt8Array, int]) -> None:
        self._follow(pictures, *first)
        tries = 0
        while not self._stopped.wait(retry_us(tries) / 1e6):
            tries += 1
            with suppress(VivantError, OSError, StopIteration):
                pictures = open_frames(self.name)
                first = next(pictures)
                tries = 0
                self._follow(pictures, *first)

    def _follow(self, pictures: Pictures, picture: UInt8Array, pts_us: int) -> None:
        """Until the camera has gone."""
        tracker, offset = FaceTracker(CAMERA_RATE_HZ), ClockOffset()
        try:
            while not self._stopped.is_set():
                time_us = offset.ours(pts_us, self._clock.now_us())
                seen = sight_of(tracker.track(picture, time_us), time_us)
                self._track.add(seen)
                self._state = "no face" if seen.motion is None else "mouth hidden" if seen.mouth_hidden else "a face"
                picture, pts_us = next(pictures)
        except (StopIteration, UnavailableError, OSError) as error:
            log.info("camera lost in use: %s", type(error).__name__)
        self._state = "the camera has gone; looking for it"
