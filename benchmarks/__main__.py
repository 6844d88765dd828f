"""``python -m benchmarks``: every figure that was promised, beside what this machine measures, as one Markdown table."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable

from benchmarks import bridge, render, rig, shapes, startup, voice
from benchmarks.report import VOICE, Row, quiet, show

VOICE_FIGURES = ("cost", "lips closed", "mouth behind energy", "blinks per minute")
"""Beginnings of the lines of ``benchmarks.voice`` that belong into the summary."""


def round_trip_rows() -> list[Row]:
    """Requested motion found again in the pixels, by another module."""
    if importlib.util.find_spec("benchmarks.round_trip") is None:
        return []
    rows: Callable[[], list[Row]] | None = getattr(importlib.import_module("benchmarks.round_trip"), "rows", None)
    return rows() if rows else []


def voice_rows() -> list[Row]:
    """The main figures of the voice, without the ones that need another synthesiser."""
    measured = [row for row in voice.measure(VOICE) if row.name.startswith(VOICE_FIGURES)]
    return [Row(f"voice: {row.name}", row.target, row.value) for row in measured]


def all_rows() -> list[Row]:
    """Everything; what is being measured goes to standard error, for it takes a minute."""
    parts: tuple[tuple[str, Callable[[], list[Row]]], ...] = (
        ("frames", render.rows),
        ("rigs", rig.rows),
        ("shapes", shapes.rows),
        ("start", startup.rows),
        ("round trip", round_trip_rows),
        ("voice", voice_rows),
        ("bridge", bridge.rows),
    )
    table: list[Row] = []
    for name, rows in parts:
        sys.stderr.write(f"measuring: {name}\n")
        with quiet():
            table += rows()
    return table


if __name__ == "__main__":
    show(all_rows())
