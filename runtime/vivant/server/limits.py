"""What a server refuses to exceed."""

from __future__ import annotations

import os
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """One server's limits; the contract's message of the same name carries them to clients."""

    sessions: int = 8 * (os.cpu_count() or 1)
    """Calls at a time; more are refused with a retry hint."""
    cores: int | None = None
    """To draw with; None: those that the process may run on."""
    size_px: int = 1024
    """Side of a frame."""
    portrait_bytes: int = 8 * MIB
    """Of a portrait's file."""
    portrait_pixels: int = 40_000_000
    """Width times height of a portrait."""
    message_bytes: int = 16 * MIB
    messages_per_s: int = 1000
    """In one call."""
    portraits: int = 64
    """That one client may keep."""
    kept_portrait_bytes: int = 256 * MIB
    """Of all clients' pictures together; the connection that put most loses its oldest first."""
    waiting_lane_bytes: int = 32 * MIB
    """Of pictures of one connection that wait to be made ready, each counted as a MiB at least."""
    waiting_bytes: int = 128 * MIB
    """Of all of them."""
    faces: int = 64
    """Opened portraits in memory, some 20 MB each; the connection that opened most loses the one not used for longest."""
    first_message_s: float = 30.0
    """Within which a call's first message must have come."""
    audio_queue_ms: int = 600_000
    """Audio that may wait in one call."""
    unread_s: float = 10.0
    """Then a call ends whose client takes nothing of what is there for it. A picture of 1 MiB comes in time at 105 kB/s."""
    silence_s: float = 10.0
    """Then a connection ends that answers no ping and sends nothing else. Longer than any round trip with its queues."""
    handshake_s: float = 10.0
    """Within which a connection must speak HTTP/2, and TLS where it is on."""
    idle_s: float = 600.0
    """Then a connection ends that has no call. One with a call may stay for days, so no connection has an age."""
    connections: int = 1000
    """At a time; more are not taken."""
