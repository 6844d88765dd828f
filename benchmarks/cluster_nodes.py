"""Nodes of Ray on loopback, each a machine as far as Ray knows, that come and go."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.processes import TICK_S

CORES = 1
"""Of each node, as Ray counts them: one replica, or one line at a time."""


class Nodes:
    """Nodes of one cluster; the first is its head and stays."""

    def __init__(self, cluster: Any, head: Any) -> None:  # noqa: ANN401
        self._cluster = cluster
        self.head = head
        self.others: list[Any] = []
        self.n_killed = 0

    def add(self) -> Any:  # noqa: ANN401
        """One more."""
        self.others.append(self._cluster.add_node(num_cpus=CORES, node_ip_address="127.0.0.1", object_store_memory=100 << 20))
        return self.others[-1]

    def kill(self, node: Any) -> None:  # noqa: ANN401
        """With everything that runs on it, at once, as a machine that loses power."""
        running = [pid for each in node.all_processes.values() for process in each for pid in family(process.process.pid)]
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.others.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)
        self.n_killed += 1

    def of(self, node_id: str) -> Any:  # noqa: ANN401
        """By Ray's name of it."""
        return next(node for node in (self.head, *self.others) if node.node_id == node_id)


@contextmanager
def nodes(n: int) -> Iterator[Nodes]:
    """So many; ``RAY_ADDRESS`` names them meanwhile."""
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"})
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # a cluster that is not begun by ray.init makes none
    from ray.cluster_utils import Cluster

    head = {"num_cpus": CORES, "include_dashboard": False, "node_ip_address": "127.0.0.1", "object_store_memory": 100 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        made = Nodes(cluster, cluster.head_node)
        for _ in range(n - 1):
            made.add()
        cluster.wait_for_nodes()
        yield made
    finally:
        del os.environ["RAY_ADDRESS"]
        cluster.shutdown()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def processor_s(pids: list[int]) -> float:
    """Of those that live, and of their children that have ended."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]))
    return TICK_S * total
