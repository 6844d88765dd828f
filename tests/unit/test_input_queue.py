"""Input queue: an interruption on one thread between two steps of the thread that takes."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.session.queues import InputQueue
from vivant.types import UtteranceStart

pytestmark = pytest.mark.unit
OLD, NEW = UtteranceStart(1, 0), UtteranceStart(2, 0, epoch=1)
SOUND = np.ones(4, np.float32)


def test_what_was_cleared_meanwhile_is_not_taken_and_nothing_new_in_its_place() -> None:
    queue = InputQueue(2)
    queue.put(0, OLD)
    head = queue.head(0)
    queue.clear(1)
    queue.put(1, NEW)
    queue.put(1, SOUND)
    assert head is OLD and not queue.pop(OLD)
    assert queue.head(0) is None and not len(queue.pop_sound(0, 4)) and queue.drop(0, 4) == 0
    assert queue.head(1) is NEW and queue.pop(NEW)
    assert queue.drop(1, 1) == 1 and len(queue.pop_sound(1, 9)) == 3 and not queue and queue.n_samples == 0


def test_what_an_old_epoch_pushes_late_falls_out() -> None:
    queue = InputQueue(2)
    queue.clear(1)
    queue.put(0, SOUND)
    queue.put(1, NEW)
    assert queue.head(1) is NEW and queue.n_samples == 0
