"""Pictures for a program that plays streams (OBS as a media source, ffmpeg), without any camera driver."""

from __future__ import annotations

import socket
from contextlib import suppress
from fractions import Fraction

from vivant.errors import OutputError
from vivant.loopback import family_of, require_local
from vivant.types import PixelFormat, UInt8Array
from vivant_bridge.picture.sink import require_i420, y4m_header


class StreamCamera:
    """Raw video (Y4M) for one program at a time that connects to ``host:port`` of this machine.

    `send` never waits: a program that reads too slowly gets fewer, whole frames.
    """

    pixel_format = PixelFormat.I420

    def __init__(self, address: str) -> None:
        self.name = f"tcp://{address}"
        self._place = require_local(address, "a stream is sent", "tcp:127.0.0.1:9100")
        self._server: socket.socket | None = None
        self._viewer: socket.socket | None = None
        self._unsent = b""

    def open(self, width: int, height: int, fps: Fraction) -> None:
        self._size, self._header = (width, height), y4m_header(width, height, fps)
        try:
            self._server = socket.create_server(self._place, family=family_of(self._place[0]))
        except OSError as error:
            raise OutputError(f"cannot listen on {self.name}: {error.strerror}") from error
        self._server.setblocking(False)

    def send(self, frame: UInt8Array, due_us: int) -> None:
        require_i420(frame, *self._size)
        if self._viewer is None:
            self._accept()
        if self._viewer is not None:
            self._push()
            if not self._unsent:
                self._unsent = b"FRAME\n" + frame.tobytes()
                self._push()

    def close(self) -> None:
        self._leave()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self) -> None:
        assert self._server is not None
        with suppress(BlockingIOError):
            self._viewer, _ = self._server.accept()
            self._viewer.setblocking(False)
            self._unsent = self._header

    def _push(self) -> None:
        try:
            while self._unsent and self._viewer is not None:
                self._unsent = self._unsent[self._viewer.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._leave()

    def _leave(self) -> None:
        self._unsent = b""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
