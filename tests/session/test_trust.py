"""``verify`` says no more than it knows: whose key, if it is known; of the rest, that it is not."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from tests.conftest import portrait_path
from tests.session.command_line import Run
from vivant.errors import InputError
from vivant.provenance import verify as verify_module
from vivant.provenance.credentials import SOURCE_TYPE, Claim, key_files, sign
from vivant.provenance.findings import Verdict
from vivant.provenance.keys import _certificate, renew
from vivant.provenance.trust import Trust
from vivant.provenance.verify import _source_types, verify
from vivant.provenance.watermark_code import session_pattern
from vivant.render._kernel import Watermark
from vivant.sealed.content import c2pa, context

pytestmark = pytest.mark.session

NOW = datetime.datetime(2026, 8, 2, tzinfo=datetime.UTC)
PEM = serialization.Encoding.PEM
CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
EMPTY = "http://c2pa.org/digitalsourcetype/empty"
SESSION = 7


def _photo(name: str, marked: bool = True, kind: str = "RGB") -> Path:
    with Image.open(portrait_path("noor")) as image:
        pixels = np.array(image.convert("RGB").resize((320, 320)))
    if marked:
        Watermark(session_pattern(SESSION), 320, 320, 3).apply(pixels)
    Image.fromarray(pixels).convert(kind).save(name)
    return Path(name)


def _ours(out: str = "ours.png", plain: str = "plain.png") -> Path:
    claim = Claim("11" * 32, "22" * 32, "synthetic", SESSION, ("test",))
    beside = sign(_photo(plain, kind="P" if out.endswith("gif") else "RGB"), Path(out), claim, NOW)
    if beside is not None:
        Path(f"{out}.c2pa").write_bytes(beside)
    return Path(out)


class Stranger:
    """Signs with a home-made certificate in any names; ``below`` puts our own certificates into its chain."""

    def __init__(self, name: str, below: bytes = b"") -> None:
        root, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.Name(
                [
                    x509.NameAttribute(NameOID.COMMON_NAME, cn),
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Vivant, this machine"),
                ]
            )
            for cn in ("Vivant local root", name)
        ]
        begin = NOW - datetime.timedelta(days=1)
        self.leaf = _certificate(names[1], names[0], self.key, root, begin, is_root=False).public_bytes(PEM)
        self.root = _certificate(names[0], names[0], root, root, begin, is_root=True).public_bytes(PEM)
        self.chain = self.leaf + (below or self.root)

    def sign(self, source: Path, out: str, source_type: str, session: str | None = None) -> Path:
        action = {"action": "c2pa.created", "digitalSourceType": source_type}
        said = {"label": "org.vivant.session", "data": {"watermark": {"product": "vivant", "session_id": session}}}
        manifest = {
            "claim_generator_info": [{"name": "Vivant", "version": "0.1.0"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}, *([said] if session else [])],
        }
        secret = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        info = c2pa.C2paSignerInfo(b"es256", self.chain, secret, b"")
        info.ta_url = None
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder.from_json(json.dumps(manifest), context()) as builder,
            source.open("rb") as data,
            Path(out).open("w+b") as copy,
        ):
            builder.sign(signer, "image/png", data, copy)
        return Path(out)


@pytest.mark.parametrize("below", ["nothing", "our root", "our chain"])
def test_a_forgery_in_our_names_is_signed_by_nobody_known(run: Run, below: str) -> None:
    true = verify(_ours())
    assert (true.verdict, true.exit_code, true.trusted, true.agree) == (Verdict.KNOWN_SIGNER, 0, True, True)
    chain = key_files()[0].read_bytes()
    borrowed = {"nothing": b"", "our root": chain[chain.rindex(b"-----BEGIN") :], "our chain": chain}[below]
    forger = Stranger("Vivant local signer", borrowed)
    forged = forger.sign(_photo("photo.png"), "forged.png", SOURCE_TYPE, f"{SESSION:08x}")
    found = verify(forged)
    assert (found.signer, found.generator, found.agree) == (true.signer, true.generator, True)
    assert (found.verdict, found.trusted) == (Verdict.UNKNOWN_SIGNER, False)
    outcome = run("verify", forged)
    assert outcome.code == 5
    assert "signed by nobody known" in outcome.out and "can be copied" in outcome.out and "yours" not in outcome.out


@pytest.mark.parametrize("source_type", [CAPTURE, CAPTURE.replace("digitalCapture", "humanEdits"), EMPTY])
@pytest.mark.parametrize("listed", [False, True])
def test_a_marked_film_that_is_claimed_as_real_gets_a_warning(run: Run, source_type: str, listed: bool) -> None:
    camera = Stranger("A camera")
    path = camera.sign(_photo("bare.png"), "camera.png", source_type)
    Path("list.pem").write_bytes(camera.chain)
    outcome = run("verify", path, *(("--trust", "list.pem") if listed else ()))
    assert outcome.code == 7 and "warning" in outcome.out
    said = json.loads(run("verify", path, "--json").out)
    assert (said["verdict"], said["source_types"]) == ("denied", [source_type.rpartition("/")[2]])
    unmarked = camera.sign(_photo("clean.png", marked=False), "photo.png", source_type)
    assert run("verify", unmarked, *(("--trust", "list.pem") if listed else ())).code == (0 if listed else 5)


def test_a_list_knows_signers_alone_or_all_of_an_authority(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    friend = Stranger("A friend")
    path = friend.sign(_photo("p.png"), "friend.png", SOURCE_TYPE)
    for name, data, code in (
        ("chain.pem", friend.chain, 0),
        ("authority.pem", friend.root, 0),
        ("other.pem", Stranger("A friend").chain, 5),
        ("sibling.pem", Stranger("Another").leaf + friend.root, 5),
    ):
        Path(name).write_bytes(data)
        assert run("verify", path, "--trust", name).code == code, name
    assert run("verify", path).code == 5
    monkeypatch.setenv("VIVANT_TRUST", "chain.pem")
    assert run("verify", path).code == 0
    for name, data in (("leaf.pem", friend.leaf), ("rubbish.pem", b"rubbish"), ("empty.pem", b"")):
        Path(name).write_bytes(data)
        run("verify", path, "--trust", name).sentence()


def test_after_a_renewal_older_files_are_known_by_the_old_certificate(run: Run) -> None:
    path = _ours()
    renew()
    assert run("verify", path).code == 5
    (old,) = key_files()[0].parent.glob("certificate.pem.old*")
    assert run("verify", path, "--trust", old).code == 0


def test_a_manifest_that_lies_beside_is_told_alike(run: Run) -> None:
    path = _ours("a.gif", "plain.gif")
    assert run("verify", path).code == 0
    renew()
    assert run("verify", path).code == 5
    Path("a.gif.c2pa").unlink()
    assert run("verify", path).code in (3, 6)


def test_every_verdict_has_words_of_its_own() -> None:
    assert len({verdict.value for verdict in Verdict}) == len(Verdict)
    with pytest.raises(InputError, match="lacks the certificate of the authority"):
        Path("leaf.pem").write_bytes(Stranger("x").leaf)
        Trust.load(Path("leaf.pem"))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "data", [None, [], "text", 5, {"actions": None}, {"actions": [None, "x", {"digitalSourceType": 5}]}, {"watermark": [1]}]
)
def test_what_strangers_write_into_manifests_is_no_fault(data: Any) -> None:  # noqa: ANN401
    manifest = {"assertions": [{"label": label, "data": data} for label in ("c2pa.actions.v2", "org.vivant.session")]}
    assert _source_types(manifest) in ((), ("5",))
    said = verify_module._said_by_us(manifest)
    assert [verify_module._mapping(said.get(part)).get("session_id") for part in ("watermark", "drive")] == [None, None]


def test_an_edit_by_another_tool_keeps_what_its_parent_said() -> None:
    synthetic = {"assertions": [{"label": "c2pa.actions", "data": {"actions": [{"digitalSourceType": SOURCE_TYPE}]}}]}
    silent: dict[str, Any] = {"assertions": []}
    assert _source_types(silent | {"parents": [silent, synthetic]}) == ("compositeSynthetic",)
    assert _source_types(synthetic | {"parents": [silent]}) == ("compositeSynthetic",)


def test_a_video_of_an_unknown_codec_gets_one_sentence(run: Run) -> None:
    with av.open("a.webm", "w") as out:
        stream = out.add_stream("libvpx-vp9", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(stream.encode(None))
    data = Path("a.webm").read_bytes()
    for name, codec in (("unknown", b"V_XYZ"), ("empty", b"\0\0\0\0\0")):
        Path(f"{name}.webm").write_bytes(data.replace(b"V_VP9", codec))
        assert "fault of vivant" not in run("verify", f"{name}.webm").sentence()
