"""A session's renderer as the server needs it: portraits and detail change, pixels leave in the client's format."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import simplejpeg

from vivant.face import MIN_SIZE_PX, Face, FaceRenderer
from vivant.honest.finisher import FrameFinisher
from vivant.render import _kernel
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame
from vivant.v1 import vivant_pb2 as pb

NO_PIXELS = np.zeros((0, 0, 4), np.uint8)


@dataclass(frozen=True, slots=True)
class Shot(VideoFrame):
    """A frame with what the wire needs to know of it."""

    motion: MotionFrame
    portrait_id: str
    payload: memoryview | bytes | None
    """The pixels in the client's format; None when this frame is left out or no pixels are wanted."""
    size_px: int


@dataclass(slots=True)
class _Showing:
    face: Face
    portrait_id: str
    finisher: FrameFinisher
    renderers: dict[int, tuple[FaceRenderer, UInt8Array]] = field(default_factory=dict)
    """By size, each with the memory that it draws into."""


class Canvas:
    """`Face` and `FaceRenderer` of one session. ``render`` runs on the executor, one call at a time; the rest on the loop."""

    notes: tuple[str, ...] = ()

    def __init__(self, face: Face, portrait_id: str, config: pb.SessionConfig, *, session_id: int, draws: bool) -> None:
        """``session_id`` is what the invisible mark says, 32 bits."""
        self.detail = 0
        """0: all frames, whole size. 1: every second frame. 2: and half the size. 3: every fourth frame, half the size."""
        self._config = config
        self._draws = draws
        self._session_id = session_id
        self.show(face, portrait_id)

    def show(self, face: Face, portrait_id: str) -> None:
        """From the next frame on."""
        labelled = self._config.disclosure.label == pb.LABEL_MODE_ON
        self._showing = _Showing(face, portrait_id, FrameFinisher.for_face(face, self._session_id, labelled=labelled))

    def open(self, size_px: int | tuple[int, int]) -> Canvas:
        return self

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> Shot:
        showing, detail = self._showing, self.detail
        pixels, payload, size_px = NO_PIXELS, None, self._size_px(detail)
        if self._draws and motion.index % (1, 2, 2, 4)[detail] == 0:
            if size_px not in showing.renderers:
                # One picture's memory for all, for finishing makes a new one of it anyway.
                showing.renderers[size_px] = showing.face.open(size_px), np.empty((size_px, size_px, 4), np.uint8)
            renderer, drawn = showing.renderers[size_px]
            frame = showing.finisher.finish(renderer.render(motion, drawn))
            pixels, payload = frame.pixels, self._encoded(frame.pixels)
        return Shot(motion.index, motion.pts_us, pixels, PixelFormat.RGBA, motion, showing.portrait_id, payload, size_px)

    def _size_px(self, detail: int) -> int:
        whole = int(self._config.size_px)
        return whole if detail < 2 or whole < 2 * MIN_SIZE_PX else whole // 2

    def _encoded(self, pixels: UInt8Array) -> memoryview | bytes:
        side = len(pixels)
        match self._config.pixel_format:
            case pb.PIXEL_FORMAT_RGB:
                flat = np.empty(side * side * 3, np.uint8)
                _kernel.rgb_from_rgba(pixels, flat)
            case pb.PIXEL_FORMAT_I420:
                flat = np.empty(side * side * 3 // 2, np.uint8)
                _kernel.i420_from_rgba(pixels, flat)
            case pb.PIXEL_FORMAT_JPEG:
                return bytes(simplejpeg.encode_jpeg(pixels, self._config.jpeg_quality, "RGBA", "420"))
            case _:
                flat = pixels.reshape(-1)
        return flat.data
