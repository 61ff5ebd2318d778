"""Stand-ins for what the gateway talks to, for tests that start no service."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.shapes import FieldShape, Kind, fields
from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import new_id
from servicekit.rpc_client import CallContext


@dataclass
class FakeClients:
    """Stands where `RpcClients` does: records calls, answers as it is told."""

    calls: list[tuple[Rpc, Any, CallContext]] = field(default_factory=list)
    answers: dict[str, Message | Exception] = field(default_factory=dict)
    serving: dict[str, bool] = field(default_factory=lambda: {"centers": True})

    @property
    def names(self) -> list[str]:
        return list(self.serving)

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        self.calls.append((rpc, request, context))
        answer = self.answers.get(rpc.descriptor.name) or sample(rpc.response_class)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stream(
        self, rpc: Rpc, request: Message, context: CallContext
    ) -> AsyncGenerator[Message]:
        yield await self.call(rpc, request, context)

    async def ready(self, service: str) -> bool:
        return self.serving[service]

    async def close(self) -> None:
        self.serving.clear()


class FakeVerifier:
    """Takes tokens of the form ``<role>`` or ``<role>:<subject>``."""

    async def verify(self, token: str) -> Principal:
        role, _, subject = token.partition(":")
        if role == "bad":
            raise Fault("TOKEN_REJECTED", {"detail": "it has expired"})
        return Principal(subject or role, role, frozenset({role, "public"}))


def sample(message_class: type[Message], depth: int = 3) -> Message:
    """Make a message that an honest service could give: every field that must be set, is."""
    message = message_class()
    for shape in fields(message_class.DESCRIPTOR):
        is_due = shape.repeated and depth > 0
        if not (shape.required or shape.always_set or is_due):
            continue
        value = _sample_value(shape, depth)
        if shape.repeated:
            getattr(message, shape.name).extend([value] * max(1, shape.rules.min_items))
        elif isinstance(value, Message):
            getattr(message, shape.name).CopyFrom(value)
        else:
            setattr(message, shape.name, value)
    return message


def _sample_value(shape: FieldShape, depth: int) -> Any:
    if shape.kind is Kind.MESSAGE:
        return sample(GetMessageClass(shape.message), depth - 1)
    if shape.kind is Kind.TIMESTAMP:
        return Timestamp(seconds=1_745_569_800, nanos=5_000_000)
    if shape.kind is Kind.OBJECT:
        return Struct(fields={"key": Value(number_value=1)})
    if shape.kind is Kind.TEXT:
        return _sample_text(shape)
    if shape.kind in (Kind.INTEGER, Kind.INT64):
        return max(shape.integer_range[0], 1)
    return {Kind.BOOLEAN: True, Kind.NUMBER: 1.5, Kind.ENUM: 1}[shape.kind]


def _sample_text(shape: FieldShape) -> str:
    if shape.rules.id_prefix:
        return new_id(shape.rules.id_prefix)
    if shape.rules.example:
        return shape.rules.example
    return new_id("ctr") if shape.name == "id" else "1"
