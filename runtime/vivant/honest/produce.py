"""What a command does around making a file: consent before, label and mark in between, credentials after."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from vivant.face import Face, RigFace
from vivant.honest.consent import Consent, require_consent
from vivant.honest.credentials import Claim, can_sign, sign
from vivant.honest.finisher import FrameFinisher, session_id_of
from vivant.honest.policy import Policy
from vivant.honest.settings import Settings
from vivant.media.atomic import replacing, reporting
from vivant.media.formats import format_of
from vivant.media.inputs import require_file

MODELS = ("vivant rig", "vivant first voice")


@dataclass(frozen=True)
class Production:
    """One portrait and one sound on their way into files; made by ``begin``."""

    face: Face
    claim: Claim
    policy: Policy
    language: str | None = None
    """Of the label; None is that of the settings, or English."""

    def finisher(self) -> FrameFinisher:
        labelled = self.claim.label_off_reason is None
        return FrameFinisher.for_face(self.face, self.claim.session_id, labelled=labelled, language=self.language)

    def require_signable(self, out: Path) -> None:
        """Before any work: raises InputError where the policy wants credentials that this kind of file cannot carry."""
        if format_of(out).muxer and not can_sign(out):
            self.policy.allow_unsigned(out)

    def sign(self, out: Path) -> bool:
        """Give a written file, or every picture of a written folder, its credentials; False where the format has none.

        A file that should have been signed and cannot be is removed.
        """
        made = sorted(out.glob("*.png")) if out.is_dir() else [out] if out.exists() else sorted(out.parent.glob("*.png"))
        if not all(can_sign(path) for path in made):
            return False
        for path in made:
            _sign_in_place(path, self.claim)
        return True


def begin(
    face: RigFace,
    portrait: Path,
    audio: Path | None,
    seed: int,
    consent: Consent | None,
    label_off_reason: str | None = None,
    language: str | None = None,
) -> Production:
    """Check consent and policy. Raises InputError with the reason when this portrait may not be used."""
    policy = Policy.load()
    sha256 = face.rig.portrait_sha256
    policy.allow_portrait(sha256, portrait.name)
    label_off_reason = label_off_reason if label_off_reason is not None else Settings.load().label_off_reason
    if label_off_reason is not None:
        policy.allow_label_off(label_off_reason)
    answer = Consent.SYNTHETIC if sha256 in bundled_portraits() else require_consent(sha256, portrait.name, consent)
    audio_sha256 = "" if audio is None else _sha256(audio)
    image = None if portrait.suffix == ".vivant" else portrait
    session_id = session_id_of(sha256, audio_sha256, seed)
    claim = Claim(sha256, audio_sha256, answer, session_id, MODELS, image, audio, label_off_reason)
    return Production(face, claim, policy, language)


@cache
def bundled_portraits() -> frozenset[str]:
    """Hashes of the portraits that come with Vivant and show nobody."""
    folder = files("vivant") / "assets" / "portraits"
    return frozenset(hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name.endswith(".jpg"))


def _sha256(path: Path) -> str:
    require_file(path, "audio")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sign_in_place(path: Path, claim: Claim) -> None:
    now = datetime.datetime.now(datetime.UTC)
    try:
        with replacing(path) as part, reporting(path):
            beside = sign(path, part, claim, now)
            if beside is not None:
                beside.replace(path.with_name(path.name + ".c2pa"))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
