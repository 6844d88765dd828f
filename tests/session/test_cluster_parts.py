"""What a cluster refuses, and what it says where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vivant.cluster.joining import NOBODY, PROXY, allow_asking, asking_nobody, require_guarded
from vivant.commands.serve import _replicas
from vivant.errors import InputError

pytestmark = pytest.mark.session

WITHOUT = "import sys; sys.modules['ray'] = None; from vivant.cli import main; main()"


@pytest.mark.parametrize(("text", "bounds"), [("1:16", (1, 16)), ("3", (3, 3)), ("4:4", (4, 4))])
def test_so_many_replicas(text: str, bounds: tuple[int, int]) -> None:
    assert _replicas(text) == bounds


@pytest.mark.parametrize("text", ["", ":", "0:1", "2:1", "1:", "-1:2", "a:b", "1:2:3", "1.5"])
def test_no_numbers_of_replicas(text: str) -> None:
    with pytest.raises(InputError, match="MIN:MAX"):
        _replicas(text)


def test_a_cluster_of_several_machines_needs_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    require_guarded(["127.0.0.1", "::1"])
    with pytest.raises(InputError, match=r"open to its network \(10.0.0.7\)"):
        require_guarded(["127.0.0.1", "10.0.0.7"])
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    require_guarded(["10.0.0.7"])


def test_only_what_starts_meanwhile_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROXY, "http://proxy.example:8080")
    with asking_nobody():
        inherited = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
        assert f"{PROXY}={NOBODY}\n" in inherited
        allow_asking()
    allow_asking()
    assert subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.count("http://proxy.example:8080") == 1


@pytest.mark.parametrize("words", ["serve --cluster", "render lines.csv -o out --cluster"])
def test_without_the_extra_a_sentence_says_what_brings_it(tmp_path: Path, words: str) -> None:
    (tmp_path / "lines.csv").write_text("file\nnone.wav\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and 'pip install ".[cluster]"' in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        "serve --cluster --web",
        "serve --cluster --metrics-port 0",
        "serve --cluster --replicas 2:1",
        "render lines.csv -o out --cluster --jobs 2",
        "render ada voice.wav -o out.mp4 --cluster",
    ],
)
def test_what_does_not_go_together(tmp_path: Path, words: str) -> None:
    (tmp_path / "lines.csv").write_text("file\nnone.wav\n")
    code = "from vivant.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "--" in done.stderr and "Traceback" not in done.stderr
