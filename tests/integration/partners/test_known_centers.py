"""Centers in agreements and activities: only such as are known from the events of theirs."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from partners.consumers import center_copies, keep_copies
from partners.tables import known_center
from peyvand.partners.v1 import activities_pb2 as act
from peyvand.partners.v1 import agreements_pb2 as agr
from servicekit.broker import Broker, event_stream
from servicekit.delivery import PoisonError
from servicekit.ids import new_id
from tests.integration.partners.conftest import PartnersBench, text
from tests.integration.partners.test_imports import activity_row, agreement_row, broken, told
from tests.support.cluster import Infra
from tests.support.messaging import eventually, running
from tests.support.neighbours import center_event, heard, publish

IRAN = agr.Party(key="iran", country="IR")
IN_A_FILE = [
    agreement_row(
        "m",
        parties=[IRAN, agr.Party(key="tabriz")],
        references={"parties[1].center_id": "center-tabriz"},
    ),
    activity_row(
        "a",
        participants=[act.ActivityParticipant()],
        references={"participants[0].center_id": "center-tabriz"},
    ),
]


def with_center(id: str) -> list[tuple[str, Any, str]]:
    """What can name a center: the call, and the path of the id."""
    parties = [IRAN, agr.Party(key="center", center_id=id)]
    titles = text("Together")
    agreement = agr.Agreement(kind=agr.AGREEMENT_KIND_MOU, titles=titles, parties=parties)
    activity = act.Activity(
        kind=act.ACTIVITY_KIND_MEETING,
        titles=titles,
        participants=[act.ActivityParticipant(center_id=id)],
    )
    return [
        (
            "CreateAgreement",
            agr.CreateAgreementRequest(agreement=agreement),
            "parties[1].center_id",
        ),
        (
            "CreateActivity",
            act.CreateActivityRequest(activity=activity),
            "participants[0].center_id",
        ),
    ]


@pytest.mark.parametrize("which", [0, 1])
async def test_a_center_must_be_known(bench: PartnersBench, which: int) -> None:
    unknown = new_id("ctr")
    name, request, path = with_center(unknown)[which]
    fault = await bench.fault(name, request)
    assert [(v.field, v.reason, v.params) for v in fault.violations] == [
        (path, "UNKNOWN_REFERENCE", {"resource": "center", "value": unknown})
    ]
    known = await bench.center()
    name, request, _ = with_center(known)[which]
    made = await bench.call(name, request)
    # What it refers to already is looked up no more.
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.delete(known_center))
    changed = await bench.update(made, note=text("Changed."))
    assert changed.note.en == "Changed."


async def test_a_file_names_a_center_by_its_key(bench: PartnersBench) -> None:
    center = await bench.center("center-tabriz")
    for validate_only in (True, False):
        results = await bench.import_rows(IN_A_FILE, validate_only=validate_only)
        assert told(results) == ["created", "created"], results
    agreement, activity = [await bench.get(result.id) for result in results]
    assert agreement.parties[1].center_id == center
    assert activity.participants[0].center_id == center


async def test_a_rehearsal_takes_a_center_of_the_same_file_as_there(bench: PartnersBench) -> None:
    pending = ["center:center-tabriz", "project:prj-1"]
    rehearsed = await bench.import_rows(IN_A_FILE, validate_only=True, pending=pending)
    assert told(rehearsed) == ["created", "created"], rehearsed
    without = await bench.import_rows(IN_A_FILE, validate_only=True, pending=pending[1:])
    # What is only announced is not there when it counts.
    applied = await bench.import_rows(IN_A_FILE, pending=pending)
    for results in (without, applied):
        assert [broken(result) for result in results] == [
            {("parties[1].center_id", "UNKNOWN_REFERENCE")},
            {("participants[0].center_id", "UNKNOWN_REFERENCE")},
        ]


async def test_whatever_the_order_the_newest_version_is_kept(bench: PartnersBench) -> None:
    for order in itertools.permutations((1, 2, 3)):
        id = new_id("ctr")
        events = [heard("center", id, n, center_event(id, key=f"key-{n}")) for n in order]
        async with bench.database.engine.begin() as connection:
            await keep_copies(connection, events[:2])
            await keep_copies(connection, events[2:])
            row = (
                await connection.execute(sa.select(known_center).where(known_center.c.id == id))
            ).one()
        assert (row.external_key, row.version) == ("key-3", 3), order


async def test_an_event_that_cannot_be_read_is_given_up(bench: PartnersBench) -> None:
    damaged = replace(heard("center", new_id("ctr"), 1, center_event("x")), payload=b"\xff\xff")
    async with bench.database.engine.begin() as connection:
        with pytest.raises(PoisonError, match="center"):
            await keep_copies(connection, [damaged])


async def test_centers_are_heard_of_by_their_events(bench: PartnersBench, infra: Infra) -> None:
    id = new_id("ctr")
    async with infra.fresh_nats() as (nats, _):
        broker = await Broker.connect(nats.access, name="test")
        async with running(center_copies(broker, bench.database.engine)):
            await asyncio.sleep(0.5)  # the stream is not there yet
            await broker.declare(event_stream("centers"))
            await publish(broker, "center", id, 1, center_event(id, key="center-tabriz"))

            async def is_known() -> bool:
                query = sa.select(known_center.c.external_key).where(known_center.c.id == id)
                async with bench.database.engine.connect() as connection:
                    return (await connection.execute(query)).scalar() == "center-tabriz"

            await eventually(is_known, within=60)
        await broker.close()
    name, request, _ = with_center(id)[0]
    assert (await bench.call(name, request)).parties[1].center_id == id
