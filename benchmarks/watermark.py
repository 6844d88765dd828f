"""Does the mark survive? ``python -m benchmarks.watermark [--portraits FOLDER] [--results FILE]``

Two seconds of speech of every portrait (the bundled ones, and the pictures of a folder), every attack by the real encoder, and
then the blind detector. With ``--results`` what is done is kept in a file of JSON lines, and a second run goes on from there.
``benchmarks.clean_frames`` is the other half: what the detector makes of pictures without a mark.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attacks import ATTACKS, FPS, SIZE_PX, Clip
from benchmarks.report import PORTRAITS, markdown, voice
from vivant.face import open_portrait
from vivant.provenance.watermark_code import session_pattern
from vivant.provenance.watermark_detector import detect_in_luma, likely_places, mean_luma
from vivant.render._kernel import Watermark
from vivant.session.stream import FaceStream
from vivant.types import Output, UInt8Array

SECONDS = 2.0
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def portraits(folder: Path | None) -> list[Path]:
    """The bundled ones, then those of the folder."""
    own = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES) if folder else []
    return [*PORTRAITS, *own]


def speaking(portrait: Path, seed: int) -> Clip:
    """Two seconds of 512x512 RGB frames, unmarked; every seed speaks another part of the voice."""
    samples, rate_hz = voice()
    start = rate_hz * (seed % 4)
    face = open_portrait(portrait)
    renderer = face.open(SIZE_PX)
    with FaceStream(face, fps=FPS, sample_rate_hz=rate_hz, seed=seed, pictures=False) as stream:
        items = stream.push(samples[start : start + int(rate_hz * (SECONDS + 0.2))])
        motions = [item.motion for item in items if isinstance(item, Output)][: int(FPS * SECONDS)]
    return [np.ascontiguousarray(renderer.render(motion).pixels[..., :3]) for motion in motions]


def marked(frames: Clip, session_id: int) -> Clip:
    copies = [frame.copy() for frame in frames]
    watermark = Watermark(session_pattern(session_id), SIZE_PX, SIZE_PX, 3)
    for copy in copies:
        watermark.apply(copy)
    return copies


def psnr_db(before: UInt8Array, after: UInt8Array) -> float:
    return float(10 * np.log10(255**2 / np.mean((before.astype(np.float32) - after) ** 2)))


def quality(before: Clip, after: Clip) -> dict[str, float]:
    """The lowest PSNR of a frame, and how much the mark itself changes from one frame to the next, in grey levels."""
    deltas = [a.astype(np.float32) - b for a, b in zip(after, before, strict=True)]
    changes = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(deltas)]
    return {"psnr_db": min(psnr_db(b, a) for b, a in zip(before, after, strict=True)), "change": float(np.mean(changes))}


def survival(portrait: Path, number: int) -> dict[str, Any]:
    """Of one portrait: the cost in quality, and per attack whether its id was found, another id, and the height of the peak."""
    session_id = int(np.random.default_rng(number).integers(2**32))
    before = speaking(portrait, seed=number)
    after = marked(before, session_id)
    found: dict[str, Any] = {}
    for name, attack in ATTACKS.items():
        luma = mean_luma(attack(after))
        assert luma is not None
        mark = detect_in_luma(luma)
        right = mark is not None and mark.session_id == session_id
        found[name] = [right, mark is not None and not right, mark.sync if mark else likely_places(luma)[0].sync]
    return {"portrait": portrait.name, **quality(before, after), "attacks": found}


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    lines = [
        ["attack", "found with its id", "wrong id", "weakest peak"],
        ["lowest PSNR of a frame, dB", f"{min(r['psnr_db'] for r in results):.2f}", "", ""],
        ["the mark's change from frame to frame, grey levels", f"{max(r['change'] for r in results):.3f}", "", ""],
    ]
    for name in ATTACKS:
        of_all = [result["attacks"][name] for result in results]
        right, wrong = sum(found[0] for found in of_all), sum(found[1] for found in of_all)
        lines.append([name, f"{right} of {len(of_all)}", str(wrong), f"{min(found[2] for found in of_all):.1f}"])
    return lines


def kept_lines(path: Path | None) -> Iterator[dict[str, Any]]:
    """Results of an earlier run; a line that was cut short is measured anew."""
    for line in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def keep_line(path: Path | None, result: dict[str, Any]) -> None:
    if path:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")


def cost_ms() -> float:
    """Median of one 512x512 RGBA frame on one core, in time of this thread's processor."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 4), np.uint8)
    watermark, taken = Watermark(session_pattern(1), SIZE_PX, SIZE_PX, 4), []
    for _ in range(300):
        began = time.thread_time_ns()
        watermark.apply(pixels)
        taken.append((time.thread_time_ns() - began) / 1e6)
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, help="A folder with more pictures of faces.")
    parser.add_argument("--results", type=Path, help="A file of JSON lines to go on from.")
    arguments = parser.parse_args()
    results = {result["portrait"]: result for result in kept_lines(arguments.results)}
    for number, portrait in enumerate(portraits(arguments.portraits)):
        if portrait.name not in results:
            results[portrait.name] = survival(portrait, number)
            keep_line(arguments.results, results[portrait.name])
            sys.stdout.write(f"{portrait.name} {results[portrait.name]['psnr_db']:.2f} dB\n")
            sys.stdout.flush()
    sys.stdout.write(f"one 512x512 RGBA frame on one core: {cost_ms():.2f} ms\n")
    sys.stdout.write(markdown(table(list(results.values()))) + "\n")


if __name__ == "__main__":
    main()
