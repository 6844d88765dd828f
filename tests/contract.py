"""Breaking changes between two versions of the contract, by those rules of ``buf breaking`` (WIRE and FILE) that concern us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

FIELD_TRAITS = ("name", "type", "label", "type_name", "proto3_optional", "default_value")
FIELD_OPTIONS = ("jstype", "ctype")
METHOD_TRAITS = ("input_type", "output_type", "client_streaming", "server_streaming")
FILE_OPTIONS = (
    "csharp_namespace", "go_package", "java_multiple_files", "java_outer_classname", "java_package", "objc_class_prefix",
    "php_namespace", "ruby_package", "swift_prefix",
)  # fmt: skip
"""Where generated code has its names from."""


def breaking_changes(before: FileDescriptorProto, after: FileDescriptorProto) -> list[str]:
    """One sentence for each thing that a client of ``before`` would trip over; empty when it can go on."""
    return list(_of_file(before, after))


def _of_file(before: FileDescriptorProto, after: FileDescriptorProto) -> Iterator[str]:
    for trait in ("package", "syntax"):
        yield from _same(trait, before, after, "the file")
    for option in FILE_OPTIONS:
        yield from _same(option, before.options, after.options, "the file")
    yield from _each(before.message_type, after.message_type, _of_message, "message ")
    yield from _each(before.enum_type, after.enum_type, _of_enum, "enum ")
    yield from _each(before.service, after.service, _of_service, "service ")


def _of_message(before: DescriptorProto, after: DescriptorProto, where: str) -> Iterator[str]:
    yield from _each(before.nested_type, after.nested_type, _of_message, f"{where}.")
    yield from _each(before.enum_type, after.enum_type, _of_enum, f"{where}.")
    yield from _still_reserved(before, after, where)
    now = {field.number: field for field in after.field}
    for field in before.field:
        name = f"{where}.{field.name}"
        if field.number in now:
            yield from _of_field(field, now[field.number], name)
            yield from _same_oneof(before, field, after, now[field.number], name)
        elif not _is_reserved(field.number, field.name, after, last_included=False):
            yield f"{name} was removed; its number {field.number} and its name must be reserved"


def _of_field(before: FieldDescriptorProto, after: FieldDescriptorProto, where: str) -> Iterator[str]:
    for trait in FIELD_TRAITS:
        yield from _same(trait, before, after, where)
    for option in FIELD_OPTIONS:
        yield from _same(option, before.options, after.options, where)


def _same_oneof(
    before: DescriptorProto, old: FieldDescriptorProto, after: DescriptorProto, new: FieldDescriptorProto, where: str
) -> Iterator[str]:
    was, now = (
        message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        for message, field in ((before, old), (after, new))
    )
    if was != now:
        yield f"{where} moved from oneof {was!r} to {now!r}"


def _of_enum(before: EnumDescriptorProto, after: EnumDescriptorProto, where: str) -> Iterator[str]:
    yield from _still_reserved(before, after, where)
    now = {value.number: value for value in after.value}
    for value in before.value:
        if value.number in now:
            yield from _same("name", value, now[value.number], f"{where}.{value.name}")
        elif not _is_reserved(value.number, value.name, after, last_included=True):
            yield f"{where}.{value.name} was removed; its number {value.number} and its name must be reserved"


def _of_service(before: ServiceDescriptorProto, after: ServiceDescriptorProto, where: str) -> Iterator[str]:
    yield from _each(before.method, after.method, _of_method, f"{where}.")


def _of_method(before: MethodDescriptorProto, after: MethodDescriptorProto, where: str) -> Iterator[str]:
    for trait in METHOD_TRAITS:
        yield from _same(trait, before, after, where)
    yield from _same("idempotency_level", before.options, after.options, where)


def _each(
    before: Iterable[Any], after: Iterable[Any], compare: Callable[[Any, Any, str], Iterator[str]], where: str
) -> Iterator[str]:
    """What is new may be there; what was there must be, and hold."""
    now: Mapping[str, Any] = {one.name: one for one in after}
    for one in before:
        if one.name in now:
            yield from compare(one, now[one.name], f"{where}{one.name}")
        else:
            yield f"{where}{one.name} was removed"


def _same(trait: str, before: Any, after: Any, where: str) -> Iterator[str]:  # noqa: ANN401
    was, now = getattr(before, trait), getattr(after, trait)
    if was != now:
        yield f"{where}: {trait} changed from {was!r} to {now!r}"


Reserving = DescriptorProto | EnumDescriptorProto


def _is_reserved(number: int, name: str, within: Reserving, *, last_included: bool) -> bool:
    """Ranges of messages end before their ``end``, those of enums with it."""
    held = any(span.start <= number < span.end + last_included for span in within.reserved_range)
    return held and name in within.reserved_name


def _still_reserved(before: Reserving, after: Reserving, where: str) -> Iterator[str]:
    """What was once given up is never used again."""
    spans, kept = ([(span.start, span.end) for span in one.reserved_range] for one in (before, after))
    for start, end in spans:
        if not any(first <= start and end <= last for first, last in kept):
            yield f"{where}: numbers {start} to {end} are no longer reserved"
    for name in set(before.reserved_name) - set(after.reserved_name):
        yield f"{where}: the name {name} is no longer reserved"
