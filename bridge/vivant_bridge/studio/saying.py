"""Saying: a typed text as sound, by a voice of this machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant import InputError
from vivant.errors import UnavailableError
from vivant.samples import pcm_s16le
from vivant.voices import AUTO, VoiceCard, choose_voice, language_of

MOST_CHARACTERS = 500
"""Of one text: half a minute; chosen."""
USUAL_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Said:
    """A text as sound."""

    pcm: bytes
    """16 bit, mono."""
    rate_hz: int
    card: VoiceCard
    """Of the voice that speaks."""


def voice_name() -> str | None:
    """Of the voice that would speak English; None where there is none."""
    try:
        return choose_voice(AUTO, USUAL_LANGUAGE).card.name
    except UnavailableError:
        return None


def say(text: object) -> Said:
    """Raises InputError for a text that cannot be spoken, and UnavailableError without a voice that reads its language."""
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        raise InputError(f"a text may have {MOST_CHARACTERS} characters")
    language = language_of(text)
    voice = choose_voice(AUTO, language)
    chunks = list(voice.speak(text, language))
    if not chunks:
        raise InputError("the voice found nothing in the text that it can speak")
    return Said(pcm_s16le(np.concatenate([chunk.samples for chunk in chunks])), chunks[0].sample_rate_hz, voice.card)
