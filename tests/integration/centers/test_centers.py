"""The centers service, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from centers.tables import metadata
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.errors import Fault
from servicekit.migrations import differences
from tests.integration.centers.conftest import CentersBench, center
from tests.support.messaging import eventually
from tests.support.rpc import outbox


async def test_a_center_lives_its_life_and_every_step_is_an_event(bench: CentersBench) -> None:
    planned = await bench.create("TBZ")
    assert planned.state == pb.CENTER_STATE_PLANNED
    assert list(planned.allowed_actions) == ["update", "establish", "cancel"]
    opened = await bench.step("Open", await bench.step("Establish", planned))
    assert opened.opened_date.value == f"{opened.state_since.ToDatetime():%Y-%m-%d}"
    suspended = await bench.step("Suspend", opened, "The clean room is being rebuilt.")
    assert suspended.state_reason == "The clean room is being rebuilt."
    closed = await bench.step("Close", await bench.step("Resume", suspended), "Merged.")
    assert list(closed.allowed_actions) == ["update"]

    events = await outbox(bench.database)
    assert [(kind.rsplit(".", 1)[1], version) for kind, _, version in events] == [
        ("created", 1),
        ("established", 2),
        ("opened", 3),
        ("suspended", 4),
        ("resumed", 5),
        ("closed", 6),
    ]
    request = pb.ListCenterStepsRequest(center_id=planned.id, page_size=4)
    first = cast("pb.ListCenterStepsResponse", await bench.rpc.call("ListCenterSteps", request))
    request.page_token = first.next_page_token
    rest = cast("pb.ListCenterStepsResponse", await bench.rpc.call("ListCenterSteps", request))
    steps = [*first.steps, *rest.steps]
    assert [step.to_state for step in steps][-2:] == ["operational", "closed"]
    assert all(step.actor == "local:hq_admin" for step in steps)
    assert not rest.next_page_token


@pytest.mark.parametrize("verb", ["Suspend", "Close"])
async def test_a_step_that_takes_work_away_needs_a_reason(bench: CentersBench, verb: str) -> None:
    opened = await bench.step("Open", await bench.step("Establish", await bench.create("KER")))
    fault = await bench.rpc.fault(f"{verb}Center", bench.step_request(opened, "  "))
    assert [(item.field, item.reason) for item in fault.violations] == [
        ("reason", "REASON_REQUIRED")
    ]


async def test_an_illegal_step_names_those_that_are_allowed(bench: CentersBench) -> None:
    planned = await bench.create("SHZ")
    fault = await bench.rpc.fault("SuspendCenter", bench.step_request(planned, "why"))
    assert fault.reason == "ILLEGAL_TRANSITION"
    assert fault.allowed == ("establish", "cancel")
    assert fault.params["state"] == "planned"


async def test_fifty_posts_with_one_key_make_one_row_and_one_event(bench: CentersBench) -> None:
    request = pb.CreateCenterRequest(center=center("THR"), idempotency_key="once")

    async def post() -> str:
        try:
            return cast("pb.Center", await bench.rpc.call("CreateCenter", request)).id
        except Fault as fault:
            return fault.reason

    outcomes = Counter(await asyncio.gather(*(post() for _ in range(50))))
    ids = [outcome for outcome in outcomes if outcome.startswith("ctr_")]
    assert len(ids) == 1
    assert set(outcomes) <= {ids[0], "IDEMPOTENCY_KEY_IN_USE"}
    assert len(await outbox(bench.database)) == 1
    assert await post() == ids[0]
    other = pb.CreateCenterRequest(center=center("OTHER"), idempotency_key="once")
    assert (await bench.rpc.fault("CreateCenter", other)).reason == "IDEMPOTENCY_KEY_REUSED"


async def test_a_failed_call_leaves_its_key_free(bench: CentersBench) -> None:
    bad = pb.CreateCenterRequest(center=center("X1", province="IR-99"), idempotency_key="k")
    fault = await bench.rpc.fault("CreateCenter", bad)
    assert [(v.field, v.reason) for v in fault.violations] == [("province", "UNKNOWN_PROVINCE")]
    good = pb.CreateCenterRequest(center=center("X1"), idempotency_key="k")
    assert cast("pb.Center", await bench.rpc.call("CreateCenter", good)).code == "X1"


async def test_of_two_who_read_the_same_version_one_is_told(bench: CentersBench) -> None:
    planned = await bench.create("MHD")

    async def rename(name: str) -> str:
        request = pb.UpdateCenterRequest(
            center_id=planned.id,
            etag=planned.etag,
            center=pb.Center(names=types_pb2.LocalizedText(fa=name)),
            update_mask=FieldMask(paths=["names"]),
        )
        try:
            await bench.rpc.call("UpdateCenter", request)
        except Fault as fault:
            return fault.reason
        return "done"

    outcomes = await asyncio.gather(*(rename(f"نام {number}") for number in range(20)))
    assert Counter(outcomes) == {"done": 1, "STALE_ETAG": 19}
    assert len(await outbox(bench.database)) == 2


async def test_an_update_that_changes_nothing_is_no_step(bench: CentersBench) -> None:
    planned = await bench.create("TBZ")
    request = pb.UpdateCenterRequest(
        center_id=planned.id,
        etag=planned.etag,
        center=pb.Center(code="TBZ"),
        update_mask=FieldMask(paths=["code"]),
    )
    same = cast("pb.Center", await bench.rpc.call("UpdateCenter", request))
    assert same.etag == planned.etag
    assert len(await outbox(bench.database)) == 1


async def test_a_code_taken_in_the_same_moment_is_told_as_taken(bench: CentersBench) -> None:
    async def create() -> str:
        try:
            return (await bench.create("DUP")).id
        except Fault as fault:
            return f"{fault.reason} {fault.params.get('id')}"

    outcomes = await asyncio.gather(*(create() for _ in range(12)))
    (made,) = [outcome for outcome in outcomes if outcome.startswith("ctr_")]
    assert Counter(outcomes) == {made: 1, f"CENTER_CODE_TAKEN {made}": 11}


async def test_fields_that_cannot_be_set_are_refused(bench: CentersBench) -> None:
    planned = await bench.create("TBZ")
    for path, reason in [
        ("state", "IMMUTABLE"),
        ("external_key", "IMMUTABLE"),
        ("x", "UNKNOWN_FIELD"),
    ]:
        request = pb.UpdateCenterRequest(
            center_id=planned.id, etag=planned.etag, update_mask=FieldMask(paths=[path])
        )
        request.center.SetInParent()
        fault = await bench.rpc.fault("UpdateCenter", request)
        assert [item.reason for item in fault.violations] == [reason], path


@pytest.mark.parametrize(
    ("role", "reason"), [(None, "UNAUTHENTICATED"), ("hq_analyst", "PERMISSION_DENIED")]
)
async def test_who_may_not_write_is_refused(
    bench: CentersBench, role: str | None, reason: str
) -> None:
    request = pb.CreateCenterRequest(center=center("TBZ"), idempotency_key="k")
    assert (await bench.rpc.fault("CreateCenter", request, role)).reason == reason
    assert await outbox(bench.database) == []


async def test_a_center_admin_reaches_the_own_center_alone(bench: CentersBench) -> None:
    own, foreign = await bench.create("OWN"), await bench.create("FRN")

    def change(of: pb.Center) -> pb.UpdateCenterRequest:
        return pb.UpdateCenterRequest(
            center_id=of.id,
            etag=of.etag,
            center=pb.Center(city=types_pb2.LocalizedText(fa="تبریز")),
            update_mask=FieldMask(paths=["city"]),
        )

    await bench.rpc.call("UpdateCenter", change(own), "center_admin", center_ids=[own.id])
    fault = await bench.rpc.fault(
        "UpdateCenter", change(foreign), "center_admin", center_ids=[own.id]
    )
    assert fault.reason == "NOT_FOUND"


async def test_a_damaged_token_is_refused_even_where_none_is_needed(bench: CentersBench) -> None:
    fault = await bench.rpc.fault("ListCenters", pb.ListCentersRequest(), token="a.b.c")
    assert fault.reason == "TOKEN_REJECTED"


async def test_a_personal_identifier_is_refused_wherever_it_stands(bench: CentersBench) -> None:
    names = types_pb2.LocalizedText(fa="مرکز ۰۰۱۳۵۴۲۴۱۹")
    created = pb.CreateCenterRequest(center=center("PII", names=names), idempotency_key="p")
    fault = await bench.rpc.fault("CreateCenter", created)
    assert [(v.field, v.reason) for v in fault.violations] == [("names.fa", "PERSONAL_DATA")]
    (result,) = await import_rows(bench, [row("p", "PII", names=names)])
    assert [item.reason for item in result.violations] == ["PERSONAL_DATA"]
    opened = await bench.step("Open", await bench.step("Establish", await bench.create("OK1")))
    step = bench.step_request(opened, "asked for by 0013542419")
    fault = await bench.rpc.fault("SuspendCenter", step)
    assert [v.reason for v in fault.violations] == ["PERSONAL_DATA"]


async def list_centers(bench: CentersBench, **values: Any) -> pb.ListCentersResponse:
    request = pb.ListCentersRequest(**values)
    return cast("pb.ListCentersResponse", await bench.rpc.call("ListCenters", request, None))


async def test_pages_stay_right_while_centers_are_added(bench: CentersBench) -> None:
    made = [(await bench.create(f"C{number}")).id for number in range(7)]
    page = await list_centers(bench, page_size=3)
    seen = [item.id for item in page.centers]
    await bench.create("LATE")
    while page.next_page_token:
        page = await list_centers(bench, page_size=3, page_token=page.next_page_token)
        seen += [item.id for item in page.centers]
    assert seen[:7] == made
    assert len(seen) == len(set(seen)) == 8


async def test_a_page_token_belongs_to_its_filters(bench: CentersBench) -> None:
    for number in range(3):
        await bench.create(f"C{number}")
    token = (await list_centers(bench, page_size=1)).next_page_token
    for request in [
        pb.ListCentersRequest(page_token=token, province="IR-03"),
        pb.ListCentersRequest(page_token=token + "x"),
        pb.ListCentersRequest(page_token="?"),
    ]:
        fault = await bench.rpc.fault("ListCenters", request, None)
        assert fault.reason == "INVALID_PAGE_TOKEN", request


async def test_what_changed_since_a_time_is_found(bench: CentersBench) -> None:
    first, second = await bench.create("C1"), await bench.create("C2")
    changed = await bench.step("Establish", first)
    since = Timestamp()
    since.CopyFrom(second.updated_at)
    found = await list_centers(bench, updated_since=since)
    assert [item.id for item in found.centers] == [second.id, changed.id]
    page = await list_centers(bench, updated_since=since, page_size=1)
    rest = await list_centers(
        bench, updated_since=since, page_size=1, page_token=page.next_page_token
    )
    assert [page.centers[0].id, rest.centers[0].id] == [second.id, changed.id]


def row(key: str, code: str, **values: Any) -> pb.CenterRow:
    return pb.CenterRow(center=center(code, external_key=key, **values))


async def import_rows(
    bench: CentersBench, rows: list[pb.CenterRow], *, validate_only: bool = False
) -> list[types_pb2.RowResult]:
    request = pb.ImportCentersRequest(rows=rows, validate_only=validate_only)
    answer = cast("pb.ImportCentersResponse", await bench.rpc.call("ImportCenters", request))
    return list(answer.results)


async def test_a_file_is_applied_once_however_often_it_comes(bench: CentersBench) -> None:
    rows = [row("a", "AAA", state=pb.CENTER_STATE_OPERATIONAL), row("b", "BBB")]
    checked = await import_rows(bench, rows, validate_only=True)
    assert [item.action for item in checked] == [types_pb2.ROW_ACTION_CREATED] * 2
    assert await outbox(bench.database) == []

    done = await import_rows(bench, rows)
    assert [item.action for item in done] == [types_pb2.ROW_ACTION_CREATED] * 2
    events = await outbox(bench.database)
    assert [kind.rsplit(".", 1)[1] for kind, _, _ in events] == [
        "created",
        "established",
        "opened",
        "created",
    ]
    again = await import_rows(bench, rows)
    assert [item.action for item in again] == [types_pb2.ROW_ACTION_UNCHANGED] * 2
    assert await outbox(bench.database) == events
    # That a file says that it is operational does not tell since when.
    (found,) = (await list_centers(bench, external_key="a")).centers
    assert not found.HasField("opened_date")


async def test_what_people_changed_is_not_undone_by_the_same_file(bench: CentersBench) -> None:
    rows = [row("a", "AAA", state=pb.CENTER_STATE_OPERATIONAL)]
    await import_rows(bench, rows)
    (found,) = (await list_centers(bench, external_key="a")).centers
    await bench.step("Suspend", found, "Inspection.")
    assert [item.action for item in await import_rows(bench, rows)] == [
        types_pb2.ROW_ACTION_UNCHANGED
    ]
    (found,) = (await list_centers(bench, external_key="a")).centers
    assert found.state == pb.CENTER_STATE_SUSPENDED


async def test_a_row_that_breaks_a_rule_holds_up_no_other(bench: CentersBench) -> None:
    rows = [row("a", "AAA"), row("b", "BBB", province="IR-77"), row("c", "AAA"), row("", "DDD")]
    for validate_only in (True, False):
        results = await import_rows(bench, rows, validate_only=validate_only)
        reasons = [[item.reason for item in result.violations] for result in results]
        assert reasons == [[], ["UNKNOWN_PROVINCE"], ["CENTER_CODE_TAKEN"], ["REQUIRED"]]
    assert len((await list_centers(bench)).centers) == 1


async def test_a_check_takes_no_lock_for_each_row(bench: CentersBench) -> None:
    rows = [row("a", "AAA")]
    lock = sa.func.hashtextextended("import\x1fcenter\x1fa", 0)
    async with bench.database.engine.connect() as connection:
        # As another import has it that is at work on the same row.
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
        (checked,) = await import_rows(bench, rows, validate_only=True)
        assert checked.action == types_pb2.ROW_ACTION_CREATED
        applied = asyncio.create_task(import_rows(bench, rows))
        query = sa.text(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )

        async def is_waiting() -> bool:
            async with bench.database.engine.connect() as watching:
                return bool((await watching.execute(query)).scalar_one())

        await eventually(is_waiting, within=60)
        await connection.rollback()
    assert [item.action for item in await applied] == [types_pb2.ROW_ACTION_CREATED]


async def test_two_imports_of_one_file_at_once_make_each_row_once(bench: CentersBench) -> None:
    rows = [row(f"k{number}", f"K{number}") for number in range(10)]
    results = await asyncio.gather(*(import_rows(bench, rows) for _ in range(4)))
    actions = Counter(item.action for each in results for item in each)
    assert actions == {types_pb2.ROW_ACTION_CREATED: 10, types_pb2.ROW_ACTION_UNCHANGED: 30}
    assert len(await outbox(bench.database)) == 10


async def test_a_state_that_no_step_leads_to_is_refused(bench: CentersBench) -> None:
    await import_rows(bench, [row("a", "AAA", state=pb.CENTER_STATE_OPERATIONAL)])
    changed = row("a", "AAA", state=pb.CENTER_STATE_PLANNED)
    (result,) = await import_rows(bench, [changed])
    assert [item.reason for item in result.violations] == ["UNREACHABLE_STATE"]


async def test_the_migrations_lead_to_the_tables_of_the_code(bench: CentersBench) -> None:
    async with bench.database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: differences(sync, metadata)) == []


async def test_a_row_with_a_state_that_does_not_exist_is_refused_alone(
    bench: CentersBench,
) -> None:
    odd: Any = 99
    refused, made = await import_rows(bench, [row("a", "AAA", state=odd), row("b", "BBB")])
    assert refused.action == types_pb2.ROW_ACTION_REFUSED
    assert [(v.field, v.reason) for v in refused.violations] == [("state", "UNKNOWN_VALUE")]
    assert made.action == types_pb2.ROW_ACTION_CREATED
