"""The server side of calls between processes.

A service gives one handler for each rpc, by its name in snake case:
``async def get_center(request, call) -> response`` (see `servicekit.rpcs`); that of an
rpc that answers with a stream yields its messages. What stands
around every call (identity, policy, rules of the contract, errors, tracing, metrics) is
here, once.
The transport is at the end of the file; `Dispatcher` knows nothing of it, so that
another can take its place.
"""

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from opentelemetry.trace import SpanKind

from servicekit import telemetry, tracing
from servicekit.contract import Rpc, contract
from servicekit.database import is_held_up
from servicekit.delivery import is_transient
from servicekit.errors import MAX_METADATA, Fault, as_fault, to_status
from servicekit.identity import Principal, TokenVerifier
from servicekit.policy import authorize
from servicekit.validation import violations

log = structlog.get_logger(__name__)

MAX_MESSAGE = 32 * 1024 * 1024  # bytes; imports travel in one message
CONNECTION_AGE = 300.0
"""Seconds after which a caller is asked to connect anew. Only so does it hear of processes
that have joined since: a connection that stays never asks where else the service is."""
_CONNECTION_GRACE_MS = 3_600_000


@dataclass(frozen=True)
class Call:
    """What a use case knows of the call it answers."""

    rpc: Rpc
    principal: Principal
    language: str
    now: datetime


# The dispatcher gives a handler the request of its rpc and nothing else.
Handler = Callable[[Any, Call], Awaitable[Message]]
StreamHandler = Callable[[Any, Call], AsyncGenerator[Message]]


class Dispatcher:
    """Finds the method for an rpc and runs it within everything that surrounds a call."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._handlers: dict[str, tuple[Rpc, Any]] = {}

    def add(
        self, service: ServiceDescriptor, handlers: Mapping[str, Handler | StreamHandler]
    ) -> None:
        """Answer the rpcs of a service.

        Raises `TypeError` if one of them has no handler, or a handler no rpc.
        """
        rpcs = {snake_case(rpc.descriptor.name): rpc for rpc in contract().service_rpcs(service)}
        if odd := sorted(rpcs.keys() ^ handlers.keys()):
            raise TypeError(f"{service.full_name}: rpc and handler do not match: {odd}")
        for name, handler in handlers.items():
            self._handlers[rpcs[name].path] = (rpcs[name], handler)

    def rpcs(self) -> list[Rpc]:
        """All rpcs that are answered here."""
        return [rpc for rpc, _ in self._handlers.values()]

    async def dispatch(self, path: str, request: Message, metadata: Mapping[str, str]) -> Message:
        """Answer one call. Raises `Fault` and nothing else."""
        rpc, handler = self._handlers[path]
        with _observed(path, metadata), _faults_alone(rpc):
            return await handler(request, await self._admit(rpc, request, metadata))

    async def stream(
        self, path: str, request: Message, metadata: Mapping[str, str]
    ) -> AsyncGenerator[Message]:
        """Answer one call with several messages. Raises `Fault` and nothing else."""
        rpc, handler = self._handlers[path]
        with _observed(path, metadata), _faults_alone(rpc):
            call = await self._admit(rpc, request, metadata)
            async with aclosing(handler(request, call)) as answers:
                async for answer in answers:
                    yield answer

    async def _admit(self, rpc: Rpc, request: Message, metadata: Mapping[str, str]) -> Call:
        principal = await self._principal(metadata)
        authorize(rpc, principal)
        if found := violations(request):
            raise Fault.invalid(*found)
        return Call(rpc, principal, metadata.get("accept-language", "en"), datetime.now(UTC))

    async def _principal(self, metadata: Mapping[str, str]) -> Principal:
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        if not token:
            return Principal.anonymous()
        if scheme.lower() != "bearer":
            raise Fault("TOKEN_REJECTED", {"detail": "the scheme must be Bearer"})
        return await self._verifier.verify(token)


@contextmanager
def _observed(path: str, metadata: Mapping[str, str]) -> Generator[None]:
    started = time.perf_counter()
    reason = "OK"
    with tracing.span(path[1:], SpanKind.SERVER, traceparent=metadata.get("traceparent")):
        try:
            yield
        except Fault as fault:
            reason = fault.reason
            raise
        finally:
            telemetry.CALLS.labels(path, reason).observe(time.perf_counter() - started)


@contextmanager
def _faults_alone(rpc: Rpc) -> Generator[None]:
    try:
        yield
    except Exception as error:
        if is_held_up(error):
            log.info("held up by another transaction", rpc=rpc.path)
            raise Fault("RESOURCE_IN_USE") from error
        # The database or the broker is away: the caller may try again.
        if is_transient(error):
            log.warning("dependency out of reach", rpc=rpc.path, error=repr(error))
            raise Fault("UNAVAILABLE") from error
        if fault := as_fault(error):
            raise fault from error
        log.exception("call failed", rpc=rpc.path)
        raise Fault("INTERNAL") from error


def snake_case(name: str) -> str:
    """`GetCenter` → ``get_center``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class RpcServer:
    """Serves a dispatcher over gRPC, with health and reflection beside it."""

    def __init__(
        self, dispatcher: Dispatcher, listen: str, *, connection_age: float = CONNECTION_AGE
    ) -> None:
        self._dispatcher = dispatcher
        self._server = grpc.aio.server(
            options=[
                # Two servers on one port would share its calls without a word.
                ("grpc.so_reuseport", 0),
                # Clients ask every half minute whether a long call is still carried, and
                # measure the line after answers; by default, few of these count as an
                # attack, which ends all calls of the connection. Only our own call here.
                ("grpc.http2.max_ping_strikes", 0),
                ("grpc.max_connection_age_ms", round(connection_age * 1000)),
                # Longer than any call takes: those under way end in peace.
                ("grpc.max_connection_age_grace_ms", _CONNECTION_GRACE_MS),
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
                ("grpc.max_metadata_size", MAX_METADATA),
                ("grpc.absolute_max_metadata_size", MAX_METADATA),
            ]
        )
        self._health = _health_servicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names: list[str] = []
        for service, rpcs in _by_service(dispatcher.rpcs()).items():
            self._server.add_generic_rpc_handlers([self._generic_handler(service, rpcs)])
            self._names.append(service)
        reflected = [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(reflected, self._server)
        self.port = self._server.add_insecure_port(listen)

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def set_serving(self, serving: bool) -> None:
        """Say through the health service whether calls should come here."""
        state = (
            health_pb2.HealthCheckResponse.SERVING
            if serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in ["", *self._names]:
            await self._health.set(name, state)

    async def leave(self) -> None:
        """Say that calls should go elsewhere from now on; those that come are still answered."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Refuse new calls and give running ones `grace` seconds to end."""
        await self.leave()
        await self._server.stop(grace)

    def _generic_handler(self, service: str, rpcs: Sequence[Rpc]) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            service, {rpc.descriptor.name: self._method_handler(rpc) for rpc in rpcs}
        )

    def _method_handler(self, rpc: Rpc) -> Any:
        async def answer(request: Message, context: Any) -> Message:
            with _status_of(rpc) as failed:
                return await self._dispatcher.dispatch(rpc.path, request, _metadata(context))
            await context.abort_with_status(rpc_status.to_status(failed))
            raise AssertionError("abort_with_status always raises")

        async def answers(request: Message, context: Any) -> None:
            stream = self._dispatcher.stream(rpc.path, request, _metadata(context))
            with _status_of(rpc) as failed:
                # Closed also when whoever called has gone, with all that it holds.
                async with aclosing(stream):
                    async for message in stream:
                        await context.write(message)
                return
            await context.abort_with_status(rpc_status.to_status(failed))

        make, handler = (
            (grpc.unary_stream_rpc_method_handler, answers)
            if rpc.is_stream
            else (grpc.unary_unary_rpc_method_handler, answer)
        )
        return make(
            handler,
            request_deserializer=rpc.request_class.FromString,
            response_serializer=_serialize,
        )


@contextmanager
def _status_of(rpc: Rpc) -> Generator[status_pb2.Status]:
    """Give the status that a call fails with, filled in when the block has raised."""
    failed = status_pb2.Status()
    try:
        yield failed
    except Fault as fault:
        failed.CopyFrom(to_status(fault))
    except Exception:
        log.exception("dispatch failed", rpc=rpc.path)
        failed.CopyFrom(status_pb2.Status(code=code_pb2.INTERNAL, message="INTERNAL"))


def _metadata(context: Any) -> dict[str, str]:
    entries = context.invocation_metadata() or ()
    return {key: value for key, value in entries if isinstance(value, str)}


def _health_servicer() -> Any:
    # The asynchronous servicer is an attribute that the stubs do not know.
    module: Any = health
    return module.aio.HealthServicer()


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _by_service(rpcs: Sequence[Rpc]) -> dict[str, list[Rpc]]:
    grouped: dict[str, list[Rpc]] = {}
    for rpc in rpcs:
        grouped.setdefault(rpc.descriptor.containing_service.full_name, []).append(rpc)
    return grouped
