"""Queues of a stream: input that waits to be heard, and frames that are certain; both with the markers between them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

import numpy as np

from vivant.arguments import MAX_US
from vivant.types import Act, Controls, Float32Array, MotionFrame, UtteranceEnd, UtteranceStart


@dataclass(frozen=True, slots=True)
class KnownText:
    """What the sound after it says."""

    text: str
    language: str


Input: TypeAlias = Float32Array | UtteranceStart | UtteranceEnd | KnownText


@dataclass(frozen=True, slots=True)
class _Queued:
    epoch: int
    item: Input


class InputQueue:
    """Input queue: what waits to be heard, with the epoch it was pushed in. One thread puts and clears, another may take."""

    def __init__(self, piece: int) -> None:
        """Sound waits in pieces of so many samples: what an interruption finds there is forgotten."""
        self.piece = piece
        self._lock = Lock()
        self._epoch = 0
        self._items: deque[_Queued] = deque()
        self._n_put = self._n_taken = 0
        self._chars_put = self._chars_taken = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def n_samples(self) -> int:
        """That wait."""
        return max(0, self._n_put - self._n_taken)

    @property
    def n_chars(self) -> int:
        """Of text, that wait."""
        return max(0, self._chars_put - self._chars_taken)

    def put(self, epoch: int, item: Input) -> None:
        with self._lock:
            if not isinstance(item, np.ndarray):
                self._chars_put += len(item.text) if isinstance(item, KnownText) else 0
                self._items.append(_Queued(epoch, item))
                return
            self._n_put += len(item)
            for first in range(0, len(item), self.piece):
                self._items.append(_Queued(epoch, item[first : first + self.piece]))

    def clear(self, epoch: int) -> None:
        """That epoch begins."""
        with self._lock:
            self._epoch = epoch
            self._items.clear()
            self._n_put, self._chars_put = self._n_taken, self._chars_taken

    def head(self, epoch: int) -> Input | None:
        """What comes next; None where another epoch than that has begun."""
        with self._lock:
            return self._head(epoch)

    def pop(self, head: Input) -> bool:
        """Take what `head` gave. False where an interruption came between, and what comes next is something else."""
        with self._lock:
            if not self._items or self._items[0].item is not head:
                return False
            self._pop()
            return True

    def pop_sound(self, epoch: int, n: int) -> Float32Array:
        """Whole pieces of the sound that comes next, until there are so many samples or another epoch or a marker comes."""
        pieces = [np.zeros(0, np.float32)]
        with self._lock:
            while sum(map(len, pieces)) < n and isinstance(piece := self._head(epoch), np.ndarray):
                self._pop()
                pieces.append(piece)
        return np.concatenate(pieces)

    def drop(self, epoch: int, most: int) -> int:
        """Forget the next piece of sound, or so many samples of it. Returns how many."""
        with self._lock:
            if not isinstance(sound := self._head(epoch), np.ndarray):
                return 0
            self._pop()
            if len(sound) > most:
                self._items.appendleft(_Queued(epoch, sound[most:]))
                self._n_taken -= len(sound) - most
            return min(most, len(sound))

    def _head(self, epoch: int) -> Input | None:
        while self._items and self._items[0].epoch != self._epoch:  # pushed while an interruption came
            self._pop()
        return self._items[0].item if self._items and epoch == self._epoch else None

    def _pop(self) -> None:
        item = self._items.popleft().item
        self._n_taken += len(item) if isinstance(item, np.ndarray) else 0
        self._chars_taken += len(item.text) if isinstance(item, KnownText) else 0


class StreamInput:
    """What the verbs of a stream have said, for the thread that takes."""

    def __init__(self, piece: int, *, acts: int) -> None:
        """``piece`` as for `InputQueue`; of ``acts`` the last so many are kept."""
        self.queue = InputQueue(piece)
        self.acts: deque[Act] = deque(maxlen=acts)
        self.controls = Controls()
        self.epoch = 0
        self.finished = False

    def interrupt(self, epoch: int) -> None:
        """That epoch begins."""
        self.queue.clear(epoch)  # first: whoever takes follows the epoch below, and must find nothing older then
        self.epoch = epoch


class ReadyQueue:
    """Ready queue: what may be given, in order: each marker right before the first frame that is not earlier than it.

    But an utterance has one frame at least, or nothing would bring its sound: one that is shorter ends after it.
    """

    def __init__(self) -> None:
        self._items: deque[MotionFrame | UtteranceStart | UtteranceEnd] = deque()
        self._marks: deque[UtteranceStart | UtteranceEnd] = deque()
        """That are later than every frame."""
        self._has_no_frame = False
        """The utterance that has begun."""

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def frames(self) -> list[MotionFrame]:
        return [item for item in self._items if isinstance(item, MotionFrame)]

    @property
    def next_mark_us(self) -> int:
        """Of the first marker that was heard and is still to come; the end of time where there is none."""
        marks = (item for item in (*self._items, *self._marks) if not isinstance(item, MotionFrame))
        return next((marker.position_us for marker in marks), MAX_US)

    def mark(self, marker: UtteranceStart | UtteranceEnd) -> None:
        self._marks.append(marker)

    def put(self, frame: MotionFrame) -> None:
        self.take_marks(frame.pts_us)
        self._items.append(frame)
        self._has_no_frame = False

    def take_marks(self, position_us: int = MAX_US, *, unseen: bool = False) -> None:
        """Markers up to a time may be given; ``unseen``, also the end of an utterance that will have no frame."""
        while self._marks and self._marks[0].position_us <= position_us:
            if isinstance(self._marks[0], UtteranceEnd) and self._has_no_frame and not unseen:
                return
            marker = self._marks.popleft()
            self._has_no_frame = isinstance(marker, UtteranceStart)
            self._items.append(marker)

    def pop(self) -> MotionFrame | UtteranceStart | UtteranceEnd:
        return self._items.popleft()

    def leave_out_frames(self) -> None:
        self._items = deque(item for item in self._items if not isinstance(item, MotionFrame))

    def clear(self) -> None:
        self._items.clear()
        self._marks.clear()
        self._has_no_frame = False
