"""What came out of projects, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, projects_pb2
from peyvand.projects.v1 import outputs_pb2 as pb
from projects import tables
from projects.api.outputs import outputs_api
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import KILL, ProjectsBench, project
from tests.integration.projects.results import (
    DOI,
    Results,
    publication,
    results_of,
)
from tests.support.cut_off import killed_at_each_statement
from tests.support.rpc import outbox, rules_broken

TEXT = types_pb2.LocalizedText(en="Cells for cartilage", fa="سلول برای غضروف")


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


def found(fault: Fault) -> list[tuple[str, str]]:
    return rules_broken(fault)


async def listed(results: Results, role: str = "hq_admin", **filters: Any) -> list[str]:
    who = {"center_ids": filters.pop("as_center")} if "as_center" in filters else {}
    request = pb.ListOutputsRequest(**filters)
    answer = await results.outputs.call("ListOutputs", request, role, **who)
    return [item.id for item in cast("pb.ListOutputsResponse", answer).outputs]


async def test_every_kind_is_recorded_kept_and_found(results: Results) -> None:
    bench = results.bench
    lead = await bench.center()
    made = await bench.create(project(lead))
    company = await bench.company(project_ids=[made.id], knowledge_based=True)
    patent = pb.Patent(number="US 8,048,999 B2")
    trial = pb.Trial(register=pb.TRIAL_REGISTER_IRCT, number="irct 20111224008505 n47")
    kinds: dict[str, Any] = {
        "publication": pb.Publication(doi=f"https://doi.org/{DOI.upper()}", venue="Cell"),
        "patent": patent,
        "licence": pb.Licence(licensee=TEXT, licensee_company_id=company.id, exclusive=True),
        "trial": trial,
        "company": pb.CompanyOutput(company_id=company.id),
        "product": pb.Product(brand=TEXT, company_id=company.id),
        "therapy": pb.Therapy(center_id=lead, indication=TEXT),
    }
    ids: dict[str, str] = {}
    for kind, thing in kinds.items():
        output = await results.record(
            pb.Output(project_id=made.id, titles=TEXT, **{kind: thing}, external_key=f"out-{kind}")
        )
        assert output.kind == pb.OutputKind.Value(f"OUTPUT_KIND_{kind.upper()}")
        assert output.titles == TEXT
        assert list(output.allowed_actions) == ["update", "withdraw"]
        read = await results.outputs.call("GetOutput", pb.GetOutputRequest(output_id=output.id))
        assert read == output
        ids[kind] = output.id
    canonical = await results.outputs.call(
        "GetOutput", pb.GetOutputRequest(output_id=ids["patent"])
    )
    given = cast("pb.Output", canonical).patent
    assert (given.office, given.number, given.kind_code) == ("US", "8048999", "B2")

    assert await listed(results, project_id=made.id) == list(ids.values())
    assert await listed(results, kind=pb.OUTPUT_KIND_TRIAL) == [ids["trial"]]
    assert await listed(results, external_key="out-product") == [ids["product"]]
    assert await listed(results, center_id=lead) == list(ids.values())
    assert await listed(results, center_id=new_id("ctr")) == []
    assert await listed(results, project_id=new_id("prj")) == []
    assert await listed(results, state=pb.OUTPUT_STATE_WITHDRAWN) == []
    for identifier, kind in [
        (f"doi:{DOI}", "publication"),
        ("US8048999B2", "patent"),
        ("US 8,048,999", "patent"),
        ("IRCT20111224008505N47", "trial"),
    ]:
        assert await listed(results, identifier=identifier) == [ids[kind]]
    for nothing in ("10.1016", "US", "IRCT1", "https://doi.org/10.1016/a%00b", "۱۲"):
        assert await listed(results, identifier=nothing) == []
    events = [kind for kind, _, _ in await outbox(bench.database) if ".output." in kind]
    assert events == ["peyvand.projects.v1.output.created"] * 7


async def test_damaged_identifiers_are_refused_with_their_rule(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    irct, nct = pb.TRIAL_REGISTER_IRCT, pb.TRIAL_REGISTER_CLINICALTRIALS_GOV
    for thing, broken in [
        ({"publication": pb.Publication(doi="10.1016")}, ("publication.doi", "NOT_A_DOI")),
        (
            {"patent": pb.Patent(office="XX", number="8048999")},
            ("patent.office", "UNKNOWN_PATENT_OFFICE"),
        ),
        (
            {"trial": pb.Trial(register=irct, number="IRCT1")},
            ("trial.number", "NOT_AN_IRCT_NUMBER"),
        ),
        ({"trial": pb.Trial(register=nct, number="NCT1")}, ("trial.number", "NOT_AN_NCT_NUMBER")),
        ({}, ("", "ONE_OUTPUT_NEEDED")),
        (
            {"company": pb.CompanyOutput(company_id=new_id("com"))},
            ("company.company_id", "UNKNOWN_REFERENCE"),
        ),
        ({"therapy": pb.Therapy(center_id=new_id("ctr"))}, ("therapy.center_id", "UNKNOWN_CENTER")),
    ]:
        given: Any = pb.Output(project_id=made.id, titles=TEXT, **cast("dict[str, Any]", thing))
        assert found(await results.refused(given)) == [broken]
    assert await results.count(tables.output) == 0


async def test_a_company_output_is_a_company_of_the_project(results: Results) -> None:
    bench = results.bench
    lead = await bench.center()
    made, other = await bench.create(project(lead)), await bench.create(project(lead))

    def given(company_id: str) -> pb.Output:
        company = pb.CompanyOutput(company_id=company_id)
        return pb.Output(project_id=made.id, titles=TEXT, company=company)

    foreign = await bench.company(project_ids=[other.id], knowledge_based=True)
    plain = await bench.company(project_ids=[made.id])
    for company, reason in [
        (foreign, "COMPANY_OF_OTHER_PROJECTS"),
        (plain, "COMPANY_NOT_KNOWLEDGE_BASED"),
    ]:
        fault = await results.refused(given(company.id))
        assert found(fault) == [("company.company_id", reason)]


async def test_what_counts_counts_once_in_a_project_also_in_a_race(results: Results) -> None:
    bench = results.bench
    lead = await bench.center()
    made, other = await bench.create(project(lead)), await bench.create(project(lead))
    spellings = [DOI, f"doi:{DOI}", f"https://doi.org/{DOI}", DOI.upper()] * 3

    async def record(doi: str) -> str:
        try:
            await results.record(publication(made.id, doi))
        except Fault as fault:
            return fault.reason
        return "recorded"

    outcomes = Counter(await asyncio.gather(*map(record, spellings)))
    assert outcomes == {"recorded": 1, "OUTPUT_RECORDED": 11}
    # Two projects may share an article.
    await results.record(publication(other.id))
    (id,) = await listed(results, project_id=made.id)
    fault = await results.refused(publication(made.id))
    assert fault.params == {"value": DOI, "id": id}


async def test_one_that_was_withdrawn_gives_way_and_comes_back_only_where_there_is_room(
    results: Results,
) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    first = await results.record(publication(made.id))
    gone = cast(
        "pb.Output", await results.outputs.call("WithdrawOutput", results.output_step(first))
    )
    assert (gone.state, gone.state_reason) == (pb.OUTPUT_STATE_WITHDRAWN, "So it is.")
    assert list(gone.allowed_actions) == ["reinstate"]
    change = results.change(gone, pb.Output(titles=TEXT), "titles")
    assert (await results.outputs.fault("UpdateOutput", change)).allowed == ("reinstate",)
    second = await results.record(publication(made.id))
    fault = await results.outputs.fault("ReinstateOutput", results.output_step(gone))
    assert (fault.reason, fault.params["id"]) == ("OUTPUT_RECORDED", second.id)
    await results.outputs.call("WithdrawOutput", results.output_step(second))
    back = await results.outputs.call("ReinstateOutput", results.output_step(gone))
    assert cast("pb.Output", back).state == pb.OUTPUT_STATE_RECORDED
    request = pb.ListOutputStepsRequest(output_id=first.id)
    steps = cast(
        "pb.ListOutputStepsResponse", await results.outputs.call("ListOutputSteps", request)
    )
    assert [(step.action, step.reason) for step in steps.steps] == [
        ("created", ""),
        ("withdrawn", "So it is."),
        ("reinstated", "So it is."),
    ]


async def test_a_change_keeps_the_kind_and_the_rules(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    first = await results.record(publication(made.id))
    second = await results.record(publication(made.id, "10.1126/science.282.5391.1145"))
    patent = pb.Output(patent=pb.Patent(number="IR68912"))
    fault = await results.outputs.fault("UpdateOutput", results.change(first, patent, "patent"))
    assert found(fault) == [("patent", "OUTPUT_KIND_STAYS")]
    fault = await results.outputs.fault(
        "UpdateOutput", results.change(first, pb.Output(), "publication")
    )
    assert found(fault) == [("publication", "OUTPUT_KIND_STAYS")]
    same = pb.Output(publication=pb.Publication(doi=DOI))
    fault = await results.outputs.fault("UpdateOutput", results.change(second, same, "publication"))
    assert (fault.reason, fault.params["id"]) == ("OUTPUT_RECORDED", first.id)
    moved = pb.Output(project_id=new_id("prj"))
    fault = await results.outputs.fault("UpdateOutput", results.change(first, moved, "project_id"))
    assert found(fault) == [("project_id", "IMMUTABLE")]
    more = pb.Output(publication=pb.Publication(doi=DOI, venue="Cell", open_access=True))
    change = results.change(first, more, "publication")
    changed = cast("pb.Output", await results.outputs.call("UpdateOutput", change))
    assert changed.publication.venue == "Cell"
    assert (await results.outputs.fault("UpdateOutput", change)).reason == "STALE_ETAG"


async def test_who_takes_part_in_a_project_records_and_nobody_else_sees(results: Results) -> None:
    bench = results.bench
    lead, other, foreign = [await bench.center() for _ in range(3)]
    participants = [projects_pb2.ProjectParticipant(center_id=other)]
    made = await bench.create(project(lead, participants=participants))
    output = await results.record(publication(made.id), "center_operator", center_ids=[other])
    assert list(output.allowed_actions) == ["update", "withdraw"]
    get = pb.GetOutputRequest(output_id=output.id)
    steps = pb.ListOutputStepsRequest(output_id=output.id)
    for role, centers in [("hq_analyst", []), ("center_admin", [lead]), ("center_admin", [other])]:
        await results.outputs.call("GetOutput", get, role, center_ids=centers)
        await results.outputs.call("ListOutputSteps", steps, role, center_ids=centers)
        assert await listed(results, role, as_center=centers) == [output.id]
    for role in ("center_admin", "center_operator"):
        who: dict[str, Any] = {"role": role, "center_ids": [foreign]}
        for name, request in [
            ("GetOutput", get),
            ("ListOutputSteps", steps),
            ("UpdateOutput", results.change(output, pb.Output(titles=TEXT), "titles")),
            ("WithdrawOutput", results.output_step(output)),
        ]:
            assert (await results.outputs.fault(name, request, **who)).reason == "NOT_FOUND"
        assert await listed(results, role, as_center=[foreign]) == []
        fault = await results.refused(publication(made.id, "10.1126/science.1"), **who)
        assert found(fault) == [("project_id", "UNKNOWN_REFERENCE")]
    fault = await results.refused(publication(made.id), "hq_analyst")
    assert fault.reason == "PERMISSION_DENIED"
    fault = await results.outputs.fault(
        "ReinstateOutput", results.output_step(output), "center_admin"
    )
    assert fault.reason == "PERMISSION_DENIED"
    assert (await results.outputs.fault("GetOutput", get, "partner")).reason == "PERMISSION_DENIED"


async def test_an_article_may_appear_after_its_project_has_ended(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    await results.bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    assert (await results.record(publication(made.id))).id


async def test_what_is_sent_again_is_recorded_once(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    request = pb.CreateOutputRequest(output=publication(made.id), idempotency_key="once")
    first = await results.outputs.call("CreateOutput", request)
    assert await results.outputs.call("CreateOutput", request) == first
    assert await results.count(tables.output) == 1


async def test_one_who_is_killed_while_recording_leaves_nothing_half_done(
    results: Results,
) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    before = len(await outbox(results.bench.database))
    request = pb.CreateOutputRequest(output=publication(made.id), idempotency_key="killed")
    service = pb.DESCRIPTOR.services_by_name["Outputs"]
    killed = 0
    async for attempt in killed_at_each_statement(
        results.bench.url, service, outputs_api, lambda rpc: rpc.call("CreateOutput", request)
    ):
        if not attempt.whole:
            killed += 1
            assert await results.count(tables.output) == 0
            assert len(await outbox(results.bench.database)) == before
    assert killed >= 5
    assert await results.count(tables.output) == 1
    assert len(await outbox(results.bench.database)) == before + 1


async def test_the_database_keeps_one_thing_of_the_kind(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    await results.record(publication(made.id))
    for statement in (
        "UPDATE output SET patent = '{}'",
        "UPDATE output SET publication = NULL",
        "UPDATE output SET kind = 'trial'",
    ):
        with pytest.raises(sqlalchemy.exc.IntegrityError, match="one_thing"):
            async with results.bench.database.engine.begin() as connection:
                await connection.execute(sa.text(statement))
