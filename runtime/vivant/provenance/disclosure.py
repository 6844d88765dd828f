"""Disclosure: the one place through which every frame goes that leaves for a file, a camera or a client.

finisher = FrameFinisher.for_face(face, session_id=live_session_id())
camera.send(finisher.finish(frame).pixels)
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

import numpy as np

from vivant.face import Face
from vivant.provenance.label import Label, free_corner
from vivant.provenance.settings import Settings
from vivant.provenance.watermark_code import session_pattern
from vivant.render._kernel import Watermark
from vivant.types import UInt8Array, VideoFrame


class Disclosure:
    """Disclosure: labels and watermarks the frames of one session. One thread at a time; frames may change their size.

    ``label`` None leaves the label away; only a caller with a recorded reason does that.
    """

    def __init__(self, session_id: int, label: Label | None) -> None:
        self.session_id = session_id
        self._label = label
        self._pattern = session_pattern(session_id)
        self._watermark: Watermark | None = None
        self._tiles: list[tuple[slice, slice]] = []
        self._shape: tuple[int, ...] = ()

    @classmethod
    def for_face(
        cls, face: Face, session_id: int, *, labelled: bool = True, language: str | None = None, corner: str | None = None
    ) -> Disclosure:
        """With the label in that one of `CORNERS`, or one that the face leaves free; its language is that of the settings if
        none is named."""
        if not labelled:
            return cls(session_id, None)
        language = language or Settings.load().language or "en"
        return cls(session_id, Label(language, corner or free_corner(face.face_box)))

    def finish(self, frame: VideoFrame) -> VideoFrame:
        """A new frame with label and mark, RGB or RGBA as given; what is fully transparent stays so."""
        pixels = np.array(frame.pixels, copy=True, order="C")
        if self._label is not None:
            self._label.draw(pixels, frame.pts_us)
        self._mark(pixels)
        return VideoFrame(frame.index, frame.pts_us, pixels, frame.format)

    def _mark(self, pixels: UInt8Array) -> None:
        """In place. The mark is square: a frame that is not bears as many as fit, side by side in its middle."""
        watermark, shape = self._watermark, pixels.shape
        if watermark is None or self._shape != shape:
            side = min(shape[:2])
            self._watermark = watermark = Watermark(self._pattern, side, side, shape[2])
            self._tiles = list(_squares(shape[0], shape[1], side))
            self._shape = shape
        for rows, columns in self._tiles:
            part = pixels[rows, columns]
            tile = np.ascontiguousarray(part)
            watermark.apply(tile)
            if tile is not part:
                part[:] = tile


def _squares(height: int, width: int, side: int) -> Iterator[tuple[slice, slice]]:
    """The whole squares along the longer side of a frame, in its middle."""
    for top in range(height % side // 2, height - side + 1, side):
        for left in range(width % side // 2, width - side + 1, side):
            yield slice(top, top + side), slice(left, left + side)


FrameFinisher = Disclosure
"""Its name before 0.2. To go in 0.3."""


def live_session_id() -> int:
    """A fresh one."""
    return secrets.randbits(32)


def seed_of(portrait_sha256: str, audio_sha256: str) -> int:
    """Of a file's motion where none is named: always the same for the same inputs, and no two portraits move in unison."""
    said = f"{portrait_sha256}\n{audio_sha256}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=4, person=b"vivant-seed").digest(), "big")


def session_id_of(portrait_sha256: str, audio_sha256: str, seed: int) -> int:
    """The same inputs give the same id, so that the same seed gives the same pixels."""
    said = f"{portrait_sha256}\n{audio_sha256}\n{seed}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=4, person=b"vivant-session").digest(), "big")
