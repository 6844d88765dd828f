"""Voices: a text becomes speech on this machine, and goes to no other.

from vivant.voices import choose_voice, language_of

language = language_of("Hello there.")
for chunk in choose_voice("auto", language).speak("Hello there.", language):
    play(chunk.samples, chunk.sample_rate_hz)
"""

from vivant.voices.choose import AUTO, choose_voice, language_of
from vivant.voices.voice import Voice, VoiceCard
from vivant.voices.wav import write_wav

__all__ = ["AUTO", "Voice", "VoiceCard", "choose_voice", "language_of", "write_wav"]
