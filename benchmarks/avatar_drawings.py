"""Drawings of docs/guides/avatars, how motion gets into each tool: ``python -m benchmarks.avatar_drawings``."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "avatars"
WIDTH_PX, ROW_PX, TOP_PX = 810, 26, 58
INK, QUIET, PAPER, PANEL, ON, OFF = "#20252b", "#6b747e", "#f4f5f6", "#ffffff", "#2f7d5b", "#b8bfc6"


@dataclass(frozen=True)
class Drawing:
    tool: str
    command: str
    """What is typed, without ``vivant motion``."""
    way: str
    """Protocol and place."""
    switches: tuple[tuple[str, str], ...]
    """Of the tool: name, and on, off or a value."""


DRAWINGS = {
    "vseeface": Drawing(
        "VSeeFace",
        "--to vmc",
        "VMC, UDP 39539",
        (("OSC/VMC receiver", "on"), ("Port", "39539"), ("Track face features", "off")),
    ),
    "vnyan": Drawing(
        "VNyan",
        "--to vmc",
        "VMC, UDP 39539",
        (("VMC layer 1", "on"), ("Port", "39539"), ("Head, eyes, blendshapes", "on"), ("ARKit, web camera", "off")),
    ),
    "warudo": Drawing(
        "Warudo",
        "--to vmc",
        "VMC, UDP 39539",
        (("Pose tracking", "VMC"), ("VMC receiver, port", "39539"), ("Face tracking", "none")),
    ),
    "vtube-studio": Drawing(
        "VTube Studio",
        "--to vtube-studio",
        "WebSocket 8001",
        (("Start API", "on"), ("Port", "8001"), ("Its question", "Allow"), ("Camera, microphone", "off")),
    ),
    "unity": Drawing(
        "Unity, EVMC4U",
        "--to vmc",
        "VMC, UDP 39539",
        (("uOSC Server, port", "39539"), ("Model", "your avatar"), ("Bone Position Synchronize", "off")),
    ),
    "unreal": Drawing(
        "Unreal Engine",
        "--to live-link-face",
        "Live Link, UDP 11111",
        (("Live Link", "on"), ("Apple ARKit Face Support", "on"), ("ARKit Face Subj", "Vivant")),
    ),
    "blender": Drawing(
        "Blender",
        "line.wav -o line.glb",
        "a file",
        (("Import", "glTF 2.0"), ("Shape keys", "ARKit's 52"), ("Head", "turns")),
    ),
    "vmagicmirror": Drawing(
        "VMagicMirror",
        "--to vmc",
        "VMC, UDP 39539",
        (("Enable VMC Protocol", "on"), ("Port", "39539"), ("Head", "on"), ("Facial", "on"), ("Hand", "off")),
    ),
    "three-vrm": Drawing(
        "three-vrm",
        "--to vmc:39539?names=perfect-sync",
        "VMC, UDP 39539",
        (("bridge.py, WebSocket", "8089"), ("Your avatar", ".vrm"), ("Page", "127.0.0.1:8089")),
    ),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, drawing in DRAWINGS.items():
        (FOLDER / f"{name}.svg").write_text(svg(drawing), encoding="utf-8")
        print(f"{name}.svg")


def svg(drawing: Drawing) -> str:
    height = max(TOP_PX + ROW_PX * len(drawing.switches) + 24, 190)
    middle = height / 2
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" font-family="sans-serif" font-size="14">',
        f'<rect width="{WIDTH_PX}" height="{height}" rx="8" fill="{PAPER}"/>',
        *_microphone(52, middle),
        *_arrow(84, middle, 118, ""),
        *_vivant(drawing, middle),
        *_arrow(388, middle, 496, drawing.way),
        *_panel(drawing, height),
        *_face(756, middle),
        "</svg>",
        "",
    ])  # fmt: skip


def _text(x: float, y: float, text: str, colour: str = INK, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" {more}>{escape(text)}</text>'


def _microphone(x: float, y: float) -> list[str]:
    return [
        f'<rect x="{x - 9:g}" y="{y - 30:g}" width="18" height="34" rx="9" fill="{INK}"/>',
        f'<path d="M{x - 16:g} {y - 8:g} a16 16 0 0 0 32 0 M{x:g} {y + 8:g} v12 M{x - 9:g} {y + 20:g} h18" fill="none" '
        f'stroke="{INK}" stroke-width="3"/>',
        _text(x, y + 44, "your voice", QUIET, 'text-anchor="middle"'),
    ]


def _arrow(x: float, y: float, to: float, label: str) -> list[str]:
    return [
        f'<path d="M{x:g} {y:g} H{to:g} m-8 -5 l8 5 l-8 5" fill="none" stroke="{ON}" stroke-width="2.5"/>',
        *([_text((x + to) / 2, y - 12, label, ON, 'text-anchor="middle" font-size="11"')] if label else []),
    ]


def _vivant(drawing: Drawing, y: float) -> list[str]:
    return [
        f'<rect x="124" y="{y - 34:g}" width="260" height="68" rx="6" fill="{INK}"/>',
        _text(138, y - 8, "vivant motion", PANEL, 'font-family="monospace"'),
        _text(138, y + 16, drawing.command, "#b9e4cf", 'font-family="monospace" font-size="12"'),
    ]


def _panel(drawing: Drawing, height: float) -> list[str]:
    drawn = [
        f'<rect x="502" y="14" width="206" height="{height - 28:g}" rx="6" fill="{PANEL}" stroke="{OFF}"/>',
        _text(516, 38, drawing.tool, INK, 'font-weight="bold"'),
    ]
    for row, (name, state) in enumerate(drawing.switches):
        y = TOP_PX + ROW_PX * row + 8
        drawn.append(_text(516, y, name, INK, 'font-size="11"'))
        drawn += _switch(678, y, state == "on") if state in ("on", "off") else [_text(698, y, state, ON, _VALUE)]
    return drawn


_VALUE = 'font-size="11" text-anchor="end" font-weight="bold"'


def _switch(x: float, y: float, is_on: bool) -> list[str]:
    return [
        f'<rect x="{x - 6:g}" y="{y - 11:g}" width="26" height="14" rx="7" fill="{ON if is_on else OFF}"/>',
        f'<circle cx="{x + (13 if is_on else 1):g}" cy="{y - 4:g}" r="5" fill="{PANEL}"/>',
    ]


def _face(x: float, y: float) -> list[str]:
    return [
        f'<circle cx="{x:g}" cy="{y:g}" r="34" fill="#f0cdb6"/>',
        f'<path d="M{x - 34:g} {y:g} a34 34 0 0 1 68 0 q-34 -30 -68 0" fill="#4a3a33"/>',
        *(f'<circle cx="{x + side * 12:g}" cy="{y + 2:g}" r="3.5" fill="{INK}"/>' for side in (-1, 1)),
        f'<ellipse cx="{x:g}" cy="{y + 18:g}" rx="8" ry="6" fill="#8c3b3b"/>',
    ]


if __name__ == "__main__":
    main()
