"""Lines of dialogue on nodes that come and go, and how work grows with nodes."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath

from benchmarks.cluster_nodes import family, nodes, processor_s
from benchmarks.dialogue import sounds
from benchmarks.report import Row, checked
from vivant.cluster.batch import cluster_makers
from vivant.cluster.joining import joined
from vivant.dialogue.batch import KEYS_FILE, Batch, Made
from vivant.dialogue.lines import Line
from vivant.dialogue.recipe import Recipe
from vivant.types import Controls

COMES_S, GOES_S = 6.0, 4.0
"""A node lives so long while lines are made, and so long after it was killed the next one comes; chosen."""


def lines_of(folder: Path, n: int) -> list[Line]:
    """Of motion, of a sound each."""
    return [Line(path.name, path, PurePosixPath(f"{path.stem}.jsonl"), Controls(), None) for path in sounds(folder, n)]


def made_on_nodes(lines: list[Line], out: Path) -> list[Made]:
    """Raises AssertionError where a line could not be made."""
    with cluster_makers() as (executor, make, ahead):
        made = list(Batch(out, Recipe(), executor, make, ahead).make(list(lines)))
    failed = [each for each in made if not isinstance(each, Made)]
    assert not failed, failed
    return [each for each in made if isinstance(each, Made)]


def coming_and_going(folder: Path, n_lines: int) -> list[Row]:
    """So many lines while nodes come and go."""
    lines, out = lines_of(folder, n_lines), folder / "out"
    with nodes(3) as made_of, joined(), ThreadPoolExecutor(1) as beside:
        began_s = time.monotonic()
        making = beside.submit(made_on_nodes, lines, out)
        while not _over(making, COMES_S):
            made_of.kill(made_of.others[0])
            if not _over(making, GOES_S):
                made_of.add()
        made, took_s = making.result(), time.monotonic() - began_s
        again = made_on_nodes(lines, out)
    found = Counter(path.name for path in out.iterdir())
    expected = Counter([KEYS_FILE, *(line.out.name for line in lines)])
    alike = _made_here(lines[:: max(1, n_lines // 10)], folder / "here")
    same = sum((out / name).read_bytes() == content for name, content in alike.items())
    assert made_of.n_killed, "no node was killed meanwhile; make more lines"
    n_made, n_kept = (sum(not each.was_kept for each in made), sum(each.was_kept for each in again))
    return [
        Row(
            f"batch: {n_lines} lines of motion while nodes come and go", "", f"{took_s:.0f} s, {made_of.n_killed} nodes killed"
        ),
        checked("batch: results, and the keys' file", f"{n_lines + 1}", found == expected, f"{len(found)}"),
        checked(
            "batch: made; kept when asked again", f"{n_lines}; {n_lines}", n_made == n_kept == n_lines, f"{n_made}; {n_kept}"
        ),
        checked("batch: the same bytes as made in this process", f"{len(alike)}", same == len(alike), f"{same}"),
    ]


def growing(folder: Path, n_lines: int) -> list[Row]:
    """The same lines on one node and on four."""
    lines = lines_of(folder, n_lines)
    took_s, spent_s = {}, {}
    for n in (1, 4):
        with nodes(n), joined():
            made_on_nodes(lines[: 4 * n], folder / f"warm{n}")  # workers have started, and loaded the model
            before_s, began_s = processor_s(family(os.getpid())), time.monotonic()
            made_on_nodes(lines, folder / f"out{n}")
            took_s[n], spent_s[n] = time.monotonic() - began_s, processor_s(family(os.getpid())) - before_s
    cores = min(4, len(os.sched_getaffinity(0)))
    took, spent = (f"{each[1]:.1f}, {each[4]:.1f} s" for each in (took_s, spent_s))
    return [
        Row(f"scale-out: {n_lines} lines of motion on 1 and on 4 nodes; processor time", "", f"{took}; {spent}"),
        Row(f"scale-out: efficiency, on the {cores} cores that 4 nodes share", "", f"{took_s[1] / took_s[4] / cores:.0%}"),
        Row("scale-out: work per processor second, 4 nodes against 1", "", f"{spent_s[1] / spent_s[4]:.0%}"),
    ]


def _over(making: Future[list[Made]], seconds: float) -> bool:
    """Within so many."""
    return bool(wait([making], seconds).done)


def _made_here(lines: list[Line], out: Path) -> dict[str, bytes]:
    made = list(Batch(out, Recipe()).make(list(lines)))
    return {each.path.name: each.path.read_bytes() for each in made if isinstance(each, Made)}
