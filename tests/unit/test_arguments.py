"""Numbers, names, flags and paths mean one thing, or are one short sentence without the content of what was given."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.odd_values import MOST_CHARS, NO_AMOUNTS, NO_NAMES
from vivant.arguments import as_path, flag, member, real_number, shown, text, whole_number
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.provenance.consent import Consent, parse_consent
from vivant.size import Size
from vivant.types import Controls, Emotion, PixelFormat, Pose, arkit_weights, gaze_at

pytestmark = pytest.mark.unit

NAN, INF = float("nan"), float("inf")
anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.fractions() | st.decimals()
    | st.complex_numbers() | st.lists(st.floats(), max_size=3) | st.tuples(st.floats(), st.floats())
    | st.sampled_from(NO_AMOUNTS)
)  # fmt: skip


def short_refusal(take: Callable[[Any], object], value: Any) -> str | None:  # noqa: ANN401
    """The sentence; None where the value was taken. Any other error fails the test."""
    try:
        take(value)
    except InputError as error:
        assert len(str(error)) < MOST_CHARS and "\n" not in str(error)
        return str(error)
    return None


AMOUNTS: dict[str, Callable[[Any], object]] = {
    "distance": lambda value: Controls(distance=value),
    "intensity": lambda value: Controls(intensity=value),
    "head_motion": lambda value: Controls(head_motion=value),
    "mouth": lambda value: Controls(mouth=value),
    "gaze yaw": lambda value: Controls(gaze=(value, 0)),
    "gaze pitch": lambda value: Controls(gaze=(0, value)),
    "z of the point": lambda value: gaze_at(0, 0, value),
    "jawOpen": lambda value: arkit_weights(jawOpen=value),
}


@pytest.mark.parametrize("name", list(AMOUNTS))
def test_what_is_no_amount_is_refused_by_name(name: str) -> None:
    for value in NO_AMOUNTS:
        sentence = short_refusal(AMOUNTS[name], value)
        assert sentence is not None and name in sentence and "got" in sentence, type(value)


@pytest.mark.parametrize("name", list(AMOUNTS))
def test_amounts_of_any_type(name: str) -> None:
    for one in (1, 1.0, np.float32(1), np.int8(1), Fraction(1)):
        assert short_refusal(AMOUNTS[name], one) is None, type(one)


def test_controls_are_the_same_in_any_spelling() -> None:
    plain = Controls(gaze=(3.0, -4.0), distance=1.0, emotion=Emotion.HAPPY, intensity=2.0, singing=True)
    for gaze in ([3, -4], np.array([3, -4]), (np.float32(3), Fraction(-4))):
        for emotion in ("happy", "Happy", "HAPPY", Emotion.HAPPY):
            odd = Controls(gaze, np.int64(1), emotion, np.float16(2), 1, 1, np.bool_(True))  # type: ignore[arg-type]
            assert odd == plain and {type(value) for value in (*odd.gaze, odd.distance, odd.intensity)} == {float}
            assert odd.singing is True and odd.emotion is Emotion.HAPPY


@pytest.mark.parametrize("emotion", ["bored", "", None, 1, "x" * 200_000, PixelFormat.RGB, ["happy"], b"happy"])
def test_an_unknown_emotion_lists_those_there_are(emotion: Any) -> None:  # noqa: ANN401
    sentence = short_refusal(lambda value: Controls(emotion=value), emotion)
    assert sentence is not None and all(each.value in sentence for each in Emotion)


@pytest.mark.parametrize("gaze", [None, 3, "00", (1,), (1, 2, 3), [], np.zeros(3), np.zeros((3, 3)), {1: 2, 3: 4}])
def test_what_is_no_gaze(gaze: Any) -> None:  # noqa: ANN401
    assert "gaze must be (yaw, pitch)" in str(short_refusal(lambda value: Controls(gaze=value), gaze))


@pytest.mark.parametrize("value", ["no", "False", 0, 1, None, "x" * 200_000, [], np.zeros(1)])
def test_what_python_takes_for_true_or_false_is_neither(value: Any) -> None:  # noqa: ANN401
    assert "singing must be True or False" in str(short_refusal(lambda given: Controls(singing=given), value))


@pytest.mark.parametrize("name", Pose.__slots__)
def test_a_pose_is_finite_numbers(name: str) -> None:
    for value in (None, "1", NAN, INF, [1], np.zeros(3), 1j):
        assert "a pose must be finite numbers" in str(short_refusal(lambda given: Pose(**{name: given}), value))


@examples(40)
@example(Fraction(2**53 + 1))  # which no float holds
@example(Fraction(2**54 + 1, 3))  # which is whole as a float
@given(anything)
def test_whatever_comes_as_an_amount_is_one_or_a_short_sentence(value: Any) -> None:  # noqa: ANN401
    if short_refusal(lambda given: real_number("amount", given, 0, 2), value) is None:
        assert type(real_number("amount", value, 0, 2)) is float and real_number("amount", value, 0, 2) == float(value)
    if short_refusal(lambda given: whole_number("count", given, 0, 2**64), value) is None:
        assert type(whole_number("count", value, 0, 2**64)) is int and whole_number("count", value, 0, 2**64) == value
    for take in (as_fps, Size.of, parse_consent, lambda given: flag("flag", given), lambda given: Controls(gaze=given)):
        short_refusal(take, value)
    assert len(shown(value)) < MOST_CHARS


@settings(deadline=None)
@given(st.integers(-(2**70), 2**70))
def test_whole_numbers_are_taken_exactly(value: int) -> None:
    assert whole_number("seed", value, -(2**70), 2**70) == value


@settings(deadline=None)
@given(st.text(alphabet="0123456789./eE+-_ x", max_size=12))
def test_any_text_is_a_frame_rate_or_a_short_sentence(fps: str) -> None:
    if short_refusal(as_fps, fps) is None:
        assert 12 <= as_fps(fps) <= 60


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (np.float32(29.97), Fraction(30_000, 1001)),
        (np.float64(23.976), Fraction(24_000, 1001)),
        (np.int64(30), Fraction(30)),
        (np.float16(25), Fraction(25)),
        (Decimal("29.97"), Fraction(30_000, 1001)),
        (" 30 ", Fraction(30)),
        (str(24_000 / 1001), Fraction(24_000, 1001)),
    ],
)
def test_frame_rates_of_any_type(fps: Any, rate: Fraction) -> None:  # noqa: ANN401
    assert as_fps(fps) == rate and type(as_fps(fps).numerator) is int


@pytest.mark.parametrize(
    "fps", [None, True, "25 fps", "1e999999999", (30_000, 1001), [30], "3" * 200_000, b"30", 10**400, np.zeros(1)]
)
def test_what_is_no_frame_rate_is_said_at_once(fps: Any) -> None:  # noqa: ANN401
    assert "fps must be a number such as 30 or 30000/1001, got" in str(short_refusal(as_fps, fps))


@pytest.mark.parametrize("size", [64, 64.0, np.int32(64), (64, 64), [64, 64], (64.0, np.uint8(64))])
def test_sizes_of_any_type(size: Any) -> None:  # noqa: ANN401
    assert Size.of(size) == (64, 64) and all(type(side) is int for side in Size.of(size))


@pytest.mark.parametrize(
    "size", ["64", None, True, 64.5, NAN, INF, (64,), (64, 64, 3), (), ("64", 64), np.zeros(2), 10**400, "x" * 10**5]
)
def test_what_is_no_size(size: Any) -> None:  # noqa: ANN401
    assert "size must be the side of a square in px, or (width, height), got" in str(short_refusal(Size.of, size))


@pytest.mark.parametrize("answer", ["me", "Me", "ME", Consent.ME])
def test_an_answer_in_any_case(answer: str) -> None:
    assert parse_consent(answer) is Consent.ME


@pytest.mark.parametrize("answer", [True, 1, "", "yes", ["me"], b"me", "x" * 200_000, {}])
def test_what_is_no_answer_lists_the_answers(answer: Any) -> None:  # noqa: ANN401
    assert "consent must be one of me, agreed, unreal, synthetic, got" in str(short_refusal(parse_consent, answer))


def test_somebody_who_did_not_agree_is_refused_with_the_reason() -> None:
    for answer in ("no", "Other", "without"):
        assert "may not be animated" in str(short_refusal(parse_consent, answer))


def test_names_of_formats() -> None:
    assert member("pixel_format", PixelFormat, "JPEG") is PixelFormat.JPEG
    assert "rgb, rgba, i420, jpeg" in str(short_refusal(lambda given: member("pixel_format", PixelFormat, given), "png"))


def test_paths_and_texts() -> None:
    assert as_path("audio", "a.wav") == as_path("audio", Path("a.wav")) == Path("a.wav")
    for odd in (None, 1, b"a.wav", "x" * 200_000, np.zeros(3), open):
        assert "audio must be the path of a file, got" in str(short_refusal(lambda given: as_path("audio", given), odd))
    for other in NO_NAMES:
        assert "name must be a text, got" in str(short_refusal(lambda given: text("name", given), other))


def test_a_number_of_more_digits_than_python_writes() -> None:
    for take in (as_fps, Size.of, AMOUNTS["distance"]):
        assert short_refusal(take, 10**5000) is not None
