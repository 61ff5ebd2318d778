"""What a project still needs for its next gate, and the templates that say so."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from peyvand.api.v1 import annotations_pb2
from peyvand.projects.v1 import criteria_pb2, stages_pb2
from projects.pathway_templates import NEWEST, template
from tests.integration.projects.conftest import ProjectsBench, at_s1
from tests.support.criteria import (
    CriteriaBench,
    states,
)

S1 = [c.code for c in template(NEWEST).criteria if c.stage == "s1"]


async def test_what_is_missing_is_told_with_what_helps_and_who_can(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    await criteria.submit(made.id, "prior-art")
    await criteria.verified(made.id, "in-vitro-proof")
    gate = await criteria.next_gate(made.id)
    assert (gate.stage, gate.next_stage) == (stages_pb2.STAGE_S1, stages_pb2.STAGE_S2)
    assert (gate.satisfied, list(gate.missing)) == (False, ["consent-ethics", "prior-art"])
    by_code = {item.criterion.code: item for item in gate.criteria}
    assert list(by_code) == S1
    waits = by_code["prior-art"]
    assert waits.next_step.fa
    assert "someone other than" in waits.next_step.en
    assert list(waits.open_to) == [annotations_pb2.ROLE_HQ_ADMIN]
    assert (waits.evidence_count, len(waits.evidence_ids)) == (1, 1)
    assert annotations_pb2.ROLE_CENTER_OPERATOR in by_code["consent-ethics"].open_to
    assert not by_code["in-vitro-proof"].HasField("next_step")
    assert list(by_code["in-vitro-proof"].open_to) == []
    await criteria.verified(made.id, "prior-art", "consent-ethics")
    assert (await criteria.next_gate(made.id)).satisfied


async def test_alternative_routes_are_told_with_what_each_lacks(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench, initial_stage=stages_pb2.STAGE_S6)
    gate = await criteria.next_gate(made.id)
    assert [(route.route, len(route.missing)) for route in gate.routes] == [
        ("market_authorisation", 1),
        ("hospital_exemption", 5),
    ]
    assert gate.routes[1].name.fa == "معافیت بیمارستانی"
    await criteria.verified(made.id, *gate.routes[1].missing)
    gate = await criteria.next_gate(made.id)
    assert gate.satisfied
    assert states(gate)["authorisation-number"] == "other_route"


async def test_the_templates_are_data_that_everyone_can_read(criteria: CriteriaBench) -> None:
    everything = criteria_pb2.ListPathwayTemplatesRequest()
    listed: Any = await criteria.rpc.call("ListPathwayTemplates", everything, None)
    (newest,) = [item for item in listed.pathway_templates if item.newest]
    request = criteria_pb2.GetPathwayTemplateRequest(version=NEWEST)
    assert await criteria.rpc.call("GetPathwayTemplate", request, None) == newest
    pinned = template(NEWEST)
    assert [item.code for item in newest.criteria] == [item.code for item in pinned.criteria]
    assert {len(way.stages) for way in newest.pathways} == {5, 7, 8}
    request.version = "999"
    assert (await criteria.rpc.fault("GetPathwayTemplate", request, None)).reason == "NOT_FOUND"


async def test_a_thousand_pieces_take_no_more_statements(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")
    async with criteria.database.engine.begin() as connection:
        copies = sa.text(
            "INSERT INTO evidence SELECT (jsonb_populate_record(e, jsonb_build_object("
            "'id', 'evd_' || n, 'external_key', null))).*"
            " FROM evidence e, generate_series(1, 999) n"
        )
        await connection.execute(copies)
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(criteria.database.engine.sync_engine, "before_cursor_execute", note)
    gate = await criteria.next_gate(made.id)
    event.remove(criteria.database.engine.sync_engine, "before_cursor_execute", note)
    (item,) = [item for item in gate.criteria if item.criterion.code == "prior-art"]
    assert (item.evidence_count, len(item.evidence_ids)) == (1000, 20)
    # One for the project, two for what is assessed, two for conditions: unmet, and overdue.
    assert len([s for s in statements if s.startswith("SELECT")]) == 5, json.dumps(statements)
    assert piece.id
