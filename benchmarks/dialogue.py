"""A dialogue table made in turn, by threads and by processes: ``python -m benchmarks.dialogue [LINES]``, on a quiet machine.

Each way makes the same lines of 2 s anew: motion (.anim at 30 fps) and videos (.mp4, 512 px, ada).
"""

from __future__ import annotations

import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from benchmarks.report import voice
from vivant.cores import n_cores
from vivant.dialogue.batch import Batch, Made
from vivant.dialogue.lines import Line
from vivant.dialogue.recipe import Recipe
from vivant.dialogue.workers import workers
from vivant.types import Controls

LINE_S = 2.0


def sounds(folder: Path, n_lines: int) -> Iterator[Path]:
    samples, rate_hz = voice()
    n_samples = round(LINE_S * rate_hz)
    for number in range(n_lines):
        first = number * 997 % (len(samples) - n_samples)
        path = folder / f"{number}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, rate_hz, 0, "NONE", ""))
            file.writeframes((samples[first : first + n_samples] * 32767).astype("<i2").tobytes())
        yield path


def cpu_s() -> float:
    """Of this process and its children that have ended."""
    return sum(spent.ru_utime + spent.ru_stime for spent in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def main(n_lines: int) -> None:
    cores = n_cores()
    ways: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
        "in turn": nullcontext,
        f"{cores} threads": lambda: ThreadPoolExecutor(cores),
        f"{cores} processes": lambda: workers(cores),
    }
    print(f"| {n_lines} lines of {LINE_S:g} s | way | s | speech / time | processor s |\n|---|---|---|---|---|")
    for suffix in (".anim", ".mp4"):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as own:
                folder = Path(own)
                lines = [
                    Line(path.name, path, PurePosixPath(f"{path.stem}{suffix}"), Controls(), None, portrait=Path("ada"))
                    for path in sounds(folder, n_lines)
                ]
                began_s, spent_s = time.perf_counter(), cpu_s()
                with way() as executor:
                    made = list(Batch(folder / "out", Recipe(), executor).make(list(lines)))
                took_s, spent_s = time.perf_counter() - began_s, cpu_s() - spent_s
            assert all(isinstance(each, Made) and not each.was_kept for each in made), made
            print(f"| {suffix} | {name} | {took_s:.1f} | {n_lines * LINE_S / took_s:.1f} | {spent_s:.1f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
