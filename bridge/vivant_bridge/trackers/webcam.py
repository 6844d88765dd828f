"""The camera before the one who speaks: her face, followed here, drives the portrait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from types import TracebackType

from vivant import Clock, InputError, MonotonicClock, VivantError
from vivant.capture.tracker import FaceTracker
from vivant.capture.video import CAMERA_RATE_HZ, open_frames
from vivant.drive.driver import Seen
from vivant.drive.live import ClockOffset, LiveDrive, LiveTrack
from vivant.drive.recorded import sight_of
from vivant.types import UInt8Array
from vivant_bridge.devices import retry_us

log = logging.getLogger(__name__)
END_S = 2.0
"""For the last picture; a driver that hangs is left to its thread."""

LOOK_S = 0.2
"""How soon the end is seen."""

Picture = tuple[UInt8Array, int]
"""RGB pixels, and their time in microseconds."""
Pictures = Iterator[Picture]


def webcam(argument: str) -> Webcam:
    """Driver for ``webcam:N?calibrate``, the first camera without a number. Raises InputError."""
    number, asked, option = argument.partition("?")
    if number and not (number.isascii() and number.isdecimal() and len(number) < 4):
        raise InputError(f"--drive webcam:N counts cameras from 0, got {number!r}")
    if asked and option != "calibrate":
        raise InputError(f"--drive webcam:N takes ?calibrate, got {option!r}")
    return Webcam(f"webcam:{number or 0}", calibrate=bool(asked))


class Webcam:
    """`Driver` that follows the face before a camera on threads of its own, and looks for the camera when it has gone."""

    kind = "camera"

    def __init__(
        self,
        source: str,
        clock: Clock | None = None,
        open_pictures: Callable[[str], Pictures] = open_frames,
        *,
        calibrate: bool = False,
    ) -> None:
        """``source`` as ``open_pictures`` takes it, which gives pictures as they are taken, at the speed of time."""
        self.name, self._calibrate = source, calibrate
        self._clock, self._open = clock or MonotonicClock(), open_pictures
        self._track, self._newest = LiveTrack(), _Newest()
        self._state, self._gone = "", False
        self._stopped = threading.Event()

    def open(self, look_ahead_us: int) -> LiveDrive:
        return LiveDrive(self._track, self._clock, look_ahead_us)

    def state(self) -> str:
        return f"{self.name}: {'the camera has gone; looking for it' if self._gone else self._state}"

    def __enter__(self) -> Webcam:
        pictures = self._open(self.name)
        first = next(pictures)
        self._stopped.clear()
        self._threads = [
            threading.Thread(target=self._look, args=(first, pictures), name="camera", daemon=True),
            threading.Thread(target=self._follow, name="face tracker", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(END_S)

    def _look(self, first: Picture, pictures: Pictures) -> None:
        """Take pictures as they come, so that none waits in the camera's driver; when the camera has gone, look for it."""
        self._take(first, pictures)
        tries = 0
        while not self._stopped.wait(retry_us(tries) / 1e6):
            tries += 1
            with suppress(VivantError, OSError, StopIteration):
                pictures = self._open(self.name)
                first, tries = next(pictures), 0
                self._take(first, pictures)

    def _take(self, first: Picture, pictures: Pictures) -> None:
        offset, self._gone = ClockOffset(), False
        try:
            for pixels, pts_us in chain([first], pictures):
                self._newest.put((pixels, offset.ours(pts_us, self._clock.now_us())))
                if self._stopped.is_set():
                    return
        except (VivantError, OSError) as error:
            log.info("camera lost in use: %s", type(error).__name__)
        self._gone = True

    def _follow(self) -> None:
        """The newest picture, whenever the last one is done: a slow machine follows fewer, none of them late."""
        tracker = FaceTracker(CAMERA_RATE_HZ, calibrate=self._calibrate)
        while not self._stopped.is_set():
            picture = self._newest.take(LOOK_S)
            if picture is None:
                continue
            pixels, time_us = picture
            seen = sight_of(tracker.track(pixels, time_us), time_us)
            self._track.add(seen)
            self._state = _state(seen, tracker.asks(time_us))


def _state(seen: Seen, asked: str) -> str:
    if seen.motion is None:
        return "no face"
    return asked or ("mouth hidden" if seen.mouth_hidden else "a face")


class _Newest:
    """One picture that waits; a newer one takes its place."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._changed = threading.Condition()

    def put(self, picture: Picture) -> None:
        with self._changed:
            self._picture = picture
            self._changed.notify()

    def take(self, wait_s: float) -> Picture | None:
        """None where none comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._picture is not None, wait_s)
            picture, self._picture = self._picture, None
            return picture
