"""A known text: how its words are read, where a voice is in it, and what that says about the sounds."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from vivant.speech.alignment import TextAligner
from vivant.speech.encoder import DELAY_TICKS, GUESSES
from vivant.speech.phones import PHONE_INDEX, PHONES, SILENCE
from vivant.speech.pronunciation import LANGUAGES, MAX_LETTERS, TextReader, guessed, pronounced
from vivant.types import Float32Array

pytestmark = pytest.mark.unit

TEXT = "Bob may pick seven apples for the old lady"
LIPS = (PHONE_INDEX["p"], PHONE_INDEX["m"])
PAST = 1 + DELAY_TICKS


def read(text: str, language: str) -> list[str]:
    """What each word sounds like."""
    reader, said = TextReader(), []
    reader.add(text, language)
    while (word := reader.next_word()) is not None:
        said.append(" ".join(PHONES[phone] for phone in word))
    return said


def path(text: str, ticks: int = 7) -> list[int]:
    """The phone of each tick of a voice that says an English text."""
    reader, said = TextReader(), [SILENCE] * (PAST + 6)
    reader.add(text, "en")
    while (word := reader.next_word()) is not None:
        said += [phone for phone in word for _ in range(ticks)]
    return said + [SILENCE] * 12


def heard(spoken: Sequence[int], sure: float, seed: int = 3) -> Float32Array:
    """(n, 1 + GUESSES, phones) an ear that gives the truth that chance, and more to another phone of each sound if unsure."""
    rng, n = np.random.default_rng(seed), len(spoken)
    chances = np.full((n, len(PHONES)), 0.1 / len(PHONES))
    place = 0
    while place < n:
        end = next((t for t in range(place, n) if spoken[t] != spoken[place]), n)
        other = rng.integers(1, len(PHONES)) if spoken[place] != SILENCE else SILENCE
        chances[place:end, spoken[place]] += 0.9 * sure
        chances[place:end, other] += 0.9 * (1 - sure)
        place = end
    ahead = np.minimum(np.arange(n)[:, None] + np.arange(1 + GUESSES), n - 1)
    return np.asarray(chances[ahead], np.float32)


def sharpened(sound: Float32Array, *pieces: str, language: str = "en") -> Float32Array:
    aligner = TextAligner()
    for piece in pieces:
        aligner.say(piece, language)
    return np.stack([aligner.push(tick) for tick in sound])


def right(chances: Float32Array, spoken: Sequence[int]) -> float:
    sounding = np.array(spoken) != SILENCE
    return float(np.mean(chances[sounding, 0].argmax(1) == np.array(spoken)[sounding]))


@pytest.mark.parametrize(
    "language, text, sounds",
    [
        ("en", "people thought psychology enough", ["p i p @ l", "th o t", "s a i k a l @ sh i", "i n @ f"]),
        ("de", "Straße glücklich", ["sh t x a s @", "k l y k l i x"]),
        ("es", "queso llama", ["k e s o", "j a m a"]),
        ("it", "gnocchi giallo", ["n o k i", "sh a l o"]),
        ("cs", "kůň člověk", ["k u n", "sh l o f j e k"]),
        ("nl", "schoen", ["s x u n"]),
        ("fr-CA", "beaucoup chanson", ["p o k u", "sh a s o"]),
        ("en", "1984 Привет 你好 🙂 b4", ["", "", "", ""]),
        ("xx", "whatever", [""]),
    ],
)
def test_letters_become_phones_where_there_is_a_rule(language: str, text: str, sounds: list[str]) -> None:
    assert read(text, language) == sounds


def test_the_language_of_a_text_is_guessed() -> None:
    texts = ("this is what we have", "das ist nicht für mich", "el perro y los niños", "non è per me", "to je jak jsem byl",
             "dat is niet voor mij", "je ne suis pas dans la maison")  # fmt: skip
    assert [guessed(text) for text in texts] == ["en", "de", "es", "it", "cs", "nl", "fr"]
    assert guessed("") == guessed("xyzzy 12") == "en"


def test_a_true_text_decides_where_the_ear_is_unsure() -> None:
    spoken = path(TEXT)
    sound = heard(spoken, sure=0.4)
    assert right(sound, spoken) < 0.15
    known = sharpened(sound, TEXT)
    assert right(known, spoken) > 0.9
    lips = known[:, 0][:, [PHONE_INDEX["p"], PHONE_INDEX["m"]]].sum(1)
    spans = [(t, t + 7) for t in range(1, len(spoken)) if spoken[t] != spoken[t - 1] and spoken[t] in LIPS]
    assert len(spans) == 5 and all(lips[start:end].max() > 0.7 for start, end in spans)  # every closure is there


def test_another_text_leaves_a_sure_ear_as_it_is() -> None:
    spoken = path(TEXT)
    sound = heard(spoken, sure=0.9)
    told = sharpened(sound, "Where were you yesterday evening when nobody came home")
    assert right(told, spoken) > right(sound, spoken) - 0.02


def test_words_left_out_and_words_added_are_got_over() -> None:
    spoken = path(TEXT + " " + TEXT)
    sound = heard(spoken, sure=0.6)
    told = sharpened(sound, "Bob may pick seven big red apples 33 for lady Bob may pick seven apples for the old lady")
    assert right(told, spoken) > 0.9
    assert right(told[-150:], spoken[-150:]) > 0.98


def test_without_a_text_and_after_its_end_the_sound_is_untouched() -> None:
    sound = heard(path(TEXT), sure=0.5)
    aligner = TextAligner()
    assert all(aligner.push(tick) is tick for tick in sound)
    aligner.say(TEXT, "en")
    aligner.end()
    assert all(aligner.push(tick) is tick for tick in sound)


def test_a_text_in_pieces_is_the_same_text() -> None:
    sound = heard(path(TEXT), sure=0.4)
    assert np.array_equal(sharpened(sound, *TEXT), sharpened(sound, TEXT))


def test_a_text_may_come_while_it_is_spoken() -> None:
    """Two letters every 70 ms, a little faster than they are spoken, cut within words."""
    spoken = path(TEXT)
    sound, aligner, known = heard(spoken, sure=0.4), TextAligner(), []
    for t, tick in enumerate(sound):
        if t % 7 == 0:
            aligner.say(TEXT[2 * t // 7 : 2 * t // 7 + 2], "en")
        known.append(aligner.push(tick))
    assert right(np.stack(known), spoken) > 0.85


def test_what_was_heard_of_a_text_goes_into_a_copy() -> None:
    """A stream is copied to hear the silence after its end."""
    sound, aligner = heard(path(TEXT), sure=0.4), TextAligner()
    aligner.say(TEXT, "en")
    for tick in sound[:90]:
        aligner.push(tick)
    twin = copy.deepcopy(aligner)
    ahead = [twin.push(tick) for tick in sound[90:]]
    assert all(np.array_equal(aligner.push(tick), known) for tick, known in zip(sound[90:], ahead, strict=True))


def test_a_word_may_become_unreadable_while_it_is_spoken() -> None:
    sound, aligner = heard(path("people"), sure=0.9), TextAligner()
    aligner.say("people", "en")
    for t, tick in enumerate(sound):
        if t == 40:
            aligner.say("2people", "en")
        assert np.isfinite(aligner.push(tick)).all()


@examples(25)
@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from([*LANGUAGES, "", "tlh", "\x00", "de_AT"]))
def test_any_text_leaves_chances_chances(pieces: list[str], language: str) -> None:
    sound, aligner = heard(path("any thing"), sure=0.6), TextAligner()
    told = np.empty_like(sound)
    for t, tick in enumerate(sound):
        if t % 9 == 0 and t // 9 < len(pieces):
            aligner.say(pieces[t // 9], language)
        told[t] = aligner.push(tick)
    assert told.shape == sound.shape and told.dtype == np.float32
    assert np.all(told >= 0) and np.allclose(told.sum(2), 1, atol=1e-4)


@pytest.mark.parametrize("text", ["word " * 20_000, "a" * 100_000, "字" * 100_000, "🙂 " * 50_000, "é'" * 50_000])
def test_a_long_text_is_read_no_faster_than_it_is_spoken(text: str) -> None:
    told = sharpened(heard(path("any"), sure=0.6), text)
    assert np.isfinite(told).all()


def test_a_word_of_any_length_is_read_or_left() -> None:
    assert len(pronounced("a" * MAX_LETTERS, "en")) > 0 and pronounced("a" * (MAX_LETTERS + 1), "en") == ()


@pytest.mark.full
@pytest.mark.parametrize("text", ["a" * 100_000, "e\u0301" * 50_000, "a'" * 50_000])
def test_a_word_without_end_is_read_in_short_parts(text: str) -> None:
    reader = TextReader()
    reader.add(text, "en")
    n_words = 0
    while reader.next_word() is not None:
        n_words += 1
    assert n_words > len(text) / (20 * MAX_LETTERS)


def test_long_words_make_the_window_no_larger_than_many_short_ones() -> None:
    aligner = TextAligner()
    aligner.say("abcdefghijklmnoprstuvwxyzabcdefghijklm " * 20, "en")
    heard = np.full((1 + GUESSES, len(PHONES)), 1 / len(PHONES), np.float32)
    for _ in range(PAST + 1):
        aligner.push(heard)
    assert len(aligner._window.words) >= 3 and len(aligner._window.sounds) < 400


def test_words_are_not_kept() -> None:
    assert not hasattr(pronounced, "cache_info")
