"""Emotion of a text: words in several languages, negation, and nothing where nothing is said."""

from __future__ import annotations

import pytest

from vivant.speech.text_mood import emotion_of
from vivant.types import Emotion

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "language", "emotion"),
    [
        ("Congratulations, that is wonderful news!", "en", Emotion.HAPPY),
        ("I'm so sorry for your loss. She died last night.", "en-GB", Emotion.SAD),
        ("Ich bin wütend, das ist unerhört!", "", Emotion.ANGRY),
        ("Ten peligro, tengo miedo de la noche.", "es", Emotion.AFRAID),
        ("Quelle surprise, c'est incroyable !", "fr", Emotion.SURPRISED),
        ("Che schifo, puzza.", "it", Emotion.DISGUSTED),
        ("I am not happy with it.", "en", Emotion.NEUTRAL),
        ("The train leaves at nine from platform two.", "en", Emotion.NEUTRAL),
        ("I love it, I hate it.", "en", Emotion.NEUTRAL),
        ("Olen iloinen", "fi", Emotion.NEUTRAL),
        ("", "", Emotion.NEUTRAL),
    ],
)
def test_words_say_what_the_face_should(text: str, language: str, emotion: Emotion) -> None:
    assert emotion_of(text, language) is emotion
