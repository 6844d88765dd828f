"""Does the detector see a mark where none is? ``python -m benchmarks.clean_frames [--count 20000] [--portraits FOLDER]``

Frames of the speaking portraits without a mark, through every attack of ``benchmarks.attacks``, each cut at a random place and
searched alone. The statistic is the highest correlation of the whole search, over places, sizes and both hands; its tail is
fitted and drawn. ``--results`` keeps what is done, and a second run goes on from there.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.attacks import ATTACKS, Attack, Clip
from benchmarks.watermark import keep_line, kept_lines, portraits, speaking
from vivant.provenance.watermark_detector import SYNC_THRESHOLD, likely_places, mean_luma, read_first
from vivant.types import UInt8Array

PER_ROUND = 10
"""Frames of one portrait through one attack before the next."""
TAIL_SHARE = 0.05
"""The highest ones, to whose excess a generalised Pareto law is fitted."""


def cut(frame: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Three quarters of each side, from anywhere."""
    height, width = (extent * 3 // 4 for extent in frame.shape[:2])
    top, left = int(random.integers(frame.shape[0] - height + 1)), int(random.integers(frame.shape[1] - width + 1))
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


def searched(frames: Clip, attack: Attack, count: int, random: np.random.Generator) -> dict[str, Any]:
    """Peaks of so many cut frames, and how many were taken for marked ones."""
    attacked, peaks, reported = attack(frames), [], 0
    for _ in range(count):
        luma = mean_luma([cut(attacked[int(random.integers(len(attacked)))], random)])
        assert luma is not None
        places = likely_places(luma)
        peaks.append(round(places[0].sync, 3))
        reported += read_first(luma, places) is not None
    return {"peaks": peaks, "reported": reported}


def tail(peaks: Sequence[float]) -> tuple[float, float, float]:
    """Where the tail begins, and shape and scale of the Pareto law of what lies beyond."""
    start = float(np.quantile(peaks, 1 - TAIL_SHARE))
    shape, _, scale = stats.genpareto.fit([peak - start for peak in peaks if peak > start], floc=0)
    return start, float(shape), float(scale)


def draw(peaks: Sequence[float], reported: int, path: Path) -> None:
    """The share of clean frames beyond each height, and the fit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    start, shape, scale = tail(peaks)
    ordered = np.sort(peaks)[::-1]
    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    axes.semilogy(ordered, np.arange(1, len(ordered) + 1) / len(ordered), ".", markersize=3, label="clean frames")
    heights = np.linspace(start, max(float(ordered[0]), SYNC_THRESHOLD) + 2, 200)
    axes.semilogy(heights, TAIL_SHARE * stats.genpareto.sf(heights - start, shape, scale=scale), label="Pareto tail")
    axes.axvline(SYNC_THRESHOLD, color="grey", linestyle="--", label="beyond this the words are read")
    axes.set_ylim(0.2 / len(ordered), 1.5)
    axes.set_xlabel("highest peak of the search, standard deviations")
    axes.set_ylabel("share of frames beyond")
    axes.set_title(f"{len(peaks)} frames without a mark, {reported} taken for marked")
    axes.legend()
    figure.savefig(path, dpi=110)


def summary(peaks: Sequence[float], reported: int) -> str:
    start, shape, scale = tail(peaks)
    beyond = float(TAIL_SHARE * stats.genpareto.sf(SYNC_THRESHOLD - start, shape, scale=scale))
    return (
        f"{len(peaks)} clean frames, {reported} reported; median peak {np.median(peaks):.2f}, highest {max(peaks):.2f};"
        f" {np.mean(np.asarray(peaks) > SYNC_THRESHOLD):.2%} beyond {SYNC_THRESHOLD:g} (the fit says {beyond:.2%}),"
        f" Pareto tail from {start:.2f}: shape {shape:.3f}, scale {scale:.3f}"
    )


def gathered(lines: Iterable[dict[str, Any]]) -> tuple[list[float], int]:
    kept = list(lines)
    return [peak for line in kept for peak in line["peaks"]], sum(line["reported"] for line in kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--portraits", type=Path, help="A folder with more pictures of faces.")
    parser.add_argument("--results", type=Path, help="A file of JSON lines to go on from.")
    parser.add_argument("--picture", type=Path, default=Path("docs/pictures/clean_frames.png"))
    arguments = parser.parse_args()
    done = {(line["round"], line["portrait"], line["attack"]): line for line in kept_lines(arguments.results)}
    people = portraits(arguments.portraits)
    for turn in range(-(-arguments.count // (PER_ROUND * len(people) * len(ATTACKS)))):
        for number, portrait in enumerate(people):
            left = [name for name in ATTACKS if (turn, portrait.name, name) not in done]
            frames = speaking(portrait, seed=1000 * (turn + 1) + number) if left else []
            for name in left:
                random = np.random.default_rng([turn, number, zlib.crc32(name.encode())])
                line = {"round": turn, "portrait": portrait.name, "attack": name}
                line |= searched(frames, ATTACKS[name], PER_ROUND, random)
                done[turn, portrait.name, name] = line
                keep_line(arguments.results, line)
            if left:
                sys.stdout.write(summary(*gathered(done.values())) + "\n")
                sys.stdout.flush()
    sys.stdout.write(summary(*gathered(done.values())) + "\n")
    draw(*gathered(done.values()), arguments.picture)


if __name__ == "__main__":
    main()
