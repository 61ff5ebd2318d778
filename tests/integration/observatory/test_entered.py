"""What people enter: the plan, indicators with their observations, action items, regulations."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.observatory.v1 import indicators_pb2 as ind
from peyvand.observatory.v1 import observatory_pb2 as pb
from peyvand.observatory.v1 import plan_pb2, regulations_pb2, sources_pb2
from servicekit.ids import new_id
from tests.integration.observatory.conftest import ObservatoryBench, center
from tests.support.rpc import outbox


def text(en: str) -> types_pb2.LocalizedText:
    return types_pb2.LocalizedText(en=en)


def on(value: str) -> types_pb2.ImpreciseDate:
    return types_pb2.ImpreciseDate(value=value)


def indicator(code: str, **values: Any) -> ind.Indicator:
    given: dict[str, Any] = {
        "titles": text(code),
        "direction": "DIRECTION_DOWN",
        "kind": "INDICATOR_KIND_RANK",
        "source_kind": "INDICATOR_SOURCE_ENTERED",
    }
    return ind.Indicator(code=code, **(given | values))


async def make_indicator(bench: ObservatoryBench, code: str, **values: Any) -> ind.Indicator:
    request = ind.CreateIndicatorRequest(indicator=indicator(code, **values))
    return await bench.call("CreateIndicator", request)


async def observe(bench: ObservatoryBench, of: ind.Indicator, **values: Any) -> ind.Observation:
    request = ind.CreateObservationRequest(
        indicator_id=of.id, observation=ind.Observation(**values)
    )
    return await bench.call("CreateObservation", request)


async def refuse(bench: ObservatoryBench, of: ind.Indicator, **values: Any) -> list[str]:
    """Reasons why an observation is not taken."""
    request = ind.CreateObservationRequest(
        indicator_id=of.id, observation=ind.Observation(**values)
    )
    fault = await bench.fault("CreateObservation", request)
    return [fault.reason, *(violation.reason for violation in fault.violations)]


async def get(bench: ObservatoryBench, of: ind.Indicator) -> ind.Indicator:
    return await bench.call("GetIndicator", ind.GetIndicatorRequest(indicator_id=of.id))


async def test_the_latest_value_is_that_of_the_latest_period_and_not_revised(
    bench: ObservatoryBench,
) -> None:
    rank = await make_indicator(bench, "RANK", target=ind.ReferenceValue(value="10"))
    assert rank.status == ind.INDICATOR_STATUS_STALE
    assert not rank.HasField("latest")
    later = await observe(bench, rank, value="13", period=on("2020"))
    await observe(bench, rank, value="31", period=on("2015"))
    await observe(bench, rank, value="99")
    await observe(bench, rank, claim=text("It has grown."), period=on("2024"))
    shown = await get(bench, rank)
    assert shown.latest.value == "13"
    assert shown.latest.verification == ind.VERIFICATION_CLAIMED
    assert shown.etag != rank.etag

    corrected = await observe(bench, rank, value="14", period=on("2020"), revision_of=later.id)
    assert (await get(bench, rank)).latest.id == corrected.id
    assert await refuse(bench, rank, value="15", revision_of=later.id) == ["ALREADY_REVISED"]
    read = ind.GetObservationRequest(indicator_id=rank.id, observation_id=later.id)
    assert (await bench.call("GetObservation", read)).revised_by == corrected.id
    listed = await bench.call(
        "ListObservations", ind.ListObservationsRequest(indicator_id=rank.id, page_size=2)
    )
    assert [o.value for o in listed.observations] == ["13", "31"]
    assert listed.next_page_token
    events = [
        (kind.rpartition("v1.")[2], version) for kind, _, version in await outbox(bench.database)
    ]
    assert events[-2:] == [("observation.created", 1), ("observation.revised", 2)]


async def test_an_observation_that_says_nothing_or_nonsense_is_refused(
    bench: ObservatoryBench,
) -> None:
    rank = await make_indicator(bench, "RANK")
    other = await make_indicator(bench, "OTHER")
    elsewhere = await observe(bench, other, value="1")
    assert await refuse(bench, rank, period=on("2020")) == [
        "INVALID_ARGUMENT",
        "VALUE_OR_CLAIM_REQUIRED",
    ]
    assert (await refuse(bench, rank, value="0"))[1:] == ["OUT_OF_RANGE"]
    assert (await refuse(bench, rank, value="1", period=on("2999")))[1:] == ["DATE_IN_FUTURE"]
    assert (await refuse(bench, rank, value="1", revision_of=elsewhere.id))[1:] == [
        "REVISION_OF_ANOTHER"
    ]
    assert (await refuse(bench, rank, value="1", revision_of=new_id("obs")))[1:] == [
        "UNKNOWN_REFERENCE"
    ]
    wrong = ind.GetObservationRequest(indicator_id=rank.id, observation_id=elsewhere.id)
    assert (await bench.fault("GetObservation", wrong)).reason == "NOT_FOUND"


async def test_a_computed_indicator_has_the_figure_of_the_picture(bench: ObservatoryBench) -> None:
    computed: dict[str, Any] = {
        "direction": "DIRECTION_UP",
        "kind": "INDICATOR_KIND_STOCK",
        "source_kind": "INDICATOR_SOURCE_COMPUTED",
    }
    counted = await make_indicator(
        bench,
        "PLANNED",
        **computed,
        measure="centers.planned",
        baseline=ind.ReferenceValue(value="0"),
        target=ind.ReferenceValue(value="4"),
    )
    assert (counted.latest.value, counted.progress) == ("0", 0)
    await bench.owners["centers"].tell_all(
        [
            (center("A"), "created"),
            (center("B"), "created"),
            (center("C", state="CENTER_STATE_OPERATIONAL"), "created"),
            (center("D", sample=True), "created"),
        ]
    )
    await bench.caught_up()
    shown = await get(bench, counted)
    assert (shown.latest.value, shown.progress) == ("2", 0.5)
    assert await refuse(bench, counted, value="9") == ["COMPUTED_INDICATOR"]
    for measure, reason in (("centers.lost", "UNKNOWN_MEASURE"), ("", "MEASURE_MISMATCH")):
        request = ind.CreateIndicatorRequest(
            indicator=indicator("BAD", **computed, measure=measure)
        )
        fault = await bench.fault("CreateIndicator", request)
        assert [v.reason for v in fault.violations] == [reason]


async def test_an_update_takes_the_tag_that_was_read_and_keeps_the_rules(
    bench: ObservatoryBench,
) -> None:
    plan = await bench.call(
        "CreatePlan",
        plan_pb2.CreatePlanRequest(
            plan=plan_pb2.Plan(
                code="NATIONAL",
                titles=text("Plan"),
                statements=[
                    plan_pb2.PlanStatement(kind="STATEMENT_KIND_GOAL", number="1", text=text("a")),
                    plan_pb2.PlanStatement(kind="STATEMENT_KIND_AIM", number="2", text=text("b")),
                ],
            )
        ),
    )
    rank = await make_indicator(bench, "RANK", plan_id=plan.id, goal_numbers=["1"])
    await observe(bench, rank, value="13")
    shown = await get(bench, rank)

    def change(etag: str, **values: Any) -> ind.UpdateIndicatorRequest:
        return ind.UpdateIndicatorRequest(
            indicator_id=rank.id,
            etag=etag,
            indicator=ind.Indicator(**values),
            update_mask=FieldMask(paths=list(values)),
        )

    fault = await bench.fault("UpdateIndicator", change(shown.etag, goal_numbers=["2"]))
    assert [v.reason for v in fault.violations] == ["UNKNOWN_GOAL"]
    fixed = change(shown.etag, source_kind="INDICATOR_SOURCE_COMPUTED")
    assert [v.reason for v in (await bench.fault("UpdateIndicator", fixed)).violations] == [
        "IMMUTABLE"
    ]
    changed = await bench.call("UpdateIndicator", change(shown.etag, unit=text("place")))
    assert changed.unit.en == "place"
    stale = await bench.fault("UpdateIndicator", change(shown.etag, unit=text("rank")))
    assert stale.reason == "STALE_ETAG"
    assert (await bench.fault("UpdateIndicator", change("", unit=text("x")))).reason == (
        "PRECONDITION_REQUIRED"
    )
    twice = ind.CreateIndicatorRequest(indicator=indicator("RANK"))
    assert (await bench.fault("CreateIndicator", twice)).reason == "INDICATOR_CODE_TAKEN"


async def test_an_action_item_is_done_dropped_and_opened_again(bench: ObservatoryBench) -> None:
    item = await bench.call(
        "CreateActionItem",
        plan_pb2.CreateActionItemRequest(action_item=plan_pb2.ActionItem(text=text("Settle it"))),
    )
    assert list(item.allowed_actions) == ["update", "complete", "drop"]

    def step(reason: str = "") -> plan_pb2.ActionItemStepRequest:
        return plan_pb2.ActionItemStepRequest(action_item_id=item.id, etag=item.etag, reason=reason)

    fault = await bench.fault("DropActionItem", step())
    assert [v.reason for v in fault.violations] == ["REASON_REQUIRED"]
    item = await bench.call("CompleteActionItem", step())
    assert item.state == plan_pb2.ACTION_ITEM_STATE_DONE
    fault = await bench.fault("DropActionItem", step("late"))
    assert (fault.reason, fault.allowed) == ("ILLEGAL_TRANSITION", ("reopen",))
    item = await bench.call("ReopenActionItem", step("it was not"))
    steps = await bench.call(
        "ListActionItemSteps", plan_pb2.ListActionItemStepsRequest(action_item_id=item.id)
    )
    assert [s.action for s in steps.steps] == ["created", "completed", "reopened"]
    read = plan_pb2.GetActionItemRequest(action_item_id=item.id)
    assert (await bench.fault("GetActionItem", read, None)).reason == "UNAUTHENTICATED"


def rows() -> list[pb.ObservatoryRow]:
    """Rows of a file, each before what it refers to."""
    row = pb.ObservatoryRow
    first = ind.Observation(external_key="obs-2020", value="13", period=on("2020"))
    second = ind.Observation(external_key="obs-2020-b", value="14", period=on("2020"))
    of_rank = {"indicator_id": "ind-rank"}
    return [
        row(
            observation=ind.ObservationRow(
                observation=second, references=of_rank | {"revision_of": "obs-2020"}
            )
        ),
        row(observation=ind.ObservationRow(observation=first, references=of_rank)),
        row(
            action_item=plan_pb2.ActionItemRow(
                action_item=plan_pb2.ActionItem(external_key="item", text=text("Settle it")),
                references={"plan_id": "plan"},
            )
        ),
        row(
            indicator=ind.IndicatorRow(
                indicator=indicator("RANK", external_key="ind-rank", goal_numbers=["1"]),
                references={"plan_id": "plan"},
            )
        ),
        row(
            plan=plan_pb2.PlanRow(
                plan=plan_pb2.Plan(
                    external_key="plan",
                    code="NATIONAL",
                    titles=text("Plan"),
                    statements=[
                        plan_pb2.PlanStatement(
                            kind="STATEMENT_KIND_GOAL", number="1", text=text("a goal")
                        )
                    ],
                )
            )
        ),
        row(
            source=sources_pb2.SourceRow(
                source=sources_pb2.Source(external_key="report", title=text("Report"))
            )
        ),
        row(
            regulation=regulations_pb2.RegulationRow(
                regulation=regulations_pb2.Regulation(
                    external_key="reg",
                    kind="REGULATION_KIND_CELL_THERAPY",
                    titles=text("Cells"),
                    state="REGULATION_STATE_IN_FORCE",
                )
            )
        ),
    ]


async def bring(
    bench: ObservatoryBench, given: list[pb.ObservatoryRow], *, check: bool = False
) -> list[tuple[str, list[str]]]:
    answer = await bench.call(
        "ImportObservatory", pb.ImportObservatoryRequest(rows=given, validate_only=check)
    )
    return [
        (
            types_pb2.RowAction.Name(result.action).removeprefix("ROW_ACTION_"),
            [violation.reason for violation in result.violations],
        )
        for result in answer.results
    ]


async def test_a_file_is_brought_in_whatever_its_order_and_once(bench: ObservatoryBench) -> None:
    created = [("CREATED", [])] * 7
    assert await bring(bench, rows(), check=True) == created
    assert await outbox(bench.database) == []
    assert await bring(bench, rows()) == created
    told = len(await outbox(bench.database))
    assert await bring(bench, rows()) == [("UNCHANGED", [])] * 7
    assert len(await outbox(bench.database)) == told
    found = await bench.call("ListIndicators", ind.ListIndicatorsRequest(external_key="ind-rank"))
    assert [i.latest.value for i in found.indicators] == ["14"]
    regulations = await bench.call(
        "ListRegulations",
        regulations_pb2.ListRegulationsRequest(state="REGULATION_STATE_IN_FORCE"),
    )
    assert [r.external_key for r in regulations.regulations] == ["reg"]


async def test_a_row_that_cannot_be_taken_says_why_and_holds_up_no_other(
    bench: ObservatoryBench,
) -> None:
    await bring(bench, rows())
    changed = rows()
    changed[1].observation.observation.value = "12"
    changed[3].indicator.references["plan_id"] = "no-such-plan"
    changed[4].plan.plan.note.en = "New"
    changed[6].regulation.regulation.state = regulations_pb2.REGULATION_STATE_DRAFTING
    changed.append(pb.ObservatoryRow())
    assert await bring(bench, changed) == [
        ("UNCHANGED", []),
        ("REFUSED", ["OBSERVATION_FINAL"]),
        ("UNCHANGED", []),
        ("REFUSED", ["UNKNOWN_REFERENCE"]),
        ("UPDATED", []),
        ("UNCHANGED", []),
        ("REFUSED", ["UNREACHABLE_STATE"]),
        ("REFUSED", ["REQUIRED"]),
    ]
