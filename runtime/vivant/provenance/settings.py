"""What a user says once: ``config.toml`` in the configuration folder, or variables of the environment, which go before it.

consent = "me"                       # VIVANT_CONSENT: who portraits show, where nobody can be asked
language = "de"                      # VIVANT_LANGUAGE: of the visible label
label_off_reason = "NPCs of a game"  # leaves the label away and is recorded in every file
certificate = "chain.pem"            # VIVANT_CERTIFICATE and VIVANT_KEY: your own instead of the local ones
key = "key.pem"
cache_mb = 2000                      # VIVANT_CACHE_MB: room for rigs of portraits; those not used for longest go first
trust = "friends.pem"                # VIVANT_TRUST: certificates of signers whom `vivant verify` is to know
liveportrait = "LivePortrait"        # VIVANT_LIVEPORTRAIT: folder of its graphs, for --generator liveportrait
finish = "synthetic"                 # VIVANT_FINISH: what is painted into mouths that no film taught; none unless said

[hotkeys]                            # combinations of keys that `vivant cam --hotkeys` listens for, and what they tell it
"<ctrl>+<alt>+h" = "toggle happy"
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from vivant.errors import InputError
from vivant.private import user_folder

FILE = "config.toml"
_VARIABLES = {
    "consent": "VIVANT_CONSENT",
    "language": "VIVANT_LANGUAGE",
    "label_off_reason": None,
    "certificate": "VIVANT_CERTIFICATE",
    "key": "VIVANT_KEY",
    "cache_mb": "VIVANT_CACHE_MB",
    "trust": "VIVANT_TRUST",
    "liveportrait": "VIVANT_LIVEPORTRAIT",
    "finish": "VIVANT_FINISH",
    "hotkeys": None,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything may be left out."""

    consent: str | None = None
    language: str | None = None
    label_off_reason: str | None = None
    certificate: str | None = None
    """Files; in ``config.toml`` relative to its folder."""
    key: str | None = None
    cache_mb: int = 2000
    """Of rigs, in millions of bytes."""
    trust: str | None = None
    liveportrait: str | None = None
    """A folder."""
    finish: str | None = None
    """As `vivant.finish.synthetic.FinishKind`."""
    hotkeys: dict[str, str] = field(default_factory=dict)
    """What each combination of keys tells a bridge, as `vivant tell` does."""

    @classmethod
    def load(cls) -> Settings:
        """Raises InputError for a file that cannot be understood, and for half a pair of certificate and key."""
        said = _said_by_file(config_folder() / FILE)
        said |= {name: os.environ[variable] for name, variable in _VARIABLES.items() if variable and os.environ.get(variable)}
        if ("certificate" in said) != ("key" in said):
            raise InputError("a certificate of your own needs its key, and the key its certificate; name both or neither")
        if "cache_mb" in said:
            said["cache_mb"] = _megabytes(said["cache_mb"])
        return cls(**said)


def config_folder() -> Path:
    """Where the user's key and ``config.toml`` lie; ``VIVANT_CONFIG_DIR`` moves it."""
    return user_folder("VIVANT_CONFIG_DIR", platformdirs.user_config_dir)


def manner_folder() -> Path:
    """Where manners lie that were taught (`vivant.motion.learned.manner`): what took minutes is no cache."""
    return config_folder() / "manners"


def _megabytes(said: object) -> int:
    try:
        value = int(str(said))
    except ValueError:
        value = -1
    if value < 0:
        raise InputError(f"cache_mb must be a whole number of megabytes, got {said!r}")
    return value


def _said_by_file(path: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"the configuration {path} is not readable TOML: {error}") from error
    for key, value in said.items():
        if key not in _VARIABLES:
            raise InputError(f"the configuration {path} has an unknown setting {key!r}; known are {', '.join(_VARIABLES)}")
        if key == "hotkeys":
            _require_texts(value, path)
        elif not isinstance(value, str) and key != "cache_mb":
            raise InputError(f"the configuration {path} gives {key} = {value!r}, but a text is needed")
    files = {key: str(path.parent / said[key]) for key in ("certificate", "key", "trust", "liveportrait") if key in said}
    return said | files


def _require_texts(hotkeys: object, path: Path) -> None:
    if not isinstance(hotkeys, dict) or not all(isinstance(words, str) for words in hotkeys.values()):
        raise InputError(
            f"the configuration {path} gives hotkeys = {hotkeys!r}, but texts are needed, such as"
            ' "<ctrl>+<alt>+h" = "toggle happy" under [hotkeys]'
        )
