"""The client side of calls between processes: one small seam.

Callers know `RpcClients.call` and `RpcClients.stream` alone. Beneath it is one gRPC
channel for each service; a multiplexed stream can take its place without touching a
caller.

A service may be several processes (``ipv4:10.0.0.1:50051,10.0.0.2:50051``, or a name with
several addresses). Calls go round among those that say, over a watch that stays open, that
they serve: one that is about to end, or whose database is away, is left at once. What a
process had taken when it was killed is asked once more of another, where that is safe.
"""

import functools
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servicekit import tracing
from servicekit.contract import Rpc, contract
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
    ("grpc.service_config_disable_resolution", 1),
    # Names are asked again as soon as a connection ends, by default once in half a minute:
    # when two processes of a service are replaced in that time, nobody would be left to call.
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
]
_STATUS_KEY = "grpc-status-details-bin"
_REPEATED = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# When more than a few calls fail, repeating them would only be more load.
_THROTTLING = {"maxTokens": 20, "tokenRatio": 0.1}


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
        options = [*_OPTIONS, ("grpc.service_config", _service_config())]
        self._channel = grpc.aio.insecure_channel(target, options=options)
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

    async def stream(
        self, rpc: Rpc, request: Message, context: CallContext
    ) -> AsyncGenerator[Message]:
        """Make one call and give its answers as they come. Raises `Fault`.

        Whoever stops before the end has to close it, which ends the call.
        """
        method: Any = self._channel.unary_stream(
            rpc.path,
            request_serializer=_serialize,
            response_deserializer=rpc.response_class.FromString,
        )
        call = method(request, timeout=context.timeout, metadata=context.metadata())
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from None
        finally:
            call.cancel()

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

    async def stream(
        self, rpc: Rpc, request: Message, context: CallContext
    ) -> AsyncGenerator[Message]:
        """Call the service that owns the rpc; its answers as they come. Raises `Fault`."""
        client = self._clients.get(rpc.service)
        if client is None:
            raise Fault("UNAVAILABLE")
        async with aclosing(client.stream(rpc, request, context)) as answers:
            async for answer in answers:
                yield answer

    async def ready(self, service: str) -> bool:
        """Tell whether a service says that it serves."""
        return await self._clients[service].ready()

    async def close(self) -> None:
        """End all channels."""
        for client in self._clients.values():
            await client.close()


def is_repeatable(rpc: Rpc) -> bool:
    """Tell whether a call may be made again when nobody knows what became of the first.

    It is one that changes nothing, or whose key keeps it from acting twice. A PATCH is
    neither: its version would make the second call fail where the first had succeeded.
    """
    reads = rpc.http is not None and rpc.http.method == "GET"
    return reads or "idempotency_key" in rpc.descriptor.input_type.fields_by_name


@functools.cache
def _service_config() -> str:
    repeatable = [
        {"service": rpc.descriptor.containing_service.full_name, "method": rpc.descriptor.name}
        for rpc in contract().rpcs.values()
        if is_repeatable(rpc)
    ]
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "healthCheckConfig": {"serviceName": ""},
            "methodConfig": [{"name": repeatable, "retryPolicy": _REPEATED}],
            "retryThrottling": _THROTTLING,
        }
    )


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _fault(error: grpc.aio.AioRpcError) -> Fault:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            return from_status(status_pb2.Status.FromString(value))
    return from_status(status_pb2.Status(code=error.code().value[0]))
