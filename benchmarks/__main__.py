"""``python -m benchmarks``: every figure that was promised, beside what this machine measures, as one Markdown table.

``python -m benchmarks load`` and ``python -m benchmarks soak`` are the server's, and take longer: see `load` and `server_soak`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> None:
    """Each needs packages that the others do not."""
    match words:
        case []:
            from benchmarks import report, summary

            report.show(summary.all_rows())
        case ["load", *rest]:
            from benchmarks import load

            load.main(rest)
        case ["soak", *rest]:
            from benchmarks import server_soak

            server_soak.main(rest)
        case _:
            raise SystemExit(f"expected nothing, load or soak, got {words[0]!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
