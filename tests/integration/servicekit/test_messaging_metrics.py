"""What relay and projector tell of themselves: who works, how much waits, how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY

from tests.support.messaging import (
    SEEN,
    STREAM,
    all_published,
    change,
    count,
    eventually,
    make_projector,
    make_relay,
    running,
)

if TYPE_CHECKING:
    from tests.integration.servicekit.conftest import Bench


def sample(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None, name
    return value


def delays() -> float:
    return sample("projection_delay_seconds_count", projection="seen", stream=STREAM.name)


async def test_who_leads_says_so_and_who_has_ended_says_nothing_more(bench: Bench) -> None:
    relay = make_relay(bench.broker, bench.url)

    async def leads() -> bool:
        return sample("outbox_leads", stream=STREAM.name) == 1

    async with running(relay):
        await eventually(leads)
    assert sample("outbox_leads", stream=STREAM.name) == 0


async def test_what_waits_is_told_while_the_broker_is_away(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        await change(bench.engine, "t1")
        await all_published(bench.engine)
        await bench.nats_process.kill()

        async def is_cut() -> bool:
            return sample("broker_connected", connection="test") == 0

        await eventually(is_cut)
        await change(bench.engine, "t2")

        async def is_told() -> bool:
            return sample("outbox_unpublished", stream=STREAM.name) == 1

        await eventually(is_told)
        await bench.nats_process.start()
        await all_published(bench.engine)

        async def is_told_again() -> bool:
            return sample("outbox_unpublished", stream=STREAM.name) == 0

        await eventually(is_told_again)
        assert sample("broker_connected", connection="test") == 1


async def test_events_are_measured_on_their_way_and_history_is_not(bench: Bench) -> None:
    async with running(make_relay(bench.broker, bench.url)):
        for number in range(5):
            await change(bench.engine, f"old{number}")
        await all_published(bench.engine)
        projector = make_projector(bench.broker, bench.engine, bench.url)
        async with running(projector):

            async def has_read(events: int) -> bool:
                return await count(bench.engine, SEEN) == events

            async def has_read_history() -> bool:
                return await has_read(5)

            await eventually(has_read_history)
            assert sample("projection_leads", projection="seen") == 1
            following = {"projection": "seen", "stream": STREAM.name}
            assert sample("projection_following", **following) == 1
            before = delays()
            await change(bench.engine, "new")

            async def is_measured() -> bool:
                return delays() == before + 1

            await eventually(is_measured)
        assert sample("projection_leads", projection="seen") == 0


async def test_what_is_not_read_counts_as_lag(bench: Bench) -> None:
    projector = make_projector(bench.broker, bench.engine, bench.url)
    async with running(make_relay(bench.broker, bench.url)):
        async with running(projector):
            await change(bench.engine, "t1")

            async def has_read() -> bool:
                return await count(bench.engine, SEEN) == 1

            await eventually(has_read)
        await change(bench.engine, "t2")
        await all_published(bench.engine)
    # A stream that is not the one that was read, whose owner answers for nothing: it is
    # not read, and that is said.
    async with bench.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE projection_position SET event_id = gen_random_uuid()"
        )
    async with running(projector):

        async def is_stuck() -> bool:
            labels = {"projection": "seen", "stream": STREAM.name}
            lag = sample("projection_lag", **labels)
            leads = sample("projection_leads", projection="seen") == 1
            return leads and sample("projection_following", **labels) == 0 and lag == 1

        await eventually(is_stuck)
