"""What lies between a microphone and an output: rings, timelines, resamplers, jitter buffers, the gate and the delay."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples, some
from tests.session.command_line import sine
from vivant.clock import VirtualClock
from vivant.types import Float32Array
from vivant_bridge.delay import MOST_US, AdaptiveDelay, PresentationClock
from vivant_bridge.sound.jitter_buffer import FLOOR_S, JitterBuffer
from vivant_bridge.sound.noise_gate import SILENT_DB, NoiseGate
from vivant_bridge.sound.output import MemorySink
from vivant_bridge.sound.playback import Playback
from vivant_bridge.sound.resample import Resampler
from vivant_bridge.sound.ring import SampleRing
from vivant_bridge.sound.timeline import AudioTimeline

pytestmark = pytest.mark.unit

RATE_HZ = 48_000
BLOCK = 480


def numbers(first: int, n: int) -> Float32Array:
    return np.arange(first, first + n, dtype=np.float32)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=60))
def test_ring_is_a_queue_that_forgets_the_oldest(steps: list[tuple[bool, int]]) -> None:
    ring, model, given_out, dropped = SampleRing(50), deque[float](maxlen=50), 0, 0
    for is_push, n in steps:
        if is_push:
            dropped += max(0, len(model) + n - 50)
            model.extend(numbers(given_out, n).tolist())
            ring.push(numbers(given_out, n))
            given_out += n
        else:
            assert ring.pop(n).tolist() == [model.popleft() for _ in range(min(n, len(model)))]
        assert len(ring) == len(model)
    assert ring.dropped == dropped
    assert ring.pop().tolist() == list(model)


@given(st.lists(st.integers(0, 700), max_size=30), st.integers(-100, 3000), st.integers(0, 500))
def test_a_timeline_gives_what_was_written_where_it_was_written(lengths: list[int], start: int, n: int) -> None:
    timeline, whole = AudioTimeline(1000, seconds=0.4), [0.0]
    whole.clear()
    for length in lengths:
        timeline.append(numbers(len(whole) + 1, length))
        whole += numbers(len(whole) + 1, length).tolist()
    expected = [whole[i] if max(0, len(whole) - 400) <= i < len(whole) else 0.0 for i in range(start, start + n)]
    assert timeline.read(start, n).tolist() == expected


def test_a_timeline_skips_in_silence() -> None:
    timeline = AudioTimeline(1000, seconds=1.0)
    timeline.append(numbers(1, 100))
    timeline.skip_to(5_000)
    assert timeline.written == 5_000
    assert not timeline.read(4_000, 1_000).any()
    assert timeline.time_us(timeline.position(1_234_000)) == 1_234_000


@examples(30)
@given(st.sampled_from([8_000, 16_000, 44_100, 48_000, 96_000, 192_000]), st.lists(st.integers(1, 3000), max_size=12))
def test_resampling_is_the_same_however_it_is_cut(rate_hz: int, lengths: list[int]) -> None:
    samples = sine(sum(lengths), rate_hz)
    whole, pieces = Resampler(rate_hz, RATE_HZ), Resampler(rate_hz, RATE_HZ)
    whole.push(samples)
    at_once = whole.pull(whole.ready)
    out = []
    for last, length in zip(np.cumsum(lengths), lengths, strict=True):
        pieces.push(samples[last - length : last])
        out.append(pieces.pull(pieces.ready))
    joined = np.concatenate([np.zeros(0, np.float32), *out])
    assert abs(len(joined) - len(at_once)) <= 1
    n = min(len(joined), len(at_once))
    assert np.allclose(joined[:n], at_once[:n], atol=2e-3)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000, 192_000])
def test_resampling_keeps_a_tone_and_its_time(rate_hz: int) -> None:
    resampler = Resampler(rate_hz, RATE_HZ)
    resampler.push(sine(rate_hz // 2, rate_hz))
    heard = resampler.pull(resampler.ready)
    assert len(heard) == pytest.approx(RATE_HZ / 2, abs=150)
    middle = slice(2_000, 20_000)
    assert np.abs(heard - sine(len(heard), RATE_HZ))[middle].max() < 0.004


def test_resampling_removes_what_would_fold_back() -> None:
    resampler = Resampler(96_000, 16_000)
    resampler.push(sine(48_000, 96_000, hz=15_000))
    assert np.abs(resampler.pull(resampler.ready)[200:-200]).max() < 0.005


def test_drift_reads_faster() -> None:
    resampler = Resampler(RATE_HZ, RATE_HZ)
    resampler.push(sine(2 * RATE_HZ, RATE_HZ))
    heard = resampler.pull(RATE_HZ, drift=0.004)
    assert np.abs(heard - sine(RATE_HZ, RATE_HZ, hz=440 * 1.004))[100:].max() < 0.01


def hear(jitter_buffer: JitterBuffer, seconds: float, *, off_ppm: int, burst: int, in_hz: int = RATE_HZ) -> list[float]:
    """Feed an jitter_buffer with bursts from a clock that is off; its waiting times in ms, one per block."""
    waits, given_out, level = [], 0, sine(400_000, in_hz)
    for tick in range(round(seconds * 100)):
        arrived = (tick + 1) * BLOCK * in_hz * (1_000_000 + off_ppm) // (RATE_HZ * 1_000_000) // burst * burst
        if arrived > given_out:
            jitter_buffer.push(np.resize(level, arrived - given_out), in_hz)
            given_out = arrived
        jitter_buffer.block(BLOCK)
        waits.append(jitter_buffer.held_us / 1000)
    return waits


@pytest.mark.full
@pytest.mark.parametrize("off_ppm", some([300, -300, 0]))
@pytest.mark.parametrize("source", some([(1024, 16_000), (441, 44_100), (480, 48_000), (960, 96_000)], 2))
def test_a_jitter_buffer_neither_runs_full_nor_dry(off_ppm: int, source: tuple[int, int]) -> None:
    burst, in_hz = source
    jitter_buffer = JitterBuffer(RATE_HZ)
    waits = hear(jitter_buffer, 20, off_ppm=off_ppm, burst=burst, in_hz=in_hz)
    assert max(waits[1000:]) < 1000 * (2 * burst / in_hz + FLOOR_S) + 15
    assert jitter_buffer.gaps <= 4


def test_a_jitter_buffer_throws_away_what_came_much_too_late() -> None:
    jitter_buffer = JitterBuffer(RATE_HZ)
    hear(jitter_buffer, 3, off_ppm=0, burst=480)
    jitter_buffer.push(sine(RATE_HZ, RATE_HZ), RATE_HZ)  # a second at once
    assert hear(jitter_buffer, 6, off_ppm=0, burst=480)[-1] < 40


def test_a_jitter_buffer_is_silent_without_a_source_and_after_it() -> None:
    jitter_buffer = JitterBuffer(RATE_HZ)
    assert not jitter_buffer.block(BLOCK).any()
    jitter_buffer.push(sine(1_000, RATE_HZ), RATE_HZ)
    assert jitter_buffer.block(BLOCK).any()
    for _ in range(3):
        jitter_buffer.block(BLOCK)
    assert not jitter_buffer.block(BLOCK).any()
    assert jitter_buffer.gaps == 1


def test_a_jitter_buffer_takes_up_another_rate() -> None:
    jitter_buffer = JitterBuffer(RATE_HZ)
    hear(jitter_buffer, 1, off_ppm=0, burst=480)
    hear(jitter_buffer, 1, off_ppm=0, burst=160, in_hz=16_000)
    jitter_buffer.push(sine(1_000, 16_000), 16_000)
    assert np.abs(jitter_buffer.block(BLOCK)).max() > 0.4


def test_gate_opens_holds_and_closes() -> None:
    gate, loud, quiet = NoiseGate(RATE_HZ, -40.0), sine(BLOCK, RATE_HZ), sine(BLOCK, RATE_HZ) * np.float32(0.001)
    assert not gate(quiet).any()
    assert gate.level_db == pytest.approx(-69, abs=1)
    first = gate(loud)
    assert abs(first[0]) < 1e-6
    assert np.array_equal(gate(loud), loud)
    kept = [bool(np.array_equal(gate(quiet), quiet)) for _ in range(40)]
    assert kept[:24] == [True] * 24
    assert kept[-10:] == [False] * 10
    assert not gate(quiet).any()


def test_gate_modes() -> None:
    loud = sine(BLOCK, RATE_HZ)
    assert np.abs(NoiseGate(RATE_HZ, None)(loud * np.float32(1e-4))).max() > 0
    for gate in (NoiseGate(RATE_HZ, muted=True), NoiseGate(RATE_HZ, paused=True), NoiseGate(RATE_HZ, push_to_talk=True)):
        assert not gate(loud).any()
        assert gate.level_db > -10
    talking = NoiseGate(RATE_HZ, push_to_talk=True)
    talking.talk(0.05)
    assert [bool(talking(loud).any()) for _ in range(8)] == [True] * 5 + [False] * 3
    assert NoiseGate(RATE_HZ)(np.zeros(BLOCK, np.float32)).max() == 0
    assert NoiseGate(RATE_HZ).level_db == SILENT_DB


def test_a_late_timeline_makes_nothing_later_but_a_slow_device_does() -> None:
    clock = VirtualClock()
    for latency_us, timeline_us, delay_us in (
        (20_000, 1_000_000, 180_000),
        (20_000, 700_000, 180_000),
        (500_000, 1_000_000, 540_000),
    ):
        sink, delay = MemorySink(clock, latency_us=latency_us), AdaptiveDelay(180_000)
        sink.open()
        timeline = AudioTimeline(RATE_HZ)
        timeline.skip_to(timeline.position(timeline_us))
        Playback(timeline, sink, PresentationClock(clock, clock.now_us() - 1_000_000, delay)).tick(clock.now_us())
        assert delay.at(clock.now_us()) == delay_us
        assert bool(sink.played) == (timeline_us == 1_000_000)  # a late timeline is waited for


def test_delay_changes_slowly_and_within_limits() -> None:
    delay = AdaptiveDelay(100_000)
    delay.grow(0)
    delay.grow(1_000_000)  # it is growing already
    assert [delay.at(1_000_000 * second) for second in range(6)] == [100_000, 105_000, 110_000, 115_000, 120_000, 120_000]
    delay.shrink(10_000_000)
    assert [delay.at(1_000_000 * second) for second in (10, 12, 14, 20)] == [120_000, 110_000, 100_000, 100_000]
    delay.shrink(20_000_000)
    assert delay.at(60_000_000) == 100_000
    for step in range(200):
        delay.grow((10 + step) * 10_000_000)
    assert delay.at(10_000_000_000) == MOST_US
    delay.raise_to(MOST_US + 1)
    delay.shrink(20_000_000_000)
    assert delay.at(30_000_000_000) == MOST_US + 1
