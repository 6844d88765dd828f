"""Pages and code agree: what is installed how, and every setting."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from vivant.extras import install
from vivant.provenance.settings import Settings
from vivant.sealed import SWITCH

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
NOT_TOLD = {"build", "dist", "node_modules", "__pycache__", "venv"}
TEXTS = {".py", ".md", ".cs", ".gd", ".json", ".sh", ".txt", ".toml", ".yml", ".js", ".ts", ".html", ""}
BY_NAME = re.compile(
    r"""(?:(?:pip[x\d]?|uv tool|npm) install|npm i|uv add|poetry add) [^\n`&;|]*(?<![./\w-])(?:[a-z]+-)*vivant\b(?![\w./-])"""
    r"""|['"`]vivant\[[\w,]+\]"""
)
"""As a name that an index would be asked for; paths and addresses are none."""


def told() -> list[Path]:
    """Every text of the repository but this one, what is built or fetched, and where extras name each other."""
    texts = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_TOLD and (not name.startswith(".") or name in (".ci", ".github"))]
        texts += [Path(folder, name) for name in names if Path(name).suffix in TEXTS]
    return [path for path in texts if path not in (ROOT / "pyproject.toml", Path(__file__).resolve())]


def test_nobody_is_told_to_install_a_name_that_is_not_registered() -> None:
    texts = told()
    assert len(texts) > 400 and {ROOT / name for name in ("README.md", ".ci/run", ".github/workflows/ci.yml")} <= set(texts)
    for path in texts:
        assert BY_NAME.search(path.read_text(encoding="utf-8", errors="replace")) is None, path


@pytest.mark.parametrize(
    "text",
    [
        "pip install vivant",
        "pip install 'vivant[cpu]'",
        'pip install -U "vivant[cpu,mic]"',
        "install 'vivant[gpu]' for cuda",
        "pip install pipecat-vivant",
        "uv tool install vivant",
        "npm install vivant",
    ],
)
def test_the_phrase_would_be_found(text: str) -> None:
    assert BY_NAME.search(text)


def test_the_readmes_first_two_commands_need_no_extras() -> None:
    commands = re.findall(r"^    ((?:pip|vivant) .+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands[:2] == ["pip install .", "vivant demo"]


def test_how_to_install() -> None:
    assert install("mic", "server") == 'pip install ".[mic,server]" in the folder of this repository'
    assert BY_NAME.search(install("server")) is None


def settings_page() -> str:
    return (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_every_key_of_the_settings_file_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", settings_page(), re.MULTILINE)
    assert rows == [field.name for field in fields(Settings)]
    example = settings_page().split("```toml")[1].split("```")[0]
    assert re.findall(r"^([a-z_]+) = ", example, re.MULTILINE) == rows


def test_every_variable_of_the_environment_is_told() -> None:
    sources = [path.read_text(encoding="utf-8") for folder in ("runtime", "bridge") for path in (ROOT / folder).rglob("*.py")]
    used = set(re.findall(r"\bVIVANT_[A-Z_]+\b", "\n".join(sources)))
    assert len(used) >= 8
    assert set(re.findall(r"`(VIVANT_[A-Z_]+)`", settings_page())) == used
    assert SWITCH in settings_page()


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = (ROOT / "docs" / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    lines = [line for line in below.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_way_to_extend_it_is_shown_by_a_test_of_a_package_from_outside() -> None:
    toys = tomllib.loads((ROOT / "tests" / "toy_package" / "pyproject.toml").read_text())["project"]["entry-points"]
    rows, groups = rows_of("architecture.md", "Where to add something"), set()
    for row in rows:
        group, shown = re.match(r"`(vivant\.\w+)`", row[2]), re.findall(r"`(\w+\.py)?(?:::(\w+))?`", row[-1])
        assert group and group[1] in toys and shown, row
        groups.add(group[1])
        file = ""
        for name, test in shown:
            file = name or file
            text = (ROOT / "tests" / "session" / file).read_text(encoding="utf-8")
            assert "def test_" in text and (not test or f"def {test}(" in text), f"{file}::{test} is not there"
    assert groups == set(toys), "and every group has its row"


TERMS = (
    "jitter buffer", "worker pool", "load shedder", "watermark", "compositor", "supervisor", "noise gate", "audio timeline",
    "adaptive delay", "frame pacer", "presentation clock",
)  # fmt: skip


@pytest.mark.parametrize("term", TERMS)
def test_a_newcomer_finds_things_by_the_words_of_the_field(term: str) -> None:
    """At the beginning of what a module or class says of itself, and on a page."""
    sources = [path.read_text(encoding="utf-8") for base in ("runtime", "bridge") for path in (ROOT / base).rglob("*.py")]
    assert any(re.search(rf'"""(The )?{term}\b', text, re.IGNORECASE) for text in sources)
    pages = [path.read_text(encoding="utf-8").lower() for path in (ROOT / "docs").glob("*.md")]
    assert any(term in page or term.title().replace(" ", "").lower() in page for page in pages)
