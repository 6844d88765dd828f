"""Writes what was measured into the README and docs/figures.md: ``python -m benchmarks.tables``"""

from __future__ import annotations

from benchmarks import shapes, voice
from benchmarks.report import HEAD, ROOT, VOICE, markdown, put, quiet
from benchmarks.summary import all_rows

SUMMARY = (
    "frame time over cv2.remap's, talking",
    "frames per second on one core, talking",
    "memory of an opened face",
    "resting face against portrait",
    "open a saved rig",
    "build a rig",
    "cosine with the measured field",
    "look-ahead",
    "live: first sound",
    "demo.mp4: real-time factor",
    "round trip",
)
"""Beginnings of the lines that the README shows."""


def main() -> None:
    lines = [(row.what, row.target, row.measured) for row in all_rows()]
    with quiet():
        shape_table = markdown(shapes.shape_lines())
        voice_lines = [(row.what, row.target, row.measured) for row in voice.measure(VOICE)]
    chosen = [line for line in lines if line[0].startswith(SUMMARY) and "turned" not in line[0]]
    put(ROOT / "README.md", "summary", markdown([HEAD, *chosen]))
    for name, table in (("all", markdown([HEAD, *lines])), ("shapes", shape_table), ("voice", markdown([HEAD, *voice_lines]))):
        put(ROOT / "docs" / "figures.md", name, table)


if __name__ == "__main__":
    main()
