"""Learned motion and rules side by side for somebody who does not know which is which:

``python -m benchmarks dynamics_blind --voice FOLDER --out FOLDER --key FILE.json``

Of each sentence a sheet, ``NN.png``: all of A's frames, six a second, with its curves, above those of B; and the films
``NN_A.mp4`` and ``NN_B.mp4``. Chance decides which is which; only FILE says it, and lies elsewhere. ``--count VERDICTS`` counts
lines of ``NN A``, ``NN B`` or ``NN =`` by it.
"""

from __future__ import annotations

import argparse
import json
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import vivant
from benchmarks.dynamics import MODELS
from benchmarks.dynamics_kit import angles_of, weights_of
from benchmarks.report import ASSETS, quiet
from benchmarks.voice import read_voice
from vivant.face import RigFace
from vivant.motion.model import SpeechMotion
from vivant.offline import render_file
from vivant.session.stream import FaceStream
from vivant.types import ARKIT_INDEX, Controls, Float32Array, MotionFrame, Output

PEOPLE = ("ada", "bram", "lena", "noor", "tomas", "amara", "sana", "walter")
"""In turn, one for each sentence."""
FPS, SHOWN_EVERY = 30, 5
SECONDS = (3.0, 6.5)
"""How long a sentence may be."""
CONTROLS = Controls(eye_contact=0.8)
"""As `vivant render` has them."""
SIDE_PX, CELL_PX, MOST_COLUMNS, CURVE_PX = 384, 150, 12, 56
CROP = (0.23, 0.14, 0.77, 0.77)
"""Left, top, right, bottom, in shares of the picture."""
PAPER, INK, GRID = (24, 24, 26), (240, 235, 210), (90, 90, 95)
COLOURS = ((120, 200, 255), (255, 180, 90), (150, 255, 150))
CURVES: tuple[tuple[str, float, float], ...] = (
    ("voice", -1, 1),
    ("head: yaw blue, pitch orange, roll green, +-12 degrees", -12, 12),
    ("brows blue, smile orange, lids green, 0 to 1", 0, 1),
    ("where the eyes look: to the side blue, up orange, +-20 degrees", -20, 20),
)
"""What each shows, least and most."""

Curves = NDArray[np.float64]


def sentences(folder: Path, n: int) -> list[Path]:
    """Recordings of the length of a sentence, from all over the folder."""
    fitting = [path for path in sorted(folder.glob("*.wav")) if SECONDS[0] <= _seconds(path) <= SECONDS[1]]
    return fitting[:: max(1, len(fitting) // n)][:n]


def _seconds(path: Path) -> float:
    samples, rate_hz = read_voice(path)
    return len(samples) / rate_hz


def moved(face: RigFace, model: SpeechMotion, samples: Float32Array, rate_hz: int, seed: int) -> list[MotionFrame]:
    """Every frame, as the film has it."""
    with FaceStream(
        face, fps=FPS, sample_rate_hz=rate_hz, seed=seed, controls=CONTROLS, motion=model, pictures=False
    ) as stream:
        items = [*stream.push(samples), *stream.finish()]
    return [item.motion for item in items if isinstance(item, Output)]


def curves_of(frames: Sequence[MotionFrame], samples: Float32Array) -> list[Curves]:
    """(n, channels) for each of `CURVES`."""
    weights, turn = weights_of(frames).astype(np.float64), angles_of(frames)
    looks = np.array([frame.gaze for frame in frames]) + turn[:, :2]
    face = weights[:, [ARKIT_INDEX[name] for name in ("browInnerUp", "mouthSmileLeft", "eyeBlinkLeft")]]
    loud = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    return [np.stack([loud.max(1), loud.min(1)], 1) / max(np.abs(loud).max(), 1e-3), turn, face, looks]


def block(name: str, face: RigFace, frames: Sequence[MotionFrame], samples: Float32Array) -> Image.Image:
    """Pictures and curves of one of the two."""
    renderer, shown = face.open(SIDE_PX), frames[::SHOWN_EVERY]
    left, top, right, bottom = (round(share * SIDE_PX) for share in CROP)
    height = round(CELL_PX * (bottom - top) / (right - left))
    rows = -(-len(shown) // MOST_COLUMNS)
    columns = -(-len(shown) // rows)
    out = Image.new("RGB", (CELL_PX * columns, rows * height + CURVE_PX * len(CURVES)), PAPER)
    for k, frame in enumerate(shown):
        picture = Image.fromarray(np.ascontiguousarray(renderer.render(frame).pixels[..., :3])).crop((left, top, right, bottom))
        out.paste(picture.resize((CELL_PX, height), Image.Resampling.LANCZOS), (k % columns * CELL_PX, k // columns * height))
    for k, (what, curve) in enumerate(zip(CURVES, curves_of(frames, samples), strict=True)):
        _plot(out, rows * height + k * CURVE_PX, what, curve)
    ImageDraw.Draw(out).text((8, 6), name, INK, ImageFont.load_default(size=34), stroke_width=3, stroke_fill=PAPER)
    return out


def _plot(sheet: Image.Image, top: int, what: tuple[str, float, float], curve: Curves) -> None:
    draw, (name, least, most) = ImageDraw.Draw(sheet), what
    draw.line((0, top, sheet.width, top), GRID)
    x = np.arange(len(curve)) * (sheet.width - 1) / max(len(curve) - 1, 1)
    for channel, colour in zip(curve.T, COLOURS, strict=False):
        y = top + 2 + (CURVE_PX - 4) * (1 - np.clip((channel - least) / (most - least), 0, 1))
        draw.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], colour, 2)
    draw.text((6, top + 2), name, INK, ImageFont.load_default(size=12))


def compare(number: int, sound: Path, out: Path) -> dict[str, str]:
    """One sentence: its sheet and films, and which model is A and which B."""
    names = ["learned", "rules"] if secrets.randbelow(2) else ["rules", "learned"]
    face = vivant.open_portrait(ASSETS / "portraits" / f"{PEOPLE[number % len(PEOPLE)]}.jpg")
    samples, rate_hz = read_voice(sound)
    blocks = []
    for letter, name in zip("AB", names, strict=True):
        model, seed = MODELS[name](), number + 1
        blocks.append(block(letter, face, moved(face, model, samples, rate_hz, seed), samples))
        film = out / f"{number + 1:02}_{letter}.mp4"
        render_file(face, sound, film, fps=FPS, size_px=SIDE_PX, seed=seed, controls=CONTROLS, motion=model)
    sheet = Image.new("RGB", (blocks[0].width, sum(part.height for part in blocks) + 12), INK)
    sheet.paste(blocks[0], (0, 0))
    sheet.paste(blocks[1], (0, blocks[0].height + 12))
    sheet.save(out / f"{number + 1:02}.png")
    return dict(zip("AB", names, strict=True))


def count(verdicts: Path, key: Path) -> str:
    """How often each was preferred."""
    which = json.loads(key.read_text(encoding="utf-8"))
    said = dict(line.split()[:2] for line in verdicts.read_text(encoding="utf-8").splitlines() if line[:1].isdigit())
    found = Counter("neither" if letter == "=" else which[number][letter] for number, letter in said.items())
    return ", ".join(f"{name} {found[name]}" for name in ("learned", "rules", "neither"))


def main(words: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--sentences", type=int, default=10)
    parser.add_argument("--count", type=Path, metavar="VERDICTS")
    args = parser.parse_args(words)
    if args.count:
        print(count(args.count, args.key))
        return
    if args.voice is None or args.out is None:
        parser.error("--voice and --out are needed to make what is compared")
    args.out.mkdir(parents=True, exist_ok=True)
    with quiet():
        found = sentences(args.voice, args.sentences)
        which = {f"{k + 1:02}": compare(k, sound, args.out) for k, sound in enumerate(found)}
    args.key.write_text(json.dumps(which, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
