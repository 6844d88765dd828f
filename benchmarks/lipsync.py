"""Do the lips say what the voice says? ``python -m benchmarks.lipsync [--packages DIR] [--voices FOLDER ...] [--card FILE.md]``

Needs espeak-ng, flite and festival; for real prompts pocketsphinx and Debian's asterisk sounds, unpacked (`training/speech`).
The voices are those that training holds out. Lengths are in outer-eye distances.
"""

from __future__ import annotations

import argparse
import itertools
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from benchmarks.first_light import first_light_weights
from benchmarks.report import Row, markdown, put, show, voice
from benchmarks.voice import best_lag_ms, energy_curve, lip_gap, mouth_width
from training.speech import make
from training.speech.align import align_english
from training.speech.english import utterances
from training.speech.prompts import HELD_SPEAKERS, asterisk_texts, read_g722
from training.speech.sound import trimmed
from training.speech.voices import Phones, Utterance, flite
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.speech.articulation import AHEAD
from vivant.speech.encoder import PhoneEncoder
from vivant.speech.phones import CLASS_OF, PHONE_INDEX, PHONES
from vivant.speech.resample import HOP, Resampler
from vivant.speech.spectrum import WINDOW, power_spectrum, windows_of
from vivant.types import AudioChunk, Controls, Float32Array

Curve = NDArray[np.float64]
SECONDS_PER_VOICE = 60.0
# How far lips part and how wide they are drawn in each phone, as textbooks have it: what curves are correlated with.
OPENING = dict(zip(PHONES, (0, 0, 0, 0.1, 0.25, 0.22, 0.25, 0.33, 0.15, 0.2, 0.3, 0.28, 0.35, 0.25, 0.28, 0.1,
                            0.32, 0.25, 0.6, 1.0, 0.5, 0.6, 0.2, 0.35), strict=True))  # fmt: skip
WIDTH = dict(zip(PHONES, (0.45, 0.45, 0.45, 0.5, 0.5, 0.55, 0.52, 0.5, 0.6, 0.25, 0.5, 0.5, 0.5, 0.35, 0.7, 0.05,
                          0.9, 0.1, 0.75, 0.6, 0.5, 0.2, 0.05, 0.5), strict=True))  # fmt: skip
SMOOTH_TICKS = 3.4
"""Standard deviation of 80 ms full width: how quickly lips follow phones."""
CLOSED = 0.01


def labels(phones: Phones, n: int) -> NDArray[np.int64]:
    """(n,) phone of every 10 ms."""
    label = np.zeros(n, np.int64)
    for phone, start_s, end_s in phones:
        label[int(np.ceil(start_s * 100)) : int(np.ceil(end_s * 100))] = phone
    return label


def held_voices() -> Iterator[tuple[str, list[Utterance]]]:
    """A minute each of voices and languages that training never heard."""
    rng = np.random.default_rng(77)
    for name, said in (("flite rms", make._by_flite("held", rng)), ("festival", make._by_festival("held", rng)),
                       ("espeak", make._by_espeak("held", rng))):  # fmt: skip
        spent: dict[str, float] = {}
        found: dict[str, list[Utterance]] = {}
        for utterance in itertools.islice(said, 400):
            seconds = len(utterance.samples) / utterance.rate_hz
            if seconds > 1 and spent.get(utterance.voice, 0.0) < SECONDS_PER_VOICE:
                found.setdefault(utterance.voice, []).append(utterance)
                spent[utterance.voice] = spent.get(utterance.voice, 0.0) + seconds
            if sum(spent.values()) > 6 * SECONDS_PER_VOICE or (name != "espeak" and min(spent.values(), default=0) > 60):
                break
        if name == "espeak":
            yield "espeak, other languages and variants", [u for group in found.values() for u in group]
        else:
            yield from found.items()


def prompts(packages: Path, folder: str = "en_US_f_Allison", most: int = 120) -> list[Utterance]:
    """Real recordings that training never heard, with the phones that pocketsphinx aligns to their text."""
    sounds = packages / "usr/share/asterisk/sounds" / folder
    texts = asterisk_texts(packages, HELD_SPEAKERS[folder][0])
    found: list[Utterance] = []
    for name, text in texts.items():
        path = sounds / f"{name}.g722"
        if len(text.split()) >= 4 and path.exists() and len(found) < most:
            samples, rate_hz = read_g722(path)
            samples = trimmed(samples, rate_hz)  # the aligner knows no silence at the ends
            phones = align_english(samples, text)
            if phones:
                found.append(Utterance(samples, rate_hz, phones, folder))
    return found


def heard(samples: Float32Array, rate_hz: int) -> NDArray[np.int64]:
    """(n,) the phone that the shipped encoder hears every 10 ms."""
    hops = Resampler(rate_hz).push(np.concatenate([samples, np.zeros(rate_hz // 4, np.float32)]))
    power = power_spectrum(windows_of(np.concatenate([np.zeros(WINDOW - HOP, np.float32), *hops])))
    found: NDArray[np.int64] = PhoneEncoder().push(power)[:, 0].argmax(1)
    return found[1 + AHEAD : 1 + AHEAD + len(samples) * 100 // rate_hz]


def accuracy(said: Sequence[Utterance]) -> float:
    """Share of ticks whose class is heard."""
    of, right, total = np.array(CLASS_OF), 0, 0
    for utterance in said:
        found = heard(utterance.samples, utterance.rate_hz)
        right += int(np.sum(of[found] == of[labels(utterance.phones, len(found))]))
        total += len(found)
    return right / max(total, 1)


@dataclass(frozen=True)
class Drawn:
    """What the model makes of sound, every 10 ms."""

    weights: NDArray[np.float32]
    gap: Curve
    width: Curve
    cost: float
    """Processor seconds per second."""


def drawn(samples: Float32Array, rate_hz: int) -> Drawn:
    state, controls, frames = ArticulatoryMotion().open(Fraction(50), 1), Controls(), []
    began = time.process_time()
    for start in range(0, len(samples), rate_hz // 50):
        frames += state.push(AudioChunk(samples[start : start + rate_hz // 50], rate_hz, start), controls)
    frames += state.flush(controls)
    cost = (time.process_time() - began) * rate_hz / len(samples)
    at, place = np.arange(len(frames)) / 50, np.arange(len(samples) * 100 // rate_hz) / 100
    weights = np.stack([frame.weights for frame in frames])
    fine = np.stack([np.interp(place, at, column) for column in weights.T], 1).astype(np.float32)
    return Drawn(fine, lip_gap(fine), mouth_width(fine), cost)


def phone_curve(phones: Phones, n: int, values: dict[str, float]) -> Curve:
    """(n,) what the phones ask for, smoothed as lips move."""
    wanted = np.array([values[phone] for phone in PHONES])[labels(phones, n)]
    smooth: Curve = gaussian_filter1d(wanted, SMOOTH_TICKS)
    return smooth


def joined(said: Sequence[Utterance]) -> tuple[Float32Array, int, Phones]:
    """One stream of several utterances."""
    rate_hz, samples, phones, offset_s = said[0].rate_hz, [], [], 0.0
    for utterance in said:
        if utterance.rate_hz != rate_hz:
            continue
        samples.append(utterance.samples)
        phones += [(phone, a + offset_s, b + offset_s) for phone, a, b in utterance.phones]
        offset_s += len(utterance.samples) / rate_hz
    return np.concatenate(samples), rate_hz, phones


def voice_rows(name: str, said: Sequence[Utterance], target: str = ">= 80 %") -> list[Row]:
    """One voice against energy and the first release, and its closures."""
    samples, rate_hz, phones = joined(said)
    mine = drawn(samples, rate_hz)
    n = len(mine.gap)
    wanted = phone_curve(phones, n, OPENING)
    lag_ms, _ = best_lag_ms(mine.gap, wanted, 10)
    scores = [
        np.corrcoef(curve, wanted)[0, 1]
        for curve in (
            mine.gap,
            lip_gap(first_light_weights(samples, rate_hz)[:n].astype(np.float32)),
            energy_curve(samples, rate_hz, n),
        )
    ]
    width = np.corrcoef(mine.width, phone_curve(phones, n, WIDTH))[0, 1]
    lips = {PHONE_INDEX["p"], PHONE_INDEX["m"]}
    spans = [(phone in lips, int(a * 100), int(b * 100) + 2) for phone, a, b in phones if phone != 0]
    shut = [mine.gap[a:b].min() < CLOSED for is_lips, a, b in spans if is_lips and b < n]
    tongue = {PHONE_INDEX[x] for x in ("t", "k", "s", "n", "l")}
    others = [
        mine.gap[int(a * 100) : int(b * 100)].min() < CLOSED for phone, a, b in phones if phone in tongue and b - a > 0.02
    ]
    return [
        Row(f"{name}: classes heard", target, f"{accuracy(said):.1%}"),
        Row(f"{name}: opening with phones, r; first release; energy", "ahead of both", " / ".join(f"{x:.2f}" for x in scores)),
        Row(f"{name}: width with phones, r", "", f"{width:.2f}"),
        Row(f"{name}: mouth behind phones, ms", "-40 to +40", f"{lag_ms:+.0f}"),
        Row(
            f"{name}: lips touch in p b m; in t d k s n l",
            ">= 95 %; few",
            f"{np.mean(shut):.0%} of {len(shut)}; {np.mean(others):.0%}",
        ),
    ]


def silence_rows() -> list[Row]:
    """Ten seconds without a voice between two with one."""
    speech, rate_hz = voice()
    rng = np.random.default_rng(5)
    rows = []
    for name, made in (("digital silence", np.zeros(160_000, np.float32)), ("room and fan at -45 dB", 0.0056 * _fan(rng)),
                       ("fan at -30 dB", 0.03 * _fan(rng)), ("music at -26 dB", 0.05 * _music(rng))):  # fmt: skip
        between = np.interp(np.arange(10 * rate_hz) / rate_hz, np.arange(160_000) / 16_000, made).astype(np.float32)
        ratio, gap = _motion_without_voice(speech, between, rate_hz)
        rows.append(
            Row(
                f"mouth motion without a voice, of that with one; widest gap: {name}",
                "<= .05; <= .02",
                f"{ratio:.3f}; {gap:.3f}",
            )
        )
    return rows


def _fan(rng: np.random.Generator) -> Float32Array:
    from training.speech.sound import _coloured, _hum

    made = _coloured(160_000, 1.2, rng) + 0.3 * _hum(np.arange(160_000) / 16_000, 110, rng)
    scaled: Float32Array = (made / made.std()).astype(np.float32)
    return scaled


def _music(rng: np.random.Generator) -> Float32Array:
    from training.speech.sound import _music as music

    made = music(160_000, rng)
    scaled: Float32Array = (made / made.std()).astype(np.float32)
    return scaled


def _motion_without_voice(speech: Float32Array, between: Float32Array, rate_hz: int) -> tuple[float, float]:
    """The noise lies under the speech too."""
    bed = np.resize(between, len(speech))
    mine = drawn(np.concatenate([speech + bed, between, speech + bed]), rate_hz)
    start = len(speech) * 100 // rate_hz
    quiet, loud = mine.gap[start + 60 : start + 1000 - 40], mine.gap[: start - 40]
    return float(np.abs(np.diff(quiet)).sum() / len(quiet) / (np.abs(np.diff(loud)).sum() / len(loud))), float(quiet.max())


def cost_rows() -> list[Row]:
    samples, rate_hz = voice()
    mine = drawn(np.tile(samples, 3), rate_hz)
    return [
        Row(
            "look-ahead and computing, microphone to motion, ms",
            "<= 120",
            f"{ArticulatoryMotion.look_ahead_ms + 10 * mine.cost:.0f}",
        ),
        Row("computing, share of one core", "<= 10 %", f"{mine.cost:.1%}"),
    ]


def endless_row(hours: float) -> Row:
    """The bundled voice with pauses, for hours, in pieces of 20 ms: frames against the sound, and memory."""
    samples, rate_hz = voice()
    state, controls, frames, start = ArticulatoryMotion().open(Fraction(25), 1), Controls(), 0, 0
    rng, last_us, settled_kb = np.random.default_rng(4), -40_000, 0
    while start < hours * 3600 * rate_hz:
        pause = np.zeros(int(rate_hz * rng.uniform(0, 4)), np.float32)
        for piece in np.array_split(np.concatenate([samples, pause]), 1000):
            for frame in state.push(AudioChunk(piece, rate_hz, start), controls):
                assert frame.pts_us == last_us + 40_000, "a frame is missing or twice"
                frames, last_us = frames + 1, frame.pts_us
            start += len(piece)
        settled_kb = settled_kb or (resident_kb() if start > 300 * rate_hz else 0)
    off = (start * 1000 // rate_hz - ArticulatoryMotion.look_ahead_ms) // 40 + 1 - frames
    grown_mb = (resident_kb() - settled_kb) / 1000
    return Row(f"{hours:g} h of sound: frames off, memory", "0, constant", f"{off}, {grown_mb:+.1f} MB after the first 5 min")


def resident_kb() -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


def natural_row(folder: Path, most: int = 60) -> Row:
    """Recordings NAME.wav with their English text beside them (NAME.txt), times by pocketsphinx."""
    said = list(itertools.islice(utterances(folder), most))
    return Row(f"{folder.name}: classes heard (times by an aligner)", "", f"{accuracy(said):.1%} of {len(said)} recordings")


def rows(packages: Path | None, voices: Sequence[Path], hours: float) -> list[Row]:
    found: list[Row] = []
    for name, said in held_voices():
        found += voice_rows(name, said)
    if packages:
        truth, aligner_right = prompts(packages), aligner_accuracy()
        found += voice_rows("real English prompts (times by an aligner)", truth, ">= 65 %")
        found.append(Row("the aligner itself on synthetic speech: classes right", "", f"{aligner_right:.1%}"))
    found += [natural_row(folder) for folder in voices]
    return found + silence_rows() + cost_rows() + ([endless_row(hours)] if hours else [])


def aligner_accuracy() -> float:
    """Of pocketsphinx against the exact times of a synthetic voice that says known words."""
    of, right, total = np.array(CLASS_OF), 0, 0
    for text in ALIGNED:
        exact = flite(text, "slt")
        phones = align_english(exact.samples, text)
        n = len(exact.samples) * 100 // exact.rate_hz
        if phones:
            right += int(np.sum(of[labels(phones, n)] == of[labels(exact.phones, n)]))
            total += n
    return right / max(total, 1)


ALIGNED = (
    "my mother bought five fresh mushrooms and a bottle of apple juice",
    "she sees the sea and he feels the breeze",
    "father saw the car park far beyond the farm",
    "maybe we should meet more people before summer",
    "please enter the number of the person you wish to call",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="unpacked asterisk sounds")
    parser.add_argument("--voices", type=Path, nargs="*", default=[], metavar="FOLDER", help="recordings with English text")
    parser.add_argument("--hours", type=float, default=2.0, help="of sound for the last row; 0 leaves it out")
    parser.add_argument("--card", type=Path, metavar="FILE.md", help="put the table between its marks")
    args = parser.parse_args(argv)
    found = rows(args.packages, args.voices, args.hours)
    show(found)
    if args.card:
        put(args.card, "lipsync", markdown([("what", "target", "measured"), *((r.what, r.target, r.measured) for r in found)]))


if __name__ == "__main__":
    main()
