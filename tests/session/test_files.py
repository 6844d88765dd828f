"""What commands do to files: no input is harmed, nothing unsigned has the final name, nothing half-made stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.session.command_line import ADA, SMALL, Run
from vivant.commands import keys
from vivant.errors import InputError, OutputError
from vivant.face import RigFace, as_fps, open_portrait
from vivant.offline import render_file
from vivant.provenance import production
from vivant.provenance.keys import key_files
from vivant.provenance.settings import config_folder
from vivant.provenance.verify import Credentials, verify

pytestmark = pytest.mark.session


def _everything() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file() and ".cache" not in path.parts}


def test_no_command_overwrites_what_it_reads(run: Run, short: Path) -> None:
    shutil.copy(short, "talk.mp4")
    shutil.copy(short, "song.gif.c2pa")
    Path("frames").mkdir()
    with Image.open(ADA) as image:
        for name in ("me.png", "me.jpg", "demo_sheet.png", "frames/frame_000001.png", "behind.gif"):
            image.save(name)
    before = _everything()
    for arguments in (
        ("render", "ada", "talk.mp4", "-o", "talk.mp4", *SMALL),
        ("render", "ada", "song.gif.c2pa", "-o", "song.gif", *SMALL),
        ("render", "frames/frame_000001.png", short, "-o", "frames", *SMALL),
        ("render", "frames/frame_000001.png", short, "-o", "frames/frame_%06d.png", *SMALL),
        ("render", "ada", short, "-o", "./behind.gif", "--background", "behind.gif", *SMALL),
        ("inspect", "me.png", "-o", "me.png"),
        ("inspect", "me.jpg", "-o", "./me.jpg"),
        ("inspect", "-o", "talk.png", "--audio", "talk.png"),
        ("demo", "--portrait", "demo_sheet.png"),
    ):
        if "talk.png" in arguments:
            Path("talk.mp4").rename("talk.png")
            before["talk.png"] = before.pop("talk.mp4")
        sentence = run(*arguments).sentence()
        assert "choose" in sentence and ("is also the" in sentence or "holds the" in sentence)
        assert _everything() == before


def test_own_keys_and_settings_are_inputs_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("inspect", "ada", "-o", "sheet.png").code == 0
    for name, file in (("VIVANT_CERTIFICATE", "certificate.pem"), ("VIVANT_KEY", "key.pem")):
        shutil.copy(config_folder() / file, f"{file}.png")
        Path(f"{file}.png").chmod(0o600)
        monkeypatch.setenv(name, f"{file}.png")
    before = _everything()
    assert "is also the certificate" in run("inspect", "ada", "-o", "certificate.pem.png").sentence()
    assert "is also the key" in run("inspect", "ada", "-o", "key.pem.png").sentence()
    assert _everything() == before


def test_the_library_refuses_too(run: Run, short: Path) -> None:
    with Image.open(ADA) as image:
        image.save("me.gif")
    shutil.copy(short, "talk.mp4")
    before = _everything()
    face = RigFace(open_portrait(ADA).rig, Path("me.gif"))
    for audio, out in ((short, "me.gif"), (Path("talk.mp4"), "talk.mp4")):
        with pytest.raises(InputError, match="is also the"):
            render_file(face, audio, Path(out), fps=as_fps(30))
    assert _everything() == before


@pytest.mark.parametrize("out", ["out.mp4", "out.gif", "frames"])
def test_without_a_place_for_the_key_nothing_is_begun(run: Run, short: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("blocker").touch()
    if out != "frames":
        Path(out).write_text("an earlier result")
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(Path("blocker/vivant").absolute()))
    monkeypatch.setattr("vivant.commands.dialogue.open_with_progress", lambda *_, **__: pytest.fail("work was begun"))
    before = _everything()
    assert "set VIVANT_CONFIG_DIR" in run("render", "ada", short, "-o", out, *SMALL).sentence()
    assert _everything() == before and not Path("frames").exists()


@pytest.mark.parametrize(
    ("out", "kept"), [("out.mp4", "out.unsigned.mp4"), ("out.gif", "out.unsigned.gif"), ("frames", "frames.unsigned")]
)
@pytest.mark.parametrize("policy", [False, True])
def test_what_cannot_be_signed_at_its_end_is_kept_apart(
    run: Run, short: Path, out: str, kept: str, policy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if out != "frames":
        Path(out).write_text("an earlier result")
    Path("policy.toml").write_text("require_signatures = true")
    if policy:
        monkeypatch.setenv("VIVANT_POLICY", "policy.toml")

    def fails(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(production, "sign", fails)
    before = _everything()
    sentence = run("render", "ada", short, "-o", out, *SMALL).sentence()
    assert sentence.startswith("error: the disk is full") and (kept in sentence) is not policy
    assert {name: data for name, data in _everything().items() if not name.startswith(kept)} == before
    assert Path(kept).exists() is not policy


def test_nothing_unsigned_ever_has_the_final_name(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at by every rename: what gets a plain name is signed by then."""
    seen: dict[str, Credentials] = {}
    replaces, renames = Path.replace, Path.rename

    def looked_at(self: Path, target: Path) -> Path:
        done = replaces(self, target) if self.is_file() else renames(self, target)
        if Path(target).suffix in (".mp4", ".gif", ".png", "") and ".part-" not in str(target) and ".cache" not in str(target):
            pictures = sorted(Path(target).glob("*.png")) if Path(target).is_dir() else [Path(target)]
            seen.update({str(Path(target).name): verify(picture).credentials for picture in pictures})
        return done

    monkeypatch.setattr(Path, "replace", looked_at)
    monkeypatch.setattr(Path, "rename", looked_at)
    for out in ("out.mp4", "out.gif", "frames"):
        assert run("render", "ada", short, "-o", out, *SMALL).code == 0
    assert run("inspect", "ada", "-o", "sheet.png").code == 0
    assert seen == dict.fromkeys(("out.mp4", "out.gif", "frames", "sheet.png"), Credentials.VALID)


_STOPPED = """
    import os, signal, sys
    from vivant.provenance import production
    from vivant import cli
    number = getattr(signal, sys.argv.pop(1))
    signing = production.sign
    def sign(*given, **named):
        os.kill(os.getpid(), number)
        return signing(*given, **named)
    signal.signal(number, signal.SIG_DFL)  # under nohup a program begins deaf to it
    if sys.argv.pop(1) == "signing":
        production.sign = sign
    else:
        from vivant import offline
        offline.FaceStream.finish = lambda self: os.kill(os.getpid(), number)
    cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("moment", ["drawing", "signing"])
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_program_that_is_told_to_end_leaves_nothing(
    tmp_path: Path, warm_cache: Path, short: Path, number: str, code: int, moment: str
) -> None:
    environment = os.environ | {"VIVANT_CACHE_DIR": str(warm_cache), "VIVANT_CONFIG_DIR": str(warm_cache / "config")}
    out = "out.mp4" if moment == "drawing" else "frames"
    words = [number, moment, "render", "ada", str(short), "-o", out, *SMALL]
    program = [sys.executable, "-c", textwrap.dedent(_STOPPED), *words]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet.JPEG", "sheet.PNG"])
def test_sheets_are_what_their_names_say(run: Run, name: str) -> None:
    assert run("inspect", "ada", "-o", name).code == 0
    with Image.open(name) as image:
        assert image.format == ("PNG" if name.endswith("PNG") else "JPEG")
    assert verify(Path(name)).exit_code == 0


@pytest.mark.parametrize("name", ["sheet.webp", "sheet", "-", "sheet.mp4"])
def test_other_sheets_are_refused_before_any_work(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivant.commands.inspect.open_with_progress", lambda *_, **__: pytest.fail("work was begun"))
    assert "PNG or JPEG" in run("inspect", "ada", "-o", name).sentence()


def test_outputs_that_are_no_files_are_refused_before_any_work(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivant.commands.dialogue.open_with_progress", lambda *_, **__: pytest.fail("work was begun"))
    Path("link.mp4").symlink_to("nowhere/x.mp4")
    Path(".cache/x.mp4").mkdir()
    for name, words in (
        ("-", "standard output"),
        (os.devnull, "is a device"),
        ("link.mp4", "leads to"),
        ("nowhere/x.mp4", "the folder nowhere does not exist"),
        ("nowhere/frames", "the folder nowhere does not exist"),
        (".cache/rigs/../../.cache/x.mp4/", "is a folder"),
        (".", "is no name for a video"),
    ):
        assert words in run("render", "ada", short, "-o", name, *SMALL).sentence()
    assert [path.name for path in Path().iterdir() if path.name != ".cache"] == ["link.mp4"]


def test_a_consent_that_cannot_be_kept_counts_for_this_run(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    with Image.open(ADA) as image:
        image.save("friend.png")
    shutil.rmtree(".cache/rigs")
    Path(".cache/rigs").write_text("no folder")
    outcome = run("render", "friend.png", short, "-o", "out.mp4", "--consent", "agreed", *SMALL)
    assert outcome.code == 0 and "note: who friend.png shows could not be kept and will be asked again" in outcome.out
    assert b"agreed" in Path("out.mp4").read_bytes()


@pytest.mark.parametrize(
    "reason", ["\u200b", " \u2060\ufeff", "\u3164", "\u2800", "\u202e\u00ad", "\U000e0041", "...", "\ufe0f"]
)
def test_an_invisible_reason_is_none(run: Run, short: Path, reason: str) -> None:
    assert "needs a reason" in run("render", "ada", short, "-o", "x.mp4", "--no-label", reason, *SMALL).sentence()


def test_the_command_for_keys(run: Run) -> None:
    runner = CliRunner()
    shown = runner.invoke(keys.app, ["show"])
    chain, key = key_files()
    before = chain.read_bytes(), key.read_bytes()
    assert shown.exit_code == 0 and "PRIVATE" not in shown.output
    assert runner.invoke(keys.app, ["renew"]).exit_code == 0
    after = chain.read_bytes(), key.read_bytes()
    assert after[0] != before[0] and after[1] != before[1]
    assert tuple(path.with_name(path.name + ".old1").read_bytes() for path in (chain, key)) == before
