"""The client side of calls between processes: one small seam.

Callers know `RpcClients.call` alone. Beneath it is one gRPC channel for each
service; a multiplexed stream can take its place without touching a caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servicekit import tracing
from servicekit.contract import Rpc
from servicekit.errors import MAX_METADATA, Fault, from_status
from servicekit.rpc_server import MAX_MESSAGE

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.max_metadata_size", MAX_METADATA),
    ("grpc.absolute_max_metadata_size", MAX_METADATA),
    # A service that comes back is found again within a second, not after a minute.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.lb_policy_name", "round_robin"),
]
_STATUS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class CallContext:
    """What travels with a call besides the request; `timeout` is in seconds."""

    token: str | None = None
    language: str = "en"
    timeout: float = 5.0

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The context as gRPC metadata, the running trace included."""
        entries = [("accept-language", self.language)]
        if self.token:
            entries.append(("authorization", f"Bearer {self.token}"))
        if traceparent := tracing.current_traceparent():
            entries.append(("traceparent", traceparent))
        return tuple(entries)


class RpcClient:
    """Calls one service."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        self._methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[Message, Message]] = {}
        self._health: Any = health_pb2_grpc.HealthStub(self._channel)

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        """Make one call and return the answer. Raises `Fault`."""
        method = self._methods.get(rpc.path)
        if method is None:
            method = self._channel.unary_unary(
                rpc.path,
                request_serializer=_serialize,
                response_deserializer=rpc.response_class.FromString,
            )
            self._methods[rpc.path] = method
        try:
            return await method(request, timeout=context.timeout, metadata=context.metadata())
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from None

    async def ready(self) -> bool:
        """Tell whether the service says that it serves."""
        try:
            answer = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
        except grpc.aio.AioRpcError:
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    async def close(self) -> None:
        """End the channel."""
        await self._channel.close()


class RpcClients:
    """Clients of all services, by the service's name in the contract: ``centers``."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._clients = {name: RpcClient(target) for name, target in targets.items()}

    @property
    def names(self) -> list[str]:
        """Names of the services."""
        return list(self._clients)

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        """Call the service that owns the rpc. Raises `Fault`."""
        client = self._clients.get(rpc.service)
        if client is None:
            raise Fault("UNAVAILABLE")
        return await client.call(rpc, request, context)

    async def ready(self, service: str) -> bool:
        """Tell whether a service says that it serves."""
        return await self._clients[service].ready()

    async def close(self) -> None:
        """End all channels."""
        for client in self._clients.values():
            await client.close()


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _fault(error: grpc.aio.AioRpcError) -> Fault:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            return from_status(status_pb2.Status.FromString(value))
    return from_status(status_pb2.Status(code=error.code().value[0]))
