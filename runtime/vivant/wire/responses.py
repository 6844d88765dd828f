"""Responses to and from the wire. Frames go with one copy of their pixels and come with none; protobuf's way makes three."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from vivant.errors import InputError
from vivant.types import AudioChunk
from vivant.v1 import vivant_pb2 as pb

Request = TypeVar("Request", bound=Message)


class FrameToSend(NamedTuple):
    """A frame as it goes out."""

    head: pb.Frame
    data: memoryview | bytes
    alpha: memoryview | bytes = b""
    """JPEG of the alpha, which the web door sends."""


class SoundToSend(NamedTuple):
    """Delayed sound as it goes out, which the web door sends."""

    chunk: AudioChunk
    epoch: int


Response: TypeAlias = Message | FrameToSend | SoundToSend

_VARINT, _LENGTH_DELIMITED = 0, 2
_DATA_TAG = bytes([pb.Frame.DATA_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_ANIMATE_TAG = bytes([pb.AnimateResponse.FRAME_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
assert pb.AnimateResponse.FRAME_FIELD_NUMBER == pb.SynthesizeResponse.FRAME_FIELD_NUMBER

_LARGE_BYTES = 16_384
"""From here on copying costs more than looking for the pixels."""


class ReceivedFrame(NamedTuple):
    """A frame as it came."""

    head: pb.Frame
    """Without its data where those are many."""
    data: memoryview | bytes
    """Its pixels; nothing where a ring holds them."""


def received(data: bytes) -> pb.AnimateResponse | ReceivedFrame:
    """gRPC's deserializer of what `frame_response` and `serialize` made. The pixels are a view of the message itself."""
    if len(data) >= _LARGE_BYTES and data.startswith(_ANIMATE_TAG):
        size, first = _read_varint(data, 1)
        place = _data_field(data, first) if first + size == len(data) else None
        if place is not None:
            tag_at, begin, end = place
            return ReceivedFrame(pb.Frame.FromString(data[first:tag_at] + data[end:]), memoryview(data)[begin:end])
    response = pb.AnimateResponse.FromString(data)
    return ReceivedFrame(response.frame, response.frame.data) if response.HasField("frame") else response


def frame_response(head: pb.Frame, data: memoryview | bytes) -> bytes:
    """A serialised response (of either call) whose frame is ``head`` with ``data``."""
    fields = head.SerializeToString() + _DATA_TAG + _varint(len(data))
    return b"".join((_ANIMATE_TAG, _varint(len(fields) + len(data)), fields, data))


def serialize(response: Message | FrameToSend) -> bytes:
    """gRPC's serializer."""
    return frame_response(response.head, response.data) if isinstance(response, FrameToSend) else response.SerializeToString()


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


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Value, and where the next byte is (protobuf's encoding, "Base 128 Varints")."""
    value = shift = 0
    while data[at] > 0x7F:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def _data_field(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Where the field of a frame's data begins, where its bytes do, and where they end; None where there are none, or where
    something stands before them that no frame has."""
    while at < len(data):
        tag_at = at
        tag, at = _read_varint(data, at)
        size, at = _read_varint(data, at)
        if tag & 7 == _LENGTH_DELIMITED:
            if tag == _DATA_TAG[0]:
                return (tag_at, at, at + size) if at + size <= len(data) else None
            at += size
        elif tag & 7 != _VARINT:
            return None
    return None
