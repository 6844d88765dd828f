"""Values to and from the wire. Frames go with one copy of their pixels: protobuf's own way makes three of a megabyte each."""

from __future__ import annotations

from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from vivant.errors import InputError
from vivant.v1 import vivant_pb2 as pb

Request = TypeVar("Request", bound=Message)

_LENGTH_DELIMITED = 2
_DATA_TAG = bytes([pb.Frame.DATA_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_ANIMATE_TAG = bytes([pb.AnimateResponse.FRAME_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
assert pb.AnimateResponse.FRAME_FIELD_NUMBER == pb.SynthesizeResponse.FRAME_FIELD_NUMBER


def frame_response(head: pb.Frame, data: memoryview | bytes) -> bytes:
    """A serialised response (of either call) whose frame is ``head`` with ``data``."""
    fields = head.SerializeToString() + _DATA_TAG + _varint(len(data))
    return b"".join((_ANIMATE_TAG, _varint(len(fields) + len(data)), fields, data))


def serialize(response: Message | bytes) -> bytes:
    """gRPC's serializer: what is bytes already goes as it is."""
    return response if isinstance(response, bytes) else response.SerializeToString()


async def next_message(context: grpc.aio.ServicerContext, kind: type[Request]) -> Request | None:
    """None when the client has closed its side. Raises InputError for bytes that are not of this kind."""
    data = await context.read()
    if data is grpc.aio.EOF:
        return None
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise InputError(f"a message that is not of the kind {kind.DESCRIPTOR.name}") from error


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
