"""A browser in the guest: what a meeting sees of ``vivant cam``, through getUserMedia."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from PIL import Image

from tests.device.guest_kit import CAMERA, PATIENCE_S, ROOT, Guest, free_port, next_line
from tests.device.living import require_living_face
from vivant.face import RigFace
from vivant.types import UInt8Array

pytestmark = pytest.mark.device

PAGE = (Path(__file__).parent / "camera_page.html").read_bytes()
VOICE = ROOT / "runtime" / "vivant" / "assets" / "voice.flac"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --use-fake-ui-for-media-stream --user-data-dir=/dev/shm/chromium"
)
LABEL = "Portrait"
"""Of the camera's driver: browsers list it by that name."""


def test_a_page_sees_the_face_move_in_the_camera(browser: Guest, server: int, ada: RigFace) -> None:
    browser.plug_in(LABEL)
    vivant = f"vivant cam ada --runtime {Guest.HOST}:{server} --size square --fps 24 --mic loop:{VOICE} --device {CAMERA}"
    with told() as (port, answers), browser.running(vivant) as cam:
        assert next_line(cam).startswith(CAMERA)
        browser.lend(port)  # browsers give cameras to pages of this machine, or over TLS
        with browser.running(f"chromium {FLAGS} http://localhost:{port}/"):
            path, body = answers.get(timeout=PATIENCE_S)
            assert (path, json.loads(body)) == ("/cameras", [[LABEL], 512, 512])
            require_living_face(ada, lambda: [picture(answers)], PATIENCE_S)
    browser.unplug()


def picture(answers: Queue[tuple[str, bytes]]) -> UInt8Array:
    """The next one that the page sends."""
    path, body = answers.get(timeout=PATIENCE_S)
    assert path.startswith("/picture"), (path, body)
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))


@contextmanager
def told() -> Iterator[tuple[int, Queue[tuple[str, bytes]]]]:
    """A web server with the page; its port, and what the page posts."""
    answers: Queue[tuple[str, bytes]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(PAGE)

        def do_POST(self) -> None:
            answers.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield web.server_port, answers
        web.shutdown()
