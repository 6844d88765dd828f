"""Config of a remote session: the same words as for a local one, and what only a server needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vivant.face import as_fps
from vivant.size import USUAL_SIDE_PX
from vivant.types import PixelFormat
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import PIXEL_FORMATS, rational_message


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Fixed for a session's life."""

    fps: int | float | str | Fraction = 25
    size_px: int = USUAL_SIDE_PX
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
    shared_memory: bool = False
    """Pictures through memory that both sides map; on one machine only."""
    priority: int = 50
    """0 loses quality first under overload, 100 last."""
    label_off_reason: str | None = None
    """Why the pictures have no visible label; only where the server allows it."""

    def message(self) -> pb.SessionConfig:
        """For the wire. Raises InputError for a frame rate that cannot be."""
        outputs = {(True, True): "FRAMES_AND_MOTION", (True, False): "FRAMES"}.get((self.pictures, self.motion), "MOTION")
        asked = pb.SessionConfig(
            fps=rational_message(as_fps(self.fps)),
            size_px=self.size_px,
            sample_rate_hz=self.sample_rate_hz,
            seed=self.seed,
            delivery=pb.DELIVERY_PACED if self.paced else pb.DELIVERY_IMMEDIATE,
            outputs=f"OUTPUTS_{outputs}",
            pixel_format=PIXEL_FORMATS[self.pixel_format],
            jpeg_quality=self.jpeg_quality,
            transparent=self.transparent,
            frame_transport=pb.FRAME_TRANSPORT_SHARED_MEMORY if self.shared_memory else pb.FRAME_TRANSPORT_INLINE,
            importance=pb.Importance(priority=self.priority),
        )
        if self.label_off_reason is not None:
            asked.disclosure.label, asked.disclosure.label_off_reason = pb.LABEL_MODE_OFF, self.label_off_reason
        return asked
