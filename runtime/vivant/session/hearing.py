"""Hearing: from what a stream was given, through the motion model, to frames and markers that are certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vivant.motion.body import Body
from vivant.motion.model import Acting, MotionState, TextAware
from vivant.session.queues import Input, KnownText, ReadyQueue, StreamInput
from vivant.session.timeline import SoundTape, Timeline
from vivant.types import AudioChunk, Float32Array, MotionFrame, UtteranceEnd, UtteranceStart


class Hearing:
    """The side of a stream that takes, on one thread at a time; the verbs write ``given`` meanwhile.

    ``to_us`` is as for `FaceStream.take`: the time up to which silence is heard where no sound is queued, or None.
    """

    def __init__(self, state: MotionState, body: Body, given: StreamInput, timeline: Timeline, *, keeps_sound: bool) -> None:
        self._state, self._body, self._given, self._timeline = state, body, given, timeline
        self.epoch = 0
        """That is heard; another one may have begun."""
        self.ready = ReadyQueue()
        self.sound = SoundTape(timeline)
        self.n_filled = 0
        """Samples of silence that were heard within utterances, for their sound was late."""
        self._keeps_sound = keeps_sound
        self._flushed = self._speaking = False

    @property
    def is_current(self) -> bool:
        """No interruption has come that `follow_epoch` has not followed."""
        return self.epoch == self._given.epoch

    @property
    def has_more(self) -> bool:
        """Whether something may be given or heard, with no more time."""
        ends = self._given.finished and not self._flushed
        return bool(self.ready) or bool(self._given.queue) or ends or not self.is_current

    @property
    def position_us(self) -> int:
        """Of the next sample."""
        return self._timeline.position_us

    @property
    def next_index(self) -> int:
        """Of the first frame that was not given."""
        return next((frame.index for frame in self.ready.frames), self._timeline.next_index)

    @property
    def rounding_us(self) -> int:
        """A motion model's own times, moved by whole frames, may differ by the µs that they are rounded to."""
        return int(self._timeline.n_skipped > 0)

    def follow_epoch(self) -> bool:
        """After an interruption everything begins anew, at the next frame's time. Whether there was one."""
        if self.is_current:
            return False
        self.epoch = self._given.epoch
        self.ready.clear()
        self._speaking = False
        self._begin_anew()
        return True

    def is_certain(self, to_us: int | None) -> bool:
        """Whether anything can be given; hears what is needed for it."""
        while not self.ready and self._hear(to_us):
            pass
        return bool(self.ready)

    def has_frame(self, of_index: Callable[[int], bool], to_us: int | None) -> bool:
        """Whether a frame is certain whose index is such; hears what is needed to know."""
        while not any(of_index(frame.index) for frame in self.ready.frames):
            if not self._hear(to_us):
                return False
        return True

    def skip(self, to_us: int) -> int:
        """As `FaceStream.skip`. Returns how many frames were left out."""
        timeline = self._timeline
        index = timeline.index_from(max(to_us, timeline.position_us))
        end = timeline.sample_at(timeline.pts_us(index))
        while (missing := end - timeline.n_heard) > 0:
            self._leave_out(missing)
        n_left_out = index - timeline.next_index + len(self.ready.frames)
        timeline.skip_to(index)
        self.ready.take_marks(timeline.next_pts_us, unseen=True)
        self.ready.leave_out_frames()
        self._begin_anew()
        return n_left_out

    def _hear(self, to_us: int | None) -> bool:
        """The next piece of the queue, or of silence. False when there is nothing to hear, or an interruption has come."""
        head = self._given.queue.head(self.epoch)
        if not self.is_current:
            return False
        is_due = to_us is None or self._timeline.position_us < to_us
        if head is not None and self._is_next(head, is_due, live=to_us is not None):
            self._hear_queued(head, to_us)
            return True
        if to_us is not None and is_due:
            n_silent = self._n_silent(head, to_us)
            self.n_filled += n_silent * self._speaking
            self._hear_sound(np.zeros(n_silent, np.float32))
            return True
        if to_us is None and self._given.finished and not self._flushed:
            self._flushed = True
            self._in_order(self._state.flush(self._given.controls))
            self.ready.take_marks(unseen=True)
            return True
        return False

    def _is_next(self, item: Input, is_due: bool, *, live: bool) -> bool:
        if isinstance(item, np.ndarray):
            return is_due
        return not live or isinstance(item, UtteranceEnd | KnownText) or item.position_us <= self._timeline.position_us

    def _n_silent(self, head: Input | None, to_us: int) -> int:
        """Samples, in whole pieces, until that time or a queued utterance's."""
        if isinstance(head, UtteranceStart):
            to_us = min(to_us, head.position_us)
        missing = self._timeline.sample_at(to_us) - self._timeline.n_heard
        return -(-missing // self._given.queue.piece) * self._given.queue.piece

    def _hear_queued(self, item: Input, to_us: int | None) -> None:
        if isinstance(item, np.ndarray):
            due = 1 if to_us is None else self._timeline.sample_at(to_us) - self._timeline.n_heard
            self._hear_sound(self._given.queue.pop_sound(self.epoch, due))
            return
        if not self._given.queue.pop(item):
            return
        if isinstance(item, KnownText):
            if isinstance(self._state, TextAware):
                self._state.say_text(item.text, item.language)
            return
        self._mark(item)
        if isinstance(item, UtteranceEnd) and to_us is None:
            self._in_order(self._state.flush(self._given.controls))
            self.ready.take_marks(unseen=True)
        else:
            self._in_order([])
        if isinstance(item, UtteranceEnd) and isinstance(self._state, TextAware):
            self._state.end_text()

    def _hear_sound(self, samples: Float32Array) -> None:
        timeline = self._timeline
        while self._given.acts:
            act = self._given.acts.popleft()
            if isinstance(self._state, Acting):
                self._state.act(act)
        chunk = AudioChunk(samples, timeline.rate_hz, timeline.n_heard)
        frames = self._state.push(chunk, self._given.controls)
        timeline.n_heard += len(samples)
        if self._keeps_sound:
            self.sound.add(samples)
        self._in_order(frames)

    def _leave_out(self, most: int) -> None:
        """The next piece of the queue, or of silence, without hearing it; at most so many samples."""
        timeline, head = self._timeline, self._given.queue.head(self.epoch)
        if isinstance(head, np.ndarray):
            timeline.n_heard += self._given.queue.drop(self.epoch, most)
        elif isinstance(head, UtteranceStart) and head.position_us > timeline.position_us:
            timeline.n_heard += min(most, timeline.sample_at(head.position_us) - timeline.n_heard)
        elif head is None:
            timeline.n_heard += most
            self.n_filled += most * self._speaking
        elif self._given.queue.pop(head) and not isinstance(head, KnownText):
            self._mark(head)

    def _mark(self, marker: UtteranceStart | UtteranceEnd) -> None:
        self._speaking = isinstance(marker, UtteranceStart)
        self.ready.mark(replace(marker, position_us=self._timeline.position_us))

    def _in_order(self, frames: list[MotionFrame]) -> None:
        """Frames, with the index that they have in this stream, and the markers between them."""
        for own in frames:
            index = own.index + self._timeline.n_skipped
            frame = replace(own, index=index, pts_us=self._timeline.pts_us(index)) if index != own.index else own
            self.ready.put(self._body.follow(frame))
            self._timeline.shown(frame.index)
        self.ready.take_marks(self._timeline.next_pts_us)

    def _begin_anew(self) -> None:
        """What is heard from now on sounds at the next frame's time."""
        self._state.reset()
        self._timeline.start_over()
        self.sound.start_over()
