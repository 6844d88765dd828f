"""Where in a known text a voice is, and what that says about its sounds: a left-to-right hidden Markov model, as it streams.

    text ──► phones of its words ─┐
    sound ─► encoder ─► chances ──┴─► [forward, and back from the encoder's guesses] ─► sharper chances

A word is a pause that may be left out and its phones. Beside each word stands a *free* state that trusts the sound alone, for
texts may be wrong, words left out, added or unreadable. Whoever is lost there finds back where a word fits. Nothing is delayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vivant.speech.encoder import DELAY_TICKS
from vivant.speech.phones import CLASS_OF, PHONE_INDEX, PHONES, SILENCE
from vivant.speech.pronunciation import Phones, TextReader
from vivant.types import Float32Array

Chances = NDArray[np.float64]

# Chosen on 11 sentences of two natural voices and 12 of espeak-ng, none of them in the table of docs/speech.md, by what a true
# text brings and another one harms.
_WORDS = 12
"""That are looked at, from where the voice is: about 4 s."""
_PHONES = 120
"""Of those words, about: what many long ones would cost grows with the square. Chosen: usual words have half as many."""
_TEMPER = 0.5
"""Exponent of the chances: those of neighbouring ticks are hardly independent."""
_DOUBT = 0.2
"""What a sound is worth in the free state, of the likeliest sound: the less, the longer a text is believed."""
_TRUST = 0.8
"""Of the text where the voice surely is in it."""
_STATES = 2
"""Of a phone in a row, so that none is shorter than 20 ms."""
_STAYS, _PAUSE_STAYS, _UNREAD_STAYS = 0.7, 0.93, 0.97
"""Per tick, in a state of a phone, in a pause, in a word that no rule can read."""
_PAUSES, _SKIPS = 0.15, 0.02
"""Between two words; over the next phone."""
_LOST, _FOUND, _MOVES_ON = 0.002, 0.002, 0.02
"""Per tick: from a word to the free state before or behind it; from there into the word; on to the next one."""
_SAME_CLASS, _SAME_KIND, _ANY_OTHER, _SILENT = 0.15, 0.03, 0.003, 0.03
"""How well a phone explains another sound: of its class; vowel for vowel, consonant for consonant; any; silence."""
_PASSED = 1e-5
"""A word is left behind when it is less likely."""

_UNREAD = len(PHONES)
"""Fits every sound alike: of the free states, and in the place of words without a rule."""
_VOWELS = tuple(PHONE_INDEX[phone] for phone in ("i", "y", "e", "a", "@", "o", "u", "ih"))


def _explains() -> Chances:
    """(phones, phones) how well the first, if it is in the text, explains the second, if it is heard."""
    kinds = np.isin(np.arange(len(PHONES)), _VOWELS)
    classes = np.array(CLASS_OF)
    share = np.where(kinds[:, None] == kinds, _SAME_KIND, _ANY_OTHER)
    share[classes[:, None] == classes] = _SAME_CLASS
    share[:, SILENCE] = _SILENT
    share[SILENCE] = _ANY_OTHER
    np.fill_diagonal(share, 1.0)
    return share


_EXPLAINED = _explains().T


class TextAligner:
    """One stream. What `PhoneEncoder.push` gives in; the same, sharpened by the text, out; without a text untouched."""

    def __init__(self) -> None:
        self._reader = TextReader()
        self._window = _Window([])
        self._state = np.ones(1)
        self._n_heard = 0
        self._due: deque[tuple[int, str | None, str]] = deque()
        """From which tick on a text, or None for its end, counts: the encoder still speaks of what was before."""

    def say(self, text: str, language: str) -> None:
        """What the sound that follows says, or goes on to say."""
        self._due.append((self._n_heard + 1 + DELAY_TICKS, text, language))

    def end(self) -> None:
        """What follows says something else."""
        self._due.append((self._n_heard + 1 + DELAY_TICKS, None, ""))

    def push(self, heard: Float32Array) -> Float32Array:
        """Take and give (1 + GUESSES, phones), of the next tick."""
        if self._due and self._due[0][0] <= self._n_heard:
            self._follow_text()
        self._n_heard += 1
        if not self._window.words:
            return heard
        chances = heard.astype(np.float64)
        states = self._walk(_fit(chances)[:, self._window.sounds])
        said = states @ self._window.phones
        sharper = _TRUST * said + (1 - _TRUST * said.sum(1, keepdims=True)) * chances
        self._leave_passed()
        return np.asarray(sharper, np.float32)

    def _walk(self, fit: Chances) -> Chances:
        """(1 + GUESSES, states) where in the text each tick is, by all ticks so far and the guesses after them."""
        moves, forward = self._window.moves, np.empty_like(fit)
        state = self._state
        for tick, fits in enumerate(fit):
            forward[tick] = state = (state @ moves) * fits
        self._state = forward[0] / forward[0].sum()
        backward = np.ones(fit.shape[1])
        for tick in range(len(fit) - 1, -1, -1):
            forward[tick] *= backward
            backward = moves @ (backward * fit[tick])
        forward /= forward.sum(1, keepdims=True)
        return forward

    def _follow_text(self) -> None:
        """Whatever is due by this tick."""
        while self._due and self._due[0][0] <= self._n_heard:
            _, text, language = self._due.popleft()
            if text is None:
                self._reader, self._window, self._state = TextReader(), _Window([]), np.ones(1)
            elif self._reader.add(text, language) and self._window.words:
                self._reader.read_again()
                self._look_at(self._window.words[:-1], 0)  # the last word goes on
        self._look_at(self._window.words, 0)

    def _leave_passed(self) -> None:
        window = self._window
        before = self._state[: window.starts[1]].sum() + self._state[window.starts[-1]]
        if before < _PASSED:
            self._look_at(window.words[1:], 1)

    def _look_at(self, words: Sequence[Phones], n_passed: int) -> None:
        """Those words and further ones from the text, the first being the one after so many of the window's."""
        old, state = self._window, self._state
        chosen = list(words)
        while len(chosen) < _WORDS and sum(map(len, chosen)) < _PHONES:
            if (word := self._reader.next_word()) is None:
                break
            chosen.append(word)
        self._window = new = _Window(chosen)
        self._state = np.zeros(len(new.sounds))
        line, beyond = np.split(state[old.starts[n_passed] : old.starts[-1]], [new.starts[-1]])
        free = state[old.starts[-1] + n_passed :]
        self._state[: len(line)] = line
        self._state[new.starts[-1] :][: len(free)] = free
        self._state[-1] += beyond.sum()  # in a word that became shorter by going on
        if not old.words:  # the first words may begin at once
            self._state[0] += 1.0
        self._state /= self._state.sum()


def _fit(chances: Chances) -> Chances:
    """(n, phones + 1) how well each phone of a text, and last the free state, fits what is heard."""
    fit = np.column_stack([chances @ _EXPLAINED, _DOUBT * chances.max(1)])
    return np.asarray(fit**_TEMPER)


class _Window:
    """The words that are looked at as one model. Its states: the units of all words in a row; then the free states, one before
    each word and one after the last."""

    def __init__(self, words: Sequence[Phones]) -> None:
        units = [_units(word) for word in words]
        self.words = words
        self.starts: list[int] = [0, *np.cumsum([len(word) for word in units], dtype=int).tolist()]
        n_free = len(words) + 1
        self.sounds = np.array([*(unit for word in units for unit in word), *[_UNREAD] * n_free])
        self.phones = np.eye(len(PHONES) + 1)[self.sounds][:, : len(PHONES)]
        """(states, phones) what is said in each; a pause says no more than the sound does."""
        self.phones[:, SILENCE] = 0.0
        self.moves = np.zeros((len(self.sounds),) * 2)
        for k in range(len(words)):
            self._connect(k, units[k])
        self.moves[-1, -1] = 1.0

    def _connect(self, k: int, units: list[int]) -> None:
        """Where one goes from the k-th word and from the free state before it."""
        start, end, free, moves = self.starts[k], self.starts[k + 1], self.starts[-1] + k, self.moves
        for i, unit in enumerate(units, start):
            stays = _UNREAD_STAYS if unit == _UNREAD else _PAUSE_STAYS if unit == SILENCE else _STAYS
            goes = (1 - 2 * _LOST) * (1 - stays)
            moves[i, i] = (1 - 2 * _LOST) * stays
            moves[i, [free, free + 1]] = _LOST
            if unit in (SILENCE, _UNREAD):
                moves[i, i + 1 if i + 1 < end else self._entry(k + 1)] += goes
            elif i + 1 < end:
                skips_to = i + 1 + _STATES if i + 1 + _STATES < end else self._entry(k + 1)
                moves[i, i + 1] += goes * (1 - _SKIPS)
                moves[i, skips_to] += goes * _SKIPS
            else:
                pause = self.starts[k + 1] if k + 1 < len(self.words) else self._entry(k + 1)
                moves[i, pause] += goes * _PAUSES
                moves[i, self._entry(k + 1)] += goes * (1 - _PAUSES)
        moves[free, [self._entry(k), free + 1, free]] = _FOUND, _MOVES_ON, 1 - _FOUND - _MOVES_ON

    def _entry(self, k: int) -> int:
        """Where the sounds of a word begin, past its pause; behind the last word, the last free state."""
        if k == len(self.words):
            return len(self.sounds) - 1
        return int(self.starts[k]) + int(self.sounds[self.starts[k]] == SILENCE)


def _units(word: Phones) -> list[int]:
    return [SILENCE, *np.repeat(word, _STATES).tolist()] if word else [_UNREAD]
