"""The first voice as a stream: the same however it is cut, honest about the future, at rest in silence, within bounds."""

from __future__ import annotations

import itertools
import tracemalloc
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

import vivant.motion.articulatory as voice_module
from tests.examples import examples, some
from tests.unit.test_speech_articulation import lip_gap
from vivant.errors import InputError
from vivant.media import open_audio
from vivant.motion.articulatory import ArticulatoryMotion, VoiceState
from vivant.types import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    AudioChunk,
    Controls,
    Emotion,
    Float32Array,
    MotionFrame,
    frame_pts_us,
    gaze_at,
)

pytestmark = pytest.mark.unit

FPS = Fraction(25)
RATE_HZ = 24_000
MOUTH = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jaw", "mouth"))]
JAW = ARKIT_INDEX["jawOpen"]


def demo_voice() -> Float32Array:
    path = Path(voice_module.__file__).parents[1] / "assets" / "voice.flac"
    with open_audio(path) as audio:
        assert audio.sample_rate_hz == RATE_HZ
        return np.concatenate([chunk.samples for chunk in audio.chunks()])


VOICE = demo_voice()
SHORT = VOICE[: 3 * RATE_HZ]


def opened(fps: Fraction = FPS, seed: int = 7) -> VoiceState:
    return ArticulatoryMotion().open(fps, seed)


def push(state: VoiceState, samples: Float32Array, start: int = 0, rate_hz: int = RATE_HZ) -> list[MotionFrame]:
    return state.push(AudioChunk(samples, rate_hz, start), Controls())


def offline(samples: Float32Array, rate_hz: int = RATE_HZ, fps: Fraction = FPS, seed: int = 7) -> list[MotionFrame]:
    state = opened(fps, seed)
    return push(state, samples, rate_hz=rate_hz) + state.flush(Controls())


def same(a: MotionFrame, b: MotionFrame) -> bool:
    numbers = (a.index, a.pts_us, a.tongue, a.pose, a.gaze) == (b.index, b.pts_us, b.tongue, b.pose, b.gaze)
    return numbers and a.weights.tobytes() == b.weights.tobytes()


def weights(frames: list[MotionFrame]) -> NDArray[np.float32]:
    return np.stack([frame.weights for frame in frames])


@cache
def whole() -> list[MotionFrame]:
    """What three seconds of it do, at once."""
    return offline(SHORT)


@cache
def spoken_voice() -> NDArray[np.float32]:
    """(n, 52): what the whole demo voice does."""
    return weights(offline(VOICE))


@examples(15)
@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=40))
def test_streaming_equals_offline(sizes: list[int]) -> None:
    state, frames, start = opened(), [], 0
    for piece in np.split(SHORT, np.minimum(np.cumsum(sizes), len(SHORT))):
        frames += push(state, piece, start)
        start += len(piece)
    frames += state.flush(Controls())
    assert len(frames) == len(whole())
    assert all(same(a, b) for a, b in zip(frames, whole(), strict=True))


@pytest.mark.parametrize("fps", some([Fraction(12), Fraction(30_000, 1001), Fraction(24), Fraction(60)], 2))
def test_frames_cover_the_audio_at_any_rate_of_frames(fps: Fraction) -> None:
    frames = offline(SHORT, fps=fps)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(frame.pts_us == frame_pts_us(frame.index, fps) for frame in frames)
    assert frames[-1].pts_us < 3_000_000 <= frame_pts_us(len(frames), fps)


def test_a_frame_comes_as_soon_as_its_look_ahead_is_heard() -> None:
    state, n_frames = opened(), 0
    for start in range(0, RATE_HZ, 100):
        n_frames += len(push(state, SHORT[start : start + 100], start))
        heard_us = (start + 100) * 1_000_000 // RATE_HZ
        assert n_frames == max(0, (heard_us - ArticulatoryMotion.look_ahead_ms * 1000) // 40_000 + 1)


def test_the_future_beyond_the_look_ahead_changes_nothing() -> None:
    cut = RATE_HZ * 3 // 2
    other = np.concatenate([SHORT[:cut], np.random.default_rng(0).uniform(-1, 1, cut).astype(np.float32)])
    certain = [k for k, frame in enumerate(whole()) if frame.pts_us + ArticulatoryMotion.look_ahead_ms * 1000 <= 1_500_000]
    changed = offline(other)
    assert all(same(changed[k], whole()[k]) for k in certain)
    assert not np.allclose(weights(changed)[certain[-1] + 3 :], weights(whole())[certain[-1] + 3 :])


def test_silence_rests_the_mouth_while_the_face_lives() -> None:
    frames = offline(np.concatenate([SHORT, np.zeros(8 * RATE_HZ, np.float32)]))
    silent = [frame for frame in frames if frame.pts_us >= 3_260_000]
    smiles = [ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]  # a friendly face fades in seconds
    assert not np.any(weights(silent)[:, np.setdiff1d(np.arange(len(ARKIT_INDEX))[MOUTH], smiles)])
    assert not np.any(weights(silent)[-30:, MOUTH])
    assert weights(silent)[:, ARKIT_INDEX["eyeBlinkLeft"]].max() > 0.9
    assert np.std([frame.pose.yaw_deg for frame in silent]) > 0.1
    assert np.std([frame.gaze[0] for frame in silent]) > 0.1


@pytest.mark.full
def test_the_demo_voice_opens_the_mouth_like_a_person() -> None:
    talking = spoken_voice()[6:-15]
    gap = lip_gap(talking)
    assert 0.55 < np.mean(gap >= 0.03) < 0.85
    assert 0.05 < np.percentile(gap, 50) < 0.12
    assert 0.12 < np.percentile(gap, 95) < 0.22
    assert 0.13 < np.percentile(gap, 99) < 0.30
    assert 0.05 < np.mean(gap < 0.005) < 0.25
    assert 0.2 < talking[:, JAW].max() < 0.55


def test_lips_undo_no_more_than_the_jaw_has_done() -> None:
    spoken = spoken_voice()
    close = spoken[:, ARKIT_INDEX["mouthClose"]]
    assert close.max() > 0.04 and np.all(close <= spoken[:, JAW])


def test_synthetic_vowels_open_the_mouth_by_their_height() -> None:
    def vowel(formants_hz: tuple[int, int]) -> NDArray[np.float64]:
        sound = np.where(np.arange(9_600) % 200 == 0, 1.0, 0.0)  # a buzz of 120 Hz through two resonances
        for frequency_hz in formants_hz:
            angle = 2 * np.pi * frequency_hz / RATE_HZ
            sound = lfilter([1.0], [1.0, -1.97 * np.cos(angle), 0.97], sound)
        sound = lfilter([1.0], [1.0, -0.9], sound)
        return np.asarray(0.1 * sound / np.sqrt(np.mean(sound**2)))

    spoken = np.concatenate([vowel((730, 1090)), vowel((270, 2290)), np.zeros(4_800)] * 5)
    jaw = weights(offline(spoken.astype(np.float32)))[50:, JAW].reshape(-1, 25)
    open_, narrow = jaw[:, 3:8], jaw[:, 13:18]
    assert 0.2 < np.median(open_) < 0.5 and np.median(narrow) < 0.6 * np.median(open_)
    assert jaw[:, 23].max() < 0.1  # shut, or nearly, in the pauses


@pytest.mark.full
def test_the_mouth_opens_with_the_voice() -> None:
    frames = offline(VOICE, fps=Fraction(50))
    jaw = weights(frames)[:, JAW]
    blocks = np.pad(VOICE, (0, len(frames) * 480 - len(VOICE))).reshape(-1, 480)
    loud = np.convolve(np.clip(10 * np.log10(np.mean(blocks**2, 1) + 1e-9) + 45, 0, 40), np.ones(3) / 3, "same")
    # Block k is centred 10 ms after frame k.
    r = {lag * 20 - 10: np.corrcoef(np.roll(jaw, -lag)[20:-20], loud[20:-20])[0, 1] for lag in range(-8, 9)}
    assert -45 <= max(r, key=lambda lag_ms: r[lag_ms]) <= 15 and max(r.values()) > 0.6


@pytest.mark.parametrize(
    "samples",
    [
        np.random.default_rng(1).uniform(-1, 1, 48_000),
        np.full(48_000, 0.9),
        np.sign(np.sin(np.arange(48_000) / 20)) * 1e6,
        np.where(np.arange(48_000) % 6_000 == 0, 1.0, 0.0),
        np.tile(VOICE[:24_000], 2) * 1e-30,
        np.tile(VOICE[:24_000], 2) * 50,
    ],
    ids=["noise", "direct current", "square", "clicks", "denormal", "clipped"],
)
def test_any_sound_gives_a_possible_face(samples: NDArray[np.float64]) -> None:
    frames = offline(samples.astype(np.float32))
    values = weights(frames)
    assert values.dtype == np.float32 and np.all((values >= 0) & (values <= 1))
    assert all(abs(f.pose.yaw_deg) <= 15 and abs(f.pose.pitch_deg) <= 10 and abs(f.pose.roll_deg) <= 10 for f in frames)
    assert all(abs(angle) <= 25 for frame in frames for angle in frame.gaze)


@pytest.mark.parametrize("sound", ["noise", "direct current", "hum"])
def test_what_is_no_voice_moves_no_mouth(sound: str) -> None:
    n = 4 * RATE_HZ
    samples = {
        "noise": 0.03 * np.random.default_rng(2).standard_normal(n),
        "direct current": np.full(n, 0.5),
        "hum": 0.02 * np.sin(2 * np.pi * 50 * np.arange(n) / RATE_HZ),
    }[sound]
    # Not the first second, in which the floor is learned, nor the very end, where a constant drops with a click.
    assert weights(offline(samples.astype(np.float32)))[25:-4, JAW].max() < 0.02


@pytest.mark.parametrize("rate_hz", some([8_000, 48_000, 16_000, 44_100, 192_000], 2))
def test_the_sample_rate_hardly_matters(rate_hz: int) -> None:
    least_r = 0.9 if rate_hz == 8_000 else 0.99
    common = np.gcd(rate_hz, RATE_HZ)
    samples = resample_poly(SHORT, rate_hz // common, RATE_HZ // common).astype(np.float32)
    jaw = weights(offline(samples, rate_hz))[:, JAW]
    assert np.corrcoef(jaw[: len(whole())], weights(whole())[: len(jaw), JAW])[0, 1] > least_r


@pytest.mark.full
def test_memory_is_constant() -> None:
    state, start = opened(), 0
    push(state, SHORT, start)
    start = len(SHORT)
    tracemalloc.start()
    held = []
    for _ in range(2):  # in the first seconds, what was held before is held anew, and only then traced
        for _ in range(5):
            push(state, SHORT[: RATE_HZ // 2], start)
            start += RATE_HZ // 2
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[1] - held[0] < 10_000  # a second of sound is 64 000 bytes


def test_reset_shuts_the_mouth_softly_and_counts_on() -> None:
    state = opened()
    before = push(state, SHORT)
    while before[-1].weights[JAW] < 0.08:
        before.pop()
    state = opened()
    before = push(state, SHORT[: (before[-1].pts_us + 100_000) * RATE_HZ // 1_000_000])
    state.reset()
    after = push(state, np.zeros(RATE_HZ, np.float32), start=123)
    assert after[0].index == before[-1].index + 1 and after[0].pts_us == frame_pts_us(after[0].index, FPS)
    jaw = weights(after)[:, JAW]
    assert before[-1].weights[JAW] > jaw[0] > jaw[1] > 0 and not np.any(jaw[3:])
    assert abs(after[0].pose.yaw_deg - before[-1].pose.yaw_deg) < 3


def test_after_a_reset_audio_means_what_it_meant_at_the_start() -> None:
    state = opened()
    n_before = len(push(state, SHORT[:30_000]))
    state.reset()
    again = push(state, SHORT) + state.flush(Controls())
    assert len(again) == len(whole()) and again[0].index == n_before
    np.testing.assert_allclose(weights(again)[4:, JAW], weights(whole())[4:, JAW], atol=1e-6)


def test_after_a_flush_the_stream_goes_on() -> None:
    state = opened()
    first = push(state, SHORT[:36_000]) + state.flush(Controls())
    assert state.flush(Controls()) == []
    second = push(state, SHORT[36_000:], 36_000) + state.flush(Controls())
    assert [frame.index for frame in first + second] == [frame.index for frame in whole()]
    np.testing.assert_allclose(weights(second)[4:], weights(whole())[len(first) + 4 :], atol=1e-6)
    steps = [np.abs(np.diff(weights(frames)[:, JAW])).max() for frames in (first + second, whole())]
    assert steps[0] < 1.3 * steps[1]


@pytest.mark.full
def test_lost_audio_is_silence_up_to_a_second() -> None:
    filled = np.concatenate([SHORT[:RATE_HZ], np.zeros(12_000, np.float32), SHORT[RATE_HZ:]])
    state = opened()
    frames = push(state, SHORT[:RATE_HZ]) + push(state, SHORT[RATE_HZ:], RATE_HZ + 12_000) + state.flush(Controls())
    assert all(same(a, b) for a, b in zip(frames, offline(filled), strict=True))
    state = opened()
    frames = push(state, SHORT[:RATE_HZ]) + push(state, SHORT[:RATE_HZ], 3_600 * RATE_HZ) + state.flush(Controls())
    assert len(frames) == 75


def test_controls_take_effect_at_once_but_eased() -> None:
    state = opened()
    frames = push(state, SHORT[:RATE_HZ])
    frames += state.push(
        AudioChunk(np.zeros(RATE_HZ, np.float32), RATE_HZ, RATE_HZ), Controls(emotion=Emotion.HAPPY, distance=0.8)
    )
    smile = weights(frames)[:, ARKIT_INDEX["cheekSquintLeft"]]
    assert smile[len(smile) // 2 - 3] < smile[-1] and np.abs(np.diff(smile)).max() < 0.1
    assert frames[10].pose.scale == 1.0 and frames[-1].pose.scale > 1.15


def test_the_amount_of_mouth_scales_it_and_keeps_closures() -> None:
    def spoken(amount: float) -> NDArray[np.float32]:
        state = opened()
        return weights(state.push(AudioChunk(SHORT, RATE_HZ), Controls(mouth=amount)) + state.flush(Controls(mouth=amount)))

    still, plain, much = spoken(0.0), spoken(1.0), spoken(1.6)
    assert still[:, JAW].max() < 0.01 < 0.2 < plain[:, JAW].max() < much[:, JAW].max()
    press = ARKIT_INDEX["mouthPressLeft"]
    np.testing.assert_allclose(still[:, press], plain[:, press], atol=1e-6)


def test_singing_holds_a_vowel_while_its_breath_fades() -> None:
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    turns = np.floor(160 * time_s + 0.5 * np.sin(2 * np.pi * 5.5 * time_s))
    note = np.diff(turns, prepend=0.0)  # a buzz with vibrato through the resonances of an a
    for frequency_hz in (730, 1090, 2440):
        radius, angle = np.exp(-np.pi * 90 / RATE_HZ), 2 * np.pi * frequency_hz / RATE_HZ
        note = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], note)
    note = lfilter([1.0], [1.0, -0.9], note)
    fade = 10 ** (-0.5 * time_s) * (1 + 0.4 * np.sin(2 * np.pi * 5.5 * time_s))
    note = np.asarray(0.1 * note / np.sqrt(np.mean(note**2)) * fade, np.float32)

    def jaw(singing: bool) -> NDArray[np.float32]:
        state, controls = opened(), Controls(singing=singing)
        return weights(state.push(AudioChunk(note, RATE_HZ), controls))[25:60, JAW]

    sung, spoken = jaw(True), jaw(False)
    assert np.std(np.diff(sung)) < 0.7 * np.std(np.diff(spoken))
    assert sung[-1] / sung[0] > spoken[-1] / spoken[0]


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(10), "float64"),
        (np.zeros((2, 5), np.float32), r"\(2, 5\)"),
        ([0.0], "list"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(samples: Float32Array, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        push(opened(), samples)


def test_what_is_no_number_is_silence() -> None:
    holes = SHORT.copy()
    holes[20_000:21_000:7], holes[30_000:31_000] = np.inf, np.nan
    filled = np.where(np.isfinite(holes), holes, 0).astype(np.float32)
    assert all(same(a, b) for a, b in zip(offline(holes), offline(filled), strict=True))


@pytest.mark.full
def test_lips_that_meet_between_two_frames_still_meet() -> None:
    """A sentence at 12 frames per second, begun at two moments: what 60 per second show of closures, it shows too, in full."""
    press, blink = (ARKIT_INDEX[name] for name in ("mouthPressLeft", "eyeBlinkLeft"))
    for lead in (5, 6):
        sound = np.concatenate([np.zeros(lead * RATE_HZ // 100, np.float32), VOICE[: 4 * RATE_HZ]])
        fine, coarse = (offline(sound, fps=Fraction(fps)) for fps in (60, 12))
        met = [frame.pts_us for frame in fine if frame.weights[press] > 0.2]
        begins = [now for before, now in itertools.pairwise([-100_000, *met]) if now - before > 50_000]
        assert len(begins) >= 4
        for begin in begins:
            full = max(frame.weights[press] for frame in fine if 0 <= frame.pts_us - begin <= 50_000)
            near = [frame.weights[press] for frame in coarse if -20_000 <= frame.pts_us - begin <= 170_000]
            assert max(near) > 0.95 * full
        blinks = [frame.pts_us for frame in fine if frame.weights[blink] > 0.99]
        for at in blinks:
            assert max(frame.weights[blink] for frame in coarse if abs(frame.pts_us - at) <= 90_000) > 0.8


def test_streams_that_contradict_themselves_are_refused() -> None:
    state = opened()
    push(state, SHORT[:1_000])
    with pytest.raises(InputError, match="48000"):
        push(state, SHORT[:100], 1_000, rate_hz=48_000)
    with pytest.raises(InputError, match="at least 1000"):
        push(state, SHORT[:100], 999)
    with pytest.raises(InputError, match="fps"):
        opened(Fraction(120))


def test_an_empty_stream_has_no_frames() -> None:
    assert opened().flush(Controls()) == []
    assert offline(np.zeros(0, np.float32)) == []


def test_gaze_at_a_point_is_the_angle_to_it() -> None:
    assert gaze_at(0, 0, 2) == (0.0, 0.0)
    yaw, pitch = gaze_at(1, -0.5, 4)
    assert yaw == pytest.approx(14.036, abs=0.01) and pitch == pytest.approx(-6.913, abs=0.01)
    assert gaze_at(9, 0, 1)[0] == 30.0
    with pytest.raises(InputError, match="before the face"):
        gaze_at(0, 0, -1)
