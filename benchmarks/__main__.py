"""``python -m benchmarks``: every figure that was promised, beside what this machine measures, as one Markdown table.

``python -m benchmarks inference voice`` measures these parts alone. ``python -m benchmarks load`` and
``python -m benchmarks soak`` are the server's, and take longer: see `load` and `server_soak`; ``python -m benchmarks capture``
compares captured motion with known one, ``python -m benchmarks text`` says what a known text brings, ``python -m benchmarks
web`` how late a web page shows a face; ``python -m benchmarks lids`` and ``python -m benchmarks eyes`` look at shut lids, gaze
and brows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> None:
    """Each needs packages that the others do not."""
    match words:
        case ["load", *rest]:
            from benchmarks import load

            load.main(rest)
        case ["soak", *rest]:
            from benchmarks import server_soak

            server_soak.main(rest)
        case ["capture", *rest]:
            from benchmarks import capture

            capture.main(rest)
        case ["text", *rest]:
            from benchmarks import text

            text.main(rest)
        case ["web", *rest]:
            from benchmarks import web

            web.main(rest)
        case ["lids", *rest]:
            from benchmarks import lids

            lids.main(rest)
        case ["eyes", *rest]:
            from benchmarks import eyes

            eyes.main(rest)
        case names:
            from benchmarks import report, summary

            if unknown := sorted(set(names) - set(summary.PARTS)):
                others = ("load", "soak", "capture", "text", "web", "lids", "eyes")
                known = ", ".join((*others, *summary.PARTS))
                raise SystemExit(f"expected nothing or of {known}; got {', '.join(unknown)}")
            report.show(summary.all_rows(names or tuple(summary.PARTS)))


if __name__ == "__main__":
    main(sys.argv[1:])
