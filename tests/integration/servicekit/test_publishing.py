"""What the server guarantees about a window of messages, when one is lost or sent twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from servicekit.publishing import Outgoing, WindowPublisher
from tests.support.messaging import STREAM, eventually, read_stream

if TYPE_CHECKING:
    from servicekit.broker import Broker
    from tests.integration.servicekit.conftest import Bench


def window(*names: str) -> list[Outgoing]:
    return [Outgoing(name, f"evt.things.thing.changed.{name}", {}, name.encode()) for name in names]


async def ids(broker: Broker) -> list[str]:
    return [message.headers["Nats-Msg-Id"] for message in await read_stream(broker)]


async def test_nothing_overtakes_a_message_that_was_lost_on_the_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = bench.broker.client.publish

    async def lossy(subject: str, *arguments: Any, **options: Any) -> None:
        if subject.endswith(".lost"):
            return  # as when the connection breaks and is back before the next one is sent
        await publish(subject, *arguments, **options)

    async with WindowPublisher(bench.broker, STREAM.name, ack_timeout=60) as publisher:

        async def only_one_has_no_answer() -> bool:
            answers = publisher._pending.values()
            return [answer.done() for answer in answers] == [True, False, True, True]

        with monkeypatch.context() as patch:
            patch.setattr(bench.broker.client, "publish", lossy)
            publishing = asyncio.create_task(publisher.publish(window("a", "lost", "c", "d"), 0))
            await eventually(only_one_has_no_answer)
            publisher._fail_pending()  # as once the time for an answer is over
            result = await publishing
        assert result.stored == 1
        assert result.refusal is not None
        assert not result.refusal.of_message
        assert await ids(bench.broker) == ["a"]
        result = await publisher.publish(window("lost", "c", "d"), 1)
        assert (result.stored, result.refusal) == (3, None)
    assert await ids(bench.broker) == ["a", "lost", "c", "d"]


async def test_a_publisher_that_does_not_know_its_successor_is_refused(bench: Bench) -> None:
    # Long after the server has forgotten the ids of the messages.
    await bench.broker.declare(replace(STREAM, duplicate_window=timedelta(milliseconds=100)))
    async with (
        WindowPublisher(bench.broker, STREAM.name) as successor,
        WindowPublisher(bench.broker, STREAM.name) as predecessor,
    ):
        assert (await successor.publish(window("a", "b", "c"), 0)).stored == 3
        result = await predecessor.publish(window("a", "b"), 0)
    assert result.stored == 0
    assert result.refusal is not None
    assert "wrong last sequence" in result.refusal.reason
    assert await ids(bench.broker) == ["a", "b", "c"]


async def test_a_message_too_large_for_the_server_is_told_apart(bench: Bench) -> None:
    small, large, last = window("a", "b", "c")
    large = replace(large, payload=b"x" * 1_100_000)
    async with WindowPublisher(bench.broker, STREAM.name) as publisher:
        result = await publisher.publish([small, large, last], 0)
    assert result.stored == 1
    assert result.refusal is not None
    assert result.refusal.of_message
    assert await ids(bench.broker) == ["a"]


async def test_no_server_is_told_at_once(bench: Bench) -> None:
    async with WindowPublisher(bench.broker, STREAM.name, ack_timeout=30) as publisher:
        await bench.nats_process.kill()
        result = await publisher.publish(window("a"), 0)
        await bench.nats_process.start()
    assert result.stored == 0
    assert result.refusal is not None
    assert not result.refusal.of_message
