"""Processes of the long benchmarks: none is left behind, however the benchmark ends; and the soak itself, for a minute."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.processes import ROOT

pytestmark = pytest.mark.session
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent's")

PARENT = """
import signal, sys, time
from benchmarks.processes import busy_loops, end_on_terminate
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in a shell's background begin deaf to it
end_on_terminate()
with busy_loops(2) as pids:
    print(*pids, flush=True)
    time.sleep(60)
"""
MUST_HOLD = ("ran to its end", "wrong frames and markers", "pictures unlike those drawn here", "tracebacks in the server's log")
"""What a busy machine has no influence on."""


def lives(pid: int) -> bool:
    """A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[str]:
    """What a benchmark of that pid started, by what its command says."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if f"die_with({pid})".encode() in command:
            found.append(path.parent.name)
    return found


@on_linux
@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_whoever_started_them(sign: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2 and all(lives(pid) for pid in pids)
        parent.send_signal(sign)
        parent.wait(10)
    end_s = time.monotonic() + 5
    while any(lives(pid) for pid in pids) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not any(lives(pid) for pid in pids)


@on_linux
@pytest.mark.slow
def test_a_minute_of_soak_finds_no_wrong_frame_and_leaves_nothing_behind(tmp_path: Path) -> None:
    summary, errors = tmp_path / "soak.md", tmp_path / "errors.txt"
    command = [sys.executable, "-m", "benchmarks", "soak", "--minutes", "0.8", "--output", str(summary)]
    with errors.open("wb") as sink:
        run = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=sink, env={**os.environ, "TMPDIR": str(tmp_path)}
        )
        run.wait(400)
    verdicts = dict(re.findall(r"^\| (.*?) +\|.*\| (\w*) +\|$", summary.read_text(), re.MULTILINE))
    assert {what: verdicts[what] for what in MUST_HOLD} == dict.fromkeys(MUST_HOLD, "held"), summary.read_text()
    assert not children_of(run.pid)
