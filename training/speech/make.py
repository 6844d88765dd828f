"""Make speech to learn from: synthesised sentences in many languages and voices as mel levels with the phone of every 10 ms.

python -m training.speech.make --out DIR --hours 30 [--part train|held|english] [--workers 2]

Shards that are there already are kept, so the command goes on where it stopped; the same seed gives the same shards.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from training.speech.shards import NOISE, Shard, ShardWriter
from training.speech.sound import hear, noise, worn
from training.speech.texts import sentence
from training.speech.voices import Espeak, Utterance, festival, flite
from vivant.types import Float32Array

LANGUAGES = {  # Django's locale: espeak-ng's voice
    "en": "en-us en en-gb-scotland en-029", "de": "de", "fr": "fr fr-be", "es": "es es-419", "it": "it", "pt_BR": "pt-br",
    "pt": "pt", "nl": "nl", "sv": "sv", "nb": "nb", "da": "da", "fi": "fi", "pl": "pl", "cs": "cs", "sk": "sk", "ro": "ro",
    "ru": "ru", "uk": "uk", "bg": "bg", "tr": "tr", "ar": "ar", "hi": "hi", "id": "id", "vi": "vi", "ka": "ka", "et": "et",
    "lt": "lt", "hr": "hr", "fa": "fa",
}  # fmt: skip
HELD_LANGUAGES = {"hu": "hu", "el": "el"}
VARIANTS = (  # noqa: SIM905 - 75 quoted names are no list to read
    " m1 m2 m3 m4 m6 m7 m8 f1 f3 f4 f5 Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco"
    " Mario Michael Mike Mr Nguyen anika announcer antonio aunty belinda benjamin boris caleb croak david ed edward fast"
    " grandma grandpa gustave iven iven2 john kaukovalta klatt klatt2 klatt4 klatt6 linda marcelo max michel miguel"
    " norbert pablo paul pedro rob robert sandro shelby steph steph2 travis victor whisper whisperf zac"
).split(" ")
"""The plain voice is the empty one."""
HELD_VARIANTS = ("f2", "m5", "klatt3", "adam", "quincy", "steph3")
FLITE, HELD_FLITE = ("kal16", "slt", "awb"), ("rms",)
FESTIVAL = {  # voice: (locale, encoding)
    "kal_diphone": ("en", "ascii"), "ked_diphone": ("en", "ascii"), "cmu_us_slt_arctic_hts": ("en", "ascii"),
    "pc_diphone": ("it", "iso-8859-1"), "czech_dita": ("cs", "iso-8859-2"), "czech_krb": ("cs", "iso-8859-2"),
    "czech_machac": ("cs", "iso-8859-2"), "suo_fi_lj_diphone": ("fi", "iso-8859-1"), "hy_fi_mv_diphone": ("fi", "iso-8859-1"),
    "msu_ru_nsh_clunits": ("ru", "utf-8"), "upc_ca_ona_hts": ("ca", "iso-8859-15"),
}  # fmt: skip
HELD_FESTIVAL = {"lp_diphone": ("it", "iso-8859-1"), "czech_ph": ("cs", "iso-8859-2")}
SHARD_S = 900.0
SHARES = {"train": (0.04, 0.14, 0.26), "held": (0.04, 0.14, 0.26), "english": (0.0, 0.42, 0.42)}
"""Of noise, flite and festival; the rest is espeak-ng's."""


def shard(seed: int, part: str, seconds: float = SHARD_S) -> Shard:
    """About ``seconds`` of speech of one kind of voice."""
    rng = np.random.default_rng([seed, list(SHARES).index(part)])
    writer = ShardWriter()
    kind, (of_noise, of_flite, of_festival) = rng.random(), SHARES[part]
    if kind < of_noise:
        while writer.seconds < seconds / 3:
            writer.add(hear(noise(20, rng), 16_000), [], NOISE)
        return writer.shard()
    if kind < of_noise + of_flite:
        said = _by_flite(part, rng)
    elif kind < of_noise + of_flite + of_festival:
        said = _by_festival(part, rng)
    else:
        said = _by_espeak(part, rng)
    for utterance in said:
        if not utterance.phones or len(utterance.samples) < utterance.rate_hz // 2:
            continue
        # Played slower or faster: another pitch, another throat, another pace.
        factor = rng.uniform(0.85, 1.2)
        samples = _padded(worn(utterance.samples, utterance.rate_hz, rng), utterance.rate_hz, pad_s := rng.uniform(0.1, 0.6))
        phones = [(phone, (a + pad_s) / factor, (b + pad_s) / factor) for phone, a, b in utterance.phones]
        writer.add(hear(samples, round(utterance.rate_hz * factor)), phones, utterance.voice)
        if writer.seconds >= seconds:
            break
    return writer.shard()


def _padded(samples: Float32Array, rate_hz: int, pad_s: float) -> Float32Array:
    pad = np.zeros(round(pad_s * rate_hz), np.float32)
    return np.concatenate([pad, samples, pad])


def _by_espeak(part: str, rng: np.random.Generator) -> Iterator[Utterance]:
    espeak = Espeak()
    # What is held out is held out by voice or by language; a held shard has one or the other new, often both.
    languages = LANGUAGES if part != "held" or rng.random() < 0.5 else HELD_LANGUAGES
    variants = HELD_VARIANTS if part == "held" else VARIANTS
    while True:
        language = "en" if part == "english" else str(rng.choice(list(languages)))
        variant = str(rng.choice(variants))
        voice = str(rng.choice(languages[language].split())) + (f"+{variant}" if variant else "")
        for _ in range(4):
            yield espeak.speak(
                sentence(language, rng),
                voice,
                words_per_min=int(rng.uniform(120, 250)),
                pitch=int(rng.uniform(15, 85)),
                pitch_range=int(rng.uniform(20, 90)),
            )


def _by_flite(part: str, rng: np.random.Generator) -> Iterator[Utterance]:
    while True:
        voice = str(rng.choice(HELD_FLITE if part == "held" else FLITE))
        pitch_hz = float(rng.uniform(85, 220)) if rng.random() < 0.5 else None
        yield flite(sentence("en", rng), voice, stretch=float(rng.uniform(0.75, 1.25)), pitch_hz=pitch_hz)


def _by_festival(part: str, rng: np.random.Generator) -> Iterator[Utterance]:
    voices = HELD_FESTIVAL if part == "held" else FESTIVAL
    if part == "english":
        voices = {voice: how for voice, how in voices.items() if how[0] == "en"}
    while True:
        voice = str(rng.choice(list(voices)))
        language, encoding = voices[voice]
        yield from festival([sentence(language, rng) for _ in range(25)], voice, encoding)


def _write(out: Path, part: str, seed: int) -> float:
    path = out / f"{seed:05d}.npz"
    if not path.exists():
        shard(seed, part).save(path)
    return Shard.load(path).seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=30)
    parser.add_argument("--part", choices=SHARES, default="train", help="held: other voices, partly other languages")
    parser.add_argument("--seed", type=int, default=0, help="number of the first shard")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    seeds = range(args.seed, args.seed + round(args.hours * 3600 / SHARD_S))
    with Pool(args.workers, maxtasksperchild=1) as pool:  # espeak-ng starts once per process
        for done, seconds in enumerate(pool.imap(partial(_write, args.out, args.part), seeds), 1):
            print(f"{done} of {len(seeds)} shards, the last of {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
