"""Processes of a benchmark: children that never outlive it, busy loops, and what Linux tells of them and of the machine."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
"""See prctl(2)."""
PATIENCE_S = 15.0
"""A server takes ten seconds to drain; chosen above."""
START_S = 120.0
"""For a server to say its port, also on a machine that is very busy; chosen."""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
Child = subprocess.Popen[str]


def die_with(parent: int) -> None:
    """Called by a child first: it is killed when that process is gone, however it went (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone already")


def end_on_terminate() -> None:
    """SIGTERM ends this process as Ctrl-C does: with everything that it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def start(
    code: str, *words: str, before: Sequence[str] = (), environment: Mapping[str, str] | None = None, errors: Path | None = None
) -> Child:
    """Python code as a child in a process group of its own; ``errors`` takes its standard error. Not in a session of its own:
    Linux would share the processor among sessions first (autogroups, sched(7)), and each busy loop would count as much as the
    whole server.

    For the main thread: the kernel takes the end of the thread that made a child for the end of its parent.
    """
    prelude = f"from benchmarks.processes import die_with; die_with({os.getpid()})\n"
    with (errors or Path(os.devnull)).open("ab") as sink:
        return subprocess.Popen(
            [*before, sys.executable, "-c", prelude + code, *words],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
            process_group=0,
        )


def kill(child: Child) -> None:
    """At once, with all of its group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def stop(child: Child, patience_s: float = PATIENCE_S) -> None:
    """Ask it to end, then kill what is left of its group."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(child.pid, signal.SIGCONT)
        child.terminate()
        child.wait(patience_s)
    kill(child)


@asynccontextmanager
async def process(
    code: str,
    *words: str,
    port_after: str,
    before: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    errors: Path | None = None,
) -> AsyncIterator[tuple[int, int]]:
    """A child that prints its port: (pid, port)."""
    child = start(code, *words, before=before, environment=environment, errors=errors)
    try:
        assert child.stdout is not None
        async with asyncio.timeout(START_S):
            line = await asyncio.to_thread(child.stdout.readline)
        if port_after not in line:
            raise RuntimeError(f"the server said {line!r} rather than its port")
        yield child.pid, int(line.split(port_after)[1].split()[0])
    finally:
        stop(child)


@contextmanager
def busy_loops(n: int) -> Iterator[list[int]]:
    """So many processes of the same user and nice value that do nothing but run: their pids."""
    children = []
    try:
        children += [start("while True: pass") for _ in range(n)]
        yield [child.pid for child in children]
    finally:
        for child in children:
            kill(child)


def cpu_ms(pid: int) -> float:
    """Of all threads of a process that live, to the microsecond."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e6


def memory_mb(pid: int) -> float:
    """Resident, without what is shared with other processes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000


def n_threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def n_files(pid: int) -> int:
    """Open file descriptors."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@dataclass(frozen=True, slots=True)
class Cpu:
    """Processor time so far, s."""

    machine_s: float
    """Of everything that runs on all cores, and what a hypervisor took."""
    own_s: float
    """Of the processes that were named."""

    @classmethod
    def of(cls, pids: Sequence[int]) -> Cpu:
        user, nice, system, _, _, *interrupts = _fields(Path("/proc/stat").read_text().splitlines()[0].split()[1:9])
        own = 0
        for pid in pids:
            own += sum(_fields(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]))
        return cls(TICK_S * (user + nice + system + sum(interrupts)), TICK_S * own)

    def others(self, later: Cpu, seconds: float) -> float:
        """Cores that everybody else kept busy from here to ``later``."""
        return max(0.0, (later.machine_s - self.machine_s) - (later.own_s - self.own_s)) / seconds


def _fields(words: Sequence[str]) -> list[int]:
    return [int(word) for word in words]
