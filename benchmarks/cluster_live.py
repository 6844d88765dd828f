"""Live faces on four nodes, of which one is killed while its faces speak."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from math import inf

from benchmarks.cluster_nodes import CORES, Nodes
from benchmarks.report import Row, checked
from benchmarks.served import RATE_HZ, speech
from vivant.client import Client, RemoteConfig, RemoteSession, connect
from vivant.cluster.application import Scale
from vivant.cluster.serving import Cluster, GatewayServer, started
from vivant.errors import UnavailableError
from vivant.server.server import ServerConfig
from vivant.types import Output, UtteranceEnd, UtteranceStart

N_PICTURES, N_MOTIONS = 4, 16
SIZE_PX = 256
FPS = 12
"""So that twenty faces, their client, the gateway and Ray's own processes find room on two cores."""
PRIORITY = 90
"""An important face waits for nobody's turn, so that what is measured is the cluster and not admission under overload."""
LINE_S, PAUSE_S = 2.0, 0.5
SETTLE_S, MEASURED_S, KILL_AFTER_S = 4.0, 16.0, 5.0
"""From the first frames of all faces; of what is counted; and from there to the end of a node. Chosen."""
AGAIN_S = 0.2
"""Before another call, where one was lost."""
MOST_MORE = 0.01
"""That those on other nodes may lose of their frames beyond the run in which all nodes stay."""
BACK_S = 5.0
"""Within which a killed node's faces must be seen again elsewhere; chosen."""


@dataclass(slots=True)
class Seen:
    """What came to one client."""

    name: str
    pictures: bool
    came_s: list[float] = field(default_factory=list)
    """Of each frame: a picture, or motion where no pictures are wanted."""
    ends_s: list[float] = field(default_factory=list)
    """Of each line that was spoken to its end."""
    lost: list[tuple[float, str, bool]] = field(default_factory=list)
    """When a call that had begun ended too early, with which words, and whether a line was being spoken."""
    n_refused: int = 0
    """Calls that did not begin: there was no room for them yet."""
    begun: set[str] = field(default_factory=set)

    def frames(self, from_s: float, to_s: float) -> int:
        return sum(from_s <= each < to_s for each in self.came_s)


class Talker:
    """A client that has a face say line after line, and goes on with the next one in another call where one was lost."""

    def __init__(self, client: Client, seen: Seen) -> None:
        self.seen = seen
        self._client = client
        self._config = RemoteConfig(
            fps=FPS,
            size_px=SIZE_PX,
            sample_rate_hz=RATE_HZ,
            pictures=seen.pictures,
            motion=not seen.pictures,
            shared_memory=False,
            priority=PRIORITY,
        )
        self._n_lines = 0
        self._over = asyncio.Event()
        self._runs = self._speaking = False

    async def talk(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._one_call()
            except UnavailableError as error:
                if self._runs:
                    self.seen.lost.append((time.monotonic(), str(error), self._speaking))
                else:
                    self.seen.n_refused += 1
                self._runs = self._speaking = False
                await asyncio.sleep(AGAIN_S)

    async def _one_call(self) -> None:
        async with self._client.animate("ada", self._config) as face:
            self._runs = True
            saying = asyncio.create_task(self._say_lines(face))
            try:
                async for item in face:
                    self._note(item)
            finally:
                saying.cancel()

    async def _say_lines(self, face: RemoteSession) -> None:
        while True:
            self._n_lines += 1
            self._over.clear()
            await face.begin(f"{self.seen.name}: line {self._n_lines}")
            await face.push(speech(LINE_S))
            await face.end()
            await self._over.wait()
            await asyncio.sleep(PAUSE_S)

    def _note(self, item: object) -> None:
        now_s = time.monotonic()
        if isinstance(item, Output) and (item.picture is not None or not self.seen.pictures):
            self.seen.came_s.append(now_s)
        elif isinstance(item, UtteranceStart):
            assert item.utterance_id not in self.seen.begun, "a line is said once"
            self.seen.begun.add(item.utterance_id)
            self._speaking = True
        elif isinstance(item, UtteranceEnd):
            self.seen.ends_s.append(now_s)
            self._speaking = False
            self._over.set()


@dataclass(frozen=True, slots=True)
class Run:
    """All clients' sights of one run."""

    seen: list[Seen]
    from_s: float
    killed_s: float | None

    def loss(self, seen: list[Seen]) -> float:
        """Share of the frames that were due and did not come."""
        due = len(seen) * FPS * MEASURED_S
        return 1 - sum(each.frames(self.from_s, self.from_s + MEASURED_S) for each in seen) / due

    @property
    def hit(self) -> list[Seen]:
        return [each for each in self.seen if each.lost]


def measure(nodes: Nodes) -> list[Row]:
    """Raises AssertionError where nothing was measured."""
    scale = Scale(least=4, most=4, cores=CORES, faces=N_PICTURES + N_MOTIONS)
    with started(ServerConfig(), scale) as cluster:
        calm, killed = asyncio.run(_two_runs(cluster, nodes))
    return _rows(calm, killed)


async def _two_runs(cluster: Cluster, nodes: Nodes) -> tuple[Run, Run]:
    async with GatewayServer(ServerConfig(), cluster) as gateway, connect(f"127.0.0.1:{gateway.port}") as client:
        await asyncio.gather(*(client.warm_up("ada", size_px=SIZE_PX) for _ in range(8)))
        calm = await _run(client, None)
        return calm, await _run(client, nodes)


async def _run(client: Client, nodes: Nodes | None) -> Run:
    kinds = ["picture"] * N_PICTURES + ["motion"] * N_MOTIONS
    seen = [Seen(f"{kind} {number}", kind == "picture") for number, kind in enumerate(kinds)]
    talking = [asyncio.create_task(Talker(client, each).talk()) for each in seen]
    try:
        async with asyncio.timeout(60):
            while not all(each.came_s for each in seen):
                await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S)
        from_s, killed_s = time.monotonic(), None
        if nodes is not None:
            await asyncio.sleep(KILL_AFTER_S)
            killed_s = time.monotonic()
            await asyncio.to_thread(nodes.kill, nodes.others[0])
        await asyncio.sleep(from_s + MEASURED_S - time.monotonic())
        return Run(seen, from_s, killed_s)
    finally:
        for task in talking:
            task.cancel()
        for outcome in await asyncio.gather(*talking, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                assert not isinstance(outcome, BaseException), outcome


def _rows(calm: Run, killed: Run) -> list[Row]:
    hit, others = killed.hit, [each for each in killed.seen if not each.lost]
    assert killed.killed_s is not None and hit and others, "the killed node had no face, or all of them"
    words = sorted({words for each in (*hit, *calm.hit) for _, words, _ in each.lost})
    in_speech = sum(speaking for each in hit for _, _, speaking in each.lost)
    back_s = max(min((came for came in each.came_s if came > each.lost[-1][0]), default=inf) - killed.killed_s for each in hit)
    went_on = sum(any(end > each.lost[-1][0] for end in each.ends_s) for each in hit)
    names = {each.name for each in others}
    before, after = calm.loss([each for each in calm.seen if each.name in names]), killed.loss(others)
    faces = f"{N_PICTURES} of {SIZE_PX} px and {N_MOTIONS} of motion alone on 4 nodes"
    n_hit, is_retryable = len(hit), all("UNAVAILABLE" in each for each in words)
    return [
        checked(f"live: {faces}: calls lost while all nodes stay", "0", not calm.hit, f"{len(calm.hit)}"),
        Row("live: frames lost by all meanwhile", "", f"{calm.loss(calm.seen):.1%}"),
        checked("live: calls that a killed node ended", "all UNAVAILABLE", is_retryable, f"{n_hit}: {'; '.join(words)}"),
        checked("live: of these in the middle of a line", ">= 1", in_speech > 0, f"{in_speech}"),
        Row("live: refused at first where they went next, with a hint", "", f"{sum(each.n_refused for each in hit)}"),
        checked("live: went on with the next line elsewhere", "all", went_on == n_hit, f"{went_on} of {n_hit}"),
        checked("live: from the kill to their next frame", f"<= {BACK_S:g} s", back_s <= BACK_S, f"worst {back_s:.1f} s"),
        checked(
            "live: frames lost by the others, with and without the kill",
            f"<= +{MOST_MORE:.0%}",
            after <= before + MOST_MORE,
            f"{after:.1%}, {before:.1%}",
        ),
    ]
