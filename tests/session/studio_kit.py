"""A real `vivant studio` in a process of its own, and its routes asked by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
RUN = "from vivant.cli import main; main()"


@dataclass
class Answer:
    """Of one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of a body of JSON lines."""
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Studio:
    """One that runs, as one page sees it."""

    port: int
    process: subprocess.Popen[str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request, with the page's headers and those given."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, self.headers | dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def page(self) -> Studio:
        """Another page, with a client's name of its own."""
        name = self.ask("GET", "/v1/portraits").json["client"]
        return Studio(self.port, self.process, {"Vivant-Client": name})


@contextmanager
def running_studio(folder: Path, port: int = 0, camera: str = "null") -> Iterator[Studio]:
    """With a cache and settings in ``folder``."""
    environment = os.environ | {
        "VIVANT_CONFIG_DIR": str(folder / "config"),
        "VIVANT_CACHE_DIR": str(folder / "cache"),
        "ORT_DISABLE_TELEMETRY": "1",
    }
    environment.pop("VIVANT_CONSENT", None)
    command = [sys.executable, "-c", RUN, "studio", "--no-open", "--port", str(port), "--camera", camera]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Studio(int(line.split("127.0.0.1:")[1].split(";")[0]), process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
