"""`Talker`, the name that `FaceStream` had before 0.2: pictures alone, and a rate with every push. To go in 0.3."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType

from numpy.typing import ArrayLike

from vivant.arguments import instance
from vivant.errors import ClosedError, InputError
from vivant.face import Face, as_fps
from vivant.motion.model import SpeechMotion
from vivant.samples import as_sample_rate
from vivant.session.stream import FaceStream
from vivant.size import USUAL_SIDE_PX
from vivant.types import Controls, Item, MotionFrame, Output, VideoFrame


class Talker:
    """Deprecated: use `vivant.FaceStream`."""

    def __init__(
        self,
        face: Face,
        *,
        fps: int | float | str | Fraction = 30,
        size_px: int | tuple[int, int] = USUAL_SIDE_PX,
        seed: int = 0,
        controls: Controls | None = None,
        motion: SpeechMotion | None = None,
    ) -> None:
        warnings.warn("vivant.Talker is now vivant.FaceStream (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        self.fps = as_fps(fps)
        self._made = (face, size_px, seed, motion)
        self._controls = instance("controls", Controls, Controls() if controls is None else controls)
        self._stream: FaceStream | None = None
        self._closed = False

    @property
    def controls(self) -> Controls:
        return self._controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        self._controls = instance("controls", Controls, controls)
        if self._stream is not None:
            self._stream.set_controls(controls)

    def push(self, samples: ArrayLike, sample_rate_hz: int) -> Iterator[VideoFrame]:
        """Take mono audio (n,) in [-1, 1] at a rate that stays the same; iterate the frames that have become certain."""
        return _pictures(self._opened(sample_rate_hz).push(samples))

    def push_for_motion(self, samples: ArrayLike, sample_rate_hz: int) -> list[MotionFrame]:
        """The same without pixels: 52 ARKit weights, pose and gaze for an avatar of your own."""
        stream = self._opened(sample_rate_hz)
        stream.draws = False
        motion = [item.motion for item in stream.push(samples) if isinstance(item, Output)]
        stream.draws = True
        return motion

    def end(self) -> Iterator[VideoFrame]:
        """The frames that were held back for look-ahead. More audio may follow."""
        self._require_open()
        return iter(()) if self._stream is None else _pictures(self._stream.end())

    def interrupt(self) -> None:
        """Forget what was heard; the mouth eases shut in the next frames. Frame times go on."""
        self._require_open()
        if self._stream is not None:
            self._stream.interrupt()

    def close(self) -> None:
        self._closed = True

    def _opened(self, sample_rate_hz: int) -> FaceStream:
        self._require_open()
        sample_rate_hz = as_sample_rate(sample_rate_hz)
        if self._stream is None:
            face, size_px, seed, motion = self._made
            self._stream = FaceStream(
                face,
                fps=self.fps,
                size_px=size_px,
                sample_rate_hz=sample_rate_hz,
                seed=seed,
                controls=self._controls,
                motion=motion,
            )
        if self._stream.sample_rate_hz != sample_rate_hz:
            raise InputError(f"sample_rate_hz changed from {self._stream.sample_rate_hz} to {sample_rate_hz} within a stream")
        return self._stream

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("this talker was closed; make a new one")

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _pictures(items: Iterator[Item]) -> Iterator[VideoFrame]:
    return (item.picture for item in items if isinstance(item, Output) and item.picture is not None)
