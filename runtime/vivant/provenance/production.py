"""What a command does around making a file: consent before, label and mark in between, credentials after."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.drive.recorded import VIDEO, RecordedDriver
from vivant.errors import OutputError, VivantError
from vivant.face import Face, default_motion
from vivant.media.apart import Inputs, require_apart
from vivant.media.atomic import Complete, replacing, reporting, require_place
from vivant.media.formats import folder_of, format_of
from vivant.media.inputs import require_file
from vivant.motion.model import SpeechMotion
from vivant.provenance.consent import Consent, bundled_consent, require_consent
from vivant.provenance.credentials import Claim, DriveClaim, can_sign, require_signature, sidecar_of, sign
from vivant.provenance.disclosure import seed_of, session_id_of
from vivant.provenance.keys import Note, local_files, quiet
from vivant.provenance.policy import VARIABLE, Policy
from vivant.provenance.settings import FILE, Settings, config_folder
from vivant.rig.seal import SECRET
from vivant.voices.voice import VoiceCard


@dataclass(frozen=True)
class Production:
    """One portrait and one sound on their way into files; made by ``begin``."""

    face: Face
    claim: Claim
    policy: Policy
    seed: int
    """Of the motion."""
    language: str | None = None
    """Of the label; None is that of the settings, or English."""

    @property
    def disclosure(self) -> dict[str, Any]:
        """What a `Presenter` needs to know of it."""
        return {
            "session_id": self.claim.session_id,
            "consent": Consent(self.claim.consent),
            "label_off_reason": self.claim.label_off_reason,
            "language": self.language,
        }

    def complete(self, out: Path) -> Complete | None:
        """The last step before ``out`` appears, as `completion` has it."""
        return completion(out, self.claim, self.policy)


def completion(out: Path, claim: Claim, policy: Policy) -> Complete | None:
    """The last step before ``out`` appears: it, or every picture of its folder, gets its credentials.

    None where the format has none. What could not be signed after all is kept as ``name.unsigned.suffix``, unless the
    policy requires signatures, and an OutputError says so.
    """

    def sign_all(written: Path, final: Path) -> None:
        try:
            if final.is_dir():
                for picture in sorted(final.glob("*.png")):
                    _sign_in_place(picture, claim)
            else:
                _sign_file(written, final, out, claim)
        except VivantError as error:
            if policy.require_signatures:
                raise
            kept = _keep_unsigned(written, (final.is_dir() and folder_of(out)) or out)
            raise OutputError(f"{error}; what was made is kept without credentials as {kept}") from error

    return sign_all if can_carry(out) else None


def completion_of_speech(out: Path, card: VoiceCard) -> Complete | None:
    """The same for a sound that a synthetic voice spoke."""
    return completion(out, Claim("", "", "", 0, (card.name,), voice=card), Policy.load())


def require_ready(out: Path, inputs: Inputs, note: Note = quiet, *, folder: bool = False) -> None:
    """Before any work: what would fail at its end, or harm a file, is refused now.

    ``out`` is a file, or a ``folder`` of frames; ``note`` hears what was mended of the signing key. Raises InputError where it
    is one of the inputs or of the user's own settings and keys, or where the policy wants credentials that it cannot carry,
    and OutputError where nothing can be written or signed.
    """
    for name in [out] if folder else [out, sidecar_of(out)]:
        require_apart(name, dict(inputs) | own_files(), folder=folder)
    require_place(out, folder=folder)
    if folder or can_sign(out):
        require_signature(note)
    else:
        Policy.load().allow_unsigned(out)


def can_carry(out: Path) -> bool:
    """Whether ``out`` can be given credentials; a folder's pictures can."""
    return can_sign(out) or format_of(out).muxer is None


def own_files() -> dict[str, Path | None]:
    """What the user has said and signs with."""
    settings, (chain, key) = Settings.load(), local_files()
    policy = os.environ.get(VARIABLE)
    return {
        "certificate": Path(settings.certificate) if settings.certificate else None,
        "key": Path(settings.key) if settings.key else None,
        "local certificate": chain,
        "local key": key,
        "secret of rigs": config_folder() / SECRET,
        "trust list": Path(settings.trust) if settings.trust else None,
        "configuration": config_folder() / FILE,
        "policy": Path(policy) if policy else None,
    }


def begin(
    face: Face,
    portrait: Path,
    audio: Path | None,
    seed: int | None,
    consent: Consent | None,
    label_off_reason: str | None = None,
    language: str | None = None,
    note: Note = quiet,
    motion: SpeechMotion | None = None,
    drive: DriveClaim | None = None,
    voice: VoiceCard | None = None,
) -> Production:
    """Check consent and policy; ``note`` hears of a consent that could not be kept.

    A rig is known by its own hash unless this machine built it, as ``rig.seal`` says. Raises InputError with the reason when
    this portrait may not be used.
    """
    policy = Policy.load()
    sha256 = face.portrait_sha256
    policy.allow_portrait(sha256, portrait.name)
    label_off_reason = label_off_reason if label_off_reason is not None else Settings.load().label_off_reason
    if label_off_reason is not None:
        policy.allow_label_off(label_off_reason)
    answer = bundled_consent(sha256) or require_consent(sha256, portrait.name, consent, note)
    audio_sha256 = "" if audio is None else sha256_of(audio, "audio")
    image = None if portrait.suffix == ".vivant" else portrait
    kind = "picture" if image is not None or sha256 != sha256_of(portrait, "rig") else "rig file"
    heard_and_seen = audio_sha256 + (drive.sha256 if drive is not None else "")
    seed = seed_of(sha256, heard_and_seen) if seed is None else seed
    session_id = session_id_of(sha256, heard_and_seen, seed)
    models = face.name, (motion or default_motion()).name
    claim = Claim(sha256, audio_sha256, answer, session_id, models, image, audio, label_off_reason, kind, drive, voice)
    return Production(face, claim, policy, seed, language)


def claim_drive(driver: RecordedDriver, sha256: str, consent: Consent | None, note: Note = quiet) -> DriveClaim:
    """Check the consent of whoever a driving video shows, as `begin` does for a portrait. Raises InputError."""
    answer = None
    if driver.kind == VIDEO:
        answer = require_consent(sha256, driver.path.name, consent, note, option="--drive-consent").value
    return DriveClaim(driver.kind, sha256, driver.path, answer)


def sha256_of(path: Path, noun: str) -> str:
    """Hex digest of a file. Raises InputError, saying that it should hold a ``noun``."""
    require_file(path, noun)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sign_file(written: Path, final: Path, out: Path, claim: Claim) -> None:
    """The manifest that lies beside appears first, so that nothing unsigned ever has the final name."""
    with reporting(out):
        beside = sign(written, final, claim, datetime.datetime.now(datetime.UTC), title=out.name)
    if beside is not None:
        sidecar = sidecar_of(out)
        with replacing(sidecar) as part, reporting(sidecar):
            part.write_bytes(beside)


def _sign_in_place(picture: Path, claim: Claim) -> None:
    """In a folder that nobody sees yet."""
    signed = picture.with_name(f".{picture.name}")
    try:
        with reporting(picture):
            sign(picture, signed, claim, datetime.datetime.now(datetime.UTC), title=picture.name)
            signed.replace(picture)
    finally:
        signed.unlink(missing_ok=True)


def _keep_unsigned(written: Path, out: Path) -> Path:
    """Under the first plain name that is free, where ``out`` really lies."""
    names = (written.with_name(f"{out.stem}.unsigned{number or ''}{out.suffix}") for number in itertools.count())
    kept = next(name for name in names if not name.exists())
    with reporting(kept):
        return written.rename(kept)
