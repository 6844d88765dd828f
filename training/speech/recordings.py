"""Real prompts with their texts, aligned by the encoder itself: which phone is spoken when.

python -m training.speech.recordings --packages DIR --run DIR --out DIR

DIR of packages holds Debian's asterisk sound packages, unpacked (see README.md). The texts become phones by espeak-ng; the
Viterbi path through the encoder's probabilities says when. The speaker of the English and the Spanish prompts is one person and
is test only.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly

from training.speech.network import Encoder
from training.speech.shards import NOISE, UNKNOWN, Shard, ShardWriter
from training.speech.sound import hear
from training.speech.train import accuracy, read_out, summary
from training.speech.voices import Espeak
from vivant.media import read_sound
from vivant.speech.phones import PHONE_INDEX
from vivant.types import Float32Array, UInt8Array

SPEAKERS = {  # folder of sounds: (texts, espeak-ng's voice)
    "fr_CA_f_June": ("fr", "fr"), "it_IT_m_Carlo": ("it", "it"), "it_IT_f_Menardi": ("it", "it"),
    "ru_RU_f_IvrvoiceRU": ("ru", "ru"),
}  # fmt: skip
HELD_SPEAKERS = {"en_US_f_Allison": ("en", "en-us"), "es_MX_f_Allison": ("es", "es-419")}
LEAST_TICKS = 3
"""No phone is shorter."""
LEAST_SCORE = -1.6
"""Mean log probability per tick below which a text is taken not to be what is said."""
UNSURE = -3.0
"""Phones that score below this are not learnt."""
SHARD_S = 900.0
FACTORS = (0.88, 1.0, 1.14)
"""Each prompt is played slower and faster too: another pitch, another throat, another pace."""


@dataclass(frozen=True)
class Prompt:
    """A recording and the phones of its text."""

    samples: Float32Array
    rate_hz: int
    phones: list[int]
    """Without silences."""
    speaker: str


def prompts(packages: Path, speakers: dict[str, tuple[str, str]]) -> Iterator[Prompt]:
    """All recordings that have a text; wide-band ones where there are both."""
    espeak = Espeak()
    for folder, (language, voice) in speakers.items():
        texts = _texts(packages / f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz")
        sounds = packages / "usr/share/asterisk/sounds" / folder
        for name, text in texts.items():
            path = next((p for p in (sounds / f"{name}.g722", sounds / f"{name}.wav") if p.exists()), None)
            if path is None:
                continue
            phones = [phone for phone, _, _ in espeak.speak(text, voice).phones if phone != PHONE_INDEX["_"]]
            samples, rate_hz = _read_g722(path) if path.suffix == ".g722" else _widened(*read_sound(path))
            if len(phones) >= 3 and len(samples) > rate_hz // 3:
                yield Prompt(samples, rate_hz, phones, folder)


def _texts(path: Path) -> dict[str, str]:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    pairs = [line.split(":", 1) for line in lines if ":" in line and not line.startswith(";")]
    return {name.strip(): text.strip() for name, text in pairs if text.strip() and not text.strip().startswith("[")}


def _widened(samples: Float32Array, rate_hz: int) -> tuple[Float32Array, int]:
    """Telephone sound at 16 kHz, so that it may be played slower."""
    return (resample_poly(samples, 2, 1).astype(np.float32), 2 * rate_hz) if rate_hz == 8000 else (samples, rate_hz)


def _read_g722(path: Path) -> tuple[Float32Array, int]:
    """A raw stream without a header: 16 kHz by definition (ITU-T G.722)."""
    import av

    with av.open(str(path), format="g722") as file:
        parts = [frame.to_ndarray().ravel() for frame in file.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / np.float32(32768), 16_000


def align(log_chance: NDArray[np.float64], phones: Sequence[int]) -> tuple[UInt8Array, float]:
    """(n,) the phone of every tick on the best path through the text, and its mean score.

    ``log_chance`` is (n, phones). Silence may stand before, after and between any two phones; phones last at least
    LEAST_TICKS. Where the text does not fit (a phone scores below UNSURE), UNKNOWN.
    """
    silence = PHONE_INDEX["_"]
    states: list[tuple[int, int]] = [(silence, -1)]  # (phone, place in the text or -1); silences every LEAST_TICKS + 1
    for place, phone in enumerate(phones):
        states += [(phone, place)] * LEAST_TICKS + [(silence, -1)]
    emission = log_chance[:, [phone for phone, _ in states]]
    count, step = len(states), LEAST_TICKS + 1
    is_silence = np.arange(count) % step == 0
    stays = is_silence | (np.arange(count) % step == LEAST_TICKS)
    best = np.full(count, -np.inf)
    best[0], best[1] = emission[0, 0], emission[0, 1]
    came = np.zeros((len(log_chance), count), np.int8)
    for t in range(1, len(log_chance)):
        stay = np.where(stays, best, -np.inf)
        forward = np.concatenate([[-np.inf], best[:-1]])
        skip = np.where(np.arange(count) % step == 1, np.concatenate([[-np.inf] * 2, best[:-2]]), -np.inf)
        # A pause in the middle of a text is rare.
        forward = forward - np.where(is_silence & (np.arange(count) < count - 1), 3.0, 0.0)
        options = np.stack([stay, forward, skip])
        came[t] = options.argmax(0)
        best = options.max(0) + emission[t]
    state = count - 1 if best[-1] >= best[-2] else count - 2
    score = best[state] / len(log_chance)
    path = np.zeros(len(log_chance), np.int64)
    for t in range(len(log_chance) - 1, -1, -1):
        path[t] = state
        state -= int(came[t, state])
    label = np.array([phone for phone, _ in states], np.uint8)[path]
    places = np.array([place for _, place in states])[path]
    own = np.take_along_axis(log_chance, label[:, None].astype(np.int64), 1)[:, 0]
    for k in range(len(phones)):
        if (here := places == k).any() and own[here].mean() < UNSURE:
            label[here] = UNKNOWN
    return label, float(score)


def aligned(packages: Path, speakers: dict[str, tuple[str, str]], model: Encoder) -> Iterator[Shard]:
    """Shards of all prompts whose text is what is said."""
    writer, kept, all_ = ShardWriter(), 0, 0
    for prompt, factor in itertools.product(prompts(packages, speakers), FACTORS):
        mel = hear(prompt.samples, round(prompt.rate_hz * factor))
        all_ += 1
        if len(mel) < LEAST_TICKS * len(prompt.phones) + 2:
            continue
        label, score = align(np.log(read_out(model, mel)[:, 0].astype(np.float64) + 1e-4), prompt.phones)
        if score < LEAST_SCORE:
            continue
        kept += 1
        writer.add_labels(mel, label, prompt.speaker)
        if writer.seconds > SHARD_S:
            yield writer.shard()
            writer = ShardWriter()
    print(f"{kept} of {all_} renditions of prompts aligned")
    if writer.seconds > 0:
        yield writer.shard()


def music(packages: Path) -> Shard:
    """The music on hold, as noise."""
    writer = ShardWriter()
    for path in sorted((packages / "usr/share/asterisk/moh").glob("*.g722")):
        writer.add(hear(*_read_g722(path)), [], NOISE)
    return writer.shard()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of encoder.pt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=("train", "held"), default="train")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    model = Encoder()
    model.load_state_dict(torch.load(args.run / "encoder.pt", map_location="cpu", weights_only=True)["model"])
    model.eval()
    shards = list(aligned(args.packages, SPEAKERS if args.part == "train" else HELD_SPEAKERS, model))
    if args.part == "train":
        shards.append(music(args.packages))
    for i, shard in enumerate(shards):
        shard.save(args.out / f"{i:05d}.npz")
    known = sum(int(np.sum(shard.phone != UNKNOWN)) for shard in shards)
    print(f"{known / 6000:.1f} min with known phones; the encoder agrees on {summary(accuracy(model, shards))}")


if __name__ == "__main__":
    main()
