"""Several machines, on one: ``python -m benchmarks cluster [live] [batch] [scale] [gateway] [--write]``, under ten minutes.

Four nodes of Ray on loopback: live faces of which a node is killed in mid-speech, lines of dialogue while nodes come and go,
and the same work on one node and on four. Exit code 1 where something is not as it must be. Nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.report import HEAD, ROOT, Row, markdown, put, show

PARTS = ("live", "batch", "scale", "gateway")
N_LINES = 500
"""While nodes come and go; a tenth of them measure how work grows."""


def rows_of(part: str, n_lines: int) -> list[Row]:
    """One part, with a cluster of its own."""
    from benchmarks import cluster_batch, cluster_gateway, cluster_live, cluster_nodes

    with tempfile.TemporaryDirectory() as folder:
        if part == "batch":
            return cluster_batch.coming_and_going(Path(folder), n_lines)
        if part == "scale":
            return cluster_batch.growing(Path(folder), n_lines // 10)
        if part == "gateway":
            return cluster_gateway.measure()
        with cluster_nodes.nodes(4) as nodes:
            return cluster_live.measure(nodes)


def _apart(part: str, n_lines: int) -> list[Row]:
    """In a process of its own, for what Ray began in one goes on to its end."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(rows_of, part, n_lines).result()


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--lines", type=int, default=N_LINES)
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    asked = parser.parse_args(words)
    rows = [row for part in asked.parts or PARTS for row in _apart(part, asked.lines)]
    show(rows)
    if asked.write:
        put(ROOT / "docs" / "scale.md", "cluster", markdown([HEAD, *((row.what, row.target, row.measured) for row in rows)]))
    if any("WRONG" in row.measured for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
