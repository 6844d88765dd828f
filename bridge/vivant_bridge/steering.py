"""Steering: the words that move a running bridge, whoever says them: a key, `vivant tell`, a combination of keys elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vivant import Act, Controls, Emotion, InputError
from vivant.arguments import shown
from vivant.voices import language_of

if TYPE_CHECKING:
    from vivant_bridge.bridge import Bridge

MOODS = tuple(emotion.value for emotion in Emotion)
ACTS = tuple(act.value for act in Act)
HELP = (
    f"{', '.join(MOODS)}; toggle MOOD, hold MOOD and release; {', '.join(ACTS)}; gaze YAW PITCH, eye-contact SHARE,"
    " distance D, intensity I, head AMOUNT; say TEXT; mute, pause (on, off), portrait N, quit"
)
"""The words, for people."""


class Steering:
    """What a bridge is told. On its event loop."""

    def __init__(self, bridge: Bridge, n_portraits: int) -> None:
        self._bridge, self._n_portraits = bridge, n_portraits
        self._before: Controls | None = None
        """What a held mood has replaced."""
        self._verbs: dict[str, Callable[[Sequence[str]], Awaitable[None]]] = {
            "toggle": self._toggle,
            "hold": self._hold,
            "release": self._release,
            "gaze": self._gaze,
            "eye-contact": lambda words: self._set(eye_contact=_numbers("eye-contact", words, 1)[0]),
            "distance": lambda words: self._set(distance=_numbers("distance", words, 1)[0]),
            "intensity": lambda words: self._set(intensity=_numbers("intensity", words, 1)[0]),
            "head": lambda words: self._set(head_motion=_numbers("head", words, 1)[0]),
            "say": self._say,
            "mute": self._mute,
            "pause": self._pause,
            "portrait": self._portrait,
            "quit": self._quit,
            **{mood: self._mood(mood) for mood in MOODS},
            **{act: self._act(act) for act in ACTS},
        }

    async def obey(self, words: Sequence[str]) -> None:
        """Do what the words say. Raises InputError for others."""
        if not words or words[0] not in self._verbs:
            raise InputError(f"nothing is called {shown(' '.join(words))}; say {HELP}")
        await self._verbs[words[0]](words[1:])

    async def _set(self, **controls: object) -> None:
        supervisor = self._bridge.supervisor
        await supervisor.set_controls(replace(supervisor.controls, **controls))  # type: ignore[arg-type]

    def _mood(self, mood: str) -> Callable[[Sequence[str]], Awaitable[None]]:
        async def show(words: Sequence[str]) -> None:
            _nothing_after(mood, words)
            self._before = None
            await self._set(emotion=Emotion(mood))

        return show

    def _act(self, act: str) -> Callable[[Sequence[str]], Awaitable[None]]:
        async def begin(words: Sequence[str]) -> None:
            _nothing_after(act, words)
            await self._bridge.supervisor.act(Act(act))

        return begin

    async def _toggle(self, words: Sequence[str]) -> None:
        mood = _mood_of("toggle", words)
        is_shown = self._bridge.supervisor.controls.emotion is mood
        await self._set(emotion=Emotion.NEUTRAL if is_shown else mood)

    async def _hold(self, words: Sequence[str]) -> None:
        mood = _mood_of("hold", words)
        self._before = self._before or self._bridge.supervisor.controls
        await self._set(emotion=mood)

    async def _release(self, words: Sequence[str]) -> None:
        _nothing_after("release", words)
        if self._before is not None:
            before, self._before = self._before, None
            await self._set(emotion=before.emotion)

    async def _gaze(self, words: Sequence[str]) -> None:
        await self._set(gaze=tuple(_numbers("gaze", words, 2)))

    async def _say(self, words: Sequence[str]) -> None:
        text = " ".join(words)
        await self._bridge.say(text, language_of(text))

    async def _mute(self, words: Sequence[str]) -> None:
        self._bridge.gate.muted = _switched("mute", words, self._bridge.gate.muted)

    async def _pause(self, words: Sequence[str]) -> None:
        self._bridge.pause(_switched("pause", words, self._bridge.pacer.paused))

    async def _portrait(self, words: Sequence[str]) -> None:
        (number,) = _numbers("portrait", words, 1)
        if number not in range(1, self._n_portraits + 1):
            raise InputError(f"portrait is 1 to {self._n_portraits}, got {words[0]}")
        await self._bridge.supervisor.set_portrait(int(number) - 1)

    async def _quit(self, words: Sequence[str]) -> None:
        _nothing_after("quit", words)
        self._bridge.quit()


def _mood_of(verb: str, words: Sequence[str]) -> Emotion:
    if len(words) != 1 or words[0] not in MOODS:
        raise InputError(f"{verb} takes one of {', '.join(MOODS)}; got {shown(' '.join(words))}")
    return Emotion(words[0])


def _numbers(verb: str, words: Sequence[str], n: int) -> list[float]:
    """Their ranges are those of `Controls`."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != n:
        raise InputError(f"{verb} takes {'a number' if n == 1 else f'{n} numbers'}, got {shown(' '.join(words))}")
    return numbers


def _switched(verb: str, words: Sequence[str], is_on: bool) -> bool:
    """On, off, or without a word the other way round."""
    if not words:
        return not is_on
    if len(words) > 1 or words[0] not in ("on", "off"):
        raise InputError(f"{verb} takes on, off or nothing; got {shown(' '.join(words))}")
    return words[0] == "on"


def _nothing_after(verb: str, words: Sequence[str]) -> None:
    if words:
        raise InputError(f"{verb} takes no more words, got {shown(' '.join(words))}")
