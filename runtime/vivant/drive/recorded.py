"""Recorded drivers: motion files and videos. Their time begins with the sound's, so the same files give the same motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vivant.drive.driver import GAP_US, Seen, between
from vivant.errors import InputError
from vivant.media.inputs import require_file
from vivant.motion_files import read_motion, reads_motion

if TYPE_CHECKING:
    from vivant.capture.tracker import TrackedFace

VIDEO, MOTION_FILE = "video", "motion file"
"""Kinds of recordings, as manifests name them."""
LEAST_CONFIDENCE = 0.4
"""`TrackedFace.confidence` below which a face is lost; chosen."""


class RecordedDrive:
    """`Drive` along sights in order of time, read as they are needed."""

    def __init__(self, sights: Iterable[Seen]) -> None:
        self._sights: Iterator[Seen] = iter(sights)
        self._before: Seen | None = None
        self._after = next(self._sights, None)

    def at(self, pts_us: int) -> Seen | None:
        while self._after is not None and self._after.time_us <= pts_us:
            self._before, self._after = self._after, next(self._sights, None)
        if self._before is None:
            return None
        if self._after is None:
            return self._before if pts_us - self._before.time_us <= GAP_US else None
        return between(self._before, self._after, pts_us)


class RecordedDriver:
    """`Driver` whose sights can be read again and again."""

    def __init__(self, path: Path, kind: str, length_us: int, sights: Callable[[], Iterable[Seen]], note: str = "") -> None:
        """``note`` is what its user should know, a sentence."""
        self.name, self.kind = path.name, kind
        self.path, self.note = path, note
        self.length_us: int = length_us
        self._sights = sights

    def open(self, look_ahead_us: int) -> RecordedDrive:
        return RecordedDrive(self._sights())

    def state(self) -> str:
        return ""

    def __enter__(self) -> RecordedDriver:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""


def file_driver(argument: str) -> RecordedDriver:
    """Driver of a file: a motion file by its suffix, or else a video. Raises InputError."""
    path = Path(argument)
    require_file(path, "driving")
    return motion_file(path) if reads_motion(path) else video_file(path)


def motion_file(path: Path) -> RecordedDriver:
    """Driver of a file that `reads_motion`. Raises InputError where it holds no motion."""
    sights, n_dropped = read_motion(path)
    if not any(seen.motion is not None for seen in sights):
        raise InputError(f"{path} holds no motion; choose another file")
    note = f"{n_dropped} entries of {path.name} could not be read and are left out" if n_dropped else ""
    step_us = (sights[-1].time_us - sights[0].time_us) // (len(sights) - 1) if len(sights) > 1 else GAP_US
    return RecordedDriver(path, MOTION_FILE, sights[-1].time_us + step_us, lambda: sights, note)


def video_file(path: Path) -> RecordedDriver:
    """Driver of the face in a video. Raises InputError."""
    from vivant.capture.video import facts_of, open_frames  # needs the networks, which motion files do not

    duration_s = facts_of(path).duration_s
    length_us = round(1e6 * duration_s) if duration_s else max(pts_us for _, pts_us in open_frames(path))
    return RecordedDriver(path, VIDEO, length_us, lambda: tracked(path))


def tracked(path: Path) -> Iterator[Seen]:
    from vivant.capture.tracker import FaceTracker
    from vivant.capture.video import facts_of, open_frames

    tracker = FaceTracker(float(facts_of(path).fps or 30))
    for picture, pts_us in open_frames(path):
        yield sight_of(tracker.track(picture, pts_us), pts_us)


def sight_of(tracked: TrackedFace, time_us: int) -> Seen:
    """What a tracker saw; a face that is no more than guessed at is lost."""
    is_clear = tracked.motion is not None and tracked.confidence >= LEAST_CONFIDENCE
    return Seen(time_us, tracked.motion if is_clear else None, tracked.mouth_hidden)
