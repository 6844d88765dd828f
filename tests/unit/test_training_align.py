"""Times of phones in recordings, as training takes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.speech.align import LEAST_TICKS, align, sounding
from training.speech.shards import UNKNOWN
from vivant.speech.phones import PHONE_INDEX, PHONES, SILENCE

pytestmark = pytest.mark.unit

SPOKEN = [i for i in range(len(PHONES)) if i != SILENCE]


def chances(label: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """(n, phones) what an encoder hears that is right with this chance."""
    out = np.full((len(label), len(PHONES)), (1 - sure) / (len(PHONES) - 1))
    out[np.arange(len(label)), label] = sure
    return out


@given(
    st.lists(st.tuples(st.sampled_from(SPOKEN), st.integers(LEAST_TICKS, 12)), min_size=1, max_size=8),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_what_is_heard_clearly_is_found_where_it_is(said: list[tuple[int, int]], before: int, after: int) -> None:
    label = np.array([SILENCE] * before + [p for p, n in said for _ in range(n)] + [SILENCE] * after)
    found, score = align(np.log(chances(label)), [phone for phone, _ in said])
    assert np.array_equal(found, label)
    assert score > -0.2


def test_a_phone_that_is_not_said_is_not_learnt() -> None:
    a, t, m = (PHONE_INDEX[name] for name in "atm")
    label = np.array([a] * 10 + [t] * 10)
    found, score = align(np.log(chances(label, 0.999)), [a, m, t])
    assert UNKNOWN in found
    assert m not in found
    assert score < -0.2


def test_a_voice_that_fades_is_no_silence() -> None:
    n = PHONE_INDEX["n"]
    mel = np.full((40, 40), -90.0, np.float32)
    mel[5:20] = -20.0
    mel[20:30] = -45.0
    heard = chances(np.array([SILENCE] * 5 + [n] * 15 + [SILENCE] * 20))
    found, _ = align(np.log(sounding(heard, mel) + 1e-4), [n])
    assert np.array_equal(found == n, mel[:, 0] > -60)
