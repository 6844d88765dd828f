"""What does a known text bring? ``python -m benchmarks text [--voices FOLDER ...] [--card FILE.md]``

Each voice is heard alone, with its own text, and with another of its sentences instead: the classes heard as in
`benchmarks.lipsync`, and whether the lips touch where they should. Voices are espeak-ng's that training never heard (needs
espeak-ng, Django, babel; exact times), and folders of English recordings with their texts (``NAME.wav``, ``NAME.txt``; needs
pocketsphinx, which says when each phone is spoken).
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lipsync import CLOSED, labels
from benchmarks.report import markdown, put
from benchmarks.voice import lip_gap, read_voice
from training.speech.align import align_english
from training.speech.make import HELD_VARIANTS
from training.speech.texts import sentence
from training.speech.voices import Espeak, Phones
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.speech.alignment import TextAligner
from vivant.speech.articulation import AHEAD
from vivant.speech.encoder import PhoneEncoder
from vivant.speech.phones import CLASS_OF, PHONE_INDEX
from vivant.speech.resample import HOP, RATE_HZ, Resampler
from vivant.speech.spectrum import WINDOW, power_spectrum, windows_of
from vivant.types import AudioChunk, Controls, Float32Array

LANGUAGES = {"en": "en-us", "de": "de", "es": "es", "it": "it", "cs": "cs", "nl": "nl", "fr": "fr"}
HEAD = ("classes right; lips touch in p b m; in t d k s n l", "sound alone", "with its text", "with another text")
LIPS, TONGUE = ([PHONE_INDEX[phone] for phone in group] for group in (("p", "m"), ("t", "k", "s", "n", "l")))


@dataclass(frozen=True, slots=True)
class Said:
    """(n,) samples at 16 kHz, what they say, and when."""

    samples: Float32Array
    text: str
    language: str
    phones: Phones


@dataclass
class Score:
    """Counts over a voice's sentences."""

    right: int = 0
    ticks: int = 0
    shut: int = 0
    lips: int = 0
    touched: int = 0
    tongue: int = 0
    cost_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.right / self.ticks:.1%}; {self.shut / max(self.lips, 1):.0%}; {self.touched / max(self.tongue, 1):.0%}"


def synthetic(seconds: float) -> Iterator[tuple[str, list[Said]]]:
    """Sentences and words at random, by voices that training never heard."""
    espeak, rng = Espeak(), np.random.default_rng(78)
    for language, name in LANGUAGES.items():
        said: list[Said] = []
        while sum(len(one.samples) for one in said) < seconds * RATE_HZ:
            text = f"{sentence(language, rng)}. {sentence(language, rng)}"
            voice = f"{name}+{rng.choice(HELD_VARIANTS)}"
            spoken = espeak.speak(text, voice, words_per_min=int(rng.uniform(120, 220)), pitch=int(rng.uniform(15, 85)))
            said.append(Said(at_16_khz(spoken.samples, spoken.rate_hz), text, language, spoken.phones))
        yield f"espeak-ng, {language}", said


def recorded(folder: Path, seconds: float) -> list[Said]:
    """English recordings whose every word the aligner knows."""
    said: list[Said] = []
    for path in sorted(folder.glob("*.wav")):
        samples, text = at_16_khz(*read_voice(path)), path.with_suffix(".txt").read_text()
        if sum(len(one.samples) for one in said) < seconds * RATE_HZ and (phones := align_english(samples, text)):
            said.append(Said(samples, text, "en", phones))
    return said


def at_16_khz(samples: Float32Array, rate_hz: int) -> Float32Array:
    return np.concatenate(Resampler(rate_hz).push(samples))


def score(said: Sequence[Said], texts: Sequence[str]) -> Score:
    """Of every sentence with the text beside it."""
    total = Score()
    for one, text in zip(said, texts, strict=True):
        n = len(one.samples) * 100 // RATE_HZ
        sounds = sounds_heard(one, text, total)
        total.right += int(np.sum(np.array(CLASS_OF)[sounds[:n]] == np.array(CLASS_OF)[labels(one.phones, n)]))
        total.ticks += n
        gap = gap_of(one, text)
        for phone, start_s, end_s in one.phones:
            start, end = int(start_s * 100), int(end_s * 100)
            if phone in LIPS and end + 2 < len(gap):
                total.lips, total.shut = total.lips + 1, total.shut + int(gap[start : end + 2].min() < CLOSED)
            if phone in TONGUE and end_s - start_s > 0.02:
                total.tongue, total.touched = total.tongue + 1, total.touched + int(gap[start:end].min() < CLOSED)
    return total


def sounds_heard(one: Said, text: str, total: Score) -> NDArray[np.int64]:
    """(n,) the likeliest phone every 10 ms; what the text costs is added to the total."""
    hops = Resampler(RATE_HZ).push(np.concatenate([one.samples, np.zeros(RATE_HZ // 4, np.float32)]))
    power = power_spectrum(windows_of(np.concatenate([np.zeros(WINDOW - HOP, np.float32), *hops])))
    chances, aligner = PhoneEncoder().push(power), TextAligner()
    began_s = time.process_time()
    aligner.say(text, one.language)
    known = np.stack([aligner.push(tick)[0] for tick in chances])
    total.cost_s += time.process_time() - began_s
    return np.asarray(known[1 + AHEAD :].argmax(1))


def gap_of(one: Said, text: str) -> NDArray[np.float64]:
    """(n,) of the lips every 10 ms."""
    state, controls = ArticulatoryMotion().open(Fraction(50), 1), Controls()
    state.say_text(text, one.language)
    frames = state.push(AudioChunk(one.samples, RATE_HZ), controls) + state.flush(controls)
    gap = lip_gap(np.stack([frame.weights for frame in frames]))
    return np.interp(np.arange(len(one.samples) * 100 // RATE_HZ) / 100, np.arange(len(gap)) / 50, gap)


def lines(voices: Iterable[tuple[str, list[Said]]]) -> Iterator[tuple[str, str, str, str]]:
    """A line of the table for each voice, then what a text costs."""
    cost_s, ticks = 0.0, 0
    for name, said in voices:
        true = [one.text for one in said]
        alone, known, other = (score(said, texts) for texts in ([""] * len(said), true, true[1:] + true[:1]))
        cost_s, ticks = cost_s + known.cost_s, ticks + known.ticks
        yield f"{name}: {known.ticks / 100:.0f} s, {known.lips} p b m", f"{alone}", f"{known}", f"{other}"
    yield "cost, ms per tick of 10 ms", "0", f"{1000 * cost_s / ticks:.2f}", ""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each voice")
    parser.add_argument("--card", type=Path, metavar="FILE.md", help="put the table between its marks")
    args = parser.parse_args(argv)
    natural = ((folder.name, recorded(folder, args.seconds)) for folder in args.voices)
    table = markdown([HEAD, *lines(itertools.chain(natural, synthetic(args.seconds)))])
    print(table)
    if args.card:
        put(args.card, "text", table)


if __name__ == "__main__":
    main()
