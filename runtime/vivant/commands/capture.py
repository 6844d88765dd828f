"""``vivant capture VIDEO|webcam -o OUT``: what a face in a film or before a camera does, as a motion file."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from itertools import takewhile
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vivant.capture import FaceTracker, VideoFacts, facts_of, open_frames
from vivant.capture.recording import record
from vivant.capture.video import Picture, Source, is_camera
from vivant.commands.options import DEFAULT_ANALYSER, AnalyserOption, FaceOption, ProviderOption, console, say
from vivant.errors import VivantError
from vivant.face import as_fps
from vivant.media.apart import require_apart
from vivant.media.atomic import require_place
from vivant.motion.model import MAX_FPS, MIN_FPS
from vivant.motion_files import FORMATS, write_motion, writer_of
from vivant.offline import motion_of
from vivant.portrait import Provider
from vivant.registry import ANALYSERS, find
from vivant.types import MotionFrame

USUAL_FPS = Fraction(30)
"""Of files that do not say their own."""
LOOK_S = 0.2
"""How soon it is seen that a camera is to end."""


def capture(
    video: Annotated[str, typer.Argument(metavar="VIDEO|webcam", help="A film of a face, or webcam, webcam:1 and so on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help=f"The motion file: {', '.join(FORMATS)}.")],
    fps: Annotated[str | None, typer.Option(help="Frames per second, 12 to 60; otherwise the video's own.")] = None,
    face: FaceOption = 1,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after so long; a camera otherwise runs until Ctrl+C.")
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="It begins with two seconds each of rest, your widest smile, mouth wide open, brows high; better.",
        ),
    ] = False,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Write down how the face in a film, or before a camera, moves: expression, head and gaze. No picture is kept."""
    source: Source = video if is_camera(video) else Path(video)
    writer_of(out)
    require_apart(out, {"video": None if is_camera(source) else Path(source)})
    require_place(out)
    facts = facts_of(source)
    rate = as_fps(fps) if fps is not None else usual_rate(facts)
    tracker = FaceTracker(float(rate), find(ANALYSERS, analyser)(provider), face, calibrate=calibrate)
    total_s = min((s for s in (facts.duration_s, seconds) if s is not None), default=None)
    columns = (TextColumn("watching"), BarColumn(), TextColumn("{task.completed:.1f} s"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar, _ended(source) as ended:
        task = bar.add_task("", total=total_s)
        frames = open_frames(source)
        pictures = _until(as_they_come(frames, ended) if is_camera(source) else frames, seconds)
        progress = _progress(bar, task, tracker if is_camera(source) else None)
        write_motion(out, record(pictures, tracker, rate, progress, _voice_of(source, rate)), rate)
    say(f"{out}: {bar.tasks[task].completed:.1f} s at {float(rate):g} frames/s")


def _progress(bar: Progress, task: TaskID, asks: FaceTracker | None) -> Callable[[int], None]:
    """Moves the bar, and says what a person before a camera should do."""
    asked = ""

    def progress(pts_us: int) -> None:
        nonlocal asked
        bar.update(task, completed=pts_us / 1e6)
        if asks is not None and asks.asks(pts_us) != asked:
            asked = asks.asks(pts_us)
            say(asked or "thank you; that was the calibration")

    return progress


def _voice_of(source: Source, fps: Fraction) -> Callable[[], Iterable[MotionFrame]]:
    """Opens the motion of a film's sound, for what pictures do not show; a camera has none."""
    if is_camera(source):
        return tuple
    return partial(motion_of, Path(source), fps)


def usual_rate(facts: VideoFacts) -> Fraction:
    """The video's own rate where motion may have it; a screen recording of 120 frames a second becomes 60."""
    if facts.fps is None:
        return USUAL_FPS
    return as_fps(min(max(facts.fps, Fraction(MIN_FPS)), Fraction(MAX_FPS)))


@contextmanager
def _ended(source: Source) -> Iterator[Event]:
    """Set by Ctrl+C where a camera is watched: what was seen by then is written. A film that is broken off leaves no file."""
    ended = Event()
    if not is_camera(source):
        yield ended
        return
    before = signal.signal(signal.SIGINT, lambda *_: ended.set())
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)


def as_they_come(pictures: Iterator[Picture], ended: Event) -> Iterator[Picture]:
    """A camera's pictures until ``ended``, also while none come: drivers of virtual cameras wait for them for ever.

    They are read on a thread of their own. What is wrong before the first is raised; a camera that goes later ends them.
    """
    taken: Queue[Picture | VivantError | None] = Queue(maxsize=1)

    def take() -> None:
        end: VivantError | None = None
        try:
            for picture in pictures:
                taken.put(picture)
        except VivantError as error:
            end = error
        taken.put(end)

    Thread(target=take, name="camera", daemon=True).start()
    is_first = True
    while not ended.is_set():
        with suppress(Empty):
            came = taken.get(timeout=LOOK_S)
            if isinstance(came, VivantError):
                if is_first:
                    raise came
                say(f"{came}; what was seen until then is written")
                return
            if came is None:
                return
            is_first = False
            yield came


def _until(pictures: Iterator[Picture], seconds: float | None) -> Iterator[Picture]:
    end_us = float("inf") if seconds is None else seconds * 1e6
    return takewhile(lambda picture: picture[1] < end_us, pictures)
