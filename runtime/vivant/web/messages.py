"""Messages of a page as the contract's requests: JSON in, checked field by field. No I/O; docs/web.md is the specification."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

import numpy as np

from vivant.arguments import flag, listed, member, shown, text, whole_number
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.pixels import rgb_of
from vivant.provenance.consent import parse_consent
from vivant.provenance.label import CORNERS
from vivant.server.config import ResolvedConfig, resolve
from vivant.server.limits import Limits
from vivant.session.background import BLUR, Background
from vivant.session.presenter import Look
from vivant.types import Act, Controls
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import act_message, consent_message, controls_message, rational_message, writable

Fields: TypeAlias = Mapping[str, Any]
"""Of one JSON object."""
Backgrounds: TypeAlias = Callable[[str], Background | None]
"""Pictures to put behind a person, by names that the owner of a door gave."""

MAX_EPOCH = 2**31
"""That a page may name: every later one still fits the 32 bits of a frame's head."""
SOUND_LEAD_MS = 80
"""Chosen: two pictures at 25 per second, which is what a page's network and its audio thread may be late by."""
BYTES_PER_SAMPLE = 2
ORIGINAL, TRANSPARENT, AUTO = "original", "transparent", "auto"
STAGE = ("background", "mirror", "label_corner")
CONFIG = (
    "portrait", "pictures", "motion", "sound", "size_px", "fps", "jpeg_quality", "sample_rate_hz", "seed", "controls",
    "priority", "consent", "label_off_reason", "token", "client", *STAGE,
)  # fmt: skip
CONTROLS = tuple(asdict(Controls()))


class Pictures(Enum):
    """What a page gets to see."""

    JPEG = "jpeg"
    JPEG_ALPHA = "jpeg-alpha"
    NONE = "none"


def object_of(data: str) -> tuple[str, Fields]:
    """``type`` and the other fields of a message. Raises InputError for what is no JSON object with a type."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("a text message must be a JSON object") from None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise InputError("a text message must be a JSON object with a type")
    return value.pop("type"), value


@dataclass(frozen=True, slots=True)
class Stage:
    """What is around a face, as a page said it."""

    background: str = ORIGINAL
    mirror: bool = False
    label_corner: str = AUTO

    @classmethod
    def of(cls, pictures: Pictures) -> Stage:
        """As it is where nothing is said."""
        return cls(TRANSPARENT if pictures is Pictures.JPEG_ALPHA else ORIGINAL)

    def changed(self, fields: Fields, pictures: Pictures) -> Stage:
        """Raises InputError for a value that cannot be."""
        new = replace(self, **fields)
        text("background", new.background)
        flag("mirror", new.mirror)
        if new.label_corner not in (AUTO, *CORNERS):
            raise InputError(f"label_corner must be one of {listed((AUTO, *CORNERS))}, got {shown(new.label_corner)}")
        if new.background == TRANSPARENT and pictures is not Pictures.JPEG_ALPHA:
            raise InputError('a transparent background needs pictures "jpeg-alpha"')
        return new

    @property
    def is_blurred(self) -> bool:
        return self.background == BLUR

    def look(self, size_px: int, backgrounds: Backgrounds) -> Look:
        """Raises InputError for a background that nobody knows. A file's name is none."""
        corner = None if self.label_corner == AUTO else self.label_corner
        return Look(self.mirror, _background(self.background, size_px, backgrounds), corner)


def _background(name: str, size_px: int, backgrounds: Backgrounds) -> Background | None:
    if name in (ORIGINAL, BLUR):
        return None
    if name == TRANSPARENT:
        return Background(None)
    if (own := backgrounds(name)) is not None:
        return own
    if (rgb := rgb_of(name)) is not None:
        return Background(np.broadcast_to(np.array(rgb, np.uint8), (size_px, size_px, 3)))
    raise InputError(f"background must be original, blur, transparent or a colour such as #00ff00 or navy, got {shown(name)}")


@dataclass(frozen=True, slots=True)
class PageConfig:
    """A page's config, checked, with every default filled in."""

    resolved: ResolvedConfig
    pictures: Pictures
    stage: Stage
    controls: Controls

    @property
    def size_px(self) -> int:
        return int(self.resolved.message.size_px)

    @property
    def bytes_per_ms(self) -> float:
        """Of the page's sound."""
        return BYTES_PER_SAMPLE * self.resolved.session.sample_rate_hz / 1000


def page_config(fields: Fields, limits: Limits, backgrounds: Backgrounds = lambda name: None) -> PageConfig:
    """Raises InputError for the first field that cannot be."""
    _require_known("config", fields, CONFIG)
    pictures = member("pictures", Pictures, fields.get("pictures", "jpeg"))
    stage = Stage.of(pictures).changed(_among(fields, STAGE), pictures)
    controls = controls_changed(Controls(), _object("controls", fields.get("controls", {})))
    resolved = resolve(_session_config(fields, pictures, controls), limits)
    sound = flag("sound", fields.get("sound", False))
    resolved = replace(
        resolved,
        session=replace(resolved.session, audio=sound, audio_lead_ms=SOUND_LEAD_MS if sound else 0),
        look=stage.look(resolved.message.size_px, backgrounds),
        blurred=stage.is_blurred,
        jpeg_alpha=pictures is Pictures.JPEG_ALPHA,
    )
    return PageConfig(resolved, pictures, stage, controls)


def _session_config(fields: Fields, pictures: Pictures, controls: Controls) -> pb.SessionConfig:
    motion = flag("motion", fields.get("motion", pictures is Pictures.NONE))
    if pictures is Pictures.NONE and not motion:
        raise InputError("a face without pictures and without motion shows nothing; ask for one of them")
    config = pb.SessionConfig(
        portrait=pb.PortraitRef(id=_name("portrait", fields.get("portrait", "ada"))),
        pixel_format=pb.PIXEL_FORMAT_JPEG,
        outputs=_outputs(pictures, motion=motion),
        controls=controls_message(controls),
        consent=consent_message(parse_consent(fields["consent"]) if fields.get("consent") else None),
        confirms_frames=True,
    )
    for name in ("size_px", "jpeg_quality", "sample_rate_hz"):
        if name in fields:
            setattr(config, name, whole_number(name, fields[name], 1, 2**31))
    config.fps.CopyFrom(rational_message(as_fps(fields.get("fps", 30))))
    if fields.get("seed") is not None:
        config.seed = whole_number("seed", fields["seed"], 0, 2**64 - 1)
    if "priority" in fields:
        config.importance.priority = whole_number("priority", fields["priority"], 0, 100)
    if fields.get("label_off_reason"):
        config.disclosure.label = pb.LABEL_MODE_OFF
        config.disclosure.label_off_reason = _name("label_off_reason", fields["label_off_reason"])
    return config


def _outputs(pictures: Pictures, *, motion: bool) -> pb.Outputs:
    if pictures is Pictures.NONE:
        return pb.OUTPUTS_MOTION
    return pb.OUTPUTS_FRAMES_AND_MOTION if motion else pb.OUTPUTS_FRAMES


def controls_changed(controls: Controls, fields: Fields) -> Controls:
    """What is not named stays. Raises InputError for what cannot be."""
    _require_known("controls", fields, CONTROLS)
    return replace(controls, **fields)


def requests_of(kind: str, fields: Fields) -> list[pb.AnimateRequest]:
    """A verb's messages of the contract. Raises InputError for a verb that is unknown or a value that cannot be."""
    verb = VERBS.get(kind)
    if verb is None:
        raise InputError(f"unknown type {shown(kind)}; a page may send {listed((*VERBS, *PAGE_VERBS))}")
    names, requests = verb
    _require_known(kind, fields, names)
    return list(requests(fields))


PAGE_VERBS = ("controls", "stage", "offer", "finish")
"""Those that are more than a message of the contract: see `vivant.web.face_socket`."""


def require_fields(kind: str, fields: Fields) -> None:
    """Of one of `PAGE_VERBS`."""
    _require_known(kind, fields, {"controls": CONTROLS, "stage": STAGE, "offer": ("sdp",)}.get(kind, ()))


def _begin(fields: Fields) -> Iterable[pb.AnimateRequest]:
    flag("live", fields.get("live", False))
    yield pb.AnimateRequest(
        utterance_start=pb.UtteranceStart(utterance_id=_name("utterance_id", fields.get("utterance_id", "")))
    )
    if fields.get("text"):
        yield from _say(fields)


def _say(fields: Fields) -> Iterable[pb.AnimateRequest]:
    said, language = (_name(name, fields.get(name, "")) for name in ("text", "language"))
    yield pb.AnimateRequest(text=pb.Text(text=said, language=language))


def _interrupt(fields: Fields) -> Iterable[pb.AnimateRequest]:
    epoch = whole_number("epoch", fields.get("epoch", 0), 0, MAX_EPOCH)
    yield pb.AnimateRequest(interrupt=pb.Interrupt(epoch=epoch))


def _end(_: Fields) -> Iterable[pb.AnimateRequest]:
    yield pb.AnimateRequest(utterance_end=pb.UtteranceEnd())


def _portrait(fields: Fields) -> Iterable[pb.AnimateRequest]:
    yield pb.AnimateRequest(portrait=pb.PortraitRef(id=_name("portrait", fields.get("portrait"))))


def _act(fields: Fields) -> Iterable[pb.AnimateRequest]:
    yield act_message(member("act", Act, fields.get("act")))


def _priority(fields: Fields) -> Iterable[pb.AnimateRequest]:
    yield pb.AnimateRequest(importance=pb.Importance(priority=whole_number("priority", fields.get("priority"), 0, 100)))


def _picture_shown(fields: Fields) -> Iterable[pb.AnimateRequest]:
    number = whole_number("picture", fields.get("picture"), 0, 2**32)
    yield pb.AnimateRequest(ring_release=pb.RingRelease(sequence=number))


VERBS: dict[str, tuple[tuple[str, ...], Callable[[Fields], Iterable[pb.AnimateRequest]]]] = {
    "begin": (("utterance_id", "text", "language", "live"), _begin),
    "say_text": (("text", "language"), _say),
    "end": ((), _end),
    "interrupt": (("epoch",), _interrupt),
    "portrait": (("portrait",), _portrait),
    "act": (("act",), _act),
    "priority": (("priority",), _priority),
    "shown": (("picture",), _picture_shown),
}
"""Fields, and what they become."""


def _name(name: str, value: object) -> str:
    return writable(text(name, value))


def _object(name: str, value: object) -> Fields:
    if not isinstance(value, dict):
        raise InputError(f"{name} must be an object, got {shown(value)}")
    return value


def _among(fields: Fields, names: Iterable[str]) -> Fields:
    return {name: fields[name] for name in names if name in fields}


def _require_known(kind: str, fields: Fields, names: Iterable[str]) -> None:
    for name in fields:
        if name not in names:
            raise InputError(f"{kind} has no field {shown(name)}; it may have {listed(names) or 'none'}")
