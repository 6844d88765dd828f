"""Load: what faces get when there are many of them, and when others want the processor, too. ``python -m benchmarks load``

A table of cells, each with a fresh ``vivant serve`` in a process of its own, so many faces asked for one after the other, and
so many busy loops beside them of the same user, session and nice value. This process is the client of them all, on the same
cores. Every second face gets its voice all at once, the others at the pace of a microphone. The first one has priority 90, the
others the usual 50.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.processes import Cpu, busy_loops, cpu_ms, end_on_terminate
from benchmarks.report import ROOT, markdown, put
from benchmarks.served import FPS, RATE_HZ, serving, speech
from vivant.client import Client, RemoteConfig, RemoteSession
from vivant.errors import VivantError
from vivant.types import Output, PixelFormat

FACES, LOOPS = (1, 4, 8, 12, 16), (0, 2, 4)
SETTLE_S, WINDOW_S = 5.0, 10.0
APART_S = 0.1
"""From one face's opening to the next one's; chosen: visitors do not come in one instant."""
ANSWER_S = 20.0
"""A face that has no answer by then counts as refused without a word; chosen."""
BLOCK_S = 0.04
"""Of sound from a microphone; chosen."""
IMPORTANT, USUAL = 90, 50
LEAD_MS = 100.0
"""An utterance that comes at once may be shown so much sooner than announced (proto/vivant/v1)."""
QUIET_CORES = 0.15
"""Others may take so much of one core in a run that is called quiet; chosen."""
QUIET_LOAD = 0.5
"""Load average of the last minute, likewise."""
HEAD = (
    "faces asked", "busy loops", "admitted", "worst fps", "important fps", "of full size",
    "p50, p99, worst lateness ms", "longest stillness s",
    "worst / quiet single", "server's CPU per picture ms", "others' cores", "target", "verdict", "not admitted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """One admitted face in the window."""

    priority: int
    fps: float
    """Pictures that came, per second."""
    lateness_ms: tuple[float, ...]
    """Of each of them: arrival against what its time, the announced delay and the start of its call say."""
    stillness_s: float
    """Longest time without a new picture."""
    n_full_size: int = 0
    """Of the pictures, those as large as was asked."""
    shares_memory: bool = False
    """The pictures came through it."""
    ended: str = ""
    """Why the call ended early."""


@dataclass(frozen=True, slots=True)
class Refusal:
    sentence: str
    has_hint: bool
    """It came with ``retry-after-ms``."""


@dataclass(frozen=True, slots=True)
class Cell:
    """So many faces beside so many loops."""

    n_asked: int
    n_loops: int
    faces: tuple[FaceSeen, ...]
    refused: tuple[Refusal, ...]
    served_ms: float
    """Processor time that the server took."""
    others_cores: float
    """What the processor did for neither server, client nor loops."""

    @property
    def n_pictures(self) -> int:
        return sum(len(face.lateness_ms) for face in self.faces)

    @property
    def worst_fps(self) -> float:
        return min((face.fps for face in self.faces), default=0.0)

    @property
    def important_fps(self) -> float:
        return max((face.fps for face in self.faces if face.priority == IMPORTANT), default=0.0)

    @property
    def full_size_share(self) -> float:
        """Of the pictures of all faces."""
        return sum(face.n_full_size for face in self.faces) / max(1, self.n_pictures)

    @property
    def lateness_ms(self) -> tuple[float, float, float]:
        """p50, p99 and worst of all faces; not a number where no picture came."""
        late = [one for face in self.faces for one in face.lateness_ms] or [float("nan")]
        p50, p99, worst = np.percentile(late, (50, 99, 100))
        return float(p50), float(p99), float(worst)

    @property
    def stillness_s(self) -> float:
        return max((face.stillness_s for face in self.faces), default=float("nan"))

    @property
    def cpu_ms(self) -> float:
        """Of the server per picture."""
        return self.served_ms / max(1, self.n_pictures)

    @property
    def is_quiet(self) -> bool:
        return self.others_cores <= QUIET_CORES


@dataclass(frozen=True, slots=True)
class Target:
    """What a cell must reach, in frames per second of its admitted faces."""

    worst_fps: float
    important_fps: float = 0.0
    refuses: bool = False
    """Who gets less is to be refused, with a hint when to try again."""

    def __str__(self) -> str:
        said = f"worst >= {self.worst_fps:g} fps"
        said += f", important >= {self.important_fps:g}" if self.important_fps else ""
        return said + (", the rest refused with a hint" if self.refuses else "")

    def is_held(self, cell: Cell) -> bool:
        hinted = cell.n_asked == len(cell.faces) + len(cell.refused) and all(one.has_hint for one in cell.refused)
        everybody = hinted if self.refuses else len(cell.faces) == cell.n_asked
        enough = cell.worst_fps >= self.worst_fps and cell.important_fps >= self.important_fps
        return everybody and enough and not any(face.ended for face in cell.faces)


FULL_FPS = 0.98 * FPS
"""What counts as every frame: one in fifty may be cut off by the ends of the window or by a moment's trouble."""
TARGETS = {(8, 0): Target(FULL_FPS), (8, 4): Target(10, 20), (16, 0): Target(12, refuses=True)}
"""By faces and loops."""


def lateness_ms(arrivals: Sequence[tuple[float, int]], began_s: float, delay_ms: float, *, at_once: bool) -> list[float]:
    """Of (arrival s, pts us): how long after it was due each came. The announced lead of sound that came at once is no merit
    and no fault: it is as long as the earliest frame shows."""
    late = [1000 * (now_s - began_s) - pts_us / 1000 - delay_ms for now_s, pts_us in arrivals]
    lead_ms = min(LEAD_MS, max(0.0, -min(late, default=0.0))) if at_once else 0.0
    return [one + lead_ms for one in late]


def stillness_s(arrivals_s: Sequence[float], begin_s: float, end_s: float) -> float:
    """The longest gap, both ends of the window included."""
    return max(later - sooner for sooner, later in pairwise((begin_s, *arrivals_s, end_s)))


class Visitor:
    """One face: asked for, spoken to and watched."""

    def __init__(self, number: int, pixel_format: PixelFormat, size_px: int) -> None:
        self.priority = USUAL if number else IMPORTANT
        self.refusal: Refusal | None = None
        self.admitted = False
        self._at_once = number % 2 == 1
        self._config = RemoteConfig(
            sample_rate_hz=RATE_HZ,
            size_px=size_px,
            pixel_format=pixel_format,
            motion=False,
            seed=number,
            priority=self.priority,
        )
        self._arrivals: list[tuple[float, int, int]] = []
        """Time in s, pts in us, width in px."""
        self._ended = ""

    async def come(self, client: Client, rooms: AsyncExitStack, seconds: float) -> None:
        """Open the face; it speaks and is watched from then on, until its room closes."""
        try:
            async with asyncio.timeout(ANSWER_S):
                face = await rooms.enter_async_context(client.animate("ada", self._config))
        except (VivantError, TimeoutError) as error:
            self.refusal = refusal_of(error)
            return
        self.admitted, self._began_s, self._delay_ms = True, time.monotonic(), face.delay_ms
        self._shares_memory = face.started.HasField("ring")
        for work in (self._speak(face, seconds), self._watch(face)):
            rooms.push_async_callback(_cancelled, asyncio.create_task(self._guard(work)))

    def seen(self, begin_s: float, end_s: float) -> FaceSeen:
        within = [one for one in self._arrivals if begin_s <= one[0] < end_s]
        late = lateness_ms([one[:2] for one in within], self._began_s, self._delay_ms, at_once=self._at_once)
        still = stillness_s([one[0] for one in within], begin_s, end_s)
        fps, full = len(within) / (end_s - begin_s), sum(one[2] == self._config.size_px for one in within)
        return FaceSeen(self.priority, fps, tuple(late), still, full, self._shares_memory, self._ended)

    async def _speak(self, face: RemoteSession, seconds: float) -> None:
        samples = speech(seconds)
        if self._at_once:
            await face.push(samples)
            return
        step, began_s = round(RATE_HZ * BLOCK_S), time.monotonic()
        for first in range(0, len(samples), step):
            await asyncio.sleep(began_s + (first + step) / RATE_HZ - time.monotonic())
            await face.push(samples[first : first + step])

    async def _watch(self, face: RemoteSession) -> None:
        async for item in face:
            if isinstance(item, Output) and item.picture is not None:
                self._arrivals.append((time.monotonic(), item.pts_us, item.picture.size_px[0]))

    async def _guard(self, work: object) -> None:
        try:
            await work  # type: ignore[misc]
        except VivantError as error:
            self._ended = str(error)


def refusal_of(error: Exception) -> Refusal:
    trailers = getattr(error.__cause__, "trailing_metadata", lambda: None)() or ()
    return Refusal(str(error) or f"no answer within {ANSWER_S:g} s", any(key == "retry-after-ms" for key, _ in trailers))


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Options:
    settle_s: float
    window_s: float
    pixel_format: PixelFormat
    size_px: int
    folder: Path
    """For the server's cache and settings."""


async def measure(n_faces: int, n_loops: int, options: Options) -> Cell:
    """One cell, with a server of its own."""
    environment = {"VIVANT_CACHE_DIR": f"{options.folder}/cache", "VIVANT_CONFIG_DIR": f"{options.folder}/config"}
    visitors = [Visitor(number, options.pixel_format, options.size_px) for number in range(n_faces)]
    seconds = n_faces * (APART_S + 1) + ANSWER_S + options.settle_s + options.window_s  # more than enough to say
    async with serving(environment=environment) as (pid, client), AsyncExitStack() as rooms:
        pids = [os.getpid(), pid, *rooms.enter_context(busy_loops(n_loops))]
        for visitor in visitors:
            await visitor.come(client, rooms, seconds)
            await asyncio.sleep(APART_S)
        await asyncio.sleep(options.settle_s)
        begin_s, cpu, server_ms = time.monotonic(), Cpu.of(pids), cpu_ms(pid)
        await asyncio.sleep(options.window_s)
        end_s, served_ms = time.monotonic(), cpu_ms(pid) - server_ms
        others = cpu.others(Cpu.of(pids), end_s - begin_s)
        faces = tuple(visitor.seen(begin_s, end_s) for visitor in visitors if visitor.admitted)
    refused = tuple(visitor.refusal for visitor in visitors if visitor.refusal is not None)
    return Cell(n_faces, n_loops, faces, refused, served_ms, others)


def verdict(cell: Cell) -> tuple[str, str]:
    """Target and verdict; a miss is not held against the server where others took the processor."""
    target = TARGETS.get((cell.n_asked, cell.n_loops))
    if target is None:
        return "", "" if cell.is_quiet else "others ran"
    if target.is_held(cell):
        return str(target), "held"
    return str(target), "missed" if cell.is_quiet else "missed, but others ran"


def line(cell: Cell, single: Cell) -> tuple[str, ...]:
    """A row of the table; ``single`` is the one quiet face that machines are compared by."""
    refused = Counter(f"{one.sentence} ({'with' if one.has_hint else 'no'} hint)" for one in cell.refused)
    ended = Counter(f"ended early: {face.ended}" for face in cell.faces if face.ended)
    return (
        f"{cell.n_asked}",
        f"{cell.n_loops}",
        f"{len(cell.faces)}",
        f"{cell.worst_fps:.1f}",
        f"{cell.important_fps:.1f}",
        f"{cell.full_size_share:.0%}" if cell.n_pictures else "-",
        ", ".join(f"{late:.0f}" for late in cell.lateness_ms) if cell.n_pictures else "no picture",
        f"{cell.stillness_s:.2f}",
        f"{cell.worst_fps / single.worst_fps:.2f}" if single.worst_fps else "-",
        f"{cell.cpu_ms:.2f}" if cell.n_pictures else "-",
        f"{cell.others_cores:.2f}",
        *verdict(cell),
        "; ".join(f"{n} x {sentence}" for sentence, n in (refused + ended).items()),
    )


def report(cells: Sequence[Cell], load_average: float, what: str) -> str:
    """Markdown; the first cell is the quiet single face."""
    quiet = load_average <= QUIET_LOAD and all(cell.is_quiet for cell in cells)
    run = "A quiet run" if quiet else "NOT a quiet run: others used the processor"
    single = cells[0]
    way = "through shared memory" if any(face.shares_memory for cell in cells for face in cell.faces) else "inline"
    said = (
        f"{run}. {what} {way}; {os.cpu_count()} cores, load average before the start {load_average:.2f}, others took at most "
        f"{max(cell.others_cores for cell in cells):.2f} of a core. One quiet face: {single.worst_fps:.1f} fps, "
        f"{single.cpu_ms:.2f} ms of the server's processor time per picture."
    )
    return said + "\n\n" + markdown([HEAD, *(line(cell, single) for cell in cells)])


async def measured(asked: argparse.Namespace, folder: Path) -> list[Cell]:
    pixel_format, size_px = (PixelFormat.JPEG, 256) if asked.jpeg else (PixelFormat.RGBA, 512)
    options = Options(asked.settle, asked.seconds, pixel_format, size_px, folder)
    places = [(faces, loops) for loops in asked.loops for faces in asked.faces]
    cells = []
    for faces, loops in [(1, 0), *(place for place in places if place != (1, 0))]:
        sys.stderr.write(f"{faces} faces beside {loops} loops\n")
        cells.append(await measure(faces, loops, options))
    return cells


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks load", description=__doc__)
    parser.add_argument("--faces", type=int, nargs="+", default=FACES, metavar="N")
    parser.add_argument("--loops", type=int, nargs="+", default=LOOPS, metavar="N")
    parser.add_argument("--seconds", type=float, default=WINDOW_S, help="that are measured")
    parser.add_argument("--settle", type=float, default=SETTLE_S, metavar="SECONDS", help="before that")
    parser.add_argument("--jpeg", action="store_true", help="256 px JPEG rather than 512 px RGBA")
    parser.add_argument("--json", action="store_true", help="every figure, rather than the table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the table goes there, too")
    parser.add_argument("--write", action="store_true", help="and into docs/server.md")
    asked = parser.parse_args(words)
    end_on_terminate()
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="vivant-load-") as folder:
        cells = asyncio.run(measured(asked, Path(folder)))
    text = report(cells, load_average, "256 px JPEG" if asked.jpeg else "512 px RGBA")
    sys.stdout.write(json.dumps([asdict(cell) for cell in cells], indent=1) + "\n" if asked.json else text + "\n")
    if asked.output is not None:
        asked.output.write_text(text + "\n", encoding="utf-8")
    if asked.write:
        put(ROOT / "docs" / "server.md", "load", text)
