"""What the hub answers when something is wrong, and that nobody waits for strangers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from nats.errors import NoRespondersError

from centers.line.joining import Joining
from centers.line.responder import Exchange, Request, Responder
from centers.use_cases.joining import Issuing
from domainkit.rules import Refused
from nodekit import subjects
from nodekit.join_token import new_secret
from nodekit.keys import KeyKind, NKey
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from servicekit.database import Database, WriteSession
from servicekit.errors import Fault
from tests.support.hub_line import until
from tests.support.joining import LIFE, joining_bench, told_standing
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from google.protobuf.message import Message

    from tests.support.cluster import Infra
    from tests.support.joining import JoiningBench


@pytest.fixture
async def broker(hub: JoiningBench) -> AsyncGenerator[Broker]:
    broker = await Broker.connect(hub.line.server.access, name="responder test")
    yield broker
    await broker.close()


async def _ask(broker: Broker, subject: str) -> pb.HelloReply:
    answer = await broker.client.request(subject, b"", timeout=60)
    return pb.HelloReply.FromString(answer.data)


async def test_whatever_goes_wrong_is_an_answer_in_both_languages(
    hub: JoiningBench, broker: Broker
) -> None:
    errors: dict[str, Exception] = {
        "UNAVAILABLE": OSError("the database is away"),
        "NODE_NOT_SERVED": Refused("NODE_NOT_SERVED", state="revoked"),
        "KEY_REPLACED": Fault("KEY_REPLACED"),
        "INTERNAL": ZeroDivisionError(),
    }
    raised = iter(errors.values())

    async def fail(request: Request) -> Message:
        raise next(raised)

    responder = Responder(broker, {"test.fail": Exchange(fail, pb.HelloReply)})
    await responder.start()
    for reason in errors:
        refusal = (await _ask(broker, "test.fail")).refusal
        assert refusal.reason == reason
        assert refusal.en
        assert refusal.fa
    await responder.stop()
    await responder.stop()


async def test_a_database_that_is_away_is_told_as_such(hub: JoiningBench, broker: Broker) -> None:
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")

    async def nothing(session: WriteSession) -> Message:
        return pb.HelloReply()

    exchange = Exchange(lambda _: away.write(nothing), pb.HelloReply)
    responder = Responder(broker, {"test.away": exchange})
    await responder.start()
    assert (await _ask(broker, "test.away")).refusal.reason == "UNAVAILABLE"
    await responder.stop()
    await away.close()


async def test_one_kind_of_request_waits_for_its_own_kind_alone(
    hub: JoiningBench, broker: Broker
) -> None:
    held, running, most = asyncio.Event(), 0, 0

    async def hold(request: Request) -> Message:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await held.wait()
        running -= 1
        return pb.HelloReply()

    async def answer(request: Request) -> Message:
        return pb.HelloReply()

    async def two_run() -> bool:
        return running == 2

    responder = Responder(
        broker,
        {
            "test.slow": Exchange(hold, pb.HelloReply, at_once=2),
            "test.quick": Exchange(answer, pb.HelloReply),
        },
    )
    await responder.start()
    slow = [asyncio.create_task(_ask(broker, "test.slow")) for _ in range(50)]
    await eventually(two_run)
    for _ in range(20):
        await _ask(broker, "test.quick")
    assert (running, most) == (2, 2)
    held.set()
    await asyncio.gather(*slow)
    assert most == 2
    await responder.stop()
    with pytest.raises(NoRespondersError):
        await _ask(broker, "test.quick")


async def test_strangers_who_ask_to_join_keep_no_node_waiting(infra: Infra) -> None:
    async with joining_bench(infra, processes=0) as hub:
        issuing = Issuing(hub.line.keys.node_signer(), LIFE)
        exchanges = dict(Joining(hub.database, issuing, told_standing).exchanges())
        joins, may_go_on = exchanges[subjects.JOIN], asyncio.Event()
        may_go_on.set()

        async def wait(session: WriteSession) -> None:
            await may_go_on.wait()

        async def slowly(request: Request) -> Message:
            await hub.database.write(wait)
            return await joins.handler(request)

        exchanges[subjects.JOIN] = replace(joins, handler=slowly)
        broker = await Broker.connect(hub.line.server.access, name="centers")
        responder = Responder(broker, exchanges)
        await responder.start()
        joined, key = await hub.joined()
        party = await hub.connected(joined, key)
        stranger = await hub.line.joiner()
        asked = pb.JoinRequest(public_key=NKey.new(KeyKind.USER).public, protocol_version=1)
        asked.secret = new_secret()
        asked.time.GetCurrentTime()
        data = asked.SerializeToString()
        inbox = stranger.client.new_inbox()
        await stranger.client.subscribe(inbox, cb=stranger.hear)
        may_go_on.clear()
        for _ in range(300):
            await stranger.client.publish(subjects.JOIN, data, reply=inbox)
        await stranger.client.flush()
        for _ in range(10):
            assert (await hub.hello(party)).HasField("standing")
        assert stranger.heard == []
        may_go_on.set()
        await until(lambda: len(stranger.heard) == 300)
        await responder.stop()
        await broker.close()
