"""The copies of centers and agreements, under events that come late, twice or out of order."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from nats.js.api import StreamInfo

from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import agreements_pb2
from projects.consumers import center_copies, partner_copies, regulation_copies
from projects.repository.neighbours import known_parties
from projects.tables import known_agreement, known_center, known_regulation
from servicekit import outbox
from servicekit.broker import Broker, event_stream
from servicekit.delivery import PoisonError
from servicekit.ids import new_id, uuid7
from tests.integration.projects.conftest import (
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    regulation_event,
)
from tests.support.cluster import Infra
from tests.support.messaging import (
    all_published,
    eventually,
    make_database,
    make_relay,
    running,
)
from tests.support.patience import patient_broker

STATES = [
    centers_pb2.CENTER_STATE_OPERATIONAL,
    centers_pb2.CENTER_STATE_SUSPENDED,
    centers_pb2.CENTER_STATE_OPERATIONAL,
]


async def state_of(bench: ProjectsBench, table: sa.Table, id: str) -> tuple[str, int] | None:
    async with bench.database.engine.connect() as connection:
        query = sa.select(table.c.state, table.c.version).where(table.c.id == id)
        row = (await connection.execute(query)).first()
        return None if row is None else (row.state, row.version)


async def test_whatever_the_order_the_newest_version_is_kept(bench: ProjectsBench) -> None:
    for order in itertools.permutations(range(3)):
        id = new_id("ctr")
        events = [heard("center", id, n + 1, center_event(id, STATES[n])) for n in range(3)]
        for n in order:
            await bench.hear(events[n])
        assert await state_of(bench, known_center, id) == ("operational", 3)
        await bench.hear(events[1], events[1])
        assert await state_of(bench, known_center, id) == ("operational", 3)


async def test_one_batch_can_hold_many_events_of_one_center(bench: ProjectsBench) -> None:
    first, second = new_id("ctr"), new_id("ctr")
    await bench.hear(
        heard("center", first, 2, center_event(first, STATES[1])),
        heard("center", second, 1, center_event(second)),
        heard("center", first, 1, center_event(first, STATES[0])),
    )
    assert await state_of(bench, known_center, first) == ("suspended", 2)
    assert await state_of(bench, known_center, second) == ("operational", 1)


async def test_an_event_that_cannot_be_read_is_given_up(bench: ProjectsBench) -> None:
    damaged = heard("center", new_id("ctr"), 1, center_event("x"))
    object.__setattr__(damaged, "payload", b"\xff\xff")
    with pytest.raises(PoisonError, match="center"):
        await bench.hear(damaged)


async def publish(broker: Broker, kind: str, id: str, version: int, event: Message) -> None:
    delivery = heard(kind, id, version, event)
    await broker.jetstream.publish(
        delivery.subject,
        delivery.payload,
        headers={
            "ce-id": str(uuid7()),
            "ce-type": delivery.type,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-partitionkey": id,
            "ce-sequence": str(version),
        },
    )


async def test_it_waits_for_the_streams_of_its_neighbours(
    bench: ProjectsBench, infra: Infra
) -> None:
    center, agreement = new_id("ctr"), new_id("agr")
    async with infra.fresh_nats() as (nats, _):
        broker = patient_broker(await Broker.connect(nats.access, name="test"))
        database = bench.database
        async with running(center_copies(broker, database), partner_copies(broker, database)):
            await asyncio.sleep(0.5)  # no stream is there yet
            declared: list[StreamInfo] = [
                await broker.declare(event_stream(name)) for name in ("centers", "partners")
            ]
            assert len(declared) == 2
            await publish(broker, "center", center, 3, center_event(center, STATES[2]))
            await publish(broker, "center", center, 2, center_event(center, STATES[1]))
            in_force = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_IN_FORCE)
            await publish(broker, "agreement", agreement, 1, in_force)

            async def known() -> bool:
                return bool(
                    await state_of(bench, known_center, center)
                    and await state_of(bench, known_agreement, agreement)
                )

            await eventually(known, within=60)
            stamp = center_event(center, STATES[0])
            await publish(broker, "center", center, 1, stamp)
            last = new_id("ctr")
            await publish(broker, "center", last, 1, center_event(last))

            async def all_heard() -> bool:
                return await state_of(bench, known_center, last) is not None

            await eventually(all_heard, within=60)
        await broker.close()
    assert await state_of(bench, known_center, center) == ("operational", 3)
    assert await state_of(bench, known_agreement, agreement) == ("in_force", 1)


async def test_a_regulation_that_has_not_changed_for_weeks_is_known_after_a_fresh_start(
    bench: ProjectsBench, infra: Infra
) -> None:
    """The stream has forgotten it; its owner has not, and is asked."""
    regulation, later = new_id("reg"), new_id("reg")
    owner = await make_database(await infra.fresh_database("observatory"))
    url = owner.url.render_as_string(hide_password=False)
    async with infra.fresh_nats() as (nats, _):
        broker = patient_broker(await Broker.connect(nats.access, name="test"))
        stream = event_stream("observatory")
        async with running(make_relay(broker, url, spec=stream)):
            for id, key in ((regulation, "reg-cell-therapy"), (later, "reg-later")):
                told = outbox.Event(
                    type="peyvand.observatory.v1.regulation.created",
                    subject=f"evt.observatory.regulation.created.{id}",
                    aggregate_id=id,
                    aggregate_version=1,
                    payload=regulation_event(id, key, 1).SerializeToString(),
                )
                async with owner.begin() as connection:
                    await outbox.record(connection, [told])
            await all_published(owner)
            await broker.jetstream.purge_stream(stream.name, seq=2)
            async with running(regulation_copies(broker, bench.database)):

                async def both_known() -> bool:
                    # They may come one by one.
                    return bool(
                        await state_of(bench, known_regulation, regulation)
                        and await state_of(bench, known_regulation, later)
                    )

                await eventually(both_known)
        await broker.close()
    assert await state_of(bench, known_regulation, regulation) == ("drafting", 1)
    assert await state_of(bench, known_regulation, later) == ("drafting", 1)
    await owner.dispose()
    await infra.drop_database(url)


async def test_word_that_is_read_again_fills_in_what_an_earlier_release_left_out(
    bench: ProjectsBench,
) -> None:
    party = await bench.institution()
    state = agreements_pb2.AGREEMENT_STATE_IN_FORCE
    agreement = await bench.agreement(state)
    older = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_SIGNED, new_id("ins"))
    again = agreement_event(agreement, state, party)

    async def parties() -> list[str]:
        async with bench.database.read() as session:
            return sorted((await known_parties(session, [agreement]))[agreement])

    await bench.hear(heard("agreement", agreement, 0, older))
    assert await parties() == []
    await bench.hear(heard("agreement", agreement, 1, again))
    assert await parties() == [party]
    assert await state_of(bench, known_agreement, agreement) == ("in_force", 1)
