"""``vivant portraits``: every bundled portrait, who it shows, by whom, and what it looks like."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import vivant.commands.portraits as portraits_command
from tests.conftest import portrait_path
from tests.session.command_line import Run, pixels
from vivant.bundled import about, portrait_bytes, portraits
from vivant.errors import InputError

pytestmark = pytest.mark.session

ROOT = Path(__file__).parents[2]
PAINTINGS = {name for name in portraits() if about(name).is_painting}


def test_every_portrait_has_its_line_and_no_other_has() -> None:
    table = tomllib.loads((portrait_path("ada").parent / "portraits.toml").read_text(encoding="utf-8"))
    assert set(table) == set(portraits())
    assert {about(name).licence for name in PAINTINGS} == {"public domain"}
    with pytest.raises(InputError, match="no bundled portrait has that name"):
        about("nobody")


def test_painters_and_years_stand_in_the_notice() -> None:
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    assert len(PAINTINGS) >= 3
    for name in PAINTINGS:
        painter, year = re.search(r"by ([^,]+), (?:about )?(\d{4})$", about(name).shows).groups()  # type: ignore[union-attr]
        assert f"{name}.jpg, {painter}" in notice and year in notice


def test_they_are_listed_and_drawn_into_a_sheet(run: Run) -> None:
    done = run("portraits", "-o", "sheet.png")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[: len(portraits())]] == list(portraits())
    assert "Mona Lisa, by Leonardo da Vinci, about 1503; public domain" in done.out
    sheet = pixels("sheet.png")
    assert sheet.shape[0] > 512 and sheet.std() > 30
    assert "end its name in .png, .jpg" in run("portraits", "-o", "sheet.bmp").sentence()


def test_a_terminal_with_colours_shows_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "terminal").open("w+", encoding="utf-8") as terminal:
        console = Console(file=terminal, force_terminal=True, color_system="truecolor", width=120)
        monkeypatch.setattr(portraits_command, "console", console)
        portraits_command.list_portraits()
        terminal.seek(0)
        shown = terminal.read()
    side = portraits_command.COLUMNS
    assert shown.count("▀") == len(portraits()) * side * side // 2
    upper = [int(value) for value in re.search(r"38;2;(\d+);(\d+);(\d+)", shown).groups()]  # type: ignore[union-attr]
    assert np.abs(portraits_command._pixels(portraits()[0], side)[0, 0].astype(int) - upper).max() <= 1


def test_the_wheel_stays_small() -> None:
    assert sum(len(portrait_bytes(name)) for name in PAINTINGS) < 500_000
