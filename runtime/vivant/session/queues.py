"""Queues of a stream: input that waits to be heard, and frames that are certain; both with the markers between them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vivant.arguments import MAX_US
from vivant.types import Float32Array, MotionFrame, UtteranceEnd, UtteranceStart

Input: TypeAlias = Float32Array | UtteranceStart | UtteranceEnd


@dataclass(frozen=True, slots=True)
class _Queued:
    epoch: int
    item: Input


class InputQueue:
    """Input queue: what waits to be heard, with the epoch it was pushed in. One thread puts and clears, another may take."""

    def __init__(self, piece: int) -> None:
        """Sound waits in pieces of so many samples: what an interruption finds there is forgotten."""
        self._piece = piece
        self._items: deque[_Queued] = deque()
        self._n_put = self._n_taken = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def n_samples(self) -> int:
        """That wait."""
        return max(0, self._n_put - self._n_taken)

    def put(self, epoch: int, item: Input) -> None:
        if isinstance(item, UtteranceStart | UtteranceEnd):
            self._items.append(_Queued(epoch, item))
            return
        self._n_put += len(item)
        for first in range(0, len(item), self._piece):
            self._items.append(_Queued(epoch, item[first : first + self._piece]))

    def clear(self) -> None:
        self._items.clear()
        self._n_put = self._n_taken

    def head(self, epoch: int) -> Input | None:
        """What comes next of that epoch; what is of another, pushed while an interruption came, falls out."""
        while self._items and self._items[0].epoch != epoch:
            self._items.popleft()
        return self._items[0].item if self._items else None

    def pop(self) -> Input:
        item = self._items.popleft().item
        self._n_taken += 0 if isinstance(item, UtteranceStart | UtteranceEnd) else len(item)
        return item

    def pop_sound(self, epoch: int, n: int) -> Float32Array:
        """Whole pieces of the sound that comes next, until there are so many samples or another epoch or a marker comes."""
        pieces: list[Float32Array] = []
        while sum(map(len, pieces)) < n and isinstance(self.head(epoch), np.ndarray):
            pieces.append(self.pop())  # type: ignore[arg-type]
        return np.concatenate(pieces)

    def drop(self, most: int) -> int:
        """Forget the next piece of sound, or so many samples of it. Returns how many."""
        epoch, sound = self._items[0].epoch, self.pop()
        assert isinstance(sound, np.ndarray)
        if len(sound) > most:
            self._items.appendleft(_Queued(epoch, sound[most:]))
            self._n_taken -= len(sound) - most
        return min(most, len(sound))


class ReadyQueue:
    """Ready queue: what may be given, in order: each marker right before the first frame that is not earlier than it."""

    def __init__(self) -> None:
        self._items: deque[MotionFrame | UtteranceStart | UtteranceEnd] = deque()
        self._marks: deque[UtteranceStart | UtteranceEnd] = deque()
        """That are later than every frame."""

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

    def take_marks(self, position_us: int | None = None) -> None:
        """Markers up to a time may be given; all of them if None."""
        while self._marks and (position_us is None or self._marks[0].position_us <= position_us):
            self._items.append(self._marks.popleft())

    def pop(self) -> MotionFrame | UtteranceStart | UtteranceEnd:
        return self._items.popleft()

    def leave_out_frames(self) -> None:
        self._items = deque(item for item in self._items if not isinstance(item, MotionFrame))

    def clear(self) -> None:
        self._items.clear()
        self._marks.clear()
