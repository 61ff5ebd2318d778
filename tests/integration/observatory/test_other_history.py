"""The history of an owner is set back under the picture: it is made anew without being asked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import sqlalchemy as sa

from observatory import tables
from peyvand.observatory.v1 import network_pb2 as pb
from tests.integration.observatory.conftest import center
from tests.support import messaging

if TYPE_CHECKING:
    from tests.integration.observatory.conftest import ObservatoryBench


async def codes(bench: ObservatoryBench) -> list[str]:
    """Codes of the centers that the picture shows."""
    shown: pb.NetworkStatus = await bench.call("GetNetworkStatus", pb.GetNetworkStatusRequest())
    return sorted(one.code for one in shown.centers)


async def set_back(bench: ObservatoryBench, owner: str, last: int) -> None:
    """Give a service its database of an earlier time, while the broker loses its store."""
    told = bench.owners[owner]
    await told.relay.stop()
    outbox = messaging.TABLES.outbox
    async with told.engine.begin() as connection:
        await connection.execute(sa.delete(outbox).where(outbox.c.stream_seq > last))
    await bench.nats_process.kill()
    shutil.rmtree(bench.nats.store)
    await bench.nats_process.start()


async def rebuilds(bench: ObservatoryBench) -> list[tuple[str, bool]]:
    """Who had the picture made anew, and whether that is done."""
    columns = tables.rebuild.c
    query = sa.select(columns.subject, columns.finished_at.is_not(None).label("is_done"))
    async with bench.database.read() as session:
        rows = await session.rows(query.order_by(columns.generation))
    return [(row.subject, row.is_done) for row in rows]


async def test_what_an_owner_no_longer_knows_leaves_the_picture(bench: ObservatoryBench) -> None:
    told = bench.owners["centers"]
    for code in ("KEPT-1", "KEPT-2", "LOST-1", "LOST-2"):
        await told.tell(center(code), "created")
    await bench.owners["projects"].tell(center("ELSE"), "created")
    await bench.caught_up()
    assert await codes(bench) == ["ELSE", "KEPT-1", "KEPT-2", "LOST-1", "LOST-2"]

    await set_back(bench, "centers", 2)
    await told.relay.start()

    async def remade() -> bool:
        return await codes(bench) == ["ELSE", "KEPT-1", "KEPT-2"]

    await messaging.eventually(remade, within=90)
    assert await rebuilds(bench) == [("observatory", True)]

    # It goes on from there, also where the old numbers are given to other events.
    for code in ("NEW-1", "NEW-2", "NEW-3"):
        await told.tell(center(code), "created")
    await bench.caught_up()
    assert await codes(bench) == ["ELSE", "KEPT-1", "KEPT-2", "NEW-1", "NEW-2", "NEW-3"]
    assert await rebuilds(bench) == [("observatory", True)]


async def test_while_another_owner_is_away_the_picture_stays_as_it_was(
    bench: ObservatoryBench,
) -> None:
    told, away = bench.owners["centers"], bench.owners["partners"]
    for code in ("KEPT-1", "LOST-1"):
        await told.tell(center(code), "created")
    await bench.caught_up()
    await away.relay.stop()
    await set_back(bench, "centers", 1)
    await told.relay.start()
    assert bench.following._projector is not None
    state = bench.following._projector.state

    async def waits() -> bool:
        progress = state.stream("EVT_CENTERS")
        return progress.status == "diverged" and "another stream does not answer" in progress.reason

    await messaging.eventually(waits, within=90)
    assert not state.healthy
    assert await codes(bench) == ["KEPT-1", "LOST-1"]
    assert await rebuilds(bench) == []
    await away.relay.start()

    async def remade() -> bool:
        return await codes(bench) == ["KEPT-1"]

    await messaging.eventually(remade, within=90)
    assert await rebuilds(bench) == [("observatory", True)]
