"""Options of commands that listen: on which address, and by what a caller is known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vivant.errors import InputError
from vivant.media.inputs import require_file

LOOPBACK = "127.0.0.1"
HostOption = Annotated[str, typer.Option(help="Address; anything but loopback needs TLS and a token.")]
TlsCertOption = Annotated[Path | None, typer.Option(help="PEM certificate chain.")]
TlsKeyOption = Annotated[Path | None, typer.Option(help="Its PEM key.")]
TokenFileOption = Annotated[Path | None, typer.Option(help="File with the token that clients must send, or VIVANT_TOKEN.")]


def token_of(file: Path | None) -> str | None:
    """What the file holds, or VIVANT_TOKEN. Raises InputError for a file that holds none."""
    if file is None:
        return os.environ.get("VIVANT_TOKEN") or None
    require_file(file, "token")
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file} holds no text; a token is one line of ASCII letters, digits and signs") from error
    if not token:
        raise InputError(f"{file} holds no token")
    return token
