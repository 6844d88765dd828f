"""Frames through memory that server and client both map; the contract's `SharedMemoryRing` says how."""

from __future__ import annotations

import os
import secrets
from multiprocessing.shared_memory import SharedMemory

from vivant.v1 import vivant_pb2 as pb

SLOTS = 8
PAGE_BYTES = 4096


class Ring:
    """The writing side, on the event loop. The memory is readable by this user alone."""

    def __init__(self, frame_bytes: int) -> None:
        self._slot_bytes = -(-frame_bytes // PAGE_BYTES) * PAGE_BYTES
        self._memory = SharedMemory(f"vivant-{os.getpid()}-{secrets.token_hex(8)}", create=True, size=SLOTS * self._slot_bytes)
        self._written = 0
        self._released = 0

    @property
    def message(self) -> pb.SharedMemoryRing:
        return pb.SharedMemoryRing(name=self._memory.name.lstrip("/"), slot_bytes=self._slot_bytes, slots=SLOTS)

    def write(self, data: memoryview | bytes) -> pb.RingSlot | None:
        """Where the frame lies now, or None when the client still holds every slot."""
        if self._written - self._released >= SLOTS or len(data) > self._slot_bytes:
            return None
        slot = self._written % SLOTS
        self._written += 1
        first = slot * self._slot_bytes
        buffer = self._memory.buf
        assert buffer is not None
        buffer[first : first + len(data)] = data
        return pb.RingSlot(slot=slot, size_bytes=len(data), sequence=self._written)

    def release(self, sequence: int) -> None:
        """The client has read everything up to here; what it cannot have read is ignored."""
        if sequence <= self._written:
            self._released = max(self._released, sequence)

    def close(self) -> None:
        self._memory.close()
        self._memory.unlink()
