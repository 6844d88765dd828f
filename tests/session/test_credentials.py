"""Content credentials: what they say, who signed, what came before, and what happens to those that lie or are broken."""

from __future__ import annotations

import datetime
import io
import json
import shutil
import struct
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import av
import c2pa
import numpy as np
import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import portrait_path
from tests.session.command_line import Run
from vivant.errors import InputError, OutputError
from vivant.provenance.credentials import Claim, key_files, sign
from vivant.provenance.settings import config_folder
from vivant.provenance.verify import Credentials, _read_manifest, verify
from vivant.provenance.watermark_code import session_pattern
from vivant.render._kernel import Watermark
from vivant.types import UInt8Array

pytestmark = pytest.mark.session

NOW = datetime.datetime(2026, 8, 2, tzinfo=datetime.UTC)
CLAIM = partial(Claim, portrait_sha256="11" * 32, audio_sha256="22" * 32, consent="synthetic", models=("test",))


def _picture(path: Path, session_id: int | None = None) -> Path:
    """A small portrait, marked or not."""
    with Image.open(portrait_path("bram")) as image:
        pixels = np.array(image.convert("RGB").resize((320, 320)))
    if session_id is not None:
        Watermark(session_pattern(session_id), 320, 320, 3).apply(pixels)
    Image.fromarray(pixels).save(path)
    return path


def _signed(folder: Path, name: str, claim: Claim, marked: int | None = 7) -> Path:
    out = folder / name
    sign(_picture(folder / f"plain_{name}", marked), out, claim, NOW)
    return out


def _manifest(path: Path) -> dict[str, Any]:
    with path.open("rb") as data, c2pa.Reader("image/png", data) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def _by_another_tool(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "other.png") -> Path:
    """Signed by somebody else's key and program."""
    with monkeypatch.context() as patch:
        patch.setenv("VIVANT_CONFIG_DIR", str(folder / "elsewhere"))
        chain, key = key_files()
    info = c2pa.C2paSignerInfo(b"es256", chain.read_bytes(), key.read_bytes(), b"")
    info.ta_url = None
    manifest = {"claim_generator_info": [{"name": "A camera", "version": "9"}], "title": "holiday"}
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder.from_json(json.dumps(manifest)) as builder:
        builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE)
        with _picture(folder / "photo.png").open("rb") as source, (folder / name).open("w+b") as target:
            builder.sign(signer, "image/png", source, target)
    return folder / name


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_what_the_manifest_says(tmp_path: Path, name: str) -> None:
    path = _signed(tmp_path, name, CLAIM(session_id=7, label_off_reason="a game"))
    found = verify(path)
    assert (found.credentials, found.said_session_id, found.agree, found.trusted) == (
        Credentials.VALID,
        "00000007",
        True,
        True,
    )
    text = path.read_bytes()
    for said in (b"compositeSynthetic", b"11" * 32, b"22" * 32, b"a game", b"2026-08-02", b"synthetic"):
        assert said in text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_and_reasons_that_are_no_utf8_are_signed_all_the_same(tmp_path: Path) -> None:
    path = _signed(tmp_path, "\udcff.png", CLAIM(session_id=7, label_off_reason="\udce4 game"))
    assert verify(path).credentials is Credentials.VALID
    assert b"? game" in path.read_bytes()


def test_a_portrait_keeps_its_own_credentials_and_the_sound_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tmp_path / "very private name.wav"
    sound.write_bytes(b"RIFF1234WAVE and no more")
    parent = _by_another_tool(tmp_path, monkeypatch)
    path = _signed(tmp_path, "a.png", CLAIM(session_id=7, portrait=parent, audio=sound))
    said = _manifest(path)
    active = said["manifests"][said["active_manifest"]]
    portrait, voice = active["ingredients"]
    assert (portrait["relationship"], voice["relationship"]) == ("parentOf", "inputTo")
    assert voice["description"] == "SHA-256 " + "22" * 32
    assert said["manifests"][portrait["active_manifest"]]["claim_generator_info"][0]["name"] == "A camera"
    assert b"private name" not in path.read_bytes()
    assert verify(path).credentials is Credentials.VALID


def test_a_file_of_another_tool(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run("verify", _by_another_tool(tmp_path, monkeypatch))
    assert outcome.code == 5
    assert "made by A camera 9" in outcome.out and "nobody vouches" in outcome.out and "watermark: none found" in outcome.out


def test_a_manifest_that_names_another_session(run: Run, tmp_path: Path) -> None:
    outcome = run("verify", _signed(tmp_path, "lies.png", CLAIM(session_id=8), marked=7))
    assert outcome.code == 4 and "different sessions" in outcome.out


def test_a_wrong_name_changes_nothing(tmp_path: Path) -> None:
    path = _signed(tmp_path, "a.png", CLAIM(session_id=7))
    found = verify(path.rename(tmp_path / "a.mp4"))
    assert found.credentials is Credentials.VALID and found.mark is not None


def test_own_certificates_by_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "company"))
        chain, key = key_files()
    config_folder().mkdir(parents=True, exist_ok=True)
    for file in (chain, key):
        shutil.copy(file, config_folder() / f"own_{file.name}")
    (config_folder() / "config.toml").write_text('certificate = "own_certificate.pem"\nkey = "own_key.pem"\n')
    assert key_files() == (config_folder() / "own_certificate.pem", config_folder() / "own_key.pem")
    serial = x509.load_pem_x509_certificate(chain.read_bytes()).serial_number
    path = _signed(tmp_path, "a.png", CLAIM(session_id=7))
    said = _manifest(path)
    assert said["manifests"][said["active_manifest"]]["signature_info"]["cert_serial_number"] == str(serial)
    assert not (config_folder() / "key.pem").exists()
    key.write_text("no key")
    monkeypatch.setenv("VIVANT_CERTIFICATE", str(chain))
    monkeypatch.setenv("VIVANT_KEY", str(key))
    with pytest.raises(OutputError, match="could not be given content credentials"):
        _signed(tmp_path, "b.png", CLAIM(session_id=7))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 'red'", "unknown setting 'colour'"),
        ("consent = 1", "consent = 1"),
        ("consent = ", "not readable TOML"),
        ("certificate = 'a.pem'", "needs its key"),
        ("language = 'xx'", "no language 'xx'"),
        ("label_off_reason = ' '", "needs a reason"),
    ],
)
def test_bad_settings_get_one_sentence(run: Run, short: Path, text: str, words: str) -> None:
    config_folder().mkdir(parents=True, exist_ok=True)
    (config_folder() / "config.toml").write_text(text)
    assert words in run("render", "ada", short, "-o", "x.gif", "--size", "96").sentence()
    assert not Path("x.gif").exists()


def _huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _wide_video() -> bytes:
    """Two empty frames of 4096 x 4080, in a few kilobytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 4096, 4080, "yuv420p"
        out.mux(stream.encode(av.VideoFrame(4096, 4080, "yuv420p")))
        out.mux(stream.encode(None))
    return file.getvalue()


def test_hostile_files(run: Run) -> None:
    Path("bomb.png").write_bytes(_huge_png())
    Path("wide.mp4").write_bytes(_wide_video())
    Path("list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    Path("concat.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    assert "too large" in run("verify", "bomb.png").sentence()
    assert "at most 3840 x 2160" in run("verify", "wide.mp4").sentence()
    for name in ("list.mp4", "concat.mp4"):
        assert "passwd" not in run("verify", name).sentence()


def test_a_sidecar_of_rubbish_is_broken(run: Run) -> None:
    with Image.open(_picture(Path("plain.png"))) as image:
        image.convert("P").save("a.gif")
    Path("a.gif.c2pa").write_bytes(bytes(range(256)) * 20)
    outcome = run("verify", "a.gif")
    assert outcome.code == 4 and "broken" in outcome.out


@pytest.fixture(scope="module")
def signed_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("signed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIVANT_CONFIG_DIR", str(folder / "config"))
        return _signed(folder, "a.jpg", CLAIM(session_id=7)).read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), length=st.integers(1, 64), cut=st.booleans(), seed=st.integers(0, 999))
def test_damage_is_never_valid_and_never_a_crash(
    tmp_path: Path, signed_bytes: bytes, at: float, length: int, cut: bool, seed: int
) -> None:
    start = int(at * len(signed_bytes))
    noise = b"" if cut else np.random.default_rng(seed).bytes(min(length, len(signed_bytes) - start))
    damaged = signed_bytes[:start] + noise + (b"" if cut else signed_bytes[start + len(noise) :])
    path = tmp_path / "damaged.jpg"
    path.write_bytes(damaged)
    try:
        found = verify(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        # Filling bytes of the manifest itself are under no hash; whatever shows is.
        assert found.credentials is not Credentials.VALID or np.array_equal(pixels_of(damaged), pixels_of(signed_bytes))


def test_a_flipped_bit_anywhere_in_the_manifest_is_told_in_a_sentence(tmp_path: Path, signed_bytes: bytes) -> None:
    path, first = tmp_path / "damaged.jpg", signed_bytes.index(b"urn:c2pa:")
    reasons = set()
    for at in range(first, first + 1000):
        path.write_bytes(signed_bytes[:at] + bytes([signed_bytes[at] ^ 1]) + signed_bytes[at + 1 :])
        state, _, reason = _read_manifest(path)
        reasons.add(reason)
        assert (state is Credentials.BROKEN) == (reason is not None)
    assert "the active manifest is missing" in reasons


def pixels_of(data: bytes) -> UInt8Array:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
