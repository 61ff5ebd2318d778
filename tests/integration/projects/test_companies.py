"""Companies, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from typing import cast

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import companies_pb2 as pb
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import ProjectsBench, project
from tests.support.rpc import rules_broken


async def test_a_company_is_seen_with_its_projects(bench: ProjectsBench) -> None:
    lead, foreign = await bench.center(), await bench.center()
    made = await bench.create(project(lead))
    company = await bench.company(project_ids=[made.id], knowledge_based=True)
    alone = await bench.company()
    get = pb.GetCompanyRequest(company_id=company.id)

    async def ids(role: str, *centers: str, knowledge_based: bool | None = None) -> list[str]:
        request = pb.ListCompaniesRequest(knowledge_based=knowledge_based)
        answer = await bench.rpc.call("ListCompanies", request, role, center_ids=centers)
        return [item.id for item in cast("pb.ListCompaniesResponse", answer).companies]

    assert await ids("hq_analyst") == [company.id, alone.id]
    assert await ids("hq_analyst", knowledge_based=False) == [alone.id]
    assert await ids("center_operator", lead) == [company.id]
    assert await ids("center_operator", foreign) == []
    assert await bench.rpc.call("GetCompany", get, "center_admin", center_ids=[lead])
    fault = await bench.rpc.fault("GetCompany", get, "center_admin", center_ids=[foreign])
    assert fault.reason == "NOT_FOUND"
    listing = pb.ListCompaniesRequest(project_id=made.id)
    answer = await bench.rpc.call("ListCompanies", listing)
    assert [c.id for c in cast("pb.ListCompaniesResponse", answer).companies] == [company.id]


async def test_it_comes_out_of_projects_that_exist(bench: ProjectsBench) -> None:
    names = types_pb2.LocalizedText(en="CellMade")
    request = pb.CreateCompanyRequest(
        company=pb.Company(names=names, project_ids=[new_id("prj")]), idempotency_key="k"
    )
    fault = await bench.rpc.fault("CreateCompany", request)
    assert rules_broken(fault) == [("project_ids[0]", "UNKNOWN_REFERENCE")]


async def test_a_registration_number_belongs_to_one_company_also_in_a_race(
    bench: ProjectsBench,
) -> None:
    async def create() -> str:
        try:
            await bench.company(registration_number="512345")
        except Fault as fault:
            return fault.reason
        return "created"

    outcomes = Counter(await asyncio.gather(*(create() for _ in range(8))))
    assert outcomes == {"created": 1, "REGISTRATION_TAKEN": 7}
    other = await bench.company()
    request = pb.UpdateCompanyRequest(
        company_id=other.id,
        etag=other.etag,
        company=pb.Company(registration_number="512345"),
        update_mask=FieldMask(paths=["registration_number"]),
    )
    assert (await bench.rpc.fault("UpdateCompany", request)).reason == "REGISTRATION_TAKEN"


async def test_it_is_dissolved_and_reinstated(bench: ProjectsBench) -> None:
    made = await bench.company()
    assert list(made.allowed_actions) == ["update", "dissolve"]

    def step(at: pb.Company) -> pb.CompanyStepRequest:
        return pb.CompanyStepRequest(
            company_id=at.id, etag=at.etag, reason="So it is.", idempotency_key=bench.key()
        )

    gone = cast("pb.Company", await bench.rpc.call("DissolveCompany", step(made)))
    assert (await bench.rpc.fault("DissolveCompany", step(gone))).allowed == ("reinstate",)
    assert (await bench.rpc.fault("DissolveCompany", step(made))).reason == "STALE_ETAG"
    back = cast("pb.Company", await bench.rpc.call("ReinstateCompany", step(gone)))
    assert back.state == pb.COMPANY_STATE_ACTIVE
    request = pb.ListCompanyStepsRequest(company_id=made.id)
    steps = cast("pb.ListCompanyStepsResponse", await bench.rpc.call("ListCompanySteps", request))
    assert [item.action for item in steps.steps] == ["created", "dissolved", "reinstated"]
    fault = await bench.rpc.fault("ListCompanySteps", request, "partner")
    assert fault.reason == "PERMISSION_DENIED"


async def test_the_centers_of_its_projects_see_its_steps(bench: ProjectsBench) -> None:
    lead, foreign = await bench.center(), await bench.center()
    made = await bench.create(project(lead))
    company = await bench.company(project_ids=[made.id])
    request = pb.ListCompanyStepsRequest(company_id=company.id)
    answer = await bench.rpc.call("ListCompanySteps", request, "center_operator", center_ids=[lead])
    assert [step.action for step in cast("pb.ListCompanyStepsResponse", answer).steps] == [
        "created"
    ]
    fault = await bench.rpc.fault(
        "ListCompanySteps", request, "center_operator", center_ids=[foreign]
    )
    assert fault.reason == "NOT_FOUND"


async def test_a_national_id_belongs_to_one_company_also_in_a_race(bench: ProjectsBench) -> None:
    spellings = ["10380284790", "1038 028 4790", "۱۰۳۸۰۲۸۴۷۹۰", "1038-0284790"] * 2

    async def create(number: str) -> str:
        try:
            made = await bench.company(legal_entity_id=number, knowledge_based=True)
        except Fault as fault:
            return fault.reason
        return made.legal_entity_id

    outcomes = Counter(await asyncio.gather(*map(create, spellings)))
    assert outcomes == {"10380284790": 1, "LEGAL_ENTITY_TAKEN": 7}


async def test_a_recognition_has_a_last_day(bench: ProjectsBench) -> None:
    made = await bench.company(knowledge_based=True, recognised_until="2028-03-19")
    assert made.recognised_until == "2028-03-19"
    request = pb.UpdateCompanyRequest(
        company_id=made.id,
        etag=made.etag,
        company=pb.Company(),
        update_mask=FieldMask(paths=["knowledge_based"]),
    )
    fault = await bench.rpc.fault("UpdateCompany", request)
    assert rules_broken(fault) == [("recognised_until", "RECOGNITION_MISPLACED")]
