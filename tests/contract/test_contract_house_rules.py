"""What every rpc, field and value of the contracts must say, whoever adds it."""

import functools
import re
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from google.api import annotations_pb2 as http_annotations
from google.api import field_behavior_pb2
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
)
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import Default

from peyvand.api.v1 import annotations_pb2 as annotations
from servicekit.contract import contract, field_header, field_rules

RESOURCE_FIELDS = {"id", "external_key", "sample", "etag", "created_at", "updated_at"}
STATE_FIELDS = {"state", "state_reason", "state_since", "allowed_actions"}


def option(owner: Any, extension: Any) -> Any:
    """The value of an option; generated stubs do not say which type it has."""
    return owner.GetOptions().Extensions[extension]


@functools.cache
def files() -> list[FileDescriptor]:
    contract()  # loads the modules of all contracts into the pool
    image = resources.files("peyvand") / "descriptors.binpb"
    names = [file.name for file in FileDescriptorSet.FromString(image.read_bytes()).file]
    return [Default().FindFileByName(name) for name in names if name.startswith("peyvand/")]


def messages() -> list[Descriptor]:
    return [message for file in files() for message in file.message_types_by_name.values()]


def methods() -> list[MethodDescriptor]:
    return [
        method
        for file in files()
        for service in file.services_by_name.values()
        for method in service.methods
    ]


def enums() -> list[EnumDescriptor]:
    return [enum for file in files() for enum in file.enum_types_by_name.values()]


def error_values() -> Iterator[tuple[str, annotations.ErrorSpec]]:
    for enum in enums():
        for value in enum.values:
            spec = option(value, annotations.error)
            if enum.name.endswith("Error") and value.number:
                yield value.name, spec


def address(method: MethodDescriptor) -> tuple[str, str, str] | None:
    rule = option(method, http_annotations.http)
    kind = rule.WhichOneof("pattern")
    return (kind, getattr(rule, kind), rule.body) if kind else None


def headers(message: Descriptor) -> set[str]:
    return {field_header(field) for field in message.fields} - {""}


def nature(resource: Descriptor | None) -> int:
    return option(resource, annotations.resource).nature


ENTERED = annotations.RESOURCE_NATURE_UNSPECIFIED
COMPUTED = annotations.RESOURCE_NATURE_COMPUTED

ALL_METHODS = pytest.mark.parametrize("method", methods(), ids=lambda m: m.full_name)
ALL_RESOURCES = pytest.mark.parametrize(
    "resource",
    [m for m in messages() if option(m, annotations.resource).id_prefix],
    ids=lambda m: m.full_name,
)


@ALL_METHODS
def test_an_rpc_says_who_may_call_it(method: MethodDescriptor) -> None:
    assert option(method, annotations.policy).grants


@ALL_METHODS
def test_an_rpc_names_only_errors_that_exist(method: MethodDescriptor) -> None:
    known = {name for name, _ in error_values()}
    assert set(option(method, annotations.errors)) <= known


@ALL_METHODS
def test_a_write_carries_the_headers_that_make_it_safe(method: MethodDescriptor) -> None:
    found = address(method)
    if found is None:
        return
    kind, path, _ = found
    expected = set[str]()
    if kind == "post":
        expected.add("Idempotency-Key")
    verb = re.search(r"\}:[a-z-]+$", path)
    # Only what is entered has a version that somebody could have read.
    if kind in ("patch", "put", "delete") or (verb and nature(method.output_type) == ENTERED):
        expected.add("If-Match")
    assert headers(method.input_type) == expected


@ALL_METHODS
def test_an_address_is_filled_from_fields_of_the_request(method: MethodDescriptor) -> None:
    found = address(method)
    if found is None:
        return
    _, path, body = found
    fields = method.input_type.fields_by_name
    assert set(re.findall(r"\{(\w+)\}", path)) <= set(fields)
    assert body in ("", "*") or body in fields


@ALL_METHODS
def test_a_list_of_resources_can_be_followed_by_time_and_key(method: MethodDescriptor) -> None:
    resources = [
        field
        for field in method.output_type.fields
        if field.is_repeated
        and field.message_type is not None
        and option(field.message_type, annotations.resource).id_prefix
    ]
    if method.name.startswith("List") and resources:
        natures = {nature(field.message_type) for field in resources}
        wanted = {"page_size", "page_token"}
        # What is computed is followed by the events that it follows from.
        wanted |= set[str]() if COMPUTED in natures else {"updated_since"}
        wanted |= {"external_key"} if ENTERED in natures else set[str]()
        assert wanted <= set(method.input_type.fields_by_name)
        assert "next_page_token" in method.output_type.fields_by_name


@ALL_RESOURCES
def test_a_resource_has_what_all_resources_have(resource: Descriptor) -> None:
    names = set(resource.fields_by_name)
    if nature(resource) == ENTERED:
        assert names >= RESOURCE_FIELDS
        assert not names & STATE_FIELDS or names >= STATE_FIELDS
    else:
        assert "id" in names
        assert "updated_at" not in names


@ALL_RESOURCES
def test_a_resource_has_a_name_for_people_in_both_languages(resource: Descriptor) -> None:
    label = option(resource, annotations.resource).label
    assert re.search("[A-Z]", label.en)
    assert re.search("[\u0600-\u06ff]", label.fa)


@ALL_RESOURCES
def test_a_resource_announces_itself_and_keeps_its_steps(resource: Descriptor) -> None:
    in_package = [file for file in files() if file.package == resource.file.package]
    events = [file.message_types_by_name.get(f"{resource.name}Event") for file in in_package]
    event = next(found for found in events if found is not None)
    spec = option(resource, annotations.resource)
    assert option(event, annotations.event).aggregate == spec.aggregate
    if "state" in resource.fields_by_name and nature(resource) == ENTERED:
        names = {method.name for method in methods()}
        assert f"List{resource.name}Steps" in names


def test_every_address_and_method_is_taken_once() -> None:
    taken = Counter(found[:2] for found in map(address, methods()) if found)
    assert [where for where, times in taken.items() if times > 1] == []


def test_every_reason_is_unique_and_has_a_sentence_in_both_languages() -> None:
    reasons = Counter(name for name, _ in error_values())
    assert [name for name, times in reasons.items() if times > 1] == []
    for name, spec in error_values():
        assert 400 <= spec.http_status < 600, name
        # Both sentences are filled from the same details.
        assert set(re.findall(r"\{\w+\}", spec.en)) == set(re.findall(r"\{\w+\}", spec.fa)), name
        assert spec.en
        assert spec.fa


def test_every_value_that_people_see_has_a_label_in_both_languages() -> None:
    for enum in enums():
        if enum.name.endswith("Error") or enum.full_name == "peyvand.api.v1.Scope":
            continue
        for value in enum.values[1:]:
            label = option(value, annotations.label)
            assert label.en, value.name
            assert label.fa, value.name


def test_every_example_keeps_the_rules_of_its_field() -> None:
    for message in messages():
        for field in message.fields:
            rules = field_rules(field)
            if field.type != FieldDescriptor.TYPE_STRING or not rules.example:
                continue
            where = f"{message.full_name}.{field.name}"
            assert not rules.pattern or re.fullmatch(rules.pattern, rules.example), where
            assert not rules.max_len or len(rules.example) <= rules.max_len, where


def test_every_text_and_list_in_a_request_has_a_bound() -> None:
    unbounded: list[str] = []
    seen = set[str]()
    waiting = [method.input_type for method in methods()]
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or not message.full_name.startswith("peyvand."):
            continue
        seen.add(message.full_name)
        for field in message.fields:
            if option(field, field_behavior_pb2.field_behavior) == [field_behavior_pb2.OUTPUT_ONLY]:
                continue
            rules = field_rules(field)
            text = field.type == FieldDescriptor.TYPE_STRING
            if (field.is_repeated and not rules.max_items) or (
                text and not rules.max_len and not rules.id_prefix
            ):
                unbounded.append(f"{message.full_name}.{field.name}")
            nested = field.message_type
            # The bounds of a map stand on the map itself.
            if nested is not None and not nested.GetOptions().map_entry:
                waiting.append(nested)
    assert unbounded == []
