"""``vivant verify``, consent, labels and policy, as a user meets them."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.conftest import portrait_path
from tests.session.command_line import ADA, SMALL, Run, pictures
from vivant.commands import options
from vivant.provenance import production
from vivant.provenance.label import CORNERS, Label, free_corner
from vivant.provenance.settings import config_folder

pytestmark = pytest.mark.session
READABLE = ("--size", "512", "--fps", "24")


def _verify(run: Run, path: Path | str, code: int) -> dict[str, object]:
    outcome = run("verify", path, "--json")
    assert outcome.code == code, outcome.out + outcome.err
    said: dict[str, object] = json.loads(outcome.out)
    return said


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.gif", "frames"])
def test_what_we_write_verifies(run: Run, short: Path, name: str) -> None:
    assert run("render", "ada", short, "-o", name, *READABLE).code == 0
    said = _verify(run, "frames/frame_000003.png" if name == "frames" else name, 0)
    assert (said["credentials"], said["generator"]) == ("valid", "Vivant 0.1.0")
    assert said["manifest_and_watermark_agree"] is True
    assert stat.S_IMODE((config_folder() / "key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("size", ["480x854", "854x480"])
def test_frames_that_are_no_squares_verify(run: Run, short: Path, size: str) -> None:
    assert run("render", "ada", short, "-o", "out.mp4", "--size", size, "--fps", "24").code == 0
    with av.open("out.mp4") as video:
        stream = video.streams.video[0]
        assert f"{stream.width}x{stream.height}" == size
    said = _verify(run, "out.mp4", 0)
    assert said["manifest_and_watermark_agree"] is True and said["watermark"] is not None


def test_a_format_without_credentials_still_has_the_mark(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "out.webm", *READABLE).code == 0
    said = _verify(run, "out.webm", 6)
    assert said["credentials"] == "absent" and said["watermark"] is not None


def test_changed_stripped_and_foreign_files(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "frames", *READABLE).code == 0
    signed = Path("frames/frame_000002.png")
    with Image.open(signed) as image:
        image.save("stripped.png")
    assert _verify(run, "stripped.png", 6)["credentials"] == "absent"
    data = bytearray(signed.read_bytes())
    data[-200] ^= 0xFF  # in the pixels or their checksum
    Path("changed.png").write_bytes(data)
    assert run("verify", "changed.png").code in (1, 4)
    assert _verify(run, ADA, 3)["watermark"] is None
    assert "does not prove" in run("verify", ADA).out


def test_a_manifest_of_another_file_is_broken(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "out.gif", *SMALL).code == 0
    with Image.open(ADA) as image:
        image.convert("P").save("lies.gif")
    shutil.copy("out.gif.c2pa", "lies.gif.c2pa")
    said = _verify(run, "lies.gif", 4)
    assert said["credentials"] == "broken" and "dataHash" in str(said["broken_because"])


@pytest.mark.parametrize("name", ["empty.mp4", "text.png", "noise.mp4", "cut.png", "missing.mp4", "folder.mp4"])
def test_bad_files_get_one_sentence(run: Run, name: str) -> None:
    Path("empty.mp4").touch()
    Path("text.png").write_text("not a picture")
    Path("noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    Path("cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + Path(ADA).read_bytes()[:1000])
    Path("folder.mp4").mkdir()
    run("verify", name).sentence()


def _without_credentials(path: Path) -> bytes:
    """An MP4 file less the box that holds them, and less the table of places, which moves with it."""
    data, kept = path.read_bytes(), b""
    while data:
        size = int.from_bytes(data[:4], "big")
        kept += b"" if data[4:8] in (b"uuid", b"moov") else data[:size]
        data = data[size:]
    return kept


def test_the_same_seed_gives_the_same_bytes(run: Run, short: Path) -> None:
    for name, seed in (("a.mp4", 1), ("b.mp4", 1), ("c.mp4", 2)):
        assert run("render", "ada", short, "-o", name, "--seed", str(seed), *SMALL).code == 0
    assert _without_credentials(Path("a.mp4")) == _without_credentials(Path("b.mp4"))
    assert _without_credentials(Path("a.mp4")) != _without_credentials(Path("c.mp4"))


def test_languages_of_the_label(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_LANGUAGE", "fr")
    for name, arguments in (("set", ()), ("named", ("--language", "de")), ("fr", ("--language", "fr"))):
        assert run("render", "ada", short, "-o", name, *SMALL, *arguments).code == 0
    first = {name: pictures(Path(name))[0].tobytes() for name in ("set", "named", "fr")}
    assert first["set"] == first["fr"] != first["named"]
    assert "no language 'xx'" in run("render", "ada", short, "-o", "x.mp4", "--language", "xx", *SMALL).sentence()


def test_consent_by_configuration(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    config_folder().mkdir(parents=True, exist_ok=True)
    (config_folder() / "config.toml").write_text('consent = "unreal"\nlabel_off_reason = "NPCs of our game"\n')
    with Image.open(ADA) as image:
        image.save("friend.png")
    assert run("render", "friend.png", short, "-o", "a.mp4", *SMALL).code == 0
    data = Path("a.mp4").read_bytes()
    assert b"unreal" in data and b"NPCs of our game" in data


def test_consent_is_asked_once(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    with Image.open(portrait_path("noor")) as image:
        image.save("friend.png")
    assert "--consent me" in run("render", "friend.png", short, "-o", "a.mp4", *SMALL).sentence()
    refused = run("render", "friend.png", short, "-o", "a.mp4", "--consent", "other", *SMALL).sentence()
    assert "not agreed" in refused
    assert "got 'perhaps'" in run("render", "friend.png", short, "-o", "a.mp4", "--consent", "perhaps", *SMALL).sentence()
    assert not Path("a.mp4").exists()
    assert run("render", "friend.png", short, "-o", "a.mp4", "--consent", "agreed", *SMALL).code == 0
    assert run("render", "friend.png", short, "-o", "b.mp4", *SMALL).code == 0


def test_somebody_at_a_terminal_is_asked_once(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    answers = ["other", "agreed"]
    for module in (options, production):
        monkeypatch.setattr(module, "bundled_consent", lambda _: None)
    monkeypatch.setattr(options, "_somebody_is_there", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda _: answers.pop(0))
    refused = run("render", "ada", short, "-o", "a.gif", *SMALL)
    assert refused.code == 1 and "ask them first" in refused.err and not Path("a.gif").exists()
    for _ in range(2):  # the second time without a question, for which no answer is left
        accepted = run("render", "ada", short, "-o", "a.gif", *SMALL)
        assert accepted.code == 0
    assert "Who does" not in accepted.out


def test_the_label_can_be_left_away_with_a_reason(run: Run, short: Path) -> None:
    assert run("render", "ada", short, "-o", "with", *SMALL).code == 0
    assert run("render", "ada", short, "-o", "without", "--no-label", "our own game's NPC", *SMALL).code == 0
    labelled, plain = pictures(Path("with"))[0], pictures(Path("without"))[0]
    changed = np.abs(labelled.astype(int) - plain).max(axis=2) > 40
    assert changed[:48, 48:].any() and not changed[48:].any()
    assert "needs a reason" in run("render", "ada", short, "-o", "x.mp4", "--no-label", " ", *SMALL).sentence()


@pytest.mark.parametrize(
    ("rules", "arguments", "words"),
    [
        ("forbid_label_off = true", ("-o", "x.mp4", "--no-label", "because"), "forbids leaving the label"),
        ("portraits = ['00']", ("-o", "x.mp4"), "does not list the portrait ada.jpg"),
        ("require_signatures = true", ("-o", "x.webm"), "requires content credentials"),
        ("max_sesions = 2", ("-o", "x.mp4"), "unknown rule 'max_sesions'"),
        ("max_sessions = 0", ("-o", "x.mp4"), "max_sessions = 0"),
        ("max_sessions = ", ("-o", "x.mp4"), "not readable TOML"),
    ],
)
def test_policy(
    run: Run, short: Path, monkeypatch: pytest.MonkeyPatch, rules: str, arguments: tuple[str, ...], words: str
) -> None:
    Path("policy.toml").write_text(rules)
    monkeypatch.setenv("VIVANT_POLICY", "policy.toml")
    assert words in run("render", "ada", short, *arguments, *SMALL).sentence()
    assert not list(Path().glob("x.*"))


def test_the_label_avoids_the_face() -> None:
    assert free_corner(None) == free_corner((0.3, 0.2, 0.7, 0.8)) == "top right"
    assert free_corner((0.5, 0.0, 1.0, 0.8)) == "top left"
    assert free_corner((0.0, 0.0, 1.0, 0.8)) == "bottom right"
    for corner in CORNERS:
        pixels = np.zeros((200, 200, 4), np.uint8)
        Label("de", corner).draw(pixels, 0)
        drawn = pixels[..., 3] > 0
        assert drawn[:100].any() is np.True_ if corner.startswith("top") else drawn[100:].any()
        early = int(drawn.sum())
        pixels[:] = 0
        Label("de", corner).draw(pixels, 4_000_000)
        assert 0 < int((pixels[..., 3] > 0).sum()) < early / 2
