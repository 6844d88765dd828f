"""A sound server of its own: what is played to ``room`` is heard by ``mic``, and the delayed voice comes out of ``cable``."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

MODULES = """
    load-module module-native-protocol-unix
    load-module module-null-sink sink_name=room rate=48000
    load-module module-remap-source master=room.monitor source_name=mic
    load-module module-null-sink sink_name=cable rate=48000
    set-default-sink cable
    set-default-source mic
"""
START_S = 20.0


class SoundServer:
    """PulseAudio in ``folder``; ``environment`` is for those who shall use it. Runs from entering to leaving."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/pulse/native",
            "PULSE_COOKIE": str(folder / "cookie"),
            "HOME": str(folder),
        }
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SoundServer:
        self._folder.chmod(0o700)
        script = self._folder / "default.pa"
        script.write_text("\n".join(line.strip() for line in MODULES.splitlines()))
        command = ["pulseaudio", "-n", "-F", str(script), "--exit-idle-time=-1", "--daemonize=no", "--log-target=stderr"]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=log, stderr=log)
        self._wait(self._server)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.terminate()
        self._server.wait()

    @contextmanager
    def running(self, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """A program that hears and is heard here meanwhile, and is asked to end at the end. ``stdout`` has what it says."""
        with subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.terminate()

    def run(self, *command: str | Path) -> None:
        """A program that hears and is heard here, to its end."""
        subprocess.run(command, env={**os.environ, **self.environment}, check=True, stdout=subprocess.DEVNULL, timeout=60)

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        give_up_s = time.monotonic() + START_S
        while server.poll() is None and time.monotonic() < give_up_s:
            if (self._folder / "pulse" / "native").is_socket():
                return
            time.sleep(0.1)
        raise AssertionError(f"no sound server:\n{(self._folder / 'log').read_text()}")


def next_line(process: subprocess.Popen[bytes]) -> str:
    """What a program says next."""
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert line, "the program has ended"
    return line.rstrip()
