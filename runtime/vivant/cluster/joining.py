"""The Ray cluster that this process joins, or starts on this machine's loopback."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.loopback import is_loopback

NAMESPACE = "vivant"
PROXY, NOBODY = "http_proxy", "http://127.0.0.1:9"
"""A variable of the environment, and port 9 (discard, RFC 863), on which nobody listens."""


@contextmanager
def joined() -> Iterator[None]:
    """The cluster at ``RAY_ADDRESS`` (``auto`` finds one that runs on this machine); or else one of this machine alone, on
    loopback, that ends with the block.

    Raises UnavailableError where the extra or the cluster is not there, and InputError for a cluster of several machines
    without Ray's token, which would run whatever anybody in its network sends.
    """
    is_own = not os.environ.get("RAY_ADDRESS")
    try:
        import ray
    except ImportError as error:
        raise UnavailableError(f"a cluster needs {error.name}; {install('cluster')} brings it") from error
    if ray.is_initialized():  # by the program that calls
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "namespace": NAMESPACE}
    try:
        with asking_nobody() if is_own else nullcontext():
            ray.init("local" if is_own else None, include_dashboard=False if is_own else None, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UnavailableError(f"the Ray cluster cannot be joined: {error}") from error
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        require_guarded([str(node["NodeManagerAddress"]) for node in ray.nodes()])
        yield
    finally:
        ray.shutdown()


@contextmanager
def asking_nobody() -> Iterator[None]:
    """What starts meanwhile has a proxy for HTTP that is not there: Ray asks the addresses of clouds which one it is in, for
    its reports, also where there are none. `allow_asking` ends it in a process."""
    kept = os.environ.get(PROXY)
    os.environ[PROXY] = NOBODY
    try:
        yield
    finally:
        allow_asking()
        if kept is not None:
            os.environ[PROXY] = kept


def allow_asking() -> None:
    """For a process of Ray's in which our code runs: a store of portraits may be reached by HTTP."""
    if os.environ.get(PROXY) == NOBODY:
        del os.environ[PROXY]


def require_guarded(addresses: list[str]) -> None:
    """Raises InputError where nodes are on several machines, and Ray asks nobody for a token."""
    far = [address for address in addresses if not is_loopback(address)]
    if far and os.environ.get("RAY_AUTH_MODE") != "token":
        raise InputError(
            f"this cluster is open to its network ({far[0]}), and Ray runs whatever it is sent;"
            " start it and this command with RAY_AUTH_MODE=token (docs/scale.md)"
        )
