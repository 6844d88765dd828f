"""Frames through memory that server and client share; the contract's `SharedMemoryRing` says how."""

from __future__ import annotations

import os
import secrets

from vivant.client.memory import make
from vivant.v1 import vivant_pb2 as pb

SLOTS = 8
PAGE_BYTES = 4096
PREFIX = "vivant-"
"""Of the names of all rings; the process and a secret follow."""


class Ring:
    """The writing side, on the event loop. The memory is readable by this user alone."""

    def __init__(self, frame_bytes: int) -> None:
        """Raises OSError when there is not enough memory."""
        self._slot_bytes = -(-frame_bytes // PAGE_BYTES) * PAGE_BYTES
        self._name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        self._memory = make(self._name, SLOTS * self._slot_bytes)
        self._written = 0
        self._released = 0

    @property
    def message(self) -> pb.SharedMemoryRing:
        return pb.SharedMemoryRing(name=self._name, slot_bytes=self._slot_bytes, slots=SLOTS)

    @property
    def has_room(self) -> bool:
        """Whether a slot is free."""
        return self._written - self._released < SLOTS

    def write(self, data: memoryview | bytes) -> pb.RingSlot | None:
        """Where the frame lies now, or None when the client still holds every slot.

        Raises OSError when the client has cut the memory and no more is left.
        """
        if not self.has_room or len(data) > self._slot_bytes:
            return None
        slot = self._written % SLOTS
        self._memory.write(slot * self._slot_bytes, data)
        self._written += 1
        return pb.RingSlot(slot=slot, size_bytes=len(data), sequence=self._written)

    def release(self, sequence: int) -> None:
        """The client has read everything up to here; what it cannot have read is ignored."""
        if sequence <= self._written:
            self._released = max(self._released, sequence)

    def close(self) -> None:
        self._memory.close()
