"""Messages of a page: whatever it says becomes requests of the contract or one sentence; frames are as docs/web.md says."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from vivant.errors import InputError
from vivant.samples import pcm_s16le
from vivant.server.limits import Limits
from vivant.types import ARKIT_NAMES, AudioChunk, Controls, Emotion, MotionFrame, Pose, arkit_weights
from vivant.v1 import vivant_pb2 as pb
from vivant.web.door import client_folder
from vivant.web.frames import motion_frame, picture_frame, sound_frame
from vivant.web.messages import (
    CONFIG,
    CONTROLS,
    MAX_EPOCH,
    PAGE_VERBS,
    VERBS,
    Pictures,
    Stage,
    controls_changed,
    object_of,
    page_config,
    requests_of,
)
from vivant.wire.responses import FrameToSend, SoundToSend
from vivant.wire.values import controls_of, motion_message

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Whatever a page can say."""


@given(st.text() | JSON.map(json.dumps))
@examples(300)
def test_any_text_is_a_message_or_a_sentence(data: str) -> None:
    try:
        kind, fields = object_of(data)
    except InputError as error:
        assert str(error).startswith("a text message must be")
    else:
        assert isinstance(kind, str) and "type" not in fields


@given(st.dictionaries(st.sampled_from(CONFIG), JSON, max_size=4))
@examples(300)
def test_any_config_is_settled_or_a_sentence(fields: dict[str, Any]) -> None:
    try:
        page = page_config(fields, Limits())
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
    else:
        assert page.resolved.session.paced and page.resolved.message.confirms_frames
        assert 64 <= page.size_px <= Limits().size_px


@given(st.sampled_from([*VERBS, *PAGE_VERBS, "x"]), st.dictionaries(st.sampled_from(["epoch", "text", "act", "picture"]), JSON))
@examples(300)
def test_any_verb_is_requests_or_a_sentence(kind: str, fields: dict[str, Any]) -> None:
    try:
        requests = requests_of(kind, fields)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(request.WhichOneof("message") for request in requests)


def test_what_is_not_said_has_the_defaults_of_the_page() -> None:
    page = page_config({}, Limits())
    message = page.resolved.message
    assert (message.portrait.id, message.size_px, message.fps.numerator, message.sample_rate_hz) == ("ada", 512, 30, 16_000)
    assert message.pixel_format == pb.PIXEL_FORMAT_JPEG and message.outputs == pb.OUTPUTS_FRAMES
    assert not page.resolved.session.audio and not page.resolved.cuts_out
    assert page_config({"pictures": "none"}, Limits()).resolved.message.outputs == pb.OUTPUTS_MOTION
    assert page_config({"pictures": "jpeg-alpha"}, Limits()).resolved.cuts_out
    assert page_config({"background": "navy"}, Limits()).resolved.cuts_out
    assert page_config({"background": "blur"}, Limits()).resolved.blurred


def test_a_text_may_come_with_the_beginning() -> None:
    start, text = requests_of("begin", {"utterance_id": "a", "text": "Hi \ud800", "language": "en"})
    assert start.utterance_start.utterance_id == "a" and (text.text.text, text.text.language) == ("Hi ?", "en")
    assert [request.WhichOneof("message") for request in requests_of("begin", {})] == ["utterance_start"]


def test_epochs_have_room_in_a_frame() -> None:
    assert requests_of("interrupt", {})[0].interrupt.epoch == 0
    assert requests_of("interrupt", {"epoch": MAX_EPOCH})[0].interrupt.epoch == MAX_EPOCH
    with pytest.raises(InputError, match="epoch"):
        requests_of("interrupt", {"epoch": MAX_EPOCH + 1})


def test_controls_that_are_not_named_stay() -> None:
    controls = controls_changed(controls_changed(Controls(), {"emotion": "sad"}), {"gaze": [3, 4]})
    assert (controls.emotion, controls.gaze) == (Emotion.SAD, (3, 4))
    assert set(CONTROLS) == set(Controls.__slots__)


@pytest.mark.parametrize(
    ("pictures", "fields", "sentence"),
    [
        (Pictures.JPEG, {"background": "transparent"}, "jpeg-alpha"),
        (Pictures.JPEG, {"mirror": "yes"}, "mirror must be True or False"),
        (Pictures.JPEG, {"label_corner": "middle"}, "label_corner must be one of auto"),
    ],
)
def test_a_stage_that_cannot_be(pictures: Pictures, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Stage.of(pictures).changed(fields, pictures)


def test_frames_are_as_the_page_of_the_documentation_says() -> None:
    head = pb.Frame(index=5, pts_us=2**40 + 1, epoch=3, width_px=512)
    picture = picture_frame(FrameToSend(head, b"colours", b"alpha"), 17, speaking=True)
    assert struct.unpack("<BBHIQII", picture[:24]) == (1, 1, 512, 3, 2**40 + 1, 17, 7) and picture[24:] == b"coloursalpha"
    chunk = AudioChunk(np.array([0.5, -1], np.float32), 16_000, 8000)
    sound = sound_frame(SoundToSend(chunk, 3), speaking=True)
    assert struct.unpack("<BBHIQII", sound[:24]) == (2, 1, 0, 3, 500_000, 16_000, 0) and sound[24:] == pcm_s16le(chunk.samples)
    body = Pose(1.5, 2.5, 3.5, 4.5, 5.5, 6.5)
    motion = MotionFrame(9, 300_000, arkit_weights(jawOpen=0.5), (0.1, 0.2), Pose(1, 2, 3, 4, 5, 6), (7, 8), body)
    frame = motion_frame(motion_message(motion, "", 3), speaking=False)
    assert struct.unpack("<BBHIQII", frame[:24]) == (3, 0, 0, 3, 300_000, 9, 0)
    values = struct.unpack("<68f", frame[24:])
    assert values[ARKIT_NAMES.index("jawOpen")] == 0.5
    assert values[52:] == pytest.approx((1, 2, 3, 4, 5, 6, 7, 8, 0.1, 0.2, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5))
    rests = motion_frame(motion_message(replace(motion, body=None), "", 3), speaking=False)
    assert struct.unpack("<68f", rests[24:])[62:] == (0, 0, 0, 0, 0, 1)


def test_controls_survive_the_way() -> None:
    page = page_config({"controls": {"gaze": [1.5, -2], "singing": True, "attention": "thinking"}}, Limits())
    assert controls_of(page.resolved.message.controls) == page.controls


def test_the_client_for_pages_is_small() -> None:
    assert sum(len(file.read_bytes()) for file in client_folder().glob("*.js")) < 30_000, "with its comments, as it is served"
