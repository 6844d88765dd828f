"""A real `vivant studio` in a process of its own, and its routes asked by hand."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

from tests.unit.test_server_parts import pair

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
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request, with the page's headers and those given."""
        place = "127.0.0.1", self.port
        connection = HTTPConnection(*place, PATIENCE_S) if self.tls is None else HTTPSConnection(*place, context=self.tls)
        try:
            connection.request(method, path, body, self.headers | dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def page(self) -> Studio:
        """Another page, with a client's name of its own."""
        name = self.ask("GET", "/v1/portraits").json["client"]
        return replace(self, headers=self.headers | {"Vivant-Client": name})


@contextmanager
def running_studio(
    folder: Path, port: int = 0, camera: str = "null", *options: str, tls: ssl.SSLContext | None = None, **environment: str
) -> Iterator[Studio]:
    """With a cache, settings and its log in ``folder``; ``tls`` is how it is reached where ``options`` say so."""
    environment = os.environ | {
        "VIVANT_CONFIG_DIR": str(folder / "config"),
        "VIVANT_CACHE_DIR": str(folder / "cache"),
        "ORT_DISABLE_TELEMETRY": "1",
        **environment,
    }
    environment.pop("VIVANT_CONSENT", None)
    command = [sys.executable, "-c", RUN, "studio", "--no-open", "--port", str(port), "--camera", camera, *options]
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"the studio is at \S+:(\d+);", process.stdout.readline())
            assert found is not None, (folder / "log").read_text()
            yield Studio(int(found[1]), process, tls=tls)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


@contextmanager
def studio_elsewhere(folder: Path, token: str, **environment: str) -> Iterator[Studio]:
    """One for other machines, with a certificate that nobody else vouches for."""
    certificate, key = pair(folder, "studio")
    tls = ssl.create_default_context(cafile=str(certificate))
    tls.check_hostname = False
    options = ("--host", "0.0.0.0", "--tls-cert", str(certificate), "--tls-key", str(key))
    with running_studio(folder, 0, "null", *options, tls=tls, VIVANT_TOKEN=token, **environment) as running:
        yield running
