"""Presets: how each portrait was steered and shown last, in one small file of the settings' folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vivant import Controls, InputError
from vivant.locks import alone
from vivant.media.atomic import replacing, reporting
from vivant.pixels import rgb_of
from vivant.private import private_folder
from vivant.provenance.label import CORNERS
from vivant.provenance.settings import config_folder

FILE = "studio.json"
LOCK = "studio.lock"
"""So that of several pages, and of several studios, none loses what another keeps at the same time."""
MOST = 200
"""Portraits; of more, those not steered for longest are forgotten. Chosen."""
BACKGROUNDS = ("original", "blur", "transparent")


def presets_file() -> Path:
    return config_folder() / FILE


def preset_of(portrait_sha256: str) -> dict[str, Any]:
    """What was kept, or nothing."""
    found = _read().get(portrait_sha256, {})
    return found if isinstance(found, dict) else {}


def keep_preset(portrait_sha256: str, preset: object) -> None:
    """Raises InputError for what is none, and OutputError where nothing can be written."""
    kept = _checked(preset)
    with reporting(presets_file()), alone(private_folder(presets_file().parent) / LOCK):
        known = _read()
        known.pop(portrait_sha256, None)
        known[portrait_sha256] = kept
        with replacing(presets_file(), private=True) as part:
            part.write_text(json.dumps(dict(list(known.items())[-MOST:])), encoding="utf-8")


def _read() -> dict[str, Any]:
    """A file that is not there, or damaged, holds nothing."""
    try:
        known = json.loads(presets_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _checked(preset: object) -> dict[str, object]:
    """As it may be kept: controls that `Controls` takes, and what is around the face."""
    controls, stage = (preset.get(name) if isinstance(preset, dict) else None for name in ("controls", "stage"))
    if not isinstance(controls, dict) or not isinstance(stage, dict):
        raise InputError("a preset has controls and a stage")
    try:
        Controls(**controls)
    except TypeError as error:
        raise InputError("a preset has controls that a face does not know") from error
    background, corner = stage.get("background"), stage.get("label_corner")
    if background not in BACKGROUNDS and not (isinstance(background, str) and len(background) < 32 and rgb_of(background)):
        raise InputError(f"background is {', '.join(BACKGROUNDS)} or a colour")
    if corner not in ("auto", *CORNERS):
        raise InputError(f"label_corner is auto, {', '.join(CORNERS)}")
    return {"controls": controls, "stage": {"background": background, "label_corner": corner}}
