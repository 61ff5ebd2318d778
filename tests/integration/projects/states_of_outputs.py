"""Outputs and companies in every state that makes a difference to what can be done."""

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import companies_pb2, outputs_pb2
from tests.integration.projects.offered import Stage, Tried
from tests.integration.projects.results import publication

OTHER_TITLES = types_pb2.LocalizedText(en="As it is called by now")


# Outputs.


def of_output(stage: Stage, at: outputs_pb2.Output) -> Tried:
    changed = outputs_pb2.Output(titles=OTHER_TITLES)
    inputs = {"update": [{"output": changed, "update_mask": FieldMask(paths=["titles"])}]}
    return Tried(stage.results.outputs, outputs_pb2.Output, at.id, inputs)


async def withdrawn(stage: Stage, at: outputs_pb2.Output) -> outputs_pb2.Output:
    step = stage.results.output_step(at)
    answer = await stage.results.outputs.call("WithdrawOutput", step)
    assert isinstance(answer, outputs_pb2.Output)
    return answer


async def published(stage: Stage) -> Tried:
    return of_output(stage, await stage.results.record(publication(stage.at.id)))


async def retracted(stage: Stage) -> Tried:
    made = await stage.results.record(publication(stage.at.id))
    return of_output(stage, await withdrawn(stage, made))


async def retracted_and_recorded_anew(stage: Stage) -> Tried:
    made = await withdrawn(stage, await stage.results.record(publication(stage.at.id)))
    await stage.results.record(publication(stage.at.id))
    return of_output(stage, made)


async def retracted_as_another_was(stage: Stage) -> Tried:
    made = await withdrawn(stage, await stage.results.record(publication(stage.at.id)))
    await withdrawn(stage, await stage.results.record(publication(stage.at.id)))
    return of_output(stage, made)


async def published_and_killed(stage: Stage) -> Tried:
    made = await stage.results.record(publication(stage.at.id))
    await stage.kill()
    return of_output(stage, made)


async def company_that_is_dissolved(stage: Stage) -> Tried:
    company = await stage.bench.company(project_ids=[stage.at.id], knowledge_based=True)
    known_by = outputs_pb2.CompanyOutput(company_id=company.id)
    given = outputs_pb2.Output(project_id=stage.at.id, titles=OTHER_TITLES, company=known_by)
    made = await withdrawn(stage, await stage.results.record(given))
    await dissolve(stage, company)
    return of_output(stage, made)


OUTPUTS = [
    published,
    retracted,
    retracted_and_recorded_anew,
    retracted_as_another_was,
    published_and_killed,
    company_that_is_dissolved,
]


# Companies.


def of_company(stage: Stage, at: companies_pb2.Company) -> Tried:
    changed = companies_pb2.Company(names=OTHER_TITLES)
    inputs = {"update": [{"company": changed, "update_mask": FieldMask(paths=["names"])}]}
    return Tried(stage.bench.rpc, companies_pb2.Company, at.id, inputs)


async def dissolve(stage: Stage, at: companies_pb2.Company) -> companies_pb2.Company:
    step = companies_pb2.CompanyStepRequest(
        company_id=at.id, etag=at.etag, reason="It was wound up.", idempotency_key=stage.bench.key()
    )
    answer = await stage.bench.rpc.call("DissolveCompany", step)
    assert isinstance(answer, companies_pb2.Company)
    return answer


async def founded(stage: Stage) -> Tried:
    return of_company(stage, await stage.bench.company(project_ids=[stage.at.id]))


async def founded_out_of_nothing_here(stage: Stage) -> Tried:
    return of_company(stage, await stage.bench.company())


async def dissolved(stage: Stage) -> Tried:
    made = await stage.bench.company(
        project_ids=[stage.at.id], registration_number="512345", legal_entity_id="10320894878"
    )
    return of_company(stage, await dissolve(stage, made))


COMPANIES = [founded, founded_out_of_nothing_here, dissolved]
