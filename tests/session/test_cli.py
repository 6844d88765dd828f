"""The command line where things are missing: a module, a character set, room for the output, somebody to ask."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest
import typer

from tests.session.command_line import ADA, SMALL, Run
from vivant import cli
from vivant.commands import options
from vivant.errors import InputError
from vivant.provenance.consent import Consent

pytestmark = pytest.mark.session

MAIN = "import sys; from vivant.cli import main; sys.argv = ['vivant', *sys.argv[1:]]; main()"


def call(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """In a process of its own, without a terminal."""
    known = {"PATH": os.environ["PATH"], "VIVANT_CACHE_DIR": os.environ["VIVANT_CACHE_DIR"]}
    known |= {"VIVANT_CONFIG_DIR": str(folder / "config"), "HOME": str(folder)}
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(
        command, cwd=folder, env=known | environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )


def test_version(run: Run) -> None:
    outcome = run("--version")
    (line,) = outcome.out.splitlines()
    assert outcome.code == 0
    assert line.startswith(f"vivant {version('vivant')} (Python {sys.version_info[0]}.")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp932", "utf-8"])
def test_output_outlives_every_encoding(run: Run, short: Path, tmp_path: Path, encoding: str) -> None:
    done = call(tmp_path, "render", "ada", str(short), "-o", "声 ü 😀.mp4", *SMALL, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "声 ü 😀.mp4").exists()
    failed = call(tmp_path, "render", "ada", "声.wav", "-o", "x.mp4", PYTHONIOENCODING=encoding)
    assert failed.returncode == 1
    assert b"does not exist" in failed.stderr and b"fault of vivant" not in failed.stderr
    for words in (("--help",), ("render", "--help"), ("cache", "list")):
        assert call(tmp_path, *words, PYTHONIOENCODING=encoding).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("words", [("--version",), ("--help",), ("cache", "list")])
def test_a_full_standard_output_is_no_fault_of_vivants(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    environment = os.environ | {"HOME": str(tmp_path)}
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-c", MAIN, *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("error: standard output takes no more (No space left on device)")
    assert b"fault of vivant" not in done.stderr and b"Exception ignored" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no shell that closes streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(run: Run, short: Path, tmp_path: Path, closed: str) -> None:
    """Nor does a result get the number of standard error, and with it what libraries write there."""
    environment = os.environ | {"VIVANT_CONFIG_DIR": str(tmp_path / "config"), "HOME": str(tmp_path)}
    for words, code in ((("setup",), 1), (("render", "ada", str(short), "-o", "out.mp4", *SMALL), 0)):
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", MAIN, *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == code and b"fault of vivant" not in done.stderr, done.stderr
    assert "credentials: valid" in run("verify", str(tmp_path / "out.mp4")).out


def test_a_missing_module_takes_only_its_own_command_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [
        EntryPoint("cam", "no_such_bridge.cam:cam", cli.GROUP),
        EntryPoint("doctor", "vivant.cli:no_such_function", cli.GROUP),
        EntryPoint("cache", "vivant.commands.cache:app", cli.GROUP),
    ]
    monkeypatch.setattr(cli, "entry_points", lambda group: broken)
    helped = run("--help")
    assert helped.code == 0 and "cache" in helped.out and "not installed" in helped.out
    assert run("cache", "list").code == 0
    for words in (("cam", ADA, "--fps", "30"), ("cam", "--help"), ("doctor",)):
        assert f"the command {words[0]} is not part of this installation" in run(*words).sentence()


def test_a_typing_error_is_asked_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter(["mee", "", "ME "])
    monkeypatch.setattr(typer, "prompt", lambda _: next(answers))
    assert options._ask(Path("me.jpg")) is Consent.ME
    said = capsys.readouterr().out
    assert said.count("answer with me, agreed, unreal, synthetic or other; got") == 2
    assert "other      someone else" in said
    monkeypatch.setattr(typer, "prompt", lambda _: "other")
    with pytest.raises(InputError, match="may not be animated"):
        options._ask(Path("me.jpg"))


def test_uninstall_asks_then_deletes_its_own_files_only(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    config = tmp_path / "vivant"
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(config))
    config.mkdir()
    for name in ("config.toml", "key.pem", "key.pem.old1", "certificate.pem.old12", "vtube_studio.token", "letter.txt"):
        (config / name).write_text("")
    (config / "manners").mkdir()
    (config / "manners" / "me.manner").write_text("")
    rigs = tmp_path / ".cache" / "rigs"
    (rigs / "photo.jpg").write_text("somebody else's")
    kept = sorted(path.name for path in rigs.iterdir())
    assert "give --yes" in run("uninstall").err
    assert sorted(path.name for path in rigs.iterdir()) == kept
    outcome = run("uninstall", "--yes")
    assert outcome.code == 0 and "key.pem" in outcome.out and "by hand" in outcome.out
    assert [path.name for path in rigs.iterdir()] == ["photo.jpg"]
    assert [path.name for path in config.iterdir()] == ["letter.txt"]
    (rigs / "photo.jpg").unlink()
    (config / "letter.txt").unlink()
    assert "nothing of Vivant's" in run("uninstall").out
    (config / "key.pem").write_text("")
    assert run("uninstall", "--yes").code == 0
    assert not config.exists() and not rigs.exists()
