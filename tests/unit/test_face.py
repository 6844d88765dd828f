"""Faces: their blurred background; frame rates as people spell them, and the same limits wherever one is given."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from vivant.errors import InputError
from vivant.face import RigFace, as_fps
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.server.config import resolve
from vivant.server.limits import Limits
from vivant.v1 import vivant_pb2 as pb

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("spellings", "rate"),
    [
        ((23.976, "23.976", "23.98", "23.97602", "24000/1001", Fraction(2997, 125)), Fraction(24000, 1001)),
        ((29.97, "29.97", "29.970", "2997/100", "30000/1001"), Fraction(30000, 1001)),
        ((59.94, "59.94", "59.9401", Fraction(60000, 1001)), Fraction(60000, 1001)),
        ((14.985, "14.985", "14.99", "15000/1001"), Fraction(15000, 1001)),
        ((47.952, "47.95"), Fraction(48000, 1001)),
        ((12, "12", 12.0), Fraction(12)),
        ((12.5, "12.5", "25/2"), Fraction(25, 2)),
        ((24, "24", 24.0, "24.00"), Fraction(24)),
        ((60, "60.0"), Fraction(60)),
        ((29.9, "29.9"), Fraction(299, 10)),
    ],
)
def test_rates_by_any_spelling(spellings: tuple[int | float | str | Fraction, ...], rate: Fraction) -> None:
    assert {as_fps(spelling) for spelling in spellings} == {rate}


def test_every_whole_rate_slowed_is_known_with_two_and_three_decimals_and_stays_whole_otherwise() -> None:
    for whole in range(13, 61):
        slowed = Fraction(whole * 1000, 1001)
        assert as_fps(f"{float(slowed):.2f}") == as_fps(f"{float(slowed):.3f}") == as_fps(slowed) == slowed
        assert as_fps(whole) == whole


@pytest.mark.parametrize("fps", [11, "11.988", 61, "60.01", 0, -30, "1e9"])
def test_rates_out_of_range(fps: int | str) -> None:
    with pytest.raises(InputError, match="fps must be from 12 to 60, got"):
        as_fps(fps)


@pytest.mark.parametrize("fps", ["-5", "1", "2", "-30", "11.9"])
def test_a_refused_rate_is_said_as_it_was_given(fps: str) -> None:
    with pytest.raises(InputError, match=f"got {fps}$"):
        as_fps(fps)


@pytest.mark.parametrize("fps", ["fast", "30/0", float("nan"), float("inf"), ""])
def test_what_is_no_rate(fps: float | str) -> None:
    with pytest.raises(InputError, match="fps must be a number"):
        as_fps(fps)


def test_the_model_and_the_server_have_the_same_limits() -> None:
    for fps in (Fraction(12), Fraction(60)):
        ArticulatoryMotion().open(fps, 0)
        asked = pb.SessionConfig(fps=pb.Rational(numerator=fps.numerator, denominator=1))
        assert resolve(asked, Limits()).session.fps == fps
    for fps in (Fraction(1199, 100), Fraction(61)):
        with pytest.raises(InputError, match="from 12 to 60"):
            ArticulatoryMotion().open(fps, 0)
    film = pb.SessionConfig(fps=pb.Rational(numerator=23976, denominator=1000))
    assert resolve(film, Limits()).message.fps == pb.Rational(numerator=24000, denominator=1001)


def test_a_background_is_blurred_once_however_often_it_is_asked_for(ada: RigFace) -> None:
    face = RigFace(ada.rig)
    with ThreadPoolExecutor(4) as pages:
        (blurred,) = set(pages.map(lambda _: face.blurred(), range(8)))
    assert blurred.portrait_sha256 == face.portrait_sha256 and blurred.rig.surroundings is None
