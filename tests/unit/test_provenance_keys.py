"""The signing key: one pair however many begin at once, mended where it was made here, named where it is the user's own."""

from __future__ import annotations

import datetime
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import vivant.provenance.keys as keys
from vivant.errors import InputError, OutputError
from vivant.provenance.credentials import require_signature
from vivant.provenance.keys import key_files, local_files

pytestmark = pytest.mark.unit

PEM = serialization.Encoding.PEM
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")


def _fits(chain: Path, key: Path) -> bool:
    certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    secret = serialization.load_pem_private_key(key.read_bytes(), None)
    return certificate.public_key() == secret.public_key()


def _pem(secret: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return secret.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_threads_that_begin_at_once_share_one_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    start, pairs, made = threading.Barrier(8), list[tuple[bytes, bytes]](), list[Path]()
    make = keys._make

    def counted(chain: Path, key: Path) -> None:
        made.append(chain)
        make(chain, key)

    monkeypatch.setattr(keys, "_make", counted)

    def first_run() -> None:
        start.wait()
        chain, key = key_files()
        pairs.append((chain.read_bytes(), key.read_bytes()))

    threads = [threading.Thread(target=first_run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(set(pairs)) == 1 and len(pairs) == 8


def test_processes_that_begin_at_once_share_one_pair() -> None:
    program = "from vivant.provenance.keys import key_files; print([p.read_text() for p in key_files()])"
    runs = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert _fits(*local_files())


@pytest.mark.parametrize("between", ["certificate.pem", "key.pem"])
def test_death_between_two_renames_is_mended(between: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the two has its name already, the next run has a pair again."""
    key_files()
    replaces = Path.replace

    def dies(self: Path, target: Path) -> Path:
        if Path(target).name == between:
            raise SystemExit
        return replaces(self, target)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Path, "replace", dies)
        keys.renew()
    require_signature()
    assert _fits(*key_files())


def _expired(chain: Path, key: Path) -> None:
    _with_dates(chain, key, datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC))


def _not_yet(chain: Path, key: Path) -> None:
    _with_dates(chain, key, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9000))


def _with_dates(chain: Path, key: Path, begin: datetime.datetime) -> None:
    """As earlier versions made them, for ten years from the clock on."""
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(x509.NameOID.COMMON_NAME, "x"), x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "x")]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_VALID", datetime.timedelta(days=3650))
        made = keys._certificate(name, name, own, root, begin, is_root=False)
    chain.write_bytes(made.public_bytes(PEM))
    key.write_bytes(_pem(own))


FAULTS: dict[str, Callable[[Path, Path], object]] = {
    "empty key": lambda chain, key: key.write_bytes(b""),
    "truncated key": lambda chain, key: key.write_bytes(key.read_bytes()[:100]),
    "foreign key": lambda chain, key: key.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1()))),
    "key of another kind": lambda chain, key: key.write_bytes(_pem(rsa.generate_private_key(65537, 2048))),
    "key with a password": lambda chain, key: key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
        )
    ),
    "no key": lambda chain, key: key.unlink(),
    "empty certificate": lambda chain, key: chain.write_bytes(b""),
    "truncated certificate": lambda chain, key: chain.write_bytes(chain.read_bytes()[:200]),
    "no certificate": lambda chain, key: chain.unlink(),
    "expired": _expired,
    "not yet valid": _not_yet,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_local_pair_is_mended_and_the_old_one_kept(fault: str) -> None:
    chain, key = key_files()
    FAULTS[fault](chain, key)
    before = {path.name: path.read_bytes() for path in (chain, key) if path.exists()}
    notes: list[str] = []
    require_signature(notes.append)
    (note,) = notes
    assert "a new key was made" in note and str(chain.parent) in note and "\n" not in note
    assert {path.name.removesuffix(".old1"): path.read_bytes() for path in chain.parent.glob("*.old1")} == before
    require_signature(notes.append)
    assert len(notes) == 1 and _fits(chain, key)


def test_nothing_that_was_kept_aside_is_overwritten() -> None:
    _, key = key_files()
    for content in (b"one", b"two"):
        key.write_bytes(content)
        key_files()
    assert [key.with_name(f"key.pem.old{number}").read_bytes() for number in (1, 2)] == [b"one", b"two"]


@posix
def test_a_key_that_others_can_read_is_closed_to_them() -> None:
    _, key = key_files()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    key.chmod(0o644)
    notes: list[str] = []
    key_files(notes.append)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(notes) == 1 and "others could read" in notes[0]


def test_the_users_own_pair_is_named_and_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = tmp_path / "own.pem", tmp_path / "own_key.pem"
    _with_dates(chain, key, datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1))
    key.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))
    key.chmod(0o600)
    monkeypatch.setenv("VIVANT_CERTIFICATE", str(chain))
    monkeypatch.setenv("VIVANT_KEY", str(key))
    before = chain.read_bytes(), key.read_bytes()
    with pytest.raises(OutputError, match=r"nothing can be signed with .*own\.pem and .*own_key\.pem"):
        require_signature()
    assert before == (chain.read_bytes(), key.read_bytes())
    assert not local_files()[1].exists()
    if sys.platform != "win32":
        key.chmod(0o640)
        with pytest.raises(InputError, match=r"others can read the key .*chmod 600"):
            require_signature()
        assert stat.S_IMODE(key.stat().st_mode) == 0o640


def test_no_place_for_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocker").touch()
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "blocker" / "vivant"))
    with pytest.raises(OutputError, match=r"^nothing can be signed, .* set VIVANT_CONFIG_DIR"):
        require_signature()


def test_a_clock_far_off_makes_a_certificate_that_serves_later() -> None:
    chain, _ = key_files()
    certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    assert certificate.not_valid_before_utc.year <= 1970 and certificate.not_valid_after_utc.year >= 2090
