"""c2pa that never calls an address: files of others name manifests, revocation lists and identities on servers they choose."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import c2pa as c2pa

_SEALED: dict[str, Any] = {
    "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"auto_timestamp_assertion": {"enabled": False}},
}
"""An empty list of hosts allows none; the rest says so once more, where older versions do not know that list."""


def context(settings: dict[str, Any] | None = None) -> c2pa.Context:
    """For every Reader and Builder: the library's ``settings``, sealed. What would lift the seal does not count."""
    return c2pa.Context(c2pa.Settings.from_dict(_merged(settings or {}, _SEALED)))


def lies_elsewhere(error: c2pa.C2paError) -> bool:
    """Whether a file has no manifest of its own but an address of one, which was not called."""
    return str(error).startswith("Remote:")


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both, with ``above`` going before."""
    merged = deepcopy(below)
    for key, value in above.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return merged
