"""Config of a remote session: the same words as for a local one, and what only a server needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from vivant.arguments import flag, member, text, whole_number
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.pixels import JPEG_QUALITIES
from vivant.session.config import RULES, settle
from vivant.size import USUAL_SIDE_PX, Size
from vivant.types import PixelFormat
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import PIXEL_FORMATS, rational_message


def side_px(size_px: int | tuple[int, int]) -> int:
    """Raises InputError for what is no square of 64 to 2048 px."""
    size = Size.of(size_px)
    if not size.is_square:
        raise InputError(f"a server draws squares; size_px must be their side, got {size}")
    return size.width


def as_priority(priority: object) -> int:
    """Raises InputError for what is no whole number from 0 to 100."""
    return whole_number("priority", priority, 0, 100)


TRANSPORTS = {
    None: pb.FRAME_TRANSPORT_UNSPECIFIED,
    False: pb.FRAME_TRANSPORT_INLINE,
    True: pb.FRAME_TRANSPORT_SHARED_MEMORY,
}
REMOTE_RULES: Mapping[str, Callable[[Any], object]] = {
    **{name: rule for name, rule in RULES.items() if name not in ("eager", "audio", "audio_lead_ms")},
    **{name: partial(flag, name) for name in ("motion", "transparent")},
    "shared_memory": lambda shared: None if shared is None else flag("shared_memory", shared),
    "size_px": side_px,
    "pixel_format": partial(member, "pixel_format", PixelFormat),
    "jpeg_quality": lambda quality: whole_number("jpeg_quality", quality, *JPEG_QUALITIES),
    "priority": as_priority,
    "label_off_reason": lambda reason: None if reason is None else text("label_off_reason", reason),
}


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Fixed for a session's life. Raises InputError for what cannot be."""

    fps: int | float | str | Fraction = 25
    size_px: int | tuple[int, int] = USUAL_SIDE_PX
    """Of a square: a server draws nothing else."""
    sample_rate_hz: int = 16_000
    seed: int | None = None
    """None is one from chance."""
    paced: bool = True
    """False: as fast as possible."""
    pictures: bool = True
    """False gives motion alone."""
    motion: bool = True
    """False gives pictures alone: `Output.motion` then has no weights."""
    pixel_format: PixelFormat = PixelFormat.RGBA
    jpeg_quality: int = 85
    transparent: bool = False
    shared_memory: bool | None = None
    """Whether pictures come through memory that both sides map. None: where server and client are on one machine, of one user,
    and the pictures are no JPEGs. True raises UnavailableError where it cannot be."""
    priority: int = 50
    """0 loses quality first under overload, 100 last."""
    label_off_reason: str | None = None
    """Why the pictures have no visible label; only where the server allows it."""

    def __post_init__(self) -> None:
        settle(self, REMOTE_RULES)

    def message(self) -> pb.SessionConfig:
        """For the wire."""
        outputs = {(True, True): "FRAMES_AND_MOTION", (True, False): "FRAMES"}.get((self.pictures, self.motion), "MOTION")
        asked = pb.SessionConfig(
            fps=rational_message(as_fps(self.fps)),
            size_px=side_px(self.size_px),
            sample_rate_hz=self.sample_rate_hz,
            seed=self.seed,
            delivery=pb.DELIVERY_PACED if self.paced else pb.DELIVERY_IMMEDIATE,
            outputs=f"OUTPUTS_{outputs}",
            pixel_format=PIXEL_FORMATS[self.pixel_format],
            jpeg_quality=self.jpeg_quality,
            transparent=self.transparent,
            frame_transport=TRANSPORTS[self.shared_memory],
            importance=pb.Importance(priority=self.priority),
        )
        if self.label_off_reason is not None:
            asked.disclosure.label, asked.disclosure.label_off_reason = pb.LABEL_MODE_OFF, self.label_off_reason
        return asked
