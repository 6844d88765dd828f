"""Who a portrait shows, asked once and kept beside its rig."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vivant.arguments import member
from vivant.bundled import about, portraits
from vivant.bundled import portrait_sha256 as bundled_sha256
from vivant.errors import InputError, OutputError
from vivant.media.atomic import replacing, reporting
from vivant.private import private_folder
from vivant.provenance.settings import Settings
from vivant.rig.cache import cache_folder

if TYPE_CHECKING:
    from vivant.provenance.keys import Note


class Consent(StrEnum):
    """The answers that let a portrait speak."""

    ME = "me"
    AGREED = "agreed"
    UNREAL = "unreal"
    SYNTHETIC = "synthetic"


WORDS = {
    Consent.ME: "it shows me",
    Consent.AGREED: "it shows someone who agreed to this",
    Consent.UNREAL: "it shows no real person (a drawing, a character)",
    Consent.SYNTHETIC: "it shows a synthetic person",
}
MISSING = (
    "nobody has said yet who {portrait} shows; say it once with {option} me, agreed, unreal or synthetic"
    " (or VIVANT_CONSENT, or consent in config.toml), for only people who agreed to it may be animated"
)
NOBODY_VOUCHES = (
    'nobody has said yet who this portrait shows; say it in open_portrait(..., consent="me"), agreed, unreal or synthetic'
    " (or VIVANT_CONSENT, or consent in config.toml), for only people who agreed to it may be animated"
)
REFUSED = (
    "a real person who has not agreed may not be animated: a face that speaks words it never said harms its owner and those"
    " who believe it; ask them first"
)


def parse_consent(text: str) -> Consent:
    """Raises InputError for anything but the four answers, with the reason where somebody says that there is no consent."""
    if isinstance(text, str) and text.casefold() in ("no", "none", "other", "someone-else", "without"):
        raise InputError(REFUSED)
    return member("consent", Consent, text)


def stated_consent(option: str | None) -> Consent | None:
    """What the command line says, or else the environment, or else the configuration."""
    text = option or Settings.load().consent
    return parse_consent(text) if text else None


def kept_consent(portrait_sha256: str) -> Consent | None:
    """The answer of an earlier time; None if there is none or its file is damaged."""
    try:
        return Consent(json.loads(_file(portrait_sha256).read_text(encoding="utf-8"))["consent"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_consent(portrait_sha256: str, consent: Consent) -> None:
    """For the next time. Goes with the rig by ``vivant cache clear``."""
    path = _file(portrait_sha256)
    with reporting(path):
        private_folder(path.parent)
    with replacing(path, private=True) as part, reporting(path):
        part.write_text(json.dumps({"consent": consent.value}), encoding="utf-8")


def require_consent(
    portrait_sha256: str,
    portrait: str,
    stated: Consent | None,
    note: Note = lambda _: None,
    *,
    option: str = "--consent",
) -> Consent:
    """The stated answer, which is then kept, or the kept one. Raises InputError when there is neither, naming the ``option``.

    A video that drives a face shows somebody, too, and is asked about like a portrait.
    An answer that cannot be kept counts all the same; ``note`` hears that it will be asked again.
    """
    if stated is not None:
        try:
            keep_consent(portrait_sha256, stated)
        except OutputError as error:
            note(f"who {portrait} shows could not be kept and will be asked again next time ({error})")
        return stated
    kept = kept_consent(portrait_sha256)
    if kept is None:
        raise InputError(MISSING.format(portrait=portrait, option=option))
    return kept


def require_vouched(portrait_sha256: str, said: Consent | None) -> None:
    """Before pictures of it leave the library. Somebody has said who the portrait shows: the caller, the environment, the
    settings or an answer that was kept; bundled portraits show nobody who lives, and a face without a portrait nobody.

    Raises InputError when nobody has.
    """
    is_known = not portrait_sha256 or said is not None or bundled_consent(portrait_sha256) is not None
    if not is_known and stated_consent(None) is None and kept_consent(portrait_sha256) is None:
        raise InputError(NOBODY_VOUCHES)


def bundled_consent(portrait_sha256: str) -> Consent | None:
    """What is known of a portrait that comes with Vivant, by its hash: synthetic, or of a painting, unreal."""
    return _bundled().get(portrait_sha256)


@cache
def _bundled() -> dict[str, Consent]:
    return {bundled_sha256(name): Consent.UNREAL if about(name).is_painting else Consent.SYNTHETIC for name in portraits()}


def _file(portrait_sha256: str) -> Path:
    return cache_folder() / f"{portrait_sha256[:24]}.consent.json"
