"""The projector against a real PostgreSQL and a real NATS that are cut and killed."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import sqlalchemy as sa

from servicekit import tracing
from servicekit.projection import REMADE
from servicekit.projector import Projector
from tests.support import messaging
from tests.support.messaging import (
    SEEN,
    STREAM,
    TABLES,
    Child,
    SeenProjection,
    change,
    change_many,
    make_projector,
    make_relay,
    running,
    thing_event,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from servicekit.delivery import Delivery
    from tests.integration.servicekit.conftest import Bench


async def caught_up(bench: Bench, projector: Projector) -> None:
    await messaging.all_published(bench.engine)
    positions = await bench.broker.last_sequences([STREAM.name])
    await projector.caught_up(positions, patience=60)


async def assert_seen_is_the_stream(bench: Bench) -> None:
    """Everything in the stream was applied once, in the order of the stream."""
    rows = await messaging.seen(bench.engine)
    stored = await messaging.read_stream(bench.broker)
    assert [row.stream_seq for row in rows] == [m.sequence for m in stored]
    assert [str(row.event_id) for row in rows] == [m.headers["ce-id"] for m in stored]


async def healthy(projector: Projector) -> bool:
    return projector.state.healthy


async def counted(bench: Bench, events: int) -> bool:
    return await messaging.count(bench.engine, SEEN) == events


async def somebody_waits(bench: Bench) -> bool:
    """Tell whether a lock of the database holds up a connection."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with bench.engine.connect() as connection:
        query = sa.text(f"{waiting} AND wait_event_type = 'Lock'")
        return (await connection.execute(query)).scalar_one() > 0


async def told(names: list[str], number: int) -> bool:
    return len(names) >= number


def remade() -> float:
    """How often the projection was made anew by itself, in this process."""
    return REMADE.labels("seen", STREAM.name)._value.get()


async def test_strict_order_though_everything_is_killed(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)  # only to wait with
    async with (
        Child("relay", bench.url, bench.nats) as relay,
        Child("projector", bench.url, bench.nats) as first,
        Child("projector", bench.url, bench.nats) as second,
    ):
        load = asyncio.create_task(change_many(bench.engine, things=12, times=150))
        for victim in (first, second, relay, first):
            await asyncio.sleep(1.0)
            await victim.kill()
            await victim.start()
        await bench.nats_process.kill()
        await bench.nats_process.start()
        await messaging.cut_connections(bench.engine, "projector")
        await load
        await caught_up(bench, projector)
    assert await messaging.count(bench.engine, SEEN) == 1800
    await assert_seen_is_the_stream(bench)
    rows = await messaging.seen(bench.engine)
    messaging.assert_in_order([(str(row.aggregate_id), int(str(row.version))) for row in rows])


async def test_a_projector_that_lost_its_leadership_unawares_is_fenced(bench: Bench) -> None:
    class Slow(SeenProjection):
        started = asyncio.Event()
        go_on = asyncio.Event()

        async def apply(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
            self.started.set()
            await self.go_on.wait()
            await super().apply(connection, deliveries)

    model = Slow()
    slow = Projector(
        projection=model, broker=bench.broker, engine=bench.engine, database_url=bench.url
    )
    other = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url)):
        await change(bench.engine, "t1")
        await messaging.all_published(bench.engine)
    # Both believe to lead: what happens between the loss of the lock and its notice.
    async with bench.engine.begin() as connection:
        await slow._positions.ensure(connection, [STREAM.name])
    followers = [asyncio.create_task(slow._follow(STREAM.name))]
    await model.started.wait()
    followers.append(asyncio.create_task(other._follow(STREAM.name)))
    # The other one has done its work when the row of the position holds it up.
    await messaging.eventually(lambda: somebody_waits(bench))
    model.go_on.set()
    done, pending = await asyncio.wait(followers, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert [type(task.exception()).__name__ for task in done] == ["FencedError"]
    for task in pending:
        task.cancel()
    await asyncio.gather(*followers, return_exceptions=True)
    assert await messaging.count(bench.engine, SEEN) == 1


async def test_deleted_store_is_waited_for_and_nothing_applied_twice(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    relay = make_relay(bench.broker, bench.url)
    async with running(projector):
        async with running(relay):
            await change_many(bench.engine, things=4, times=20)
            await caught_up(bench, projector)
        await wipe_store(bench)
        await bench.broker.declare(STREAM)  # empty: nothing is in it to go on from

        async def waiting() -> bool:
            progress = projector.state.stream(STREAM.name)
            return (progress.status, progress.position) == ("waiting", 80) and (
                progress.reason == "the stream is being refilled"
            )

        await messaging.eventually(waiting)
        assert not projector.state.healthy
        async with running(relay):
            await change_many(bench.engine, things=4, times=5)
            await caught_up(bench, projector)
            await messaging.eventually(lambda: healthy(projector))
    await assert_seen_is_the_stream(bench)
    assert await messaging.count(bench.engine, SEEN) == 100


async def wipe_store(bench: Bench) -> None:
    """End the broker without warning, and start it with an empty store."""
    await bench.nats_process.kill()
    shutil.rmtree(bench.nats.store)
    await bench.nats_process.start()

    async def connected() -> bool:
        return bench.broker.connected

    await messaging.eventually(connected, within=60)


async def test_a_stream_with_other_events_stops_the_projection_until_its_owner_answers(
    bench: Bench,
) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(projector):
        async with running(make_relay(bench.broker, bench.url)):
            await change_many(bench.engine, things=2, times=5)
            await caught_up(bench, projector)
        await projector.stop()
        # The database of the owner is that of an earlier time, the store of the broker is
        # lost; then as many other things happen.
        async with bench.engine.begin() as connection:
            await connection.execute(sa.delete(TABLES.outbox))
        await wipe_store(bench)
        async with running(make_relay(bench.broker, bench.url)):
            await change_many(bench.engine, things=2, times=6)
            await messaging.all_published(bench.engine)
        await projector.start()

        async def diverged() -> bool:
            progress = projector.state.stream(STREAM.name)
            return progress.status == "diverged" and "another event at 10" in progress.reason

        await messaging.eventually(diverged, within=60)
        # Nobody stands for the stream: nothing is thrown away for it.
        await asyncio.sleep(1)
        await messaging.eventually(diverged)
        assert not projector.state.healthy
        assert await messaging.count(bench.engine, SEEN) == 10
        before = remade()
        async with running(make_relay(bench.broker, bench.url)):
            await caught_up(bench, projector)
            await messaging.eventually(lambda: counted(bench, 12), within=60)
            await messaging.eventually(lambda: healthy(projector), within=60)
    await assert_seen_is_the_stream(bench)
    assert remade() == before + 1


async def test_a_stream_that_stays_shorter_by_its_owners_word_is_read_anew(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(projector):
        async with running(make_relay(bench.broker, bench.url)):
            await change_many(bench.engine, things=4, times=20)
            await caught_up(bench, projector)
        outbox = TABLES.outbox
        async with bench.engine.begin() as connection:
            await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq > 50))
        await wipe_store(bench)
        async with running(make_relay(bench.broker, bench.url)):
            # Nothing happens any more: without the owner's word it would wait for ever.
            await messaging.eventually(lambda: counted(bench, 50), within=60)
            await caught_up(bench, projector)
            await messaging.eventually(lambda: healthy(projector), within=60)
    await assert_seen_is_the_stream(bench)


async def test_a_whole_refill_is_no_reason_to_read_anew(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    before = remade()
    async with running(make_relay(bench.broker, bench.url), projector):
        await change_many(bench.engine, things=4, times=20)
        await caught_up(bench, projector)
        await wipe_store(bench)
        await change_many(bench.engine, things=4, times=5)
        await caught_up(bench, projector)
        await messaging.eventually(lambda: healthy(projector), within=60)
    await assert_seen_is_the_stream(bench)
    assert remade() == before


async def test_events_that_aged_out_before_they_were_read_are_refilled(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url)):
        async with running(projector):
            await change_many(bench.engine, things=2, times=10)
            await caught_up(bench, projector)
        for kept_from in (31, 51):  # in a process that lives long it happens again
            await change_many(bench.engine, things=2, times=10)
            await messaging.all_published(bench.engine)
            await bench.broker.jetstream.purge_stream(STREAM.name, seq=kept_from)
            async with running(projector):
                await caught_up(bench, projector)
                await messaging.eventually(lambda: healthy(projector), within=60)
    await assert_seen_is_the_stream(bench)
    assert await messaging.count(bench.engine, SEEN) == 60


async def test_a_beginning_that_its_owner_lacks_too_is_waited_for_by_nobody(bench: Bench) -> None:
    outbox = TABLES.outbox
    async with running(make_relay(bench.broker, bench.url)):
        await change_many(bench.engine, things=2, times=10)
        await messaging.all_published(bench.engine)
    async with bench.engine.begin() as connection:
        await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq <= 5))
    await bench.broker.jetstream.purge_stream(STREAM.name, seq=11)
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url), projector):
        await caught_up(bench, projector)
        await messaging.eventually(lambda: healthy(projector), within=60)
    rows = await messaging.seen(bench.engine)
    assert [row.stream_seq for row in rows] == list(range(6, 21))


async def test_rebuild_makes_the_same_rows_also_from_events_that_aged_out(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url), projector):
        await change_many(bench.engine, things=5, times=20)
        await caught_up(bench, projector)
        before = await messaging.seen(bench.engine)
        await bench.broker.jetstream.purge_stream(STREAM.name, seq=61)
        # From another process than the one that leads.
        await make_projector(bench.broker, bench.engine, bench.url).rebuild()
        await caught_up(bench, projector)
        assert await messaging.seen(bench.engine) == before
        assert len(before) == 100


async def test_a_failing_event_holds_back_its_own_aggregate_visibly(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    committed: list[str] = []
    projector._after_commit = lambda deliveries: committed.extend(
        d.aggregate_id for d in deliveries
    )
    failures = TABLES.projection_failure
    async with running(make_relay(bench.broker, bench.url)):
        async with running(projector):
            await change(bench.engine, "good")
            await change(bench.engine, "bad")
            await change(bench.engine, "bad", payload=b"poison")
            await change(bench.engine, "bad")
            await change(bench.engine, "good")
            await caught_up(bench, projector)
            # The position is there before the process knows that it is.
            await messaging.eventually(lambda: told(committed, 3))
            assert projector.state.failed_aggregates == ("bad",)
            assert not projector.state.healthy
        rows = await messaging.seen(bench.engine)
        assert [(row.aggregate_id, row.version) for row in rows] == [
            ("good", 1),
            ("bad", 1),
            ("good", 2),
        ]
        assert committed == ["good", "bad", "good"]
        async with bench.engine.connect() as connection:
            query = sa.select(failures).order_by(failures.c.stream_seq)
            recorded = (await connection.execute(query)).all()
        assert [(row.stream_seq, row.attempts) for row in recorded] == [(3, 3), (4, 0)]
        assert recorded[0].reason == "ValueError: cannot digest bad"

        # A new start with the cause mended: here, what the projection cannot digest.
        async with bench.engine.begin() as connection:
            mended = sa.update(failures).where(failures.c.stream_seq == 3).values(payload=b"fine")
            await connection.execute(mended)
        again = make_projector(bench.broker, bench.engine, bench.url)
        async with running(again):
            await change(bench.engine, "bad")
            await caught_up(bench, again)
            await messaging.eventually(lambda: healthy(again))
    rows = await messaging.seen(bench.engine)
    messaging.assert_in_order([(str(row.aggregate_id), int(str(row.version))) for row in rows])
    assert len(rows) == 6
    assert await messaging.count(bench.engine, failures) == 0


async def test_the_projection_runs_in_the_trace_of_the_event(bench: Bench) -> None:
    tracing.configure("test", ratio=0.0, otlp_endpoint=None)
    traces: dict[str, str] = {}

    class Traced(SeenProjection):
        async def apply(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
            for delivery in deliveries:
                traces[delivery.aggregate_id] = tracing.current_trace_id()
            await super().apply(connection, deliveries)

    projector = Projector(
        projection=Traced(),
        broker=bench.broker,
        engine=bench.engine,
        database_url=bench.url,
        batch=1,
    )
    recorded: dict[str, str] = {}
    for thing in ("t1", "t2"):
        with tracing.span("request"):
            await change(bench.engine, thing)
            recorded[thing] = tracing.current_trace_id()
    async with running(make_relay(bench.broker, bench.url), projector):
        await caught_up(bench, projector)
    assert traces == recorded
    assert len(set(recorded.values())) == 2


async def test_lag_and_position_are_shown(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url), projector):
        await change_many(bench.engine, things=3, times=3)
        await caught_up(bench, projector)

        async def shown() -> bool:
            progress = projector.state.stream(STREAM.name)
            return (progress.position, progress.lag) == (9, 0)

        await messaging.eventually(shown)
        event = thing_event("t0", 1)
        progress = projector.state.stream(STREAM.name)
        assert progress.event_time is not None
        assert progress.event_time <= event.time
