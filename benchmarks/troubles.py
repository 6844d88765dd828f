"""Troubles of a soak: what befalls the server in each of its slots, and whether it gave back afterwards what was taken."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.honest import PORTRAITS, Honest
from benchmarks.processes import busy_loops, kill, start
from benchmarks.served import RATE_HZ
from vivant.client import Client, RemoteConfig
from vivant.errors import VivantError
from vivant.types import Output

PAUSES_S = {"pause": 5.0, "long pause": 20.0}
NOTICED_S = 5.0
"""Within which the places of clients that are gone must be free; chosen."""
SILENT_S = 30.0
"""The same of calls that nobody reads, and of clients that say nothing any more, though their connection stands; chosen."""
NEWCOMER_S = 20.0
"""Within which a newcomer must have its first picture. Chosen: a server takes time to see that it is overloaded no more."""
AGAIN_S = 2.0
"""Before a newcomer that was refused comes again."""
JUMPS_S = (3600, -7200, 86400 * 400, -86400 * 30)
"""Against the true time."""
SPARE_S = 5.0
"""Of each slot, to see what was given back; chosen."""
DISK_MB = 96
"""Of the server's cache; chosen: more than the rigs of the bundled portraits take."""
QUOTA_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """The server's cache folder, which can be made full: a small disk of its own that nobody else sees (Linux, root), or else a
    limit on the length of all files that the server writes."""

    folder: Path
    mounted: bool

    @classmethod
    def under(cls, folder: Path) -> Disk:
        path = folder / "cache"
        path.mkdir()
        tool = shutil.which("unshare")
        able = tool and subprocess.run([*cls(path, True).before, "true"], capture_output=True, check=False).returncode == 0
        return cls(path, bool(able))

    @property
    def kind(self) -> str:
        return f"the cache is a tmpfs of {DISK_MB} MB" if self.mounted else f"files may have {QUOTA_BYTES} bytes (RLIMIT_FSIZE)"

    @property
    def before(self) -> Sequence[str]:
        """Words in front of the server's command. The mount is its own and goes with it."""
        if not self.mounted:
            return ()
        mount = f'mount -t tmpfs -o size={DISK_MB}m vivant-soak "$0" && exec "$@"'
        return ("unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(self.folder))

    @contextmanager
    def full(self, pid: int) -> Iterator[None]:
        if not self.mounted:
            soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (QUOTA_BYTES, hard))
            try:
                yield
            finally:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
            return
        ballast = Path(f"/proc/{pid}/root{self.folder}/ballast")
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        try:
            yield
        finally:
            ballast.unlink(missing_ok=True)


@dataclass
class Site:
    """The server and what is known of it."""

    pid: int
    port: int
    client: Client
    honest: Sequence[Honest]
    disk: Disk
    wall: Path
    """Holds the seconds that the server's wall clock is wrong by."""
    chance: random.Random
    unserved: list[str] = field(default_factory=list)
    """Newcomers that should have been served."""
    kept: list[str] = field(default_factory=list)
    """Places that were not given back."""
    n_pauses: int = 0
    broken: list[str] = field(default_factory=list)
    """Neighbours that ended by themselves: a fault of theirs."""

    async def undergo(self, trouble: str, seconds: float, n_loops: int) -> None:
        """One slot."""
        with busy_loops(n_loops):
            await TROUBLES[trouble](self, seconds - min(SPARE_S, seconds / 4))
            if not n_loops and seconds >= 2 * NEWCOMER_S:  # beside loops a server may well refuse
                await self._newcomer(trouble)

    async def neighbour(self, kind: str, seconds: float) -> None:
        """One that goes on for the whole slot and is killed then."""
        with self._child(kind):
            await asyncio.sleep(seconds)
        await self._given_back(kind)

    async def killed(self, seconds: float) -> None:
        """One caller after another, each killed in the middle."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            with self._child("caller"):
                await asyncio.sleep(self.chance.uniform(2, 6))
        await self._given_back("killed callers")

    async def frozen(self, seconds: float) -> None:
        """A caller that is stopped in the middle."""
        with self._child("caller") as pid:
            await asyncio.sleep(min(4.0, seconds / 2))
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(seconds / 2)
            if seconds / 2 >= SILENT_S:
                await self._given_back("a frozen caller")
        await self._given_back("a killed caller that was frozen")

    async def unread(self, seconds: float) -> None:
        """Calls that nobody reads: after a while their places are free, though their client lives."""
        with self._child("unread"):
            await asyncio.sleep(seconds)
            if seconds >= SILENT_S:
                await self._given_back("unread calls")
        await self._given_back("a killed client of unread calls")

    async def full_disk(self, seconds: float) -> None:
        """Portraits that are not in the cache yet are wanted meanwhile."""
        bundled = [name for name in (await self.client.capabilities()).bundled_portraits if name not in PORTRAITS]
        with self.disk.full(self.pid):
            for name in self.chance.sample(bundled, min(3, len(bundled))):
                try:
                    await self.client.warm_up(name)
                except VivantError as error:
                    self.unserved.append(f"full disk, {name}: {error}")
            await asyncio.sleep(seconds / 2)

    async def wall_clock(self, seconds: float) -> None:
        """To and fro."""
        for jump_s in JUMPS_S:
            self.wall.write_text(f"{jump_s}")
            await asyncio.sleep(seconds / len(JUMPS_S))
        self.wall.write_text("0")

    async def pause(self, kind: str, seconds: float) -> None:
        """The server's process is stopped, and goes on."""
        pause_s = min(PAUSES_S[kind], seconds / 3)
        await asyncio.sleep(pause_s / 2)
        os.kill(self.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(pause_s)
        finally:
            os.kill(self.pid, signal.SIGCONT)
        self.n_pauses += 1
        for honest in self.honest:
            honest.resumes(time.monotonic())
        await asyncio.sleep(seconds - 1.5 * pause_s)

    @contextmanager
    def _child(self, kind: str) -> Iterator[int]:
        seed = str(self.chance.randrange(1 << 30))
        errors = self.wall.with_name("neighbour.log")
        errors.unlink(missing_ok=True)
        child = start("from benchmarks.hostile import main; main()", kind, str(self.port), seed, errors=errors)
        try:
            yield child.pid
            if child.poll() is not None:
                self.broken.append(f"{kind}: {errors.read_text(encoding='utf-8').strip().rpartition(chr(10))[2]}")
        finally:
            kill(child)

    async def _given_back(self, what: str) -> None:
        end_s, n = time.monotonic() + NOTICED_S, 0
        while time.monotonic() < end_s:
            n = (await self.client.capabilities()).sessions
            if n <= len(self.honest):
                return
            await asyncio.sleep(0.2)
        self.kept.append(f"{n - len(self.honest)} after {what}")

    async def _newcomer(self, when: str) -> None:
        """Somebody new, once nothing stands against it; whoever is refused comes again."""
        end_s, last = time.monotonic() + NEWCOMER_S, ""
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._first_picture()
                return
            except (VivantError, TimeoutError) as error:
                last = str(error) or "no picture"
            await asyncio.sleep(AGAIN_S)
        self.unserved.append(f"after {when}: {last}, for {NEWCOMER_S:g} s")

    async def _first_picture(self) -> None:
        config = RemoteConfig(size_px=128, sample_rate_hz=RATE_HZ, priority=60)
        async with self.client.animate("ada", config) as face:
            async for item in face:
                if isinstance(item, Output) and item.picture is not None:
                    return


Trouble = Callable[[Site, float], Awaitable[None]]


def _neighbour(kind: str) -> Trouble:
    return lambda site, seconds: site.neighbour(kind, seconds)


def _pause(kind: str) -> Trouble:
    return lambda site, seconds: site.pause(kind, seconds)


TROUBLES: dict[str, Trouble] = {
    "nothing": lambda _, seconds: asyncio.sleep(seconds),
    "killed callers": Site.killed,
    "frozen caller": Site.frozen,
    "unread calls": Site.unread,
    "half-open connections": _neighbour("half open"),
    "garbage": _neighbour("garbage"),
    "flood of portraits": _neighbour("portraits"),
    "crowd": _neighbour("crowd"),
    "full disk": Site.full_disk,
    "wall clock": Site.wall_clock,
    "pause": _pause("pause"),
    "long pause": _pause("long pause"),
}
