"""The application that Ray Serve runs: so many replicas as there are calls for, and how a gateway finds one of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from vivant.clock import MonotonicClock
from vivant.cluster.gateway import RETRY_AFTER_MS
from vivant.cluster.lease import Lease
from vivant.cluster.replica import DEPLOYMENT, HEALTH_S, HEALTH_TIMEOUT_S, NAME, FaceReplica, ReplicaConfig
from vivant.server.status import full

FACES_PER_CORE = 2
"""To aim at: what two cores show whole, 512 px at 25 fps (docs/server.md)."""
BRIEF = 16
"""Calls on a replica beside those that animate: portraits are put, capabilities are asked for; chosen."""
MOST_QUEUED = 64
"""Calls of one gateway that wait for a replica, each with a first message of 16 MiB at most; chosen."""
AGAIN_US = 20_000
"""After a replica that is gone, another one is asked for; chosen."""
UPSCALE_S, DOWNSCALE_S = 2.0, 300.0
"""So long there must be more or fewer calls before a replica is added or taken away; chosen."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many replicas there are, and how large each is."""

    least: int = 1
    most: int = 16
    cores: int = 2
    """Of each replica."""
    faces: int | None = None
    """Of each replica, to aim at; None is `FACES_PER_CORE` for each core. At most four times as many are taken."""
    drain_s: float = 600.0
    """A replica that is taken away may take so long; a line that is longer is cut."""

    @property
    def aim(self) -> int:
        return self.faces or FACES_PER_CORE * self.cores


def deploy(scale: Scale, replica: ReplicaConfig) -> DeploymentHandle:
    """The running application, started or changed. Blocks until its least replicas run."""
    limits = replace(replica.limits, sessions=4 * scale.aim, cores=scale.cores)
    serve.start(proxy_location="Disabled", grpc_options=None)
    deployment = serve.deployment(FaceReplica, name=DEPLOYMENT).options(
        ray_actor_options={"num_cpus": scale.cores},
        max_ongoing_requests=limits.sessions + BRIEF,
        max_queued_requests=MOST_QUEUED,
        autoscaling_config={
            "min_replicas": scale.least,
            "initial_replicas": scale.least,
            "max_replicas": scale.most,
            "target_ongoing_requests": scale.aim,
            "upscale_delay_s": UPSCALE_S,
            "downscale_delay_s": DOWNSCALE_S,
        },
        health_check_period_s=HEALTH_S,
        health_check_timeout_s=HEALTH_TIMEOUT_S,
        graceful_shutdown_timeout_s=scale.drain_s,
        graceful_shutdown_wait_loop_s=1.0,
    )
    return serve.run(deployment.bind(replace(replica, limits=limits)), name=NAME, route_prefix=None)


class ServePlaces:
    """`Places` of the application's replicas: Ray Serve gives the lease of two random ones to that with fewer."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle.options(stream=True, method_name="lease")
        self._clock = MonotonicClock()

    async def lease(self) -> AsyncGenerator[Lease, None]:
        """One, held until the generator is closed or its call is over. Raises a StatusError."""
        while True:
            answer = self._handle.remote()
            try:
                yield await anext(answer)
                return
            except RayActorError:  # a machine that is gone; until Serve has noticed, others of the same moment may get it, too
                await self._clock.sleep_until(self._clock.now_us() + AGAIN_US)
            except (BackPressureError, DeploymentUnavailableError) as error:
                raise full("too many wait for a machine already; try again later", RETRY_AFTER_MS) from error
            finally:
                answer.cancel()
