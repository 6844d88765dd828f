"""The Ray cluster that this process joins, or starts on this machine's loopback."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.loopback import is_loopback

NAMESPACE = "vivant"


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
        ray.init("local" if is_own else None, include_dashboard=False if is_own else None, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UnavailableError(f"the Ray cluster cannot be joined: {error}") from error
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        require_guarded([str(node["NodeManagerAddress"]) for node in ray.nodes()])
        yield
    finally:
        ray.shutdown()


def require_guarded(addresses: list[str]) -> None:
    """Raises InputError where nodes are on several machines, and Ray asks nobody for a token."""
    far = [address for address in addresses if not is_loopback(address)]
    if far and os.environ.get("RAY_AUTH_MODE") != "token":
        raise InputError(
            f"this cluster is open to its network ({far[0]}), and Ray runs whatever it is sent;"
            " start it and this command with RAY_AUTH_MODE=token (docs/scale.md)"
        )
