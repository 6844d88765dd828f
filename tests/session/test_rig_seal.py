"""Which picture a rig shows is believed only where this machine built it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import FaceOf, portrait_path
from vivant.errors import InputError
from vivant.face import open_portrait
from vivant.media import load_image
from vivant.provenance import production
from vivant.provenance.consent import Consent, kept_consent
from vivant.provenance.settings import config_folder
from vivant.rig.cache import NOT_OURS, cache_folder, kept_rigs
from vivant.rig.rig import Rig
from vivant.rig.seal import is_sealed

pytestmark = [pytest.mark.session, pytest.mark.usefixtures("builds")]

ADA = portrait_path("ada")
ADA_SHA256 = load_image(ADA).sha256


@pytest.fixture
def friend(face_of: FaceOf) -> Rig:
    """Somebody else, who says that she is ada."""
    return replace(face_of("noor").rig, portrait_sha256=ADA_SHA256)


def _kept() -> Path:
    (kept,) = kept_rigs()
    return kept.path


def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_rig_of_this_machine_is_believed(tmp_path: Path) -> None:
    open_portrait(ADA)
    copied = Path(shutil.copy(_kept(), tmp_path / "any name.vivant"))
    assert open_portrait(copied).rig.portrait_sha256 == ADA_SHA256
    work = production.begin(open_portrait(copied), copied, None, 0, None)
    assert (work.claim.consent, work.claim.portrait_kind) == ("synthetic", "picture")


@pytest.mark.parametrize("way", ["saved", "resealed by hand", "another machine", "one byte"])
def test_any_other_rig_is_known_by_its_own_hash(friend: Rig, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = tmp_path / "forged.vivant"
    open_portrait(ADA)
    sealed = _kept().read_bytes()
    if way == "saved":
        friend.save(forged)
    elif way == "resealed by hand":
        friend.save(forged)
        forged.write_bytes(forged.read_bytes()[:-2] + (64).to_bytes(2, "little") + sealed[-64:])
    elif way == "another machine":
        forged.write_bytes(sealed)
        (config_folder() / "rigs.secret").write_bytes(bytes(32))
    else:
        at = len(sealed) // 2
        forged.write_bytes(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
    try:
        face = open_portrait(forged)
    except InputError:
        assert way == "one byte"  # the archive's own checksum saw it
        return
    assert face.rig.portrait_sha256 == _hash_of(forged) != ADA_SHA256
    with pytest.raises(InputError, match=r"nobody has said yet who forged\.vivant shows"):
        production.begin(face, forged, None, 0, None)
    (tmp_path / "policy.toml").write_text(f'portraits = ["{ADA_SHA256}"]')
    monkeypatch.setenv("VIVANT_POLICY", str(tmp_path / "policy.toml"))
    with pytest.raises(InputError, match=r"does not list the portrait forged\.vivant"):
        production.begin(face, forged, None, 0, Consent.AGREED)
    monkeypatch.delenv("VIVANT_POLICY")
    claim = production.begin(face, forged, None, 0, Consent.AGREED).claim
    assert (claim.portrait_sha256, claim.portrait_kind, claim.consent) == (_hash_of(forged), "rig file", "agreed")
    assert kept_consent(ADA_SHA256) is None and kept_consent(_hash_of(forged)) is Consent.AGREED


@pytest.mark.parametrize("way", ["forged", "unsealed", "of another portrait", "of another kind"])
def test_a_kept_rig_that_was_replaced_is_built_again(
    friend: Rig, builds: list[str], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_portrait(ADA)
    kept = _kept()
    if way == "forged":
        friend.save(kept)
    elif way == "unsealed":
        Rig.load(kept).save(kept)
    else:
        cut_out = way == "of another kind"
        open_portrait(ADA if cut_out else portrait_path("bram"), transparent=cut_out)
        (moved,) = (path for path in cache_folder().glob("*.vivant") if path != kept)
        moved.replace(kept)
    builds.clear()
    face = open_portrait(ADA)
    assert builds == ["ada.jpg"]
    assert NOT_OURS in face.notes and not face.rig.transparent
    again = open_portrait(ADA)
    assert builds == ["ada.jpg"] and NOT_OURS not in again.notes


def test_without_a_place_for_the_secret_rigs_are_built_each_time(
    builds: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocker").touch()
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "blocker" / "vivant"))
    for _ in range(2):
        assert NOT_OURS not in open_portrait(ADA).notes
    assert len(builds) == 2 and kept_rigs() == []


def test_only_exactly_these_bytes_are_sealed() -> None:
    open_portrait(ADA)
    data = _kept().read_bytes()
    assert is_sealed(data)
    for changed in (b"", data[:10], data[:-1], data + b"\0", data[1:], data[:-64] + bytes(64)):
        assert not is_sealed(changed)
