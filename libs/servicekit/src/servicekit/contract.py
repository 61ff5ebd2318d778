"""The contract as it runs: everything the descriptors say, ready to look up.

`contract()` reads the descriptor set that code generation left beside the
generated modules, with comments, and indexes what the chassis and the gateway
need: rpcs with their policy and HTTP rule, error reasons with their sentences,
field rules, labels, resources and events.
"""

import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

from google.api import annotations_pb2 as http_annotations
from google.api import http_pb2
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

from peyvand.api.v1 import annotations_pb2 as peyvand_annotations


@dataclass(frozen=True)
class HttpRule:
    """How an rpc is reached over HTTP: method, path template, body field (``*`` is the rest)."""

    method: str
    path: str
    body: str


@dataclass(frozen=True)
class Rpc:
    """One rpc of the contract."""

    descriptor: MethodDescriptor
    policy: peyvand_annotations.Policy
    http: HttpRule | None
    errors: tuple[str, ...]
    comment: str

    @property
    def path(self) -> str:
        """GRPC path: ``/peyvand.centers.v1.Centers/GetCenter``."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def is_stream(self) -> bool:
        """Whether it answers with several messages, as they come."""
        return self.descriptor.server_streaming

    @property
    def service(self) -> str:
        """Name of the service that owns it, the second part of its package: ``centers``."""
        return self.descriptor.containing_service.file.package.split(".")[1]

    @functools.cached_property
    def request_class(self) -> type[Message]:
        """Class of the request message."""
        return message_factory.GetMessageClass(self.descriptor.input_type)

    @functools.cached_property
    def response_class(self) -> type[Message]:
        """Class of the response message."""
        return message_factory.GetMessageClass(self.descriptor.output_type)

    @property
    def role_names(self) -> list[str]:
        """Names of the roles that may call, lower case without prefix."""
        roles = {role for grant in self.policy.grants for role in grant.roles}
        return [role_name(role) for role in sorted(roles)]


@dataclass(frozen=True)
class ErrorReason:
    """A reason that a problem document can carry."""

    name: str
    http_status: int
    en: str
    fa: str
    comment: str
    is_field_rule: bool


class Contract:
    """Index over all descriptors of the network's contracts."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self.file_names = [file.name for file in files.file if file.name.startswith("peyvand/")]
        for name in self.file_names:  # registers descriptors, extensions and message classes
            importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        self._comments = dict(_comments(files))
        self._errors: dict[str, ErrorReason] = {}
        self.rpcs: dict[str, Rpc] = {}
        self.services: dict[str, ServiceDescriptor] = {}
        for name in self.file_names:
            file = Default().FindFileByName(name)
            for service in file.services_by_name.values():
                self.services[service.full_name] = service
                for method in service.methods:
                    rpc = self._read_rpc(method)
                    self.rpcs[rpc.path] = rpc
            for enum in file.enum_types_by_name.values():
                self._read_errors(enum)

    def comment(self, full_name: str) -> str:
        """Prose that stands above a message, field, enum, value, service or rpc."""
        return self._comments.get(full_name, "")

    def error(self, reason: str) -> ErrorReason:
        """Look up an error reason. Raises `KeyError` for one that no contract declares."""
        return self._errors[reason]

    @property
    def errors(self) -> dict[str, ErrorReason]:
        """All error reasons by name."""
        return self._errors

    def service_rpcs(self, service: ServiceDescriptor) -> list[Rpc]:
        """The rpcs of one service, in the order of the contract."""
        return [self.rpcs[f"/{service.full_name}/{method.name}"] for method in service.methods]

    def messages(self) -> Iterator[Descriptor]:
        """All messages of our contracts, top level."""
        for name in self.file_names:
            yield from Default().FindFileByName(name).message_types_by_name.values()

    def _read_rpc(self, method: MethodDescriptor) -> Rpc:
        options = method.GetOptions()
        http = None
        if has_option(options, http_annotations.http):
            http = _http_rule(option(options, http_annotations.http))
        return Rpc(
            descriptor=method,
            policy=option(options, peyvand_annotations.policy),
            http=http,
            errors=tuple(option(options, peyvand_annotations.errors)),
            comment=self.comment(method.full_name),
        )

    def _read_errors(self, enum: EnumDescriptor) -> None:
        for value in enum.values:
            options = value.GetOptions()
            if not has_option(options, peyvand_annotations.error):
                continue
            spec = option(options, peyvand_annotations.error)
            if value.name in self._errors:
                raise ValueError(f"two contracts declare the error {value.name}")
            self._errors[value.name] = ErrorReason(
                name=value.name,
                http_status=spec.http_status,
                en=spec.en,
                fa=spec.fa,
                comment=self.comment(f"{enum.full_name}.{value.name}"),
                # Common values from 40 on speak of one field, see errors.proto.
                is_field_rule=enum.name == "CommonError" and value.number >= 40,
            )


@functools.cache
def contract() -> Contract:
    """The contract of this build, read once."""
    data = resources.files("peyvand").joinpath("descriptors.binpb").read_bytes()
    return Contract(descriptor_pb2.FileDescriptorSet.FromString(data))


def option(options: Message, extension: Any) -> Any:
    """Value of a custom option; its default when it is not set."""
    return options.Extensions[extension]


def has_option(options: Message, extension: Any) -> bool:
    """Tell whether a custom option is set."""
    return options.HasExtension(extension)


def field_rules(field: FieldDescriptor) -> peyvand_annotations.FieldRules:
    """Rules of a field's value; empty when it has none."""
    return option(field.GetOptions(), peyvand_annotations.rules)


def field_header(field: FieldDescriptor) -> str:
    """HTTP header that carries this request field, or the empty string."""
    return option(field.GetOptions(), peyvand_annotations.header)


def resource_spec(message: Descriptor) -> peyvand_annotations.ResourceSpec | None:
    """What a resource is called, or `None` for a message that is no resource."""
    options = message.GetOptions()
    if not has_option(options, peyvand_annotations.resource):
        return None
    return option(options, peyvand_annotations.resource)


def event_spec(message: Descriptor) -> peyvand_annotations.EventSpec | None:
    """What an event message announces, or `None` for a message that is no event."""
    options = message.GetOptions()
    if not has_option(options, peyvand_annotations.event):
        return None
    return option(options, peyvand_annotations.event)


def value_label(value: EnumValueDescriptor) -> peyvand_annotations.Label:
    """Name of an enum value for people; empty when it has none."""
    return option(value.GetOptions(), peyvand_annotations.label)


@functools.cache
def enum_prefix(enum: EnumDescriptor) -> str:
    """Prefix that all values of an enum share: ``CENTER_STATE_`` for `CenterState`.

    It is read off the zero value, which ends in ``UNSPECIFIED``.
    """
    return enum.values_by_number[0].name.removesuffix("UNSPECIFIED")


@functools.cache
def enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """Names of an enum's values as JSON spells them: lower case without prefix."""
    prefix = enum_prefix(enum)
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values}


def role_name(role: int) -> str:
    """Name of a role as tokens spell it: ``hq_admin``."""
    return enum_names(peyvand_annotations.Role.DESCRIPTOR)[role]


def descriptor_of(message: Message | type[Message]) -> Descriptor:
    """Descriptor of a message or message class, in the one type that stubs know it by."""
    return cast("Descriptor", message.DESCRIPTOR)


def _http_rule(rule: http_pb2.HttpRule) -> HttpRule:
    verb = rule.WhichOneof("pattern") or ""
    return HttpRule(method=verb.upper(), path=getattr(rule, verb), body=rule.body)


def _comments(files: descriptor_pb2.FileDescriptorSet) -> Iterator[tuple[str, str]]:
    for file in files.file:
        for location in file.source_code_info.location:
            name = _name_at(file, list(location.path))
            if name:
                yield f"{file.package}.{name}", _clean(location.leading_comments)


def _clean(comment: str) -> str:
    paragraphs = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in p.splitlines()) for p in paragraphs)


# Field numbers of descriptor.proto: where the elements of a file stand.
_IN_FILE = {4: "message_type", 5: "enum_type", 6: "service"}
_IN_MESSAGE = {2: "field", 3: "nested_type", 4: "enum_type"}
_IN_ENUM = {2: "value"}
_IN_SERVICE = {2: "method"}
_CHILDREN = {
    "message_type": _IN_MESSAGE,
    "nested_type": _IN_MESSAGE,
    "enum_type": _IN_ENUM,
    "service": _IN_SERVICE,
}


def _name_at(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str:
    """Dotted name of the element at a source location path, or the empty string."""
    parts: list[str] = []
    element: Any = file
    kinds = _IN_FILE
    for number, index in zip(path[::2], path[1::2], strict=False):
        kind = kinds.get(number)
        if kind is None:
            return ""
        element = getattr(element, kind)[index]
        parts.append(element.name)
        kinds = _CHILDREN.get(kind, {})
    return ".".join(parts) if len(path) == 2 * len(parts) else ""
