"""The face stream by itself: what an interruption leaves, what is late, and whose sound an output carries."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.examples import some
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import ARKIT_INDEX, Float32Array, Item, Output, UtteranceEnd, UtteranceStart

pytestmark = pytest.mark.unit

JAW = ARKIT_INDEX["jawOpen"]


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


@pytest.mark.parametrize("fps", [25, 30])
def test_sound_that_leads_is_each_lines_own_from_its_first_picture_to_its_end(voice: Float32Array, fps: int) -> None:
    lines = [voice[: VOICE_RATE_HZ // 3], voice[: VOICE_RATE_HZ // 7]]
    with opened(fps=fps, pictures=False, audio=True, audio_lead_ms=60) as stream:
        for at_us, line in zip((310_000, 700_000), lines, strict=True):
            stream.push(line, at_us)
            stream.end()
        items = [item for now_us in range(0, 1_500_000, 20_000) for item in stream.take(now_us)]
    spoken: dict[int, list[Float32Array]] = {1: [], 2: []}
    for item in outputs_of(items):
        assert item.audio is not None
        if item.utterance is not None:
            spoken[item.utterance].append(item.audio.samples)
    for line, pieces in zip(lines, spoken.values(), strict=True):
        assert np.array_equal(np.concatenate(pieces), line)
        assert len(pieces[0]) == pytest.approx(VOICE_RATE_HZ * (60 + 1000 / fps) / 1000, abs=VOICE_RATE_HZ / fps)
    whole = np.concatenate([item.audio.samples for item in outputs_of(items) if item.audio is not None])
    assert not whole[: VOICE_RATE_HZ * 3 // 10].any() and len(whole) >= VOICE_RATE_HZ * 1.3


def test_lines_shorter_than_a_frame_have_one_each_that_brings_their_sound(voice: Float32Array) -> None:
    lines = [voice[first : first + n] for first, n in ((3000, 48), (6000, 300), (9000, 120), (12_000, VOICE_RATE_HZ // 5))]
    with opened(fps=25, pictures=False, audio=True, audio_lead_ms=60) as stream:
        for at_us, line in zip((305_000, 310_000, 700_000, 740_000), lines, strict=True):
            stream.push(line, at_us)
            stream.end()
        items = [item for now_us in range(0, 1_500_000, 20_000) for item in stream.take(now_us)]
    spoken: dict[int, list[Float32Array]] = {1: [], 2: [], 3: [], 4: []}
    for item in outputs_of(items):
        if item.utterance is not None and item.audio is not None:
            spoken[item.utterance].append(item.audio.samples)
    for line, pieces in zip(lines, spoken.values(), strict=True):
        assert np.array_equal(np.concatenate(pieces), line)
    marks = [(type(item), item.utterance) for item in items if isinstance(item, UtteranceStart | UtteranceEnd)]
    assert marks == [(kind, number) for number in spoken for kind in (UtteranceStart, UtteranceEnd)]


def test_a_line_too_short_for_a_frame_ends_also_where_no_silence_comes_after_it(voice: Float32Array) -> None:
    with opened(fps=25, pictures=False) as stream:
        items = [item for _ in range(3) for item in [*stream.push(voice[:48]), *stream.end()]]
    assert sum(isinstance(item, UtteranceEnd) for item in items) == 3 and isinstance(items[-1], UtteranceEnd)


def test_the_end_of_a_line_gives_the_rest_of_it_and_then_says_so(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        pushed, ended = list(stream.push(voice[:VOICE_RATE_HZ])), list(stream.end())
    assert isinstance(ended[-1], UtteranceEnd)
    outputs = [item for item in pushed + ended if isinstance(item, Output)]
    assert len(outputs) >= 30 and {item.utterance for item in outputs} == {1}


def test_the_newest_late_picture_is_drawn_in_one_go_with_those_before_it(voice: Float32Array) -> None:
    with opened() as stream:
        stream.is_late = lambda pts_us: True
        stream.push(voice[:VOICE_RATE_HZ])
        outputs = [item for item in stream.take() if isinstance(item, Output)]
    assert len(outputs) > 20 and stream.n_late == len(outputs) - 1
    assert [output.picture is not None for output in outputs] == [False] * (len(outputs) - 1) + [True]


@pytest.mark.full
@pytest.mark.parametrize("fps", some(["30000/1001", 25, 30, 24]))
def test_after_a_skip_frames_go_on_at_their_times_and_hear_what_belongs_there(voice: Float32Array, fps: object) -> None:
    line = np.tile(voice, 2)
    with opened(fps=fps, pictures=False, audio=True) as stream, opened(fps=fps, pictures=False) as whole:
        stream.push(line)
        before = outputs_of(stream.take(1_000_000))
        stream.skip(3_000_000)
        after = [item for now_us in range(3_000_000, 5_500_000, 40_000) for item in outputs_of(stream.take(now_us))]
        usual = outputs_of([*whole.push(line), *whole.finish()])
    assert after[0].pts_us >= 3_000_000 > after[0].pts_us - 1e6 / float(stream.fps)
    assert stream.n_late == after[0].motion.index - before[-1].motion.index - 1 > 40
    for output in after:
        index = output.motion.index
        assert output.pts_us == usual[index].pts_us and output.audio is not None
        first = output.audio.start_sample
        assert first == pytest.approx(output.pts_us * VOICE_RATE_HZ / 1e6, abs=1)
        assert np.array_equal(output.audio.samples, line[first : first + len(output.audio.samples)])
    indices = [output.motion.index for output in after]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    jaws = [[float(o.motion.weights[JAW]) for o in part] for part in (after[20:], usual[indices[20] : indices[-1] + 1])]
    assert np.corrcoef(jaws[0], jaws[1])[0, 1] > 0.95


def test_a_skip_passes_lines_and_silence_and_says_so_in_order(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        stream.take(1_000_000)
        for at_us in (2_000_000, 3_000_000, 9_000_000):
            stream.push(voice[:VOICE_RATE_HZ], at_us)
            stream.end()
        stream.skip(6_000_000)
        items = [*stream.take(6_200_000), *stream.take(9_500_000)]
    markers = [item for item in items if not isinstance(item, Output)]
    assert [type(marker) for marker in markers] == [UtteranceStart, UtteranceEnd, UtteranceStart, UtteranceEnd, UtteranceStart]
    positions = [marker.position_us for marker in markers if isinstance(marker, UtteranceStart | UtteranceEnd)]
    assert positions == pytest.approx([2e6, 3e6, 3e6, 4e6, 9e6], abs=20_000)
    assert all(not isinstance(item, Output) for item in items[:4])
    assert {output.utterance for output in outputs_of(items)} == {None, 3}


def test_what_was_heard_already_is_not_skipped(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        stream.push(voice)
        stream.take(1_000_000)
        stream.skip(500_000)
        assert outputs_of(stream.take(1_500_000))[0].pts_us == pytest.approx(1_000_000, abs=34_000)


def test_nothing_is_skipped_of_another_epoch(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        stream.push(voice)
        stream.take(500_000)
        stream.interrupt()
        stream.push(voice[:VOICE_RATE_HZ])
        stream.skip(3_000_000)
        assert {item.epoch for item in stream.take(3_500_000)} == {1}
        assert stream.queued_ms == 0


def outputs_of(items: list[Item]) -> list[Output]:
    return [item for item in items if isinstance(item, Output)]


def test_silence_within_an_utterance_whose_sound_is_late_is_counted(voice: Float32Array) -> None:
    with opened(pictures=False) as stream:
        stream.take(500_000)
        assert stream.filled_ms == 0, "nobody speaks"
        stream.push(voice[: VOICE_RATE_HZ // 2])
        stream.take(900_000)
        assert stream.filled_ms == 0
        stream.take(1_200_000)
        filled_ms = stream.filled_ms
        assert filled_ms == pytest.approx(200, abs=20), "the half second is over at 1.0 s"
        stream.skip(1_500_000)
        assert stream.filled_ms == pytest.approx(filled_ms + 300, abs=50), "also where it is left out unheard"
        filled_ms = stream.filled_ms
        stream.end()
        stream.take(3_000_000)
        assert stream.filled_ms == pytest.approx(filled_ms, abs=1)
