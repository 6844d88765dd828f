"""Responses on the wire: written without protobuf's copies and read without them, and the same to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import ReceivedFrame, frame_response, received

pytestmark = pytest.mark.unit

numbers = st.integers(0, 2**64 - 1)


@given(numbers, numbers, st.text(max_size=20), st.integers(0, 4096), st.sampled_from([0, 1, 16_383, 16_384, 70_000]))
def test_a_frame_comes_back_as_it_was(index: int, epoch: int, name: str, width: int, n_bytes: int) -> None:
    head = pb.Frame(
        index=index, pts_us=index, epoch=epoch, utterance_id=name, width_px=width, pixel_format=pb.PIXEL_FORMAT_RGBA
    )
    data = bytes(index % 251 for _ in range(n_bytes))
    frame = received(frame_response(head, data))
    assert isinstance(frame, ReceivedFrame) and bytes(frame.data) == data
    frame.head.ClearField("data")
    assert frame.head == head


def test_the_pixels_are_the_message_itself() -> None:
    message = frame_response(pb.Frame(index=3), bytes(1 << 20))
    frame = received(message)
    assert isinstance(frame, ReceivedFrame) and isinstance(frame.data, memoryview) and frame.data.obj is message


def test_what_others_wrote_in_another_order_is_read_too() -> None:
    data, head = bytes(range(256)) * 100, pb.Frame(index=7, epoch=2)
    tag = bytes([pb.Frame.DATA_FIELD_NUMBER << 3 | 2])
    fields = tag + bytes([0x80 | len(data) & 0x7F, 0x80 | len(data) >> 7 & 0x7F, len(data) >> 14]) + data
    whole = pb.AnimateResponse.FromString(b"\x12" + _size(len(fields) + head.ByteSize()) + fields + head.SerializeToString())
    for message in (whole.SerializeToString(), b"\x12" + _size(len(fields)) + fields + b"\x12\x02\x08\x07"):
        frame = received(message)
        assert isinstance(frame, ReceivedFrame) and bytes(frame.data) == data and frame.head.index == 7


@pytest.mark.parametrize("response", [pb.AnimateResponse(), pb.AnimateResponse(statistics=pb.Statistics(fps=25))])
def test_everything_else_is_a_message(response: pb.AnimateResponse) -> None:
    assert received(response.SerializeToString()) == response


def _size(value: int) -> bytes:
    out = []
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
