"""``python -m benchmarks``: every figure that was promised, beside what this machine measures, as one Markdown table.

``python -m benchmarks inference voice`` measures these parts alone. ``python -m benchmarks load`` and
``python -m benchmarks soak`` are the server's, and take longer: see `load` and `server_soak`; ``python -m benchmarks capture``
compares captured motion with known one, ``python -m benchmarks text`` says what a known text brings, ``python -m benchmarks
web`` how late a web page shows a face; ``python -m benchmarks lids``, ``eyes`` and ``turns`` look at shut lids, at gaze and
brows, and at turned heads; ``python -m benchmarks dynamics`` and ``dynamics_blind`` compare learned motion with the rules.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

ALONE = {
    "load": "load",
    "soak": "server_soak",
    "capture": "capture",
    "text": "text",
    "web": "web",
    "lids": "lids",
    "turns": "turns",
    "eyes": "eyes",
    "dynamics": "dynamics",
    "dynamics_blind": "dynamics_blind",
    "cluster": "cluster",
}
"""Modules with options of their own, by the word that calls them. Each needs packages that the others do not."""


def main(words: Sequence[str]) -> None:
    if words and words[0] in ALONE:
        import_module(f"benchmarks.{ALONE[words[0]]}").main(words[1:])
        return
    from benchmarks import report, summary

    if unknown := sorted(set(words) - set(summary.PARTS)):
        known = ", ".join((*ALONE, *summary.PARTS))
        raise SystemExit(f"expected nothing or of {known}; got {', '.join(unknown)}")
    report.show(summary.all_rows(words or tuple(summary.PARTS)))


if __name__ == "__main__":
    main(sys.argv[1:])
