"""Steps of awards, outputs, companies and claims of readiness."""

from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import awards_pb2, companies_pb2, outputs_pb2, readiness_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from tests.integration.projects.results import Results, award, money, publication
from tests.integration.projects.review_steps import CRITERION
from tests.integration.projects.steps import Step


async def giving(results: Results, made: pb.Project) -> Step:
    request = awards_pb2.CreateAwardRequest(
        award=award(made.id), idempotency_key=results.bench.key()
    )
    return Step("CreateAward", request)


async def planning_anew(results: Results, made: pb.Project) -> Step:
    at = await results.give(award(made.id))
    request = awards_pb2.UpdateAwardRequest(
        award_id=at.id,
        etag=at.etag,
        award=awards_pb2.Award(
            tranches=[awards_pb2.Tranche(code="t1", amount=money("90"), milestone_code="m1")]
        ),
        update_mask=FieldMask(paths=["tranches"]),
    )
    return Step("UpdateAward", request)


async def reporting(results: Results, made: pb.Project) -> Step:
    at = await results.give(award(made.id))
    return Step("ReportMilestone", results.report(at), {"subject": "kian"})


async def reported(results: Results, made: pb.Project) -> awards_pb2.Award:
    """An award whose first milestone somebody says to be met, by evidence that holds."""
    at = await results.give(award(made.id))
    piece = await results.bench.verified(made.id, CRITERION)
    return await results.do("ReportMilestone", results.report(at, evidence_ids=[piece.id]), "kian")


async def sending_back(results: Results, made: pb.Project) -> Step:
    at = await reported(results, made)
    return Step("ReturnMilestone", results.about(at, reason="Not shown."), {"subject": "dana"})


async def meeting(results: Results, made: pb.Project) -> Step:
    at = await reported(results, made)
    return Step("MeetMilestone", results.about(at), {"subject": "dana"})


async def paying(results: Results, made: pb.Project) -> Step:
    at = await reported(results, made)
    met = await results.do("MeetMilestone", results.about(at), "checker")
    return Step("ReleaseTranche", results.release(met), {"subject": "dana"})


async def closing(results: Results, made: pb.Project) -> Step:
    return ended(results, "Close", await results.give(award(made.id)))


async def cancelling(results: Results, made: pb.Project) -> Step:
    return ended(results, "Cancel", await results.give(award(made.id)))


def ended(results: Results, verb: str, at: awards_pb2.Award) -> Step:
    request = awards_pb2.AwardStepRequest(
        award_id=at.id, etag=at.etag, reason="Spent.", idempotency_key=results.bench.key()
    )
    return Step(f"{verb}Award", request)


async def publishing(results: Results, made: pb.Project) -> Step:
    request = outputs_pb2.CreateOutputRequest(
        output=publication(made.id), idempotency_key=results.bench.key()
    )
    return Step("CreateOutput", request)


async def founding_out(results: Results, made: pb.Project) -> Step:
    """A knowledge-based company is recorded as what came out of its project."""
    company = await results.bench.company(project_ids=[made.id], knowledge_based=True)
    output = outputs_pb2.Output(
        project_id=made.id,
        titles=made.titles,
        company=outputs_pb2.CompanyOutput(company_id=company.id),
    )
    request = outputs_pb2.CreateOutputRequest(output=output, idempotency_key=results.bench.key())
    return Step("CreateOutput", request)


async def respelling(results: Results, made: pb.Project) -> Step:
    """A trial is registered before its first patient is enrolled, and stays so."""
    trial = outputs_pb2.Trial(
        register=outputs_pb2.TRIAL_REGISTER_CLINICALTRIALS_GOV,
        number="NCT04267146",
        registered_date=types_pb2.ImpreciseDate(value="2020-02-12"),
    )
    at = await results.record(
        outputs_pb2.Output(project_id=made.id, titles=made.titles, trial=trial)
    )
    enrolled = types_pb2.ImpreciseDate(value="2020-03-01")
    trial.first_enrolment_date.CopyFrom(enrolled)
    request = results.change(at, outputs_pb2.Output(trial=trial), "trial")
    return Step("UpdateOutput", request)


async def withdrawing_output(results: Results, made: pb.Project) -> Step:
    at = await results.record(publication(made.id))
    return Step("WithdrawOutput", results.output_step(at))


async def reinstating_output(results: Results, made: pb.Project) -> Step:
    step = await withdrawing_output(results, made)
    answer = await results.outputs.call(step.name, step.request)
    return Step("ReinstateOutput", results.output_step(cast("outputs_pb2.Output", answer)))


async def founding(results: Results, made: pb.Project) -> Step:
    company = companies_pb2.Company(
        names=types_pb2.LocalizedText(en="CellMade"),
        registration_number="512345",
        project_ids=[made.id],
    )
    request = companies_pb2.CreateCompanyRequest(
        company=company, idempotency_key=results.bench.key()
    )
    return Step("CreateCompany", request)


async def numbering(results: Results, made: pb.Project) -> Step:
    at = await results.bench.company(project_ids=[made.id])
    request = companies_pb2.UpdateCompanyRequest(
        company_id=at.id,
        etag=at.etag,
        company=companies_pb2.Company(registration_number="512345"),
        update_mask=FieldMask(paths=["registration_number"]),
    )
    return Step("UpdateCompany", request)


async def dissolving(results: Results, made: pb.Project) -> Step:
    at = await results.bench.company(project_ids=[made.id])
    return of_company(results, "Dissolve", at)


async def reinstating(results: Results, made: pb.Project) -> Step:
    step = await dissolving(results, made)
    gone = await results.bench.rpc.call(step.name, step.request)
    return of_company(results, "Reinstate", gone)


def of_company(results: Results, verb: str, at: Any) -> Step:
    request = companies_pb2.CompanyStepRequest(
        company_id=at.id, etag=at.etag, reason="So it is.", idempotency_key=results.bench.key()
    )
    return Step(f"{verb}Company", request)


def claim(
    results: Results, project_id: str, evidence_ids: Sequence[str]
) -> readiness_pb2.CreateReadinessClaimRequest:
    """That a first level of technology is reached, by evidence."""
    made = readiness_pb2.ReadinessClaim(
        project_id=project_id,
        level=1,
        dimension=readiness_pb2.READINESS_DIMENSION_TECHNOLOGY,
        evidence_ids=evidence_ids,
    )
    return readiness_pb2.CreateReadinessClaimRequest(
        readiness_claim=made, idempotency_key=results.bench.key()
    )


async def claiming(results: Results, made: pb.Project) -> Step:
    piece = await results.bench.verified(made.id, CRITERION)
    request = claim(results, made.id, [piece.id])
    return Step("CreateReadinessClaim", request, {"subject": "kian"})


async def claimed(results: Results, made: pb.Project, verb: str) -> Step:
    step = await claiming(results, made)
    at: Any = await results.readiness.call(step.name, step.request, **step.who)
    request = readiness_pb2.ReadinessClaimStepRequest(
        readiness_claim_id=at.id,
        etag=at.etag,
        reason="So it is.",
        idempotency_key=results.bench.key(),
    )
    return Step(f"{verb}ReadinessClaim", request)


async def verifying_claim(results: Results, made: pb.Project) -> Step:
    return await claimed(results, made, "Verify")


async def rejecting_claim(results: Results, made: pb.Project) -> Step:
    return await claimed(results, made, "Reject")


async def withdrawing_claim(results: Results, made: pb.Project) -> Step:
    return await claimed(results, made, "Withdraw")
