"""A client's config, checked, with every default filled in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from google.protobuf.message import Message

from vivant.errors import InputError
from vivant.face import MIN_SIZE_PX, as_fps
from vivant.provenance.policy import Policy
from vivant.server.limits import Limits
from vivant.server.load_shedder import Wanted
from vivant.session.presenter import AS_OPENED, Look
from vivant.session.session import SessionConfig
from vivant.size import USUAL_SIDE_PX
from vivant.types import Controls
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import controls_message, controls_of

DEFAULT_AUDIO_QUEUE_MS = 300_000
MAX_TEXT_BYTES = 256
"""Of each text in a config."""


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """What is in effect for one call."""

    message: pb.SessionConfig
    """The client's own, completed; this is echoed."""
    session: SessionConfig
    controls: Controls
    declared: pb.Consent
    """What the client said of its pictures, before the echo was completed."""
    look: Look = AS_OPENED
    """What the contract has no words for: the web door's."""
    blurred: bool = False
    """The portrait's own background, out of focus."""
    jpeg_alpha: bool = False
    """A JPEG's alpha comes as a second one."""

    @property
    def wanted(self) -> Wanted | None:
        """What the load shedder weighs; None where nothing is due."""
        size_px = self.message.size_px if self.wants_frames else 0
        return Wanted(self.session.fps, size_px) if self.session.paced else None

    @property
    def importance(self) -> tuple[float, float]:
        """As it was asked for; compared."""
        return self.message.importance.priority, -self.message.importance.distance_m

    @property
    def wants_frames(self) -> bool:
        return self.message.outputs != pb.OUTPUTS_MOTION

    @property
    def wants_motion(self) -> bool:
        return self.message.outputs != pb.OUTPUTS_FRAMES

    @property
    def confirms_frames(self) -> bool:
        """Whether the client says which frames have come."""
        return self.message.confirms_frames and self.wants_frames and self.session.paced

    @property
    def cuts_out(self) -> bool:
        """Whether the person is to be opened without the background."""
        return bool(self.message.transparent) or self.look.background is not None

    @property
    def label_off_reason(self) -> str | None:
        """Why pictures bear no label; None when they do."""
        disclosure = self.message.disclosure
        return disclosure.label_off_reason if self.wants_frames and disclosure.label == pb.LABEL_MODE_OFF else None

    @property
    def shares_memory(self) -> bool:
        return self.message.frame_transport == pb.FRAME_TRANSPORT_SHARED_MEMORY


def resolve(asked: pb.SessionConfig, limits: Limits) -> ResolvedConfig:
    """Raises InputError for the first field that cannot be."""
    config = pb.SessionConfig()
    config.CopyFrom(asked)
    for field, value in (
        ("size_px", USUAL_SIDE_PX),
        ("pixel_format", pb.PIXEL_FORMAT_RGBA),
        ("jpeg_quality", 85),
        ("frame_transport", pb.FRAME_TRANSPORT_INLINE),
        ("audio_format", pb.AUDIO_FORMAT_PCM_S16LE),
        ("sample_rate_hz", 16_000),
        ("outputs", pb.OUTPUTS_FRAMES),
        ("delivery", pb.DELIVERY_PACED),
        ("audio_queue_ms", min(DEFAULT_AUDIO_QUEUE_MS, limits.audio_queue_ms)),
    ):
        setattr(config, field, getattr(config, field) or value)
    _require_known_enums(config)
    _require_range("size_px", config.size_px, MIN_SIZE_PX, limits.size_px)
    _require_range("sample_rate_hz", config.sample_rate_hz, 8000, 48_000)
    _require_range("jpeg_quality", config.jpeg_quality, 1, 100)
    _require_range("audio_queue_ms", config.audio_queue_ms, 1000, limits.audio_queue_ms)
    if config.pixel_format == pb.PIXEL_FORMAT_I420 and config.size_px % 4:
        raise InputError(f"size_px must be a multiple of 4 for I420, got {config.size_px}")
    if config.frame_transport == pb.FRAME_TRANSPORT_SHARED_MEMORY and config.delivery == pb.DELIVERY_IMMEDIATE:
        raise InputError("FRAME_TRANSPORT_SHARED_MEMORY needs DELIVERY_PACED: a ring drops what finds no free slot")
    if config.transparent and config.pixel_format != pb.PIXEL_FORMAT_RGBA:
        raise InputError("transparent needs PIXEL_FORMAT_RGBA, the only one with alpha")
    require_declaration(config.consent)
    _require_short("disclosure.label_off_reason", config.disclosure.label_off_reason)
    if config.disclosure.label == pb.LABEL_MODE_OFF:
        Policy.load().allow_label_off(config.disclosure.label_off_reason)
    else:
        config.disclosure.label = pb.LABEL_MODE_ON
    config.disclosure.watermark = pb.WATERMARK_MODE_ON  # always: it disturbs nobody
    fps = _fps(config.fps)
    config.fps.numerator, config.fps.denominator = fps.numerator, fps.denominator
    controls = controls_of(config.controls)
    config.controls.CopyFrom(controls_message(controls))
    config.importance.CopyFrom(importance_of(config.importance))
    session = SessionConfig(
        fps=fps,
        size_px=config.size_px,
        sample_rate_hz=config.sample_rate_hz,
        seed=config.seed if config.HasField("seed") else None,
        paced=config.delivery == pb.DELIVERY_PACED,
        eager=True,
        pictures=config.outputs != pb.OUTPUTS_MOTION,
    )
    return ResolvedConfig(config, session, controls, asked.consent)


def require_declaration(consent: pb.Consent) -> None:
    """Raises InputError for what cannot be a declaration; whether one is needed is the portraits' affair."""
    _require_known(consent)
    _require_short("consent.reference", consent.reference)


def importance_of(message: pb.Importance) -> pb.Importance:
    """Completed and checked."""
    priority = message.priority if message.HasField("priority") else 50
    _require_range("priority", priority, 0, 100)
    if not 0 <= message.distance_m <= 10_000:
        raise InputError(f"distance_m must be from 0 to 10000, got {message.distance_m}")
    return pb.Importance(priority=priority, distance_m=message.distance_m)


def _fps(message: pb.Rational) -> Fraction:
    if not message.numerator and not message.denominator:
        return Fraction(25)
    if not message.numerator:
        raise InputError("fps.numerator must be above 0")
    return as_fps(Fraction(message.numerator, message.denominator or 1))


def _require_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} must be from {low} to {high}, got {value}")


def _require_known_enums(config: pb.SessionConfig) -> None:
    for message in (config, config.disclosure):
        _require_known(message)


def _require_known(message: Message) -> None:
    for field, value in message.ListFields():
        if field.enum_type is not None and value not in field.enum_type.values_by_number:
            raise InputError(f"{field.name} {value} is unknown to this server")


def _require_short(name: str, text: str) -> None:
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise InputError(f"{name} holds at most {MAX_TEXT_BYTES} bytes")
