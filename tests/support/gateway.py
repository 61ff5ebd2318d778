"""Stand-ins for what the gateway talks to, for tests that start no service."""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.identity import Principal
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
        answer = self.answers.get(rpc.descriptor.name, rpc.response_class())
        if isinstance(answer, Exception):
            raise answer
        return answer

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
