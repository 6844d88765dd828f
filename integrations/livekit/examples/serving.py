"""A face server of one's own, `vivant serve` as another process."""

from __future__ import annotations

import re
import subprocess
import sys
from types import TracebackType

COMMAND = (sys.executable, "-c", "from vivant.cli import main; main()", "serve")


class Serving:
    """Use as ``with Serving() as server``; it listens on loopback unless its options say otherwise."""

    def __init__(self, *options: str, port: int = 0) -> None:
        self._options, self.port = options, port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Serving:
        command = [*COMMAND, "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        found = re.search(r":(\d+) ", said)
        if found is None:
            raise RuntimeError("vivant serve did not start; is the extra `server` installed?")
        self.port = int(found[1])
        return self

    def kill(self) -> None:
        """At once, as by a crash."""
        self._process.kill()
        self._process.wait()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
