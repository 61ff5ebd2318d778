"""One caller and several processes of a service: who goes is left, who is killed is made up for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import grpc

from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.identity import TokenVerifier
from servicekit.ids import new_id
from servicekit.rpc_client import CallContext, RpcClient, is_repeatable
from servicekit.rpc_server import Call, Dispatcher, RpcServer, snake_case
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from google.protobuf.message import Message

SERVICE = pb.DESCRIPTOR.services_by_name["Centers"]
GET = contract().rpcs[f"/{SERVICE.full_name}/GetCenter"]


class Process:
    """One process of the service, in this one: it counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.holds = False
        verifier = TokenVerifier(issuer="test", audience="peyvand", jwks="/nowhere/keys.json")
        dispatcher = Dispatcher(verifier)
        names = (snake_case(rpc.descriptor.name) for rpc in contract().service_rpcs(SERVICE))
        dispatcher.add(SERVICE, dict.fromkeys(names, self._answer))
        self.server = RpcServer(dispatcher, "127.0.0.1:0")

    async def _answer(self, request: Any, call: Call) -> Message:
        del call
        self.asked += 1
        if self.holds:
            await asyncio.Event().wait()
        return pb.Center(id=request.center_id)


@contextlib.asynccontextmanager
async def two() -> AsyncGenerator[tuple[Process, Process, RpcClient]]:
    """Two processes that serve, and who calls both."""
    one, other = Process(), Process()
    for process in (one, other):
        await process.server.start()
        await process.server.set_serving(True)
    client = RpcClient(f"ipv4:127.0.0.1:{one.server.port},127.0.0.1:{other.server.port}")

    async def both_are_asked() -> bool:
        await ask(client)
        return bool(one.asked and other.asked)

    try:
        await eventually(both_are_asked)
        yield one, other, client
    finally:
        await client.close()
        await asyncio.gather(one.server.stop(0), other.server.stop(0))


async def ask(client: RpcClient) -> None:
    id = new_id("ctr")
    answer: Any = await client.call(
        GET, pb.GetCenterRequest(center_id=id), CallContext(None, timeout=60)
    )
    assert answer.id == id


async def is_left(process: Process, client: RpcClient) -> bool:
    before = process.asked
    for _ in range(4):
        await ask(client)
    return process.asked == before


async def test_one_that_goes_is_left_while_it_still_answers() -> None:
    async with two() as (one, _, client):
        await one.server.leave()
        await eventually(lambda: is_left(one, client))
        # It is not gone: a call over a connection that knows nothing of health is answered.
        async with grpc.aio.insecure_channel(f"127.0.0.1:{one.server.port}") as channel:
            get = channel.unary_unary(GET.path, response_deserializer=pb.Center.FromString)
            id = new_id("ctr")
            answer = await get(pb.GetCenterRequest(center_id=id).SerializeToString())
        assert answer.id == id


async def test_one_whose_database_is_away_is_left_until_it_is_back() -> None:
    async with two() as (one, other, client):
        await one.server.set_serving(False)
        await eventually(lambda: is_left(one, client))
        await other.server.set_serving(False)

        async def nobody_is_asked() -> bool:
            before = time.monotonic()
            try:
                await ask(client)
            except Fault as fault:
                # At once, and not when the time of the call is over.
                early = time.monotonic() - before < CallContext().timeout / 2
                return early and fault.reason == "UNAVAILABLE"
            return False

        await eventually(nobody_is_asked)
        await one.server.set_serving(True)
        asked = one.asked

        async def answers() -> bool:
            await ask(client)
            return one.asked > asked

        await eventually(answers)


async def test_a_read_that_a_killed_process_had_taken_is_asked_of_another() -> None:
    async with two() as (one, other, client):
        one.holds = True
        calls = [asyncio.create_task(ask(client)) for _ in range(4)]
        before = one.asked

        async def is_held() -> bool:
            return one.asked >= before + 2

        await eventually(is_held)
        asked = other.asked
        await one.server.stop(0)
        await asyncio.wait_for(asyncio.gather(*calls), 60)
        assert other.asked > asked


def test_only_what_cannot_act_twice_is_repeated() -> None:
    repeated = {rpc.path for rpc in contract().rpcs.values() if is_repeatable(rpc)}
    for rpc in contract().rpcs.values():
        method = rpc.http.method if rpc.http else ""
        has_key = "idempotency_key" in rpc.descriptor.input_type.fields_by_name
        assert (rpc.path in repeated) is (method == "GET" or has_key)
        if method in ("PATCH", "DELETE"):
            assert rpc.path not in repeated
    assert GET.path in repeated
    assert f"/{SERVICE.full_name}/UpdateCenter" not in repeated
