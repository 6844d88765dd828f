"""Face stream: sound in; motion, pictures and markers out. No clock, threads or I/O of its own: the "sans-I/O" shape of h11.

with vivant.FaceStream(face, sample_rate_hz=24_000) as stream:
    for item in stream.push(samples):
        if isinstance(item, vivant.Output):
            show(item.picture.pixels)
    rest = list(stream.end())
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType

import numpy as np
from numpy.typing import ArrayLike

from vivant.arguments import as_seed, flag, instance, text, whole_number
from vivant.errors import ClosedError
from vivant.face import Face, as_fps, default_motion
from vivant.motion.model import SpeechMotion, require_motion
from vivant.samples import as_sample_rate, mono_samples
from vivant.session.presenter import Presenter
from vivant.session.timeline import Timeline
from vivant.size import USUAL_SIDE_PX
from vivant.types import (
    AudioChunk,
    Controls,
    Float32Array,
    Interrupted,
    Item,
    MotionFrame,
    Output,
    UtteranceEnd,
    UtteranceStart,
    frame_pts_us,
)

BLOCK_MS = 20
"""Sound is heard in pieces of so much: what an interruption finds unheard is forgotten."""
SEED_BITS = 32
"""Of one from chance."""
MAX_US = 2**62
"""Of any clock."""
MAX_EPOCH = 2**64 - 1
"""What the contract of the server has room for."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """A piece of sound or a marker that waits to be heard, with the epoch in which it was pushed."""

    epoch: int
    item: Float32Array | UtteranceStart | UtteranceEnd


class FaceStream:
    """One stream of speech on one face; the one owner of its timeline, epoch and silence.

    The verbs (`push`, `begin`, `end`, `interrupt`, `finish`, `set_controls`, `set_face`) only queue or set something and may
    be called by another thread than the one that takes: `take`, or iterating what a verb returns, infers and draws.
    """

    def __init__(
        self,
        face: Face,
        *,
        fps: int | float | str | Fraction = 30,
        size_px: int | tuple[int, int] = USUAL_SIDE_PX,
        sample_rate_hz: int = 16_000,
        seed: int | None = None,
        controls: Controls | None = None,
        motion: SpeechMotion | None = None,
        presenter: Presenter | None = None,
        pictures: bool = True,
        audio: bool = False,
    ) -> None:
        """``seed`` None is one from chance, so that two faces never move in unison. ``pictures`` False gives motion alone;
        ``audio`` True gives every `Output` its own sound. ``presenter`` takes the place of one of ``size_px`` for ``face``.

        Raises InputError for a rate, size or seed that cannot be, and for pictures when nobody has said who the portrait shows
        (`Presenter`).
        """
        model = default_motion() if motion is None else motion
        require_motion(model)
        self.fps = as_fps(fps)
        self.sample_rate_hz = sample_rate_hz = as_sample_rate(sample_rate_hz)
        own_seed = as_seed(seed)
        self.seed = secrets.randbits(SEED_BITS) if own_seed is None else own_seed
        self.look_ahead_us = 1000 * model.look_ahead_ms
        self.set_controls(Controls() if controls is None else controls)
        own = Presenter(face, size_px=size_px, pictures=pictures) if presenter is None else presenter
        self.presenter = instance("presenter", Presenter, own)
        self.epoch = 0
        self.is_late: Callable[[int], bool] = lambda pts_us: False
        """Whether the picture of that time need not be drawn any more; asked right before drawing."""
        self.draws, self._gives_audio = flag("pictures", pictures), flag("audio", audio)
        self._state = model.open(self.fps, self.seed, face)
        self._timeline = Timeline(self.fps, sample_rate_hz)
        self._silence = np.zeros(sample_rate_hz * BLOCK_MS // 1000, np.float32)
        # Written by the verbs:
        self._queue: deque[_Queued] = deque()
        self._n_pushed = self._n_utterances = 0
        self._speaking = self._finished = self._closed = False
        self._next_id = ""
        self._last_pts_us = 0
        # Written by whoever takes:
        self._heard_epoch = 0
        self._n_taken = 0
        self._marks: deque[UtteranceStart | UtteranceEnd] = deque()
        self._pending: deque[MotionFrame | UtteranceStart | UtteranceEnd] = deque()
        self._utterance: UtteranceStart | None = None
        self._sound, self._sound_from = np.zeros(0, np.float32), 0
        """Heard and not given out yet, and which sample since the origin is its first."""
        self._flushed = False

    # Verbs

    def push(self, samples: ArrayLike, at_us: int = 0) -> Iterator[Item]:
        """Queue mono audio (n,), floats in [-1, 1] or int16, as `mono_samples` takes it; iterate what becomes certain by it.

        What is not iterated comes with the next verb that is.
        ``at_us`` is for live streams: an utterance does not begin before that time.
        """
        self._require_open()
        if self._finished:
            raise ClosedError("finish said that no more audio would come; make a new stream")
        own = mono_samples(samples)
        if len(own) and not self._speaking:
            began_us = whole_number("at_us", at_us, -MAX_US, MAX_US)
            self._speaking = True
            self._n_utterances += 1
            self._put(UtteranceStart(self._n_utterances, began_us, self._next_id, self.epoch))
        step = len(self._silence)
        self._n_pushed += len(own)
        for first in range(0, len(own), step):
            self._put(own[first : first + step])
        return self.items()

    def begin(self, utterance_id: str) -> None:
        """Name the utterance that the next audio begins; the one before it is complete."""
        name = text("utterance_id", utterance_id)
        self.end()
        self._next_id = name

    def end(self) -> Iterator[Item]:
        """The utterance is complete: iterate the rest of it, which was held back for look-ahead. More audio may follow."""
        self._require_open()
        if self._speaking:
            self._speaking = False
            self._put(UtteranceEnd(self._n_utterances, 0, self._next_id, self.epoch))
            self._next_id = ""
        return self.items()

    def interrupt(self, epoch: int | None = None) -> Interrupted:
        """Forget what is not yet shown: the mouth eases shut in the next frames, and frame times go on.

        A new epoch begins, one later than the last or the named one; what is older never comes out any more.
        """
        self._require_open()
        shown = self._utterance
        number, name = (shown.utterance, shown.utterance_id) if shown is not None else (self._n_utterances, self._next_id)
        self.epoch = self.epoch + 1 if epoch is None else whole_number("epoch", epoch, 0, MAX_EPOCH)
        self._queue.clear()
        self._n_pushed = self._n_taken
        self._speaking, self._next_id = False, ""
        return Interrupted(number, self._last_pts_us, name, self.epoch)

    def finish(self) -> Iterator[Item]:
        """No more audio will come: iterate all that is left."""
        self.end()
        self._finished = True
        return self.items()

    def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion and the like; eased from the next frame on."""
        self.controls = instance("controls", Controls, controls)

    def set_face(self, face: Face, portrait: str = "") -> None:
        """Another portrait from the next frame on."""
        self.presenter.show(face, portrait)

    def close(self) -> None:
        """Stop for good: every verb raises ClosedError afterwards. Closing twice is fine."""
        self._closed = True

    # What comes out

    def items(self) -> Iterator[Item]:
        """Everything that is certain now, pictures drawn one at a time as they are iterated."""
        while taken := self.take():
            yield from taken

    def take(self, to_us: int | None = None) -> list[Item]:
        """The next items, at most one of them with a picture; empty when no more is certain.

        ``to_us`` is for live streams: the timeline goes on to that time and no further; where no sound is queued, silence is
        heard. Without it, whatever is queued is heard, and the end of an utterance needs no silence after it.
        """
        self._follow_epoch()
        while not self._pending and self._hear(to_us):
            pass
        made: list[Item] = []
        while self._pending and self._heard_epoch == self.epoch:
            item = self._pending.popleft()
            if not isinstance(item, MotionFrame):
                self._utterance = item if isinstance(item, UtteranceStart) else None
                made.append(item)
                continue
            made.append(self._output(item))
            if self.draws:
                break
        return made

    def has_more(self, to_us: int | None = None) -> bool:
        """Whether another `take` may give or hear something."""
        if self._pending or self._heard_epoch != self.epoch:
            return True
        if to_us is not None:
            return self._timeline.position_us < to_us
        return bool(self._queue) or (self._finished and not self._flushed)

    @property
    def certain_at_us(self) -> int:
        """The time up to which sound must be heard for the next frame."""
        return self._timeline.next_pts_us + self.look_ahead_us

    @property
    def position_us(self) -> int:
        """How far sound was heard."""
        return self._timeline.position_us

    @property
    def queued_ms(self) -> float:
        """Sound that was pushed and not heard."""
        return max(0, self._n_pushed - self._n_taken) * 1000 / self.sample_rate_hz

    @property
    def is_speaking(self) -> bool:
        """The next audio belongs to an utterance that has begun."""
        return self._speaking

    @property
    def is_finishing(self) -> bool:
        """No more audio will come."""
        return self._finished

    @property
    def is_silent(self) -> bool:
        """No utterance is open and none is queued."""
        return self._utterance is None and not self._queue

    @property
    def begins_next(self) -> bool:
        """An utterance is queued and waits to begin."""
        return bool(self._queue) and isinstance(self._queue[0].item, UtteranceStart)

    @property
    def over(self) -> bool:
        """`finish` was called, and all that was pushed has been heard."""
        return self._finished and not self._queue

    # Hearing

    def _hear(self, to_us: int | None) -> bool:
        """The next piece of the queue, or of silence. False when there is nothing to hear."""
        self._follow_epoch()
        while self._queue and self._queue[0].epoch != self._heard_epoch:  # pushed while the interruption came
            self._queue.popleft()
        is_due = to_us is None or self._timeline.position_us < to_us
        if self._queue and self._is_next(self._queue[0].item, is_due, live=to_us is not None):
            self._hear_queued(self._queue.popleft().item, flushes=to_us is None)
            return True
        if to_us is not None and is_due:
            self._hear_sound(self._silence)
            return True
        if to_us is None and self._finished and not self._flushed:
            self._flushed = True
            self._flush()
            self._pending.extend(self._marks)
            self._marks.clear()
            return True
        return False

    def _is_next(self, item: Float32Array | UtteranceStart | UtteranceEnd, is_due: bool, *, live: bool) -> bool:
        if isinstance(item, np.ndarray):
            return is_due
        return not live or isinstance(item, UtteranceEnd) or item.position_us <= self._timeline.position_us

    def _hear_queued(self, item: Float32Array | UtteranceStart | UtteranceEnd, *, flushes: bool) -> None:
        if isinstance(item, np.ndarray):
            self._n_taken += len(item)
            self._hear_sound(item)
            return
        self._marks.append(replace(item, position_us=self._timeline.position_us))
        if isinstance(item, UtteranceEnd) and flushes:
            self._flush()
        else:
            self._in_order([])

    def _hear_sound(self, samples: Float32Array) -> None:
        timeline = self._timeline
        chunk = AudioChunk(samples, self.sample_rate_hz, timeline.n_heard)
        frames = self._state.push(chunk, self.controls)
        timeline.n_heard += len(samples)
        if self._gives_audio:
            self._sound = np.concatenate([self._sound, samples])
        self._in_order(frames)

    def _flush(self) -> None:
        self._in_order(self._state.flush(self.controls))

    def _in_order(self, frames: list[MotionFrame]) -> None:
        """Frames with the markers between them: each right before the first frame that is not earlier than it."""
        for frame in frames:
            self._take_marks(frame.pts_us)
            self._pending.append(frame)
            self._timeline.shown(frame.index)
        self._take_marks(self._timeline.next_pts_us)

    def _take_marks(self, position_us: int) -> None:
        while self._marks and self._marks[0].position_us <= position_us:
            self._pending.append(self._marks.popleft())

    def _follow_epoch(self) -> None:
        """After an interruption everything begins anew, at the next frame's time."""
        if self._heard_epoch == self.epoch:
            return
        self._heard_epoch = self.epoch
        self._state.reset()
        self._timeline.start_over()
        self._marks.clear()
        self._pending.clear()
        self._utterance = None
        self._sound, self._sound_from = self._sound[:0], 0

    # Giving

    def _output(self, motion: MotionFrame) -> Output:
        picture = None
        if self.draws and not self.is_late(motion.pts_us):
            picture = self.presenter.present(motion)
        self._last_pts_us = motion.pts_us
        spoken = self._utterance
        return Output(
            motion,
            picture,
            self.presenter.portrait,
            spoken.utterance if spoken is not None else None,
            self._heard_epoch,
            self._sound_until(motion.index) if self._gives_audio else None,
            spoken.utterance_id if spoken is not None else "",
        )

    def _sound_until(self, index: int) -> AudioChunk:
        """The sound from where the last frame's ended to the next frame's time, as far as it was heard."""
        timeline = self._timeline
        end = timeline.sample_at(frame_pts_us(index + 1, self.fps))
        sound, self._sound = np.split(self._sound, [max(0, end - self._sound_from)])
        chunk = AudioChunk(sound, self.sample_rate_hz, timeline.origin_sample + self._sound_from)
        self._sound_from += len(sound)
        return chunk

    def _put(self, item: Float32Array | UtteranceStart | UtteranceEnd) -> None:
        self._queue.append(_Queued(self.epoch, item))

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("this stream was closed; make a new one")

    def __enter__(self) -> FaceStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
