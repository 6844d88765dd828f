"""The face stream by itself: what an interruption leaves, what is late, and whose sound an output carries."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.conftest import VOICE_RATE_HZ
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import Float32Array, Output, UtteranceEnd, UtteranceStart

pytestmark = pytest.mark.unit


def opened(**how: Any) -> FaceStream:  # noqa: ANN401
    return FaceStream(PlainFace(), size_px=64, sample_rate_hz=VOICE_RATE_HZ, seed=1, **how)


def test_frames_that_were_certain_and_not_taken_are_gone_after_an_interruption(voice: Float32Array) -> None:
    with opened() as stream:
        before = [*stream.push(voice[:VOICE_RATE_HZ]), *islice(stream.end(), 1)]  # the end makes several certain at once
        stream.interrupt()
        after = [*stream.push(voice[VOICE_RATE_HZ:]), *stream.finish()]
    assert isinstance(before[-1], Output)
    assert isinstance(after[0], UtteranceStart) and after[0].utterance == 2
    assert {(item.utterance, item.epoch) for item in after if isinstance(item, Output)} == {(2, 1)}


def test_pictures_that_are_late_are_not_drawn_and_their_motion_comes(voice: Float32Array) -> None:
    with opened() as stream:
        stream.is_late = lambda pts_us: pts_us < 200_000
        outputs = [item for item in [*stream.push(voice[:VOICE_RATE_HZ]), *stream.finish()] if isinstance(item, Output)]
    assert [item.picture is None for item in outputs] == [item.pts_us < 200_000 for item in outputs]
    assert [item.motion.index for item in outputs] == list(range(len(outputs)))


def test_an_outputs_sound_is_that_between_its_time_and_the_next_ones(voice: Float32Array) -> None:
    with opened(pictures=False, audio=True) as stream:
        items = [*stream.push(voice[:VOICE_RATE_HZ]), *stream.finish()]
    outputs = [item for item in items if isinstance(item, Output) and item.audio is not None]
    assert len(outputs) >= 30
    for output in outputs[:29]:
        assert output.audio is not None
        assert output.audio.start_sample == pytest.approx(output.pts_us * VOICE_RATE_HZ / 1e6, abs=1)
        assert len(output.audio.samples) == pytest.approx(VOICE_RATE_HZ / 30, abs=1)


def test_the_end_of_a_line_gives_the_rest_of_it_and_then_says_so(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        pushed, ended = list(stream.push(voice[:VOICE_RATE_HZ])), list(stream.end())
    assert isinstance(ended[-1], UtteranceEnd)
    outputs = [item for item in pushed + ended if isinstance(item, Output)]
    assert len(outputs) >= 30 and {item.utterance for item in outputs} == {1}
