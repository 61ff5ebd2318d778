"""The effect consumer against a real PostgreSQL and a real NATS that are cut and killed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from servicekit.delivery import Delivery, PoisonError
from servicekit.effects import EffectConsumer, dead_letter_count
from tests.support import messaging
from tests.support.messaging import (
    SEEN,
    STREAM,
    TABLES,
    Child,
    change,
    change_many,
    make_effects,
    make_relay,
    running,
    see,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tests.integration.servicekit.conftest import Bench


async def published(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)


async def all_handled(bench: Bench, events: int) -> None:
    async def handled() -> bool:
        return await messaging.count(bench.engine, TABLES.inbox) >= events

    await messaging.eventually(handled, within=60)


async def seen_ids(bench: Bench) -> list[str]:
    return [str(row.event_id) for row in await messaging.seen(bench.engine)]


async def test_each_effect_once_though_processes_are_killed(bench: Bench) -> None:
    await change_many(bench.engine, things=20, times=75)
    await published(bench)
    ids = await messaging.outbox_ids(bench.engine)
    async with Child("effects", bench.url, bench.nats) as first:
        await asyncio.sleep(1.1)
        for _ in range(2):
            await first.kill()
            await first.start()
            await asyncio.sleep(0.9)
        async with Child("effects", bench.url, bench.nats):
            await all_handled(bench, len(ids))
    assert sorted(await seen_ids(bench)) == sorted(ids)


async def test_each_effect_once_though_the_broker_is_killed(bench: Bench) -> None:
    async with running(
        make_relay(bench.broker, bench.url), make_effects(bench.broker, bench.engine)
    ):
        load = asyncio.create_task(change_many(bench.engine, things=10, times=60))
        for _ in range(2):
            await asyncio.sleep(0.5)
            await bench.nats_process.kill()
            await bench.nats_process.start()
        await load
        await messaging.all_published(bench.engine)
        ids = await messaging.outbox_ids(bench.engine)
        await all_handled(bench, len(ids))
    assert sorted(await seen_ids(bench)) == sorted(ids)


async def test_it_is_there_as_soon_as_the_owner_has_made_the_stream(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Services start side by side; whoever was early must not be late by the pauses that it
    # makes after failures.
    for pause in ("_FIRST_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(f"servicekit.effects.{pause}", 3600.0)
    await bench.broker.jetstream.delete_stream(STREAM.name)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(consumer):
        await messaging.eventually(lambda: _is(consumer, "recovering"))
        await change(bench.engine, "first")
        async with running(make_relay(bench.broker, bench.url)):
            await all_handled(bench, 1)
            await messaging.eventually(lambda: _is(consumer, "consuming"))


async def _is(consumer: EffectConsumer, role: str) -> bool:
    return consumer.state.role == role


async def test_deleted_stream_that_is_refilled_repeats_no_effect(bench: Bench) -> None:
    await change_many(bench.engine, things=3, times=10)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(make_relay(bench.broker, bench.url), consumer):
        await all_handled(bench, 30)
        await bench.nats_process.kill()
        shutil.rmtree(bench.nats.store)
        await bench.nats_process.start()
        await change(bench.engine, "after")
        await all_handled(bench, 31)
    assert len(await seen_ids(bench)) == 31
    assert consumer.state.dead_lettered == 0


async def test_a_stream_made_anew_after_a_restore_brings_what_is_new_once(bench: Bench) -> None:
    await change_many(bench.engine, things=1, times=10)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(consumer):
        async with running(make_relay(bench.broker, bench.url)):
            await all_handled(bench, 10)
        async with bench.engine.begin() as connection:
            # The owner's database is restored to an earlier time; the broker's store is not.
            outbox = messaging.TABLES.outbox
            await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq > 6))
        await change(bench.engine, "after")
        async with running(make_relay(bench.broker, bench.url)):
            await all_handled(bench, 11)
    seen = await seen_ids(bench)
    assert (await messaging.outbox_ids(bench.engine))[-1] == seen[-1]
    assert len(set(seen)) == 11
    assert consumer.state.dead_lettered == 0


async def test_poison_goes_to_the_dead_letters_and_the_rest_goes_on(bench: Bench) -> None:
    for number in range(60):
        payload = b"poison" if number in (7, 41) else b""
        await change(bench.engine, f"t{number}", payload=payload)
    await published(bench)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(consumer):
        await all_handled(bench, 60)
    assert await messaging.count(bench.engine, SEEN) == 58
    assert consumer.state.dead_lettered == 2
    letters = await messaging.read_stream(bench.broker, "DLQ")
    assert {m.headers["ce-partitionkey"] for m in letters} == {"t7", "t41"}
    for letter in letters:
        assert letter.subject == "dlq.things-effects"
        assert letter.payload == b"poison"
        assert letter.headers["dead-letter-reason"].startswith("ValueError: cannot digest t")
        assert letter.headers["dead-letter-attempts"] == "3"
        assert letter.headers["dead-letter-stream"] == STREAM.name
        assert letter.headers["dead-letter-subject"].startswith("evt.things.thing.changed.t")

    # A consumer that reads the stream from its beginning again leaves them where they are.
    await bench.broker.jetstream.delete_consumer(STREAM.name, "things-effects")
    again = make_effects(bench.broker, bench.engine)
    async with running(again):
        await change(bench.engine, "after")
        await published(bench)
        await all_handled(bench, 61)
    assert again.state.dead_lettered == 0
    assert len(await messaging.read_stream(bench.broker, "DLQ")) == 2
    async with bench.engine.connect() as connection:
        assert await dead_letter_count(connection, "things-effects") == 2


async def test_message_that_is_no_event_goes_to_the_dead_letters(bench: Bench) -> None:
    await bench.broker.jetstream.publish("evt.things.foreign.made.x", b"?")
    await change(bench.engine, "t1")
    await published(bench)
    async with running(make_effects(bench.broker, bench.engine)):
        await all_handled(bench, 1)
    (letter,) = await messaging.read_stream(bench.broker, "DLQ")
    assert letter.headers["dead-letter-subject"] == "evt.things.foreign.made.x"


async def test_failing_infrastructure_is_waited_out(bench: Bench) -> None:
    attempts = 0

    async def handle(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        nonlocal attempts
        attempts += 1
        await see(connection, deliveries)
        if attempts <= 5:  # more often than a bad event is given
            raise ConnectionResetError("the database went away")

    consumer = EffectConsumer(
        name="patient",
        stream=STREAM.name,
        subjects=["evt.things.thing.changed.*"],
        broker=bench.broker,
        engine=bench.engine,
        handle=handle,
    )
    await change(bench.engine, "t1")
    await published(bench)
    async with running(consumer):
        await all_handled(bench, 1)
        await messaging.eventually(is_healthy(consumer))
    assert attempts == 6
    assert consumer.state.dead_lettered == 0
    assert await messaging.count(bench.engine, SEEN) == 1


async def test_a_handler_that_recovers_loses_nothing(bench: Bench) -> None:
    failures = iter([ValueError("not yet"), ValueError("not yet")])

    async def handle(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        with contextlib.suppress(StopIteration):
            raise next(failures)
        await see(connection, deliveries)

    consumer = EffectConsumer(
        name="recovering",
        stream=STREAM.name,
        broker=bench.broker,
        engine=bench.engine,
        handle=handle,
    )
    await change(bench.engine, "t1")
    await published(bench)
    async with running(consumer):
        await all_handled(bench, 1)
    assert await messaging.count(bench.engine, SEEN) == 1
    assert consumer.state.dead_lettered == 0


async def test_an_event_declared_poison_is_tried_once(bench: Bench) -> None:
    attempts = 0

    async def handle(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        nonlocal attempts
        attempts += 1
        raise PoisonError("unknown\r\nversion")

    consumer = EffectConsumer(
        name="strict",
        stream=STREAM.name,
        broker=bench.broker,
        engine=bench.engine,
        handle=handle,
    )
    await change(bench.engine, "t1")
    await published(bench)
    async with running(consumer):
        await all_handled(bench, 1)
    assert attempts == 1
    (letter,) = await messaging.read_stream(bench.broker, "DLQ")
    assert letter.headers["dead-letter-reason"] == "unknown version"


async def grown_old(bench: Bench, *, until: int) -> None:
    """Have the stream forget its first events, as it does after 14 days."""
    await bench.broker.jetstream.purge_stream(STREAM.name, seq=until + 1)
    info = await bench.broker.stream_info(STREAM.name)
    assert info is not None
    assert info.state.first_seq == until + 1


async def test_one_that_begins_anew_reads_also_what_the_stream_has_forgotten(
    bench: Bench,
) -> None:
    await change_many(bench.engine, things=3, times=10)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)
        await grown_old(bench, until=25)
        async with running(consumer):
            await all_handled(bench, 30)
            # What comes now is handled as ever.
            await change(bench.engine, "t1")
            await all_handled(bench, 31)
    assert sorted(await seen_ids(bench)) == sorted(await messaging.outbox_ids(bench.engine))
    assert consumer.state.dead_lettered == 0


async def test_one_that_begins_anew_reads_a_stream_that_has_forgotten_all(bench: Bench) -> None:
    await change_many(bench.engine, things=2, times=5)
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)
        await grown_old(bench, until=10)
        async with running(make_effects(bench.broker, bench.engine)):
            await all_handled(bench, 10)
    assert len(await seen_ids(bench)) == 10


async def test_one_that_has_handled_something_asks_nobody_to_refill(bench: Bench) -> None:
    await change_many(bench.engine, things=2, times=5)
    async with running(make_relay(bench.broker, bench.url)):
        async with running(make_effects(bench.broker, bench.engine)):
            await all_handled(bench, 10)
        await grown_old(bench, until=9)
        before = await bench.broker.stream_info(STREAM.name)
        async with running(make_effects(bench.broker, bench.engine)):
            await change(bench.engine, "t1")
            await all_handled(bench, 11)
        after = await bench.broker.stream_info(STREAM.name)
    assert before is not None
    assert after is not None
    assert after.created == before.created
    assert len(await seen_ids(bench)) == 11


async def test_one_that_begins_anew_waits_for_the_owner_of_the_history(bench: Bench) -> None:
    await change_many(bench.engine, things=2, times=5)
    await published(bench)
    await grown_old(bench, until=5)
    consumer = make_effects(bench.broker, bench.engine)
    async with running(consumer):

        async def waits() -> bool:
            return consumer.state.role == "recovering"

        await messaging.eventually(waits)
        # What is left of the stream is not taken for all that there was.
        assert await seen_ids(bench) == []
        async with running(make_relay(bench.broker, bench.url)):
            await all_handled(bench, 10)
            await messaging.eventually(is_healthy(consumer))
    assert len(await seen_ids(bench)) == 10


def is_healthy(consumer: EffectConsumer) -> Callable[[], Awaitable[bool]]:
    async def healthy() -> bool:
        return consumer.state.healthy

    return healthy


async def test_a_history_that_was_cut_is_read_from_where_it_begins(bench: Bench) -> None:
    await change_many(bench.engine, things=1, times=10)
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)
        async with bench.engine.begin() as connection:
            outbox = TABLES.outbox
            await connection.execute(outbox.delete().where(outbox.c.stream_seq <= 4))
        await grown_old(bench, until=7)
        consumer = make_effects(bench.broker, bench.engine)
        async with running(consumer):
            await all_handled(bench, 6)
            await messaging.eventually(is_healthy(consumer))
        info = await bench.broker.stream_info(STREAM.name)
    assert info is not None
    assert info.state.first_seq == 5
    assert len(await seen_ids(bench)) == 6
