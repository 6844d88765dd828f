"""Show or renew the key that signs what is made here."""

from __future__ import annotations

from pathlib import Path

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from vivant.commands.options import note, say
from vivant.provenance.keys import key_files
from vivant.provenance.keys import renew as make_anew

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.command()
def show() -> None:
    """The certificate, by which others can know what you made, and the key, which is for you alone; made if there is none."""
    _describe(*key_files(note))


@app.command()
def renew() -> None:
    """Make a new local key, where the old one is known to others; it is kept aside, and what it signed is no longer known."""
    _describe(*make_anew())


def _describe(chain: Path, key: Path) -> None:
    certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    say(f"certificate: {chain} (give it to whoever shall know your files: vivant verify FILE --trust {chain.name})")
    say(f"  SHA-256 {certificate.fingerprint(hashes.SHA256()).hex()}, valid to {certificate.not_valid_after_utc:%Y-%m-%d}")
    say(f"key: {key}")
