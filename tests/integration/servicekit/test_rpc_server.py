"""The server of calls over real gRPC: what it tells of itself, and how it ends."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.identity import TokenVerifier
from servicekit.ids import new_id
from servicekit.rpc_client import CallContext, RpcClient
from servicekit.rpc_server import Call, Dispatcher, RpcServer, snake_case

SERVICE = pb.DESCRIPTOR.services_by_name["Centers"]
GET = contract().rpcs[f"/{SERVICE.full_name}/GetCenter"]


class Slow:
    """Answers every call only when it may."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, request: Any, call: Call) -> Message:
        del call
        self.entered.set()
        await self.may_answer.wait()
        return pb.Center(id=request.center_id)


@contextlib.asynccontextmanager
async def served(handler: Slow) -> AsyncGenerator[tuple[RpcServer, str]]:
    """A server whose calls are all answered by `handler`, and its address."""
    verifier = TokenVerifier(issuer="test", audience="peyvand", jwks="/nowhere/keys.json")
    dispatcher = Dispatcher(verifier)
    names = (snake_case(rpc.descriptor.name) for rpc in contract().service_rpcs(SERVICE))
    dispatcher.add(SERVICE, dict.fromkeys(names, handler))
    server = RpcServer(dispatcher, "127.0.0.1:0")
    await server.start()
    try:
        yield server, f"127.0.0.1:{server.port}"
    finally:
        await server.stop(0)


async def ask(client: RpcClient) -> str:
    """Read a center without a token; gives its id."""
    id = new_id("ctr")
    answer: Any = await client.call(
        GET, pb.GetCenterRequest(center_id=id), CallContext(None, timeout=60)
    )
    assert answer.id == id
    return id


async def test_reflection_tells_the_services_and_their_contract() -> None:
    async with (
        served(Slow()) as (_, address),
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub_class: Any = reflection_pb2_grpc.ServerReflectionStub
        stub = stub_class(channel)
        questions = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE.full_name),
        ]
        listed, described = [answer async for answer in stub.ServerReflectionInfo(iter(questions))]
    assert {service.name for service in listed.list_services_response.service} == {
        SERVICE.full_name,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(raw)
        for raw in described.file_descriptor_response.file_descriptor_proto
    ]
    (told,) = (item for item in files if item.name == SERVICE.file.name)
    methods = {method.name for service in told.service for method in service.method}
    assert methods == {method.name for method in SERVICE.methods}


async def test_a_call_that_runs_is_answered_while_new_ones_are_refused() -> None:
    slow = Slow()
    async with (
        served(slow) as (server, address),
        grpc.aio.insecure_channel(address) as channel,
    ):
        await server.set_serving(True)
        client = RpcClient(address)
        running = asyncio.create_task(ask(client))
        await slow.entered.wait()
        health: Any = health_pb2_grpc.HealthStub(channel)
        watched = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watched.read()).status == health_pb2.HealthCheckResponse.SERVING

        stopping = asyncio.create_task(server.stop(300))
        # Who watches is told at once, and sends its calls elsewhere.
        assert (await watched.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watched.cancel()
        other = RpcClient(address)
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await ask(other)
        assert not running.done()
        assert not stopping.done()

        slow.may_answer.set()
        await asyncio.wait_for(running, 60)
        await asyncio.wait_for(stopping, 60)
        await client.close()
        await other.close()


async def test_a_call_is_carried_however_often_its_caller_asks_whether_it_is() -> None:
    slow = Slow()
    often = [
        ("grpc.keepalive_time_ms", 100),
        ("grpc.keepalive_timeout_ms", 60_000),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    async with (
        served(slow) as (server, address),
        grpc.aio.insecure_channel(address, options=often) as channel,
    ):
        await server.set_serving(True)
        get: Any = channel.unary_unary(
            GET.path,
            request_serializer=pb.GetCenterRequest.SerializeToString,
            response_deserializer=pb.Center.FromString,
        )
        request = pb.GetCenterRequest(center_id=new_id("ctr"))
        running = asyncio.ensure_future(get(request, timeout=60))
        await slow.entered.wait()
        # A few dozen times, of which the third would have ended every call of the connection.
        await asyncio.sleep(4)
        slow.may_answer.set()
        assert (await running).id == request.center_id


async def test_a_call_that_outlives_the_grace_is_broken_off() -> None:
    slow = Slow()
    async with served(slow) as (server, address):
        client = RpcClient(address)
        running = asyncio.create_task(ask(client))
        await slow.entered.wait()
        await asyncio.wait_for(server.stop(0.2), 60)
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await asyncio.wait_for(running, 60)
        await client.close()
