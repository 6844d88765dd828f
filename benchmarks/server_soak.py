"""Soak: four honest faces for a long time, with hostile neighbours. ``python -m benchmarks soak --minutes 30``

``vivant serve`` is a process of its own, each neighbour another; this one holds the honest faces and checks all that they get.
Time is cut into slots of one trouble each, by a seed; the first and the last part are calm, and what is there in the last must
be as it was in the first. Exit code 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.honest import PORTRAITS, ROLES, Honest, open_faces
from benchmarks.hostile import turned_picture
from benchmarks.processes import Cpu, end_on_terminate, memory_mb, n_files, n_threads
from benchmarks.report import ROOT, markdown, put
from benchmarks.served import vivant_serve
from benchmarks.soak_watch import growth_share
from benchmarks.troubles import TROUBLES, Disk, Site
from vivant.client import Client, connect
from vivant.errors import VivantError
from vivant.provenance.consent import Consent
from vivant.server.limits import Limits

CALM_SHARE, LEAST_CALM_S = 1 / 15, 10.0
"""Of the time, at the beginning and at the end each; chosen: two minutes of half an hour."""
SLOT_S = 90.0
"""Of one trouble, where there is time; chosen."""
LOADED_SHARE = 0.4
"""Of the slots have busy loops beside them; chosen."""
LOOPS = (2, 4)
HEAD = ("what", "target", "measured", "verdict")
LOOK_S = 5.0
"""Between two looks at the server's process; chosen."""
DRIFT_MS, STILL_S, BACK_S = 40.0, 2.0, 3.0
"""Targets: a frame; and, chosen, what a viewer takes for a broken connection."""
GROWTH, LEAST_GROWTH_S = 0.1, 300.0
"""Share of memory that may be gained over two thirds of the run; shorter runs show how caches fill and are not judged."""
SPARE = 4
"""Threads and files that may have been added; chosen: pools grow when they are first busy."""
TRACEBACK = re.compile(r"^Traceback .*?^(\w[\w.]*(?::[^\n]*)?)$", re.DOTALL | re.MULTILINE)
"""In a log; gives its last line, which says what was raised."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time with one trouble."""

    begin_s: float
    seconds: float
    trouble: str
    n_loops: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    seconds: float
    seed: int
    troubles: tuple[str, ...]

    @property
    def judges_memory(self) -> bool:
        return self.seconds >= LEAST_GROWTH_S


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the summary; ``held`` is None where nothing was promised or it could not be judged."""

    what: str
    target: str
    measured: str
    held: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "held", False: "WRONG"}[self.held]


@dataclass
class Looks:
    """What the server's process was like over time."""

    memory_mb: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        self.memory_mb.append(memory_mb(pid))
        self.threads.append(n_threads(pid))
        self.files.append(n_files(pid))


def calm_s(seconds: float) -> float:
    return max(LEAST_CALM_S, CALM_SHARE * seconds)


def schedule(seconds: float, seed: int, troubles: Sequence[str] = tuple(TROUBLES)) -> list[Slot]:
    """Every one of them at least once, in an order of chance, between two calm parts; the rest of the slots are drawn."""
    chance = random.Random(seed)
    first_s = calm_s(seconds)
    room_s = seconds - 2 * first_s
    n_slots = max(len(troubles), int(room_s / SLOT_S))
    deck = [*troubles, *chance.choices(troubles, k=n_slots - len(troubles))]
    chance.shuffle(deck)
    n_loaded = round(LOADED_SHARE * n_slots)
    loops = [chance.choice(LOOPS) for _ in range(n_loaded)] + [0] * (n_slots - n_loaded)
    chance.shuffle(loops)
    each_s = room_s / n_slots
    return [Slot(first_s + n * each_s, each_s, deck[n], loops[n]) for n in range(n_slots)]


class Soak:
    """One run."""

    def __init__(self, site: Site, plan: Plan, log: Path) -> None:
        self._site, self._honest, self._plan, self._log = site, site.honest, plan, log
        self._slots = schedule(plan.seconds, plan.seed, plan.troubles)
        self._pids = [os.getpid(), site.pid]
        self._began_s, self._cpu = time.monotonic(), Cpu.of(self._pids)
        self.now = "calm"
        self._looks = Looks()
        self._lag_s = 0.0
        self._places = -1
        """Calls that the server knows of at the end."""
        self._at_first = self._at_last = (0, 0)
        """Threads and files in the calm parts."""

    async def run(self) -> None:
        """To the end, or to the server's."""
        faces = (honest.live(self._site.client) for honest in self._honest)
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(work) for work in (self._watch(), self._tell(), self._lag(), *faces)]
            await self._slots_in_turn()
            for task in beside:
                task.cancel()

    async def _slots_in_turn(self) -> None:
        self._enter("calm", calm=True)
        await self._until(self._slots[0].begin_s)
        self._at_first = self._size()
        for slot in self._slots:
            await self._until(slot.begin_s)
            beside = f", {slot.n_loops} busy loops" if slot.n_loops else ""
            self._enter(slot.trouble + beside, calm=slot.trouble == "nothing" and not slot.n_loops)
            await self._site.undergo(slot.trouble, slot.seconds, slot.n_loops)
        self._enter("calm again", calm=False)
        await asyncio.sleep(calm_s(self._plan.seconds) / 2)  # then nobody is late any more
        self._enter("calm again", calm=True)
        await asyncio.sleep(calm_s(self._plan.seconds) / 2)
        self._places, self._at_last = (await self._site.client.capabilities()).sessions, self._size()

    def findings(self) -> list[Finding]:
        """The summary, from what runs it to what was wrong."""
        return [*self._said(), *self._frames(), *self._times(), *self._process()]

    def _said(self) -> Iterator[Finding]:
        slots = ", ".join(f"{slot.trouble} ({slot.n_loops})" for slot in self._slots)
        yield Finding("minutes; seed; cores", "", f"{self._plan.seconds / 60:g}; {self._plan.seed}; {os.cpu_count()}")
        yield Finding(f"slots of {self._slots[0].seconds:.0f} s (busy loops)", "", slots)
        yield Finding("full disk", "", self._site.disk.kind)
        yield Finding("clocks", "", "Python's wall clock jumps in the server; the monotonic one goes on while it is stopped")

    def _frames(self) -> Iterator[Finding]:
        for honest in self._honest:
            said = ", ".join(f"{n} {what}" for what, n in sorted(honest.counts.items()))
            yield Finding(f"face: {honest.role}", "", said)
        wrong = [f"{honest.role}: {fault}" for honest in self._honest for fault in honest.faults]
        n_outputs = sum(honest.counts["outputs"] for honest in self._honest)
        yield Finding("wrong frames and markers", "0", _few(wrong, f"of {n_outputs}"), not wrong and n_outputs > 0)
        other = [fault for honest in self._honest for fault in honest.twin.faults]
        n_compared = sum(honest.twin.n_compared for honest in self._honest)
        yield Finding("pictures unlike those drawn here", "0", _few(other, f"of {n_compared}"), not other and n_compared > 0)
        lost = [f"{honest.role}: {loss}" for honest in self._honest for loss in honest.lost]
        yield Finding("honest calls lost", "0", _few(lost), not lost)

    def _times(self) -> Iterator[Finding]:
        watches = [watch for honest in self._honest for watch in honest.watches]
        drift_ms = max((watch.drift.worst_ms for watch in watches), default=float("nan"))
        yield Finding("drift of picture and sound, calm", f"<= {DRIFT_MS:g} ms", f"{drift_ms:.0f} ms", drift_ms <= DRIFT_MS)
        for name, calm in (("calm", True), ("among neighbours", False)):
            late = [1000 * late_s for watch in watches for is_calm, late_s in watch.late_s if is_calm is calm]
            measured = "p50 {:.0f}, p99 {:.0f} ms".format(*np.percentile(late, (50, 99))) if late else "no picture"
            yield Finding(f"lateness, {name}", "", measured)
        stillness = {honest.role: honest.stillness for honest in self._honest}
        still = [f"{role} {seconds:.1f} s ({scene})" for role, (seconds, scene) in stillness.items()]
        worst_s = max(seconds for seconds, _ in stillness.values())
        yield Finding("longest stillness while the server ran", f"<= {STILL_S:g} s", ", ".join(still), worst_s <= STILL_S)
        back = [one for watch in watches for one in watch.back_s]
        expected = len(self._honest) * self._site.n_pauses
        said = f"{len(back)} of {expected} returns, worst {max(back, default=float('nan')):.1f} s"
        in_time = len(back) == expected and max(back, default=0.0) <= BACK_S
        yield Finding("a stopped server's faces are back", f"<= {BACK_S:g} s", said, in_time)
        yield Finding("this client's own loop, worst lag", "", f"{self._lag_s:.2f} s")
        others = self._cpu.others(Cpu.of(self._pids), time.monotonic() - self._began_s)
        yield Finding("cores that others kept busy meanwhile", "none", f"{others:.2f}")

    def _process(self) -> Iterator[Finding]:
        looks, site = self._looks, self._site
        growth = growth_share(looks.memory_mb)
        third = looks.memory_mb[len(looks.memory_mb) // 3 :]
        said = f"{growth:+.1%}: {third[0]:.0f} to {third[-1]:.0f} MB, peak {max(looks.memory_mb):.0f}"
        flat = growth <= GROWTH if self._plan.judges_memory else None
        yield Finding("memory, last two thirds", f"<= {GROWTH:+.0%}", said, flat)
        (threads, files), (last_threads, last_files) = self._at_first, self._at_last
        same = last_threads <= threads + SPARE and last_files <= files + SPARE
        said = f"{threads} to {last_threads}, peak {max(looks.threads)}; {files} to {last_files}, peak {max(looks.files)}"
        yield Finding("threads; files, calm", f"<= {SPARE} more", said, same)
        kept = [*site.kept, *([f"{self._places} calls at the end"] if self._places != len(self._honest) else [])]
        yield Finding("places that were not given back", "0", _few(kept), not kept)
        yield Finding("newcomers that were not served", "0", _few(site.unserved), not site.unserved)
        yield Finding("neighbours that ended by themselves", "0", _few(site.broken), not site.broken)
        traces = TRACEBACK.findall(self._log.read_text(encoding="utf-8", errors="replace"))
        yield Finding("tracebacks in the server's log", "0", _few(traces), not traces)

    def _size(self) -> tuple[int, int]:
        return n_threads(self._site.pid), n_files(self._site.pid)

    async def _until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, self._began_s + at_s - time.monotonic()))

    def _enter(self, scene: str, *, calm: bool) -> None:
        self.now = scene
        for honest in self._honest:
            honest.set_scene(scene, calm=calm)

    async def _watch(self) -> None:
        while True:
            self._looks.look(self._site.pid)
            await asyncio.sleep(LOOK_S)

    async def _lag(self) -> None:
        while True:
            asked_s = time.monotonic()
            await asyncio.sleep(0.05)
            self._lag_s = max(self._lag_s, time.monotonic() - asked_s - 0.05)

    async def _tell(self) -> None:
        """A line per minute."""
        before = [0] * len(self._honest)
        while True:
            await asyncio.sleep(60)
            pictures = [honest.counts["pictures"] for honest in self._honest]
            fps = ", ".join(f"{(now - then) / 60:.1f}" for now, then in zip(pictures, before, strict=True))
            before = pictures
            wrong = sum(len(honest.faults) + len(honest.twin.faults) + len(honest.lost) for honest in self._honest)
            minute = (time.monotonic() - self._began_s) / 60
            memory, threads, files = self._looks.memory_mb[-1], self._looks.threads[-1], self._looks.files[-1]
            process = f"{memory:.0f} MB, {threads} threads, {files} files"
            sys.stderr.write(f"minute {minute:.0f}: {self.now}; fps {fps}; {process}; {wrong} faults\n")


def _few(sentences: Sequence[str], of: str = "") -> str:
    """How many, and the first of them."""
    shown = "; ".join(sentences[:3])
    return " ".join(filter(None, (f"{len(sentences)}", of, f"({shown})" if shown else "")))


_JUMPING = """
import time
from pathlib import Path
wall, real = Path({path!r}), time.time
time.time = lambda: real() + float(wall.read_text() or 0)
"""


async def fill(client: Client, chance: random.Random) -> None:
    """The server's memory for opened portraits, so that what it grows by later is no cache."""
    bundled = (await client.capabilities()).bundled_portraits
    for portrait in bundled:
        await client.warm_up(portrait)
    for _ in range(Limits().faces - len(bundled)):
        await client.put_portrait(turned_picture(chance), Consent.UNREAL)


async def soak(plan: Plan, folder: Path, findings: list[Finding]) -> None:
    """The whole run, or as much of it as there is time for; the server's cache, settings and log are in that folder."""
    os.environ["VIVANT_CACHE_DIR"] = str(folder / "own")  # rigs of this state of the builder, not of an earlier one
    faces = open_faces()
    honest, disk = [Honest(role, plan.seed, faces) for role in ROLES], Disk.under(folder)
    wall, log = folder / "wall", folder / "server.log"
    wall.write_text("0")
    environment = {"VIVANT_CACHE_DIR": str(disk.folder), "VIVANT_CONFIG_DIR": f"{folder}/config"}
    served = vivant_serve(_JUMPING.format(path=str(wall)), environment=environment, before=disk.before, errors=log)
    async with served as (pid, port), connect(f"127.0.0.1:{port}") as client:
        for portrait in PORTRAITS:
            await client.warm_up(portrait)
        if plan.judges_memory:
            await fill(client, random.Random(plan.seed))
        run = Soak(Site(pid, port, client, honest, disk, wall, random.Random(plan.seed)), plan, log)
        ended = "stopped"
        try:
            await run.run()
            ended = "yes"
        except* (OSError, VivantError) as group:  # of a process that is gone
            ended = f"the server was gone: {group.exceptions[0]}"
        finally:
            findings += [Finding("ran to its end", "yes", f"{ended} ({run.now})", ended == "yes"), *run.findings()]


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--troubles", nargs="+", choices=TROUBLES, default=tuple(TROUBLES), metavar="TROUBLE", help="only these"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="the summary goes there, too")
    parser.add_argument("--write", action="store_true", help="and into docs/server.md")
    parser.add_argument("--log", type=Path, metavar="FILE", help="what the server logs is kept there")
    asked = parser.parse_args(words)
    end_on_terminate()
    load_average = os.getloadavg()[0]
    plan = Plan(60 * asked.minutes, asked.seed, tuple(asked.troubles))
    findings = [Finding("load of the machine when this run began", "", f"{load_average:.2f}")]
    with tempfile.TemporaryDirectory(prefix="vivant-soak-") as folder:
        try:
            asyncio.run(soak(plan, Path(folder), findings))
        finally:
            _publish(findings, asked.output, write=asked.write)
            if asked.log is not None:
                shutil.copyfile(Path(folder) / "server.log", asked.log)
    if any(one.held is False for one in findings):
        raise SystemExit(1)


def _publish(findings: Sequence[Finding], output: Path | None, *, write: bool) -> None:
    text = markdown([HEAD, *((one.what, one.target, one.measured, one.verdict) for one in findings)])
    sys.stdout.write(text + "\n")
    if output is not None:
        output.write_text(text + "\n", encoding="utf-8")
    if write:
        put(ROOT / "docs" / "server.md", "soak", text)
