"""Whoever speaks the contract of the last release is understood: today's descriptors against proto/baseline.binpb."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FieldOptions,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodOptions,
)

from tests.contract import breaking_changes
from vivant.v1 import vivant_pb2 as pb

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "proto" / "baseline.binpb"


def baseline() -> FileDescriptorProto:
    (file,) = FileDescriptorSet.FromString(BASELINE.read_bytes()).file
    return file


def today() -> FileDescriptorProto:
    file = FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(file)
    return file


def message(file: FileDescriptorProto, name: str) -> DescriptorProto:
    return next(one for one in file.message_type if one.name == name)


def enum(file: FileDescriptorProto, name: str) -> EnumDescriptorProto:
    return next(one for one in file.enum_type if one.name == name)


def test_nothing_breaks_whoever_speaks_the_last_release() -> None:
    assert breaking_changes(baseline(), today()) == []


def test_the_baseline_is_the_whole_contract() -> None:
    file = baseline()
    assert {method.name for method in file.service[0].method} >= {"Animate", "Synthesize", "PutPortrait", "GetCapabilities"}
    assert len(file.message_type) >= 30 and len(file.enum_type) >= 8
    assert sum(len(one.field) for one in file.message_type) > 120


@pytest.mark.skipif(importlib.util.find_spec("grpc_tools") is None, reason="grpcio-tools is missing")
def test_renewing_gives_the_contract_of_now(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "protos", "--baseline", tmp_path], check=True)
    (made,) = FileDescriptorSet.FromString((tmp_path / "proto" / "baseline.binpb").read_bytes()).file
    assert breaking_changes(made, today()) == breaking_changes(today(), made) == []


def remove_field(file: FileDescriptorProto) -> None:
    del message(file, "Frame").field[0]


def remove_field_and_reserve_its_number_only(file: FileDescriptorProto) -> None:
    message(file, "Frame").reserved_range.add(start=1, end=2)
    remove_field(file)


def remove_field_and_reserve_the_one_after_it(file: FileDescriptorProto) -> None:
    message(file, "Frame").reserved_range.add(start=2, end=3)
    message(file, "Frame").reserved_name.append("index")
    remove_field(file)


def renumber_field(file: FileDescriptorProto) -> None:
    message(file, "Frame").field[0].number = 900


def retype_field(file: FileDescriptorProto) -> None:
    message(file, "Frame").field[0].type = FieldDescriptorProto.TYPE_INT32


def retype_message_field(file: FileDescriptorProto) -> None:
    message(file, "Motion").field[5].type_name = ".vivant.v1.RingSlot"


def relabel_field(file: FileDescriptorProto) -> None:
    field = next(one for one in message(file, "Motion").field if one.name == "weights")
    field.label = FieldDescriptorProto.LABEL_OPTIONAL


def rename_field(file: FileDescriptorProto) -> None:
    message(file, "Frame").field[0].name = "number"


def swap_two_fields(file: FileDescriptorProto) -> None:
    first, second = message(file, "Frame").field[:2]
    first.number, second.number = second.number, first.number


def make_optional(file: FileDescriptorProto) -> None:
    field = message(file, "Controls").field[0]
    field.proto3_optional = True


def take_out_of_the_oneof(file: FileDescriptorProto) -> None:
    message(file, "PortraitRef").field[0].ClearField("oneof_index")


def put_into_the_oneof(file: FileDescriptorProto) -> None:
    """A oneof of one is what ``optional`` is; beside another field it clears that."""
    reference = message(file, "PortraitRef")
    reference.field.add(name="more", number=77, type="TYPE_INT32", label="LABEL_OPTIONAL", oneof_index=0)
    message(file, "Frame").oneof_decl.add(name="either")
    message(file, "Frame").field[0].oneof_index = 0


def remove_oneof(file: FileDescriptorProto) -> None:
    reference = message(file, "PortraitRef")
    for field in reference.field:
        field.ClearField("oneof_index")
    del reference.oneof_decl[:]


def rename_oneof(file: FileDescriptorProto) -> None:
    message(file, "PortraitRef").oneof_decl[0].name = "who"


def no_longer_optional(file: FileDescriptorProto) -> None:
    field = next(one for one in message(file, "SessionConfig").field if one.proto3_optional)
    field.ClearField("proto3_optional")
    field.ClearField("oneof_index")


def write_a_field_otherwise_in_javascript(file: FileDescriptorProto) -> None:
    message(file, "Frame").field[0].options.jstype = FieldOptions.JS_STRING


def remove_message(file: FileDescriptorProto) -> None:
    del file.message_type[-1]


def remove_enum(file: FileDescriptorProto) -> None:
    del file.enum_type[-1]


def remove_enum_value(file: FileDescriptorProto) -> None:
    del enum(file, "Emotion").value[-1]


def remove_enum_value_and_reserve_its_number_only(file: FileDescriptorProto) -> None:
    number = enum(file, "Emotion").value[-1].number
    enum(file, "Emotion").reserved_range.add(start=number, end=number)
    remove_enum_value(file)


def renumber_enum_value(file: FileDescriptorProto) -> None:
    enum(file, "Emotion").value[-1].number = 90


def rename_enum_value(file: FileDescriptorProto) -> None:
    enum(file, "Emotion").value[-1].name = "EMOTION_SCORN"


def remove_rpc(file: FileDescriptorProto) -> None:
    del file.service[0].method[-1]


def change_what_an_rpc_takes(file: FileDescriptorProto) -> None:
    file.service[0].method[0].input_type = ".vivant.v1.Frame"


def change_what_an_rpc_gives(file: FileDescriptorProto) -> None:
    file.service[0].method[0].output_type = ".vivant.v1.Frame"


def no_longer_stream(file: FileDescriptorProto) -> None:
    animate = next(one for one in file.service[0].method if one.name == "Animate")
    animate.client_streaming = False


def no_longer_answer_in_a_stream(file: FileDescriptorProto) -> None:
    next(one for one in file.service[0].method if one.name == "Animate").server_streaming = False


def answer_in_a_stream(file: FileDescriptorProto) -> None:
    next(one for one in file.service[0].method if one.name == "GetCapabilities").server_streaming = True


def promise_that_a_call_may_be_repeated(file: FileDescriptorProto) -> None:
    file.service[0].method[0].options.idempotency_level = MethodOptions.IDEMPOTENT


def rename_rpc(file: FileDescriptorProto) -> None:
    file.service[0].method[0].name = "Perform"


def remove_service(file: FileDescriptorProto) -> None:
    del file.service[0]


def move_package(file: FileDescriptorProto) -> None:
    file.package = "vivant.v2"


def change_the_syntax(file: FileDescriptorProto) -> None:
    file.syntax = "proto2"


def move_the_generated_code(file: FileDescriptorProto) -> None:
    file.options.csharp_namespace = "Elsewhere"


BREAKING = (
    remove_field,
    remove_field_and_reserve_its_number_only,
    remove_field_and_reserve_the_one_after_it,
    renumber_field,
    retype_field,
    retype_message_field,
    relabel_field,
    rename_field,
    swap_two_fields,
    make_optional,
    no_longer_optional,
    write_a_field_otherwise_in_javascript,
    take_out_of_the_oneof,
    put_into_the_oneof,
    remove_oneof,
    rename_oneof,
    remove_message,
    remove_enum,
    remove_enum_value,
    remove_enum_value_and_reserve_its_number_only,
    renumber_enum_value,
    rename_enum_value,
    remove_rpc,
    change_what_an_rpc_takes,
    change_what_an_rpc_gives,
    no_longer_stream,
    no_longer_answer_in_a_stream,
    answer_in_a_stream,
    promise_that_a_call_may_be_repeated,
    rename_rpc,
    remove_service,
    move_package,
    change_the_syntax,
    move_the_generated_code,
)


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__)
def test_a_breaking_change_is_found(change: Callable[[FileDescriptorProto], None]) -> None:
    changed = today()
    change(changed)
    assert breaking_changes(today(), changed)


def test_what_was_reserved_stays_so() -> None:
    before, after = today(), today()
    for file, name in ((before, "old"), (after, "other")):
        message(file, "Frame").reserved_name.append(name)
    message(before, "Frame").reserved_range.add(start=40, end=41)
    found = breaking_changes(before, after)
    assert len(found) == 2 and all("no longer reserved" in sentence for sentence in found)


def test_what_an_enumeration_reserved_stays_so() -> None:
    before, after = today(), today()
    enum(before, "Emotion").reserved_name.append("EMOTION_OLD")
    enum(before, "Emotion").reserved_range.add(start=40, end=41)
    assert len(breaking_changes(before, after)) == 2
    enum(after, "Emotion").reserved_name.append("EMOTION_OLD")
    enum(after, "Emotion").reserved_range.add(start=40, end=50)
    assert breaking_changes(before, after) == []


@pytest.mark.parametrize("change", ["remove", "retype", "of an enumeration"])
def test_what_lies_within_a_message_is_compared_too(change: str) -> None:
    before, after = today(), today()
    for file in (before, after):
        inner = message(file, "Frame").nested_type.add(name="Inner")
        inner.field.add(name="x", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
        message(file, "Frame").enum_type.add(name="Kind").value.add(name="KIND_UNSPECIFIED", number=0)
    assert breaking_changes(before, after) == []
    if change == "remove":
        del message(after, "Frame").nested_type[-1]
    elif change == "retype":
        message(after, "Frame").nested_type[-1].field[0].type = FieldDescriptorProto.TYPE_INT64
    else:
        message(after, "Frame").enum_type[-1].value[0].name = "KIND_NONE"
    (sentence,) = breaking_changes(before, after)
    assert "Frame." in sentence


def test_what_only_adds_is_no_break() -> None:
    changed = today()
    message(changed, "Frame").field.add(name="more", number=77, type="TYPE_INT32", label="LABEL_OPTIONAL")
    enum(changed, "Emotion").value.add(name="EMOTION_CALM", number=30)
    changed.message_type.add(name="Another")
    changed.service[0].method.add(name="Another", input_type=".vivant.v1.Frame", output_type=".vivant.v1.Frame")
    assert breaking_changes(today(), changed) == []


def test_a_field_or_value_may_go_where_number_and_name_are_reserved() -> None:
    changed = today()
    frame, emotion = message(changed, "Frame"), enum(changed, "Emotion")
    frame.reserved_range.add(start=frame.field[0].number, end=frame.field[0].number + 1)
    frame.reserved_name.append(frame.field[0].name)
    emotion.reserved_range.add(start=emotion.value[-1].number, end=emotion.value[-1].number)
    emotion.reserved_name.append(emotion.value[-1].name)
    del frame.field[0], emotion.value[-1]
    assert breaking_changes(today(), changed) == []
