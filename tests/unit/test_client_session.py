"""The client's side of a call, with a server that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
import pytest

from vivant.client import Event, RemoteSession
from vivant.types import Interrupted, Item, MotionFrame, Output, UtteranceEnd, UtteranceStart, arkit_weights
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import received
from vivant.wire.values import motion_message

pytestmark = pytest.mark.unit

BOTH = pb.OUTPUTS_FRAMES_AND_MOTION
Heard = list[Item | Event]


class Told:
    """A call."""

    def __init__(self, outputs: pb.Outputs, answers: list[pb.AnimateResponse]) -> None:
        config = pb.SessionConfig(outputs=outputs, portrait=pb.PortraitRef(id="first"))
        self._answers = [pb.AnimateResponse(started=pb.SessionStarted(config=config)), *answers]
        self.asked: list[pb.AnimateRequest] = []
        self._cython_call = self

    async def wait_for_connection(self) -> None:
        pass

    def done(self) -> bool:
        return False

    async def send_serialized_message(self, data: bytes) -> None:
        self.asked.append(pb.AnimateRequest.FromString(data))

    async def read(self) -> Any:  # noqa: ANN401
        return received(self._answers.pop(0).SerializeToString()) if self._answers else grpc.aio.EOF

    def cancel(self) -> None:
        pass


def frame(index: int, epoch: int = 0) -> pb.AnimateResponse:
    data = bytes([index] * 16)
    return pb.AnimateResponse(
        frame=pb.Frame(
            index=index,
            pts_us=1000 * index,
            epoch=epoch,
            width_px=2,
            height_px=2,
            pixel_format=pb.PIXEL_FORMAT_RGBA,
            data=data,
        )
    )


def motion(index: int, epoch: int = 0) -> pb.AnimateResponse:
    return pb.AnimateResponse(motion=motion_message(MotionFrame(index, 1000 * index, arkit_weights()), "", epoch))


def event(kind: str, epoch: int = 0, **more: Any) -> pb.AnimateResponse:  # noqa: ANN401
    return pb.AnimateResponse(event=pb.Event(type=f"EVENT_TYPE_{kind}", epoch=epoch, **more))


async def nothing(session: RemoteSession) -> None:
    """What most tests do before they listen."""


def heard(
    *answers: pb.AnimateResponse,
    outputs: pb.Outputs = pb.OUTPUTS_FRAMES,
    first: Callable[[RemoteSession], Awaitable[None]] = nothing,
) -> Heard:
    async def story() -> Heard:
        async def metadata() -> list[tuple[str, str]]:
            return []

        told = Told(outputs, list(answers))
        async with RemoteSession(lambda metadata: told, metadata, pb.SessionConfig()) as session:
            await first(session)
            return [item async for item in session]  # type: ignore[misc]

    return asyncio.run(story())


def instants(items: Heard) -> list[tuple[int, bool]]:
    """Index and whether a picture came, of every output."""
    return [(item.motion.index, item.picture is not None) for item in items if isinstance(item, Output)]


def test_nothing_older_than_the_last_interruption_comes_out() -> None:
    items = heard(
        event("UTTERANCE_STARTED", utterance_id="old"),
        motion(1),
        frame(1),
        motion(2),
        event("UTTERANCE_FINISHED", utterance_id="old"),
        event("INTERRUPTED", 1, utterance_id="old"),
        motion(3, 1),
        frame(3, 1),
        event("UTTERANCE_STARTED", 1, utterance_id="new"),
        motion(4, 1),
        outputs=BOTH,
        first=RemoteSession.interrupt,
    )
    assert [type(item) for item in items] == [Interrupted, Output, UtteranceStart, Output]
    assert instants(items) == [(3, True), (4, False)]
    assert all(item.epoch == 1 for item in items if isinstance(item, Output))


def test_motion_whose_picture_was_left_out_still_comes_and_in_its_place() -> None:
    items = heard(
        motion(1),
        frame(1),
        motion(2),
        motion(3),
        frame(3),
        event("UTTERANCE_STARTED", utterance_id="a"),
        motion(4),
        outputs=BOTH,
    )
    assert instants(items) == [(1, True), (2, False), (3, True), (4, False)]
    assert isinstance(items[3], UtteranceStart) and isinstance(items[4], Output) and items[4].utterance_id == "a"


def test_motion_alone() -> None:
    assert instants(heard(motion(1), motion(2), outputs=pb.OUTPUTS_MOTION)) == [(1, False), (2, False)]


def test_pictures_alone_have_the_motion_of_their_instant_without_weights() -> None:
    (item,) = heard(frame(5))
    assert isinstance(item, Output) and item.pts_us == 5000 and len(item.motion.weights) == 0
    assert item.picture is not None and np.all(item.picture.pixels == 5)


def test_outputs_know_their_line_and_whom_they_show() -> None:
    items = heard(
        frame(1),
        event("UTTERANCE_STARTED", utterance_id="a", position_us=7),
        event("PORTRAIT_CHANGED", portrait_id="second"),
        frame(2),
        event("UTTERANCE_FINISHED", utterance_id="a", position_us=9),
        frame(3),
    )
    assert [(item.portrait, item.utterance, item.utterance_id) for item in items if isinstance(item, Output)] == [
        ("first", None, ""),
        ("second", 1, "a"),
        ("second", None, ""),
    ]
    assert items[1] == UtteranceStart(1, 7, "a") and items[4] == UtteranceEnd(1, 9, "a")


def test_a_picture_that_is_late_is_not_given() -> None:
    async def choosy(session: RemoteSession) -> None:
        session.is_late = lambda pts_us: pts_us < 2000

    assert instants(heard(frame(1), frame(2), first=choosy)) == [(1, False), (2, True)]
