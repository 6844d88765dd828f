"""What a server says beside outputs and markers, and how its errors are ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import grpc

from vivant.errors import InputError, ServerAwayError, UnavailableError, VivantError
from vivant.types import Output, PixelFormat
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import FORMATS_BY_NUMBER

CLIENT_KEY = "vivant-client"
"""Metadata: in the answer to ``GetCapabilities`` a name that the server made for its client, in later calls the same name."""
RETRY_KEY = "retry-after-ms"
"""Metadata of a refusal that does not last."""
RemoteFrame = Output
"""Its name before 0.2. To go in 0.3."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``kind`` is the contract's name without its prefix, e.g. ``PORTRAIT_CHANGED``."""

    kind: str
    position_us: int
    utterance_id: str
    epoch: int
    detail: str
    portrait_id: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a call is doing, about once a second."""

    fps: float
    """Frames sent per second of late."""
    lag_us: int
    """How late the last frame was sent."""
    frames_sent: int
    frames_dropped: int
    audio_queued_us: int
    detail_level: int
    """0 is everything, 3 the least."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a server gives at most."""

    sessions: int
    size_px: int
    portrait_bytes: int
    portrait_pixels: int
    message_bytes: int
    messages_per_s: int
    portraits: int
    """That one client may keep."""
    audio_queue_ms: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server can do for this client."""

    version: str
    pixel_formats: tuple[PixelFormat, ...]
    shared_memory: bool
    """Whether pictures may come through memory that both sides map."""
    bundled_portraits: tuple[str, ...]
    limits: ServerLimits
    sessions: int
    """Faces that speak now."""


def capabilities_of(said: pb.GetCapabilitiesResponse) -> Capabilities:
    """Of a newer contract's formats only those that this client knows."""
    return Capabilities(
        version=said.version,
        pixel_formats=tuple(FORMATS_BY_NUMBER[number] for number in said.pixel_formats if number in FORMATS_BY_NUMBER),
        shared_memory=pb.FRAME_TRANSPORT_SHARED_MEMORY in said.frame_transports,
        bundled_portraits=tuple(said.bundled_portraits),
        limits=ServerLimits(**{field.name: getattr(said.limits, field.name) for field in fields(ServerLimits)}),
        sessions=said.sessions,
    )


def event_of(event: pb.Event) -> Event:
    kind = pb.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
    return Event(kind, event.position_us, event.utterance_id, event.epoch, event.detail, event.portrait_id)


def statistics_of(said: pb.Statistics) -> Statistics:
    return Statistics(said.fps, said.lag_us, said.frames_sent, said.frames_dropped, said.audio_queued_us, said.detail_level)


def error_of(error: grpc.aio.AioRpcError) -> VivantError:
    """The server's sentence as the kind of error that a local call would have raised."""
    return refusal(error.code(), error.details(), error.trailing_metadata())


def refusal(code: grpc.StatusCode, details: str | None, trailing: Iterable[tuple[str, str | bytes]] | None) -> VivantError:
    """``trailing`` says whether it may be asked again."""
    sentence = details or str(code)
    if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION):
        return InputError(sentence)
    is_away = code is grpc.StatusCode.UNAVAILABLE or RETRY_KEY in dict(trailing or ())
    return (ServerAwayError if is_away else UnavailableError)(f"the server answered {code.name}: {sentence}")
