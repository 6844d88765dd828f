"""A deployer's rules: a TOML file named by ``VIVANT_POLICY``, which binds whoever cannot set that variable.

require_signatures = true        # refuse formats that cannot carry content credentials
forbid_label_off = true
max_sessions = 4                 # for servers
portraits = ["9f86d081..."]      # SHA-256 of the image files that may be used; left out, all may
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.errors import InputError
from vivant.media.inputs import require_file

VARIABLE = "VIVANT_POLICY"
_INVISIBLE = "\u115f\u1160\u3164\uffa0"
"""Letters by their category, which show nothing; all other invisible characters are neither letters nor digits."""
_TYPES = {"require_signatures": bool, "forbid_label_off": bool, "max_sessions": int, "portraits": list}


@dataclass(frozen=True, slots=True)
class Policy:
    """Without a file everything is allowed."""

    require_signatures: bool = False
    forbid_label_off: bool = False
    max_sessions: int | None = None
    """None is unlimited; a server asks for it."""
    portraits: tuple[str, ...] | None = None

    @classmethod
    def load(cls) -> Policy:
        """The file that the environment names. A file that cannot be understood is an error, never ignored."""
        named = os.environ.get(VARIABLE)
        if not named:
            return cls()
        path = Path(named)
        require_file(path, "policy")
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"the policy {path} is not readable TOML: {error}") from error
        return cls(**_checked(said, path))

    def allow_portrait(self, sha256: str, name: str) -> None:
        if self.portraits is not None and sha256 not in self.portraits:
            raise InputError(f"the policy of this machine does not list the portrait {name}; ask who runs it to add {sha256}")

    def allow_label_off(self, reason: str) -> None:
        if self.forbid_label_off:
            raise InputError("the policy of this machine forbids leaving the label away")
        if not any(character.isalnum() and character not in _INVISIBLE for character in reason):
            raise InputError(
                "leaving the label away needs a reason, which is recorded; say it after --no-label or in label_off_reason"
            )

    def allow_unsigned(self, out: Path) -> None:
        if self.require_signatures:
            raise InputError(
                f"the policy of this machine requires content credentials, which {out.suffix} cannot carry; use .mp4"
            )


def _checked(said: dict[str, Any], path: Path) -> dict[str, Any]:
    for key, value in said.items():
        kind = _TYPES.get(key)
        if kind is None:
            raise InputError(f"the policy {path} has an unknown rule {key!r}; known are {', '.join(_TYPES)}")
        if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
            raise InputError(f"the policy {path} gives {key} = {value!r}, but a {kind.__name__} is needed")
    return said | ({"portraits": tuple(map(str, said["portraits"]))} if "portraits" in said else {})
