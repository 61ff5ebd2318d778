"""A check of a file is in nobody's way: it tells how far it is, and makes way for others."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from centers.repository.centers import centers
from centers.use_cases.centers import import_center
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import Patience
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.imports import Plan
from servicekit.rehearsal import rehearse_rows
from servicekit.rpc_server import Call
from tests.integration.centers.conftest import CentersBench, center, centers_bench
from tests.support.messaging import eventually
from tests.support.rpc import outbox

Progress = types_pb2.RehearsalProgress

CREATED = types_pb2.ROW_ACTION_CREATED
UPDATED = types_pb2.ROW_ACTION_UPDATED
UNCHANGED = types_pb2.ROW_ACTION_UNCHANGED
REFUSED = types_pb2.ROW_ACTION_REFUSED

# Long enough to be met in its midst, also on a fast machine.
MANY = 800


def row(key: str, code: str, reason: str = "", **values: Any) -> pb.CenterRow:
    return pb.CenterRow(center=center(code, external_key=key, **values), reason=reason)


def new_rows(number: int) -> list[pb.CenterRow]:
    return [row(f"new-{n}", f"N{n}") for n in range(number)]


async def applied(bench: CentersBench, *rows: pb.CenterRow) -> list[types_pb2.RowResult]:
    answer = await bench.rpc.call("ImportCenters", pb.ImportCentersRequest(rows=rows))
    return list(cast("pb.ImportCentersResponse", answer).results)


async def checked(
    bench: CentersBench, *rows: pb.CenterRow, role: str | None = "hq_admin"
) -> list[Progress]:
    """All that a check tells."""
    request = pb.ImportCentersRequest(rows=rows)
    answers = bench.rpc.stream("RehearseCenters", request, role)
    return [cast("Progress", answer) async for answer in answers]


def step_by_step(
    bench: CentersBench, rows: Sequence[pb.CenterRow], pauses: Sequence[float] = ()
) -> AsyncGenerator[Progress]:
    """A check that stops after each row until it is asked for more."""
    rpc = bench.rpc.rpc("RehearseCenters")
    who = Principal("somebody", "somebody", frozenset({"hq_admin"}))
    call = Call(rpc, who, "en", datetime.now(UTC))
    plan = Plan(
        rows,
        lambda session, row: import_center(session, row, call),
        kind=centers.kind,
        key_of=lambda row: row.center.external_key,
    )
    return rehearse_rows(bench.database, plan, tell_every=0, pauses=pauses)


async def renamed(bench: CentersBench, known: pb.Center, name: str) -> pb.Center:
    """What a person does meanwhile."""
    request = pb.UpdateCenterRequest(
        center_id=known.id,
        etag=known.etag,
        center=pb.Center(names=types_pb2.LocalizedText(en=name)),
        update_mask=FieldMask(paths=["names"]),
    )
    return cast("pb.Center", await bench.rpc.call("UpdateCenter", request))


async def keyed(bench: CentersBench, key: str) -> pb.Center:
    request = pb.ListCentersRequest(external_key=key)
    (found,) = cast("pb.ListCentersResponse", await bench.rpc.call("ListCenters", request)).centers
    return found


async def somebody_waits(bench: CentersBench) -> bool:
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with bench.database.engine.connect() as connection:
        return bool((await connection.execute(sa.text(query))).scalar_one())


def actions(progress: Progress) -> list[types_pb2.RowAction]:
    return [result.action for result in progress.results]


async def test_a_check_tells_how_far_it_is_and_last_what_it_found(bench: CentersBench) -> None:
    rows = [*new_rows(MANY), row("bad", "BAD", province="IR-77"), row("again", "N7")]
    told = await checked(bench, *rows)
    assert len(told) > 2
    numbers = [progress.checked for progress in told]
    assert numbers == sorted(numbers)
    assert 0 < numbers[0] < numbers[-1] == len(rows)
    assert [progress for progress in told[:-1] if progress.results] == []
    # Also what an earlier row would have made stands in the way of a later one.
    assert actions(told[-1]) == [*[CREATED] * MANY, REFUSED, REFUSED]
    assert [result.id for result in told[-1].results] == [""] * len(rows)
    reasons = [item.reason for result in told[-1].results for item in result.violations]
    assert reasons == ["UNKNOWN_PROVINCE", "CENTER_CODE_TAKEN"]
    assert await outbox(bench.database) == []


@pytest.mark.parametrize(
    ("role", "rows", "reason"),
    [
        (None, new_rows(1), "UNAUTHENTICATED"),
        ("hq_analyst", new_rows(1), "PERMISSION_DENIED"),
        ("hq_admin", [row("k" * 200, "AAA")], "INVALID_ARGUMENT"),
    ],
    ids=["nobody", "an analyst", "a row that the contract does not take"],
)
async def test_a_check_that_may_not_be_made_is_a_fault(
    bench: CentersBench, role: str | None, rows: list[pb.CenterRow], reason: str
) -> None:
    with pytest.raises(Fault) as caught:
        await checked(bench, *rows, role=role)
    assert caught.value.reason == reason


async def test_a_person_changes_a_center_that_a_long_check_holds(bench: CentersBench) -> None:
    (made,) = await applied(bench, row("held", "HLD"))
    known = await keyed(bench, "held")
    rows = [row("held", "HLD", state=pb.CENTER_STATE_OPERATIONAL), *new_rows(MANY)]
    told: list[Progress] = []
    async for answer in bench.rpc.stream("RehearseCenters", pb.ImportCentersRequest(rows=rows)):
        told.append(cast("Progress", answer))
        if len(told) == 1:
            assert 0 < told[0].checked < len(rows), "it is in its midst and holds the center"
            # Whoever waits is let through; too long, and it would be refused.
            after = await renamed(bench, known, "Renamed meanwhile")
            assert after.names.en == "Renamed meanwhile"
    assert 0 in [progress.checked for progress in told], "the check begins anew"
    assert actions(told[-1]) == [UPDATED, *[CREATED] * MANY]
    after = await keyed(bench, "held")
    assert (after.id, after.names.en) == (made.id, "Renamed meanwhile")
    assert after.state == pb.CENTER_STATE_PLANNED


async def test_a_check_that_makes_way_no_more_has_others_told_so(bench: CentersBench) -> None:
    await applied(bench, row("held", "HLD"))
    known = await keyed(bench, "held")
    rows = [row("held", "HLD", names=types_pb2.LocalizedText(en="From a file")), *new_rows(2)]
    check = step_by_step(bench, rows, pauses=())
    url = bench.database.engine.url.render_as_string(hide_password=False)
    async with centers_bench(url, Patience()) as others, aclosing(check):
        assert (await anext(check)).checked == 1
        began = time.monotonic()
        # Before those who call give up: they would have another reason.
        with pytest.raises(Fault) as caught:
            await renamed(others, known, "Renamed meanwhile")
        assert caught.value.reason == "RESOURCE_IN_USE"
        assert time.monotonic() - began > 2, "it has waited for its turn"
        assert (await anext(check)).checked == 2, "nothing is lost of the check"
    assert (await renamed(bench, known, "Renamed after it")).names.en == "Renamed after it"


async def test_a_check_makes_way_as_often_as_it_may(bench: CentersBench) -> None:
    await applied(bench, row("held", "HLD"))
    known = await keyed(bench, "held")
    rows = [row("held", "HLD", names=types_pb2.LocalizedText(en="From a file")), *new_rows(2)]
    check = step_by_step(bench, rows, pauses=(0, 0))
    async with aclosing(check):
        for number in range(2):
            assert (await anext(check)).checked == 1
            person = asyncio.create_task(renamed(bench, known, f"Name {number}"))
            await eventually(lambda: somebody_waits(bench))
            assert (await anext(check)).checked == 0
            known = await person
        last = [progress async for progress in check][-1]
    assert actions(last) == [UPDATED, CREATED, CREATED]
    assert (await keyed(bench, "held")).names.en == "Name 1"


async def test_a_row_that_changes_nothing_keeps_no_lock(bench: CentersBench) -> None:
    await applied(bench, row("same", "SAM"), row("other", "OTH"))
    known = await keyed(bench, "same")
    # Another row than the one that was applied, which nevertheless says what is so.
    rows = [row("same", "SAM", reason="Read once more."), row("other", "OTH"), *new_rows(2)]
    check = step_by_step(bench, rows)
    async with aclosing(check):
        assert (await anext(check)).checked == 1
        assert (await renamed(bench, known, "Renamed meanwhile")).names.en == "Renamed meanwhile"
        last = [progress async for progress in check][-1]
    assert actions(last) == [UNCHANGED, UNCHANGED, CREATED, CREATED]


async def test_two_checks_of_the_same_rows_both_come_to_an_end(bench: CentersBench) -> None:
    await applied(bench, *new_rows(40))
    changed = [
        row(f"new-{n}", f"N{n}", names=types_pb2.LocalizedText(en="Changed")) for n in range(40)
    ]
    # In the other order, so that each holds what the other waits for.
    first, second = await asyncio.gather(
        checked(bench, *changed), checked(bench, *reversed(changed))
    )
    assert actions(first[-1]) == actions(second[-1]) == [UPDATED] * 40


async def test_a_file_is_applied_while_another_check_holds_its_rows(bench: CentersBench) -> None:
    await applied(bench, *new_rows(20))
    changed = [
        row(f"new-{n}", f"N{n}", names=types_pb2.LocalizedText(en="Changed")) for n in range(20)
    ]
    check = asyncio.create_task(
        checked(bench, *changed, *(row(f"more-{n}", f"M{n}") for n in range(MANY)))
    )
    results = await applied(bench, *changed)
    assert [result.action for result in results] == [UPDATED] * 20
    told = await check
    assert len(told[-1].results) == 20 + MANY
    assert REFUSED not in actions(told[-1])


async def test_many_checks_leave_the_service_to_those_who_read_and_write(
    bench: CentersBench,
) -> None:
    checks = [
        step_by_step(bench, [row(f"{n}-{part}", f"C{n}P{part}") for part in range(3)])
        for n in range(11)
    ]
    async with AsyncExitStack() as open_checks:
        for check in checks:
            await open_checks.enter_async_context(aclosing(check))
        # One after the other, and none is ended: each that has begun holds a connection.
        begun = [(await anext(check)).checked for check in checks]
        assert begun == [1] * 3 + [0] * 8, "who waits says that it is there"
        # Before PostgreSQL ends what has stood idle in its transaction for a minute.
        await eventually(bench.database.reachable, within=30)
        made = await bench.create("NEW")
        found = await bench.rpc.call("GetCenter", pb.GetCenterRequest(center_id=made.id))
        assert found == made
        # One of those that wait goes away; its turn is lost to nobody.
        await checks[5].aclose()
        others = checks[:5] + checks[6:]

        async def rest(check: AsyncGenerator[Progress]) -> Progress:
            return [progress async for progress in check][-1]

        for last in await asyncio.gather(*(rest(check) for check in others)):
            assert actions(last) == [CREATED] * 3
    assert not bench.database.rehearsals.locked()


async def test_a_check_that_nobody_listens_to_any_more_gives_its_rows_back(
    bench: CentersBench,
) -> None:
    await applied(bench, row("held", "HLD"))
    known = await keyed(bench, "held")
    rows = [row("held", "HLD", state=pb.CENTER_STATE_OPERATIONAL), *new_rows(MANY)]
    answers = bench.rpc.stream("RehearseCenters", pb.ImportCentersRequest(rows=rows))
    async with aclosing(answers):
        await anext(answers)
    assert (await renamed(bench, known, "Renamed after it")).names.en == "Renamed after it"


async def test_a_check_does_not_hold_back_what_has_changed(bench: CentersBench) -> None:
    check = step_by_step(bench, new_rows(2))
    async with aclosing(check):
        await anext(check)
        made = await bench.create("AFT")
        since = Timestamp()
        since.CopyFrom(made.updated_at)
        request = pb.ListCentersRequest(updated_since=since)
        found = cast("pb.ListCentersResponse", await bench.rpc.call("ListCenters", request))
        assert [item.id for item in found.centers] == [made.id]
