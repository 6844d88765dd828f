"""hibari-tts that downloads nothing: it would fetch every voice but one when that is first asked for."""

from __future__ import annotations

from typing import Any

from vivant.errors import InputError
from vivant.sealed import onnx


def load(name: str) -> Any:  # noqa: ANN401
    """`hibari.Hibari` with a voice that lies on this machine.

    Raises InputError for another one, and UnavailableError where what it runs on is missing.
    """
    onnx.load()
    from hibari.tts import Hibari
    from hibari.voices import VOICES, voice_path

    if name not in VOICES:
        raise InputError(f"hibari has no voice named {name!r}; it has {', '.join(VOICES)}")
    try:
        path = voice_path(name, download_missing=False)
    except FileNotFoundError as error:
        raise InputError(
            f"hibari's voice {name} is not on this machine, and Vivant downloads nothing;"
            f" `hibari hello --voice {name} -o hello.wav` would fetch it"
        ) from error
    return Hibari(voice=name, model=path)
