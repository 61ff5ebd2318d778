"""The relay against a real PostgreSQL and a real NATS that are cut and killed."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from servicekit.outbox import Event, record
from servicekit.relay import request_refill
from tests.support import messaging
from tests.support.messaging import STREAM, TABLES, Child, change, change_many, make_relay, running

if TYPE_CHECKING:
    from tests.integration.servicekit.conftest import Bench


async def assert_stream_is_the_outbox(bench: Bench) -> None:
    """Every event is in the stream once, where the outbox says, in order per aggregate."""
    stored = await messaging.read_stream(bench.broker)
    assert [m.headers["Nats-Msg-Id"] for m in stored] == await messaging.outbox_ids(bench.engine)
    assert [m.sequence for m in stored] == list(range(1, len(stored) + 1))
    messaging.assert_in_order(
        [(m.headers["ce-partitionkey"], int(m.headers["ce-sequence"])) for m in stored]
    )


async def test_an_event_that_becomes_visible_late_is_published_too(bench: Bench) -> None:
    both_recorded = asyncio.Event()
    relay = make_relay(bench.broker, bench.url, safety_poll=0.05)
    async with running(relay):
        early = asyncio.create_task(change(bench.engine, "early", before_commit=both_recorded.wait))
        await asyncio.sleep(0.2)
        late = await change(bench.engine, "late")
        await messaging.all_published(bench.engine)  # as far as anyone can see now

        async def one_is_published() -> bool:
            return relay.state.last_sequence == 1

        await messaging.eventually(one_is_published)
        both_recorded.set()
        overtaken = await early
        await messaging.all_published(bench.engine)
    stored = await messaging.read_stream(bench.broker)
    # The outbox numbers say early, late: the commits, and so the stream, say late, early.
    assert [m.headers["ce-id"] for m in stored] == [late.id, overtaken.id]


async def test_concurrent_writers_lose_nothing_and_keep_the_order(bench: Bench) -> None:
    relay = make_relay(bench.broker, bench.url, window=20)
    async with running(relay):
        await change_many(bench.engine, things=10, times=30)
        await messaging.all_published(bench.engine)
    assert await messaging.count(bench.engine, TABLES.outbox) == 300
    await assert_stream_is_the_outbox(bench)


async def test_message_is_a_binary_cloudevent_with_the_trace(bench: Bench) -> None:
    event = Event(
        type="peyvand.things.v1.thing.renamed",
        subject="evt.things.thing.renamed.t1",
        aggregate_id="t1",
        aggregate_version=1,
        payload=b"\x08\x01",
        headers={
            "ce-reason": "نام تازه 100%",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    )
    async with bench.engine.begin() as connection:
        await record(connection, [event])
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)
    (message,) = await messaging.read_stream(bench.broker)
    assert message.subject == "evt.things.thing.renamed.t1"
    assert message.payload == b"\x08\x01"
    headers = message.headers
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-id"] == headers["Nats-Msg-Id"] == event.id
    assert headers["ce-type"] == event.type
    assert headers["ce-source"] == "/services/things"
    assert headers["ce-subject"] == "t1"
    assert headers["ce-time"].endswith("Z")
    assert headers["content-type"] == "application/protobuf"
    assert headers["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c")
    assert headers["ce-reason"].isascii()
    assert headers["ce-reason"].endswith("%20100%25")


async def test_relay_process_killed_under_load(bench: Bench) -> None:
    async with Child("relay", bench.url, bench.nats) as child:
        load = asyncio.create_task(change_many(bench.engine, things=12, times=120))
        for _ in range(3):
            await asyncio.sleep(1.2)  # long enough to lead and to be amid a window
            await child.kill()
            await child.start()
        await load
        await messaging.all_published(bench.engine)
    assert await messaging.count(bench.engine, TABLES.outbox) == 1440
    await assert_stream_is_the_outbox(bench)


async def test_broker_killed_under_load(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        load = asyncio.create_task(change_many(bench.engine, things=12, times=100))
        for _ in range(3):
            await asyncio.sleep(0.4)
            await bench.nats_process.kill()
            await bench.nats_process.start()
        await load
        await messaging.all_published(bench.engine)
    await assert_stream_is_the_outbox(bench)


async def test_database_connection_cut_under_load(bench: Bench) -> None:
    relay = make_relay(bench.broker, bench.url)

    async def leads() -> bool:
        return relay.state.role == "leading"

    async with running(relay):
        await messaging.eventually(leads)
        load = asyncio.create_task(change_many(bench.engine, things=8, times=60))
        cut = 0
        while not load.done():
            await asyncio.sleep(0.25)
            cut += await messaging.cut_connections(bench.engine, "relay")
        await load
        assert cut >= 1
        await messaging.all_published(bench.engine)
    await assert_stream_is_the_outbox(bench)


async def test_one_of_two_relays_leads_and_the_other_takes_over(bench: Bench) -> None:
    first, second = (make_relay(bench.broker, bench.url) for _ in range(2))
    async with running(first):
        await change(bench.engine, "t1")
        await messaging.all_published(bench.engine)
        async with running(second):
            await change_many(bench.engine, things=3, times=5)
            await messaging.all_published(bench.engine)

            async def one_leads() -> bool:
                return (first.state.role, second.state.role) == ("leading", "standby")

            await messaging.eventually(one_leads)
            await first.stop()
            await change_many(bench.engine, things=3, times=5)
            await messaging.all_published(bench.engine)
            assert second.state.role == "leading"
    await assert_stream_is_the_outbox(bench)


async def test_nudge_of_a_follower_wakes_the_leader(bench: Bench) -> None:
    leader, follower = (
        make_relay(bench.broker, bench.url, safety_poll=600.0, check_interval=600.0)
        for _ in range(2)
    )
    async with running(leader):
        await change(bench.engine, "t1")
        leader.nudge()
        await messaging.all_published(bench.engine)
        async with running(follower):

            async def waiting() -> bool:
                return follower.state.role == "standby"

            await messaging.eventually(waiting)
            for _ in range(5):
                await asyncio.sleep(0.05)
                await change(bench.engine, "t1")
                follower.nudge()
                # In a fraction of the time after which it would look by itself.
                await messaging.all_published(bench.engine, within=60)
            assert leader.state.role == "leading"


async def test_deleted_store_is_refilled_with_the_same_sequences_and_bytes(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=8, times=40)
        await messaging.all_published(bench.engine)
        before = await messaging.read_stream(bench.broker)
        await bench.nats_process.kill()
        shutil.rmtree(bench.nats.store)
        await change(bench.engine, "meanwhile")
        await bench.nats_process.start()
        await messaging.all_published(bench.engine)
    after = await messaging.read_stream(bench.broker)
    assert len(before) == 320
    assert after[:320] == before
    await assert_stream_is_the_outbox(bench)


async def test_lost_end_of_the_stream_is_refilled(bench: Bench) -> None:
    backup = bench.nats.store.with_name("backup")
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=4, times=20)
        await messaging.all_published(bench.engine)
        await bench.nats_process.stop()
        shutil.copytree(bench.nats.store, backup)
        await bench.nats_process.start()
        await change_many(bench.engine, things=4, times=20)
        await messaging.all_published(bench.engine)
        before = await messaging.read_stream(bench.broker)
        # What a power cut leaves of messages that were acknowledged but not yet synced.
        await bench.nats_process.kill()
        shutil.rmtree(bench.nats.store)
        backup.rename(bench.nats.store)
        await bench.nats_process.start()

        async def refilled() -> bool:
            return (await bench.broker.last_sequences([STREAM.name]))[STREAM.name] == 160

        await messaging.eventually(refilled)
    assert await messaging.read_stream(bench.broker) == before
    await assert_stream_is_the_outbox(bench)


async def test_published_but_not_marked_is_not_published_twice(bench: Bench) -> None:
    # The server's own de-duplication is switched off in effect: it must not be needed.
    spec = replace(STREAM, duplicate_window=timedelta(milliseconds=100))
    await bench.broker.declare(spec)
    async with running(make_relay(bench.broker, bench.url, spec=spec)):
        await change_many(bench.engine, things=3, times=20)
        await messaging.all_published(bench.engine)
    outbox = TABLES.outbox
    async with bench.engine.begin() as connection:
        await connection.execute(
            sa.update(outbox)
            .where(outbox.c.stream_seq > 40)
            .values(published_at=None, stream_seq=None)
        )
    await change(bench.engine, "new")
    await asyncio.sleep(0.3)
    async with running(make_relay(bench.broker, bench.url, spec=spec)):
        await messaging.all_published(bench.engine)
    assert len(await messaging.read_stream(bench.broker)) == 61
    await assert_stream_is_the_outbox(bench)


async def test_a_database_that_was_restored_beside_its_broker_makes_the_stream_anew(
    bench: Bench,
) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=1, times=60)
        await messaging.all_published(bench.engine)
    before = await messaging.read_stream(bench.broker)
    outbox = TABLES.outbox
    async with bench.engine.begin() as connection:
        # As it was when 45 were recorded and 40 of them marked: the broker knows more.
        await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq > 45))
        await connection.execute(
            sa.update(outbox)
            .where(outbox.c.stream_seq > 40)
            .values(published_at=None, stream_seq=None)
        )
    await change(bench.engine, "other")
    async with running(make_relay(bench.broker, bench.url)):
        await messaging.all_published(bench.engine)
    after = await messaging.read_stream(bench.broker)
    assert len(after) == 46
    assert after[:45] == before[:45]
    await assert_stream_is_the_outbox(bench)


async def test_refill_keeps_the_sequence_that_a_foreign_message_had(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change(bench.engine, "t1")
        await messaging.all_published(bench.engine)
        await bench.broker.jetstream.publish("evt.things.foreign.made.x", b"")
        await change_many(bench.engine, things=1, times=3)
        await messaging.all_published(bench.engine)
        await request_refill(bench.broker, STREAM.name)
    assert [m.sequence for m in await messaging.read_stream(bench.broker)] == [1, 3, 4, 5]


async def test_events_that_aged_out_come_back_on_request(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=4, times=10)
        await messaging.all_published(bench.engine)
        before = await messaging.read_stream(bench.broker)
        await bench.broker.jetstream.purge_stream(STREAM.name, seq=31)
        assert (await messaging.read_stream(bench.broker))[0].sequence == 31
        await request_refill(bench.broker, STREAM.name)
        assert await messaging.read_stream(bench.broker) == before


async def test_a_pruned_history_refills_under_the_old_sequences(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=4, times=10)
        await messaging.all_published(bench.engine)
        before = await messaging.read_stream(bench.broker)
        async with bench.engine.begin() as connection:
            outbox = TABLES.outbox
            await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq <= 30))
        await bench.broker.jetstream.delete_stream(STREAM.name)

        async def refilled() -> bool:
            return await messaging.read_stream(bench.broker) == before[30:]

        await messaging.eventually(refilled)


async def test_a_refused_event_holds_up_its_own_aggregate_only(bench: Bench) -> None:
    async with bench.engine.begin() as connection:
        astray = replace(messaging.thing_event("astray", 1), subject="evt.nobody.takes.this.x")
        await record(connection, [astray, messaging.thing_event("astray", 2)])
    relay = make_relay(bench.broker, bench.url)
    async with running(relay):
        await change_many(bench.engine, things=3, times=5)
        outbox = TABLES.outbox

        async def others_published() -> bool:
            waiting = outbox.c.published_at.is_(None)
            return await messaging.count(bench.engine, outbox, waiting) == 2

        await messaging.eventually(others_published)
        assert relay.state.blocked == ("astray",)
        assert not relay.state.healthy


@pytest.mark.parametrize(
    ("change_of", "message"),
    [
        ({"subject": "evt.things.*.x.y"}, "subject"),
        ({"subject": "things.thing.x"}, "subject"),
        ({"payload": b"x" * 900_001}, "payload"),
        ({"headers": {"X-Other": "1"}}, "attribute"),
        ({"aggregate_id": ""}, "aggregate"),
        ({"id": "not-a-uuid"}, "UUID"),
    ],
)
def test_an_event_that_could_never_be_published_is_refused_when_made(
    change_of: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(messaging.thing_event("t", 1), **change_of)
