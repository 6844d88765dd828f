"""Face host: everything of a server but its ports: portraits, workers, admission and the calls that run.

gRPC (`vivant.server.server`) and the web door (`vivant.web`) are two ways into one host.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

from vivant.clock import Clock, MonotonicClock
from vivant.face import default_motion
from vivant.finish.synthetic import FinishKind
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser
from vivant.provenance.policy import Policy
from vivant.server.call import ServerContext
from vivant.server.clients import Clients
from vivant.server.face_cost import USUAL_FPS, measure
from vivant.server.limits import Limits
from vivant.server.load_shedder import LoadShedder, Wanted
from vivant.server.metrics import Metrics
from vivant.server.portrait_store import PortraitStore
from vivant.server.portraits import Opener, Portraits
from vivant.server.service import FaceService
from vivant.server.workers import WorkerPool, batch_pool
from vivant.session.presenter import LEAST_DETAIL, MOST_DETAIL, SHOWN_OF
from vivant.size import USUAL_SIDE_PX


class FaceHost:
    """``async with FaceHost() as host``. One event loop."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        opener: Opener | None = None,
        motion: SpeechMotion | None = None,
        analyser: PortraitAnalyser | None = None,
        token: bool = False,
        store: PortraitStore | None = None,
        behind_gateway: bool = False,
        finish: FinishKind | None = None,
    ) -> None:
        """``opener`` makes clients' pictures ready, in a thread of its own; ``token``: every gRPC caller has shown one;
        ``store``: where clients' pictures are that other servers are to know, too; ``behind_gateway`` as in `Clients`;
        ``finish`` as in `vivant.finish.synthetic.wanted`."""
        self.limits = limits or Limits()
        clock = clock or MonotonicClock()
        self.metrics = Metrics()
        workers, most = WorkerPool(clock, cores=self.limits.cores), self.limits.sessions
        self.shared = ServerContext(
            portraits=Portraits(self.limits, opener, analyser, store, finish),
            workers=workers,
            batch_pool=batch_pool(workers.n_cores),
            load_shedder=LoadShedder(workers, clock, min(most, Policy.load().max_sessions or most)),
            metrics=self.metrics,
            clock=clock,
            motion=motion or default_motion(),
            limits=self.limits,
        )
        self.metrics.busy.set_function(lambda: self.shared.load_shedder.load.busy_share)
        self.clients = Clients(token=token, secret=None if store is None else store.secret, behind_gateway=behind_gateway)
        self.service = FaceService(self.shared, self.limits, self.clients)

    @property
    def portraits(self) -> Portraits:
        return self.shared.portraits

    async def __aenter__(self) -> FaceHost:
        self._governing = asyncio.create_task(self.shared.load_shedder.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.draining = True
        self._governing.cancel()
        await asyncio.gather(self._governing, return_exceptions=True)
        self.portraits.close()
        for executor in (self.shared.workers, self.shared.batch_pool):
            executor.shutdown(wait=False, cancel_futures=True)

    def drain(self) -> None:
        """Take no new calls, and tell those that run."""
        self.service.draining = True
        for call in self.service.calls:
            call.drain()

    async def measure(self) -> None:
        """What a face costs on this machine; those that it has no time for are then refused. Takes half a second."""
        shared, loop = self.shared, asyncio.get_running_loop()
        shared.load_shedder.cost = await loop.run_in_executor(shared.workers, measure, shared.motion)

    def describe_capacity(self) -> str:
        """How many faces there is time for, in words."""
        shedder = self.shared.load_shedder
        usual = Wanted(Fraction(USUAL_FPS), USUAL_SIDE_PX)
        whole, least = (shedder.n_faces(usual, detail) for detail in (MOST_DETAIL, LEAST_DETAIL))
        finished = shedder.n_faces(replace(usual, finished=True), MOST_DETAIL)
        if whole is None:
            return f"up to {self.limits.sessions} faces of {self.limits.size_px} px"
        few = USUAL_FPS / SHOWN_OF[LEAST_DETAIL]
        faces = f"{whole} faces of {USUAL_SIDE_PX} px at {USUAL_FPS} fps ({finished} with a finish)"
        return f"time for {faces}, or {least} of fewer pixels at {float(few):g}"
