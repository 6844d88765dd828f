"""How large an installation is, package by package: ``python -m benchmarks.sizes [FOLDER]``

FOLDER is what ``pip install --target FOLDER .`` has made; otherwise what the core needs of this environment is counted.
Millions of bytes, without bytecode.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.report import Row, show

MOST_MB = 420
LEAST_MB = 1.0
"""Smaller ones are summed."""


def size_mb(distribution: Distribution) -> float:
    """Of its files inside of the folder, without what a Python compiles there."""
    places = (Path(str(file.locate())) for file in distribution.files or [] if file.suffix != ".pyc" and ".." not in file.parts)
    return sum(place.stat().st_size for place in places if place.is_file()) / 1e6


def needed(name: str, known: dict[str, Distribution]) -> Iterator[str]:
    """The canonical names of a distribution and of all that it requires here."""
    waiting, seen = [canonicalize_name(name)], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen or current not in known:
            continue
        seen.add(current)
        yield current
        for text in known[current].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))


def rows(folder: Path | None = None) -> list[Row]:
    """The largest first, then their sum."""
    here = distributions() if folder is None else distributions(path=[str(folder)])
    known: dict[str, Distribution] = {canonicalize_name(found.metadata["Name"]): found for found in here}
    sizes = {name: size_mb(known[name]) for name in (needed("vivant", known) if folder is None else known)}
    large = sorted((name for name in sizes if sizes[name] >= LEAST_MB), key=lambda name: -sizes[name])
    small = [name for name in sizes if sizes[name] < LEAST_MB]
    return [
        *(Row(name, "", f"{sizes[name]:.1f}") for name in large),
        Row(f"{len(small)} smaller ones", "", f"{sum(sizes[name] for name in small):.1f}"),
        Row("all", f"<= {MOST_MB}", f"{sum(sizes.values()):.1f}"),
    ]


if __name__ == "__main__":
    show(rows(Path(sys.argv[1]) if sys.argv[1:] else None))
