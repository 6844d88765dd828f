"""Summary: every figure that was promised, beside what this machine measures, as one Markdown table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import bridge, inference, render, rig, round_trip, shapes, startup, voice
from benchmarks.report import VOICE, Row, quiet

VOICE_FIGURES = ("cost", "lips closed", "mouth behind energy", "blinks per minute")
"""Beginnings of the lines of ``benchmarks.voice`` that belong into the summary."""


def voice_rows() -> list[Row]:
    """The main figures of the voice, without the ones that need another synthesiser."""
    measured = [row for row in voice.measure(VOICE) if row.what.startswith(VOICE_FIGURES)]
    return [replace(row, what=f"voice: {row.what}") for row in measured]


PARTS: dict[str, Callable[[], list[Row]]] = {
    "frames": render.rows,
    "rigs": rig.rows,
    "shapes": shapes.rows,
    "start": startup.rows,
    "round trip": round_trip.rows,
    "voice": voice_rows,
    "inference": inference.rows,
    "bridge": bridge.rows,
}


def all_rows(names: Sequence[str] = tuple(PARTS)) -> list[Row]:
    """Of these parts; what is being measured goes to standard error, for all takes a minute."""
    table: list[Row] = []
    for name in names:
        sys.stderr.write(f"measuring: {name}\n")
        with quiet():
            table += PARTS[name]()
    return table
