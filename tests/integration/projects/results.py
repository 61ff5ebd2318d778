"""What comes out of projects, over real gRPC and a real database, and people who act."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from domainkit.aggregate import Occasion
from domainkit.values import LocalizedText
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import awards_pb2, outputs_pb2, readiness_pb2
from projects import tables
from projects.api.awards import awards_api
from projects.api.outputs import outputs_api
from projects.api.readiness import readiness_api
from projects.domain.conditions import ProjectCondition
from projects.repository.conditions import record_conditions
from servicekit.database import WriteSession
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import ProjectsBench
from tests.support.rpc import RpcBench, serve

DOI = "10.1016/j.cell.2006.07.024"


def publication(project_id: str, doi: str = DOI, **values: Any) -> outputs_pb2.Output:
    """A publication as a caller describes it."""
    given: dict[str, Any] = {
        "titles": types_pb2.LocalizedText(en="Induction of pluripotent stem cells"),
        "publication": outputs_pb2.Publication(doi=doi),
    }
    return outputs_pb2.Output(project_id=project_id, **(given | values))


def money(amount: str, currency: str = "IRR") -> awards_pb2.Money:
    """An amount of money."""
    return awards_pb2.Money(amount=amount, currency=currency)


def award(project_id: str, **values: Any) -> awards_pb2.Award:
    """An award of 100 in tranches of 60 and 40, as a caller describes it."""
    text = types_pb2.LocalizedText(en="Three runs in specification")
    given: dict[str, Any] = {
        "titles": types_pb2.LocalizedText(en="Seed grant"),
        "funder": awards_pb2.Funder(names=types_pb2.LocalizedText(en="Headquarters")),
        "amount": money("100"),
        "milestones": [awards_pb2.Milestone(code=code, text=text) for code in ("m1", "m2")],
        "tranches": [
            awards_pb2.Tranche(code="t1", amount=money("60"), milestone_code="m1"),
            awards_pb2.Tranche(code="t2", amount=money("40"), milestone_code="m2"),
        ],
    }
    return awards_pb2.Award(project_id=project_id, **(given | values))


@dataclass
class Results:
    """The services of what comes out of projects, and short ways to use them."""

    bench: ProjectsBench
    outputs: RpcBench
    awards: RpcBench
    readiness: RpcBench

    async def record(
        self, given: outputs_pb2.Output, role: str = "hq_admin", *, center_ids: Sequence[str] = ()
    ) -> outputs_pb2.Output:
        """Record an output."""
        request = outputs_pb2.CreateOutputRequest(output=given, idempotency_key=self.bench.key())
        answer = await self.outputs.call("CreateOutput", request, role, center_ids=center_ids)
        return cast("outputs_pb2.Output", answer)

    async def refused(self, given: outputs_pb2.Output, role: str = "hq_admin", **who: Any) -> Fault:
        """Fail to record an output."""
        request = outputs_pb2.CreateOutputRequest(output=given, idempotency_key=self.bench.key())
        return await self.outputs.fault("CreateOutput", request, role, **who)

    def output_step(self, at: outputs_pb2.Output) -> outputs_pb2.OutputStepRequest:
        """A step of an output that was read."""
        return outputs_pb2.OutputStepRequest(
            output_id=at.id, etag=at.etag, reason="So it is.", idempotency_key=self.bench.key()
        )

    def change(
        self, at: outputs_pb2.Output, given: outputs_pb2.Output, *paths: str
    ) -> outputs_pb2.UpdateOutputRequest:
        """A change of an output that was read."""
        return outputs_pb2.UpdateOutputRequest(
            output_id=at.id, etag=at.etag, output=given, update_mask=FieldMask(paths=paths)
        )

    async def give(self, given: awards_pb2.Award) -> awards_pb2.Award:
        """Record an award as the headquarters."""
        request = awards_pb2.CreateAwardRequest(award=given, idempotency_key=self.bench.key())
        return cast("awards_pb2.Award", await self.awards.call("CreateAward", request))

    async def read(self, id: str, role: str = "hq_admin", **who: Any) -> awards_pb2.Award:
        """An award as it is now."""
        request = awards_pb2.GetAwardRequest(award_id=id)
        return cast("awards_pb2.Award", await self.awards.call("GetAward", request, role, **who))

    def report(
        self, at: awards_pb2.Award, code: str = "m1", **values: Any
    ) -> awards_pb2.ReportMilestoneRequest:
        """A report that a milestone of an award that was read is reached."""
        given: dict[str, Any] = {"note": "Done."} if "evidence_ids" not in values else {}
        return awards_pb2.ReportMilestoneRequest(
            award_id=at.id,
            etag=at.etag,
            milestone_code=code,
            idempotency_key=self.bench.key(),
            **(given | values),
        )

    def about(
        self, at: awards_pb2.Award, code: str = "m1", reason: str = ""
    ) -> awards_pb2.MilestoneStepRequest:
        """What is found of a report."""
        return awards_pb2.MilestoneStepRequest(
            award_id=at.id,
            etag=at.etag,
            milestone_code=code,
            reason=reason,
            idempotency_key=self.bench.key(),
        )

    def release(
        self, at: awards_pb2.Award, code: str = "t1", **values: Any
    ) -> awards_pb2.ReleaseTrancheRequest:
        """A request for money."""
        return awards_pb2.ReleaseTrancheRequest(
            award_id=at.id,
            etag=at.etag,
            tranche_code=code,
            idempotency_key=self.bench.key(),
            **values,
        )

    async def do(self, name: str, request: Message, subject: str | None = None) -> awards_pb2.Award:
        """Call the service of awards, as the headquarters or somebody of it."""
        return cast("awards_pb2.Award", await self.awards.call(name, request, subject=subject))

    async def met(self, at: awards_pb2.Award, code: str = "m1") -> awards_pb2.Award:
        """Report a milestone and let another confirm it."""
        reported = await self.do("ReportMilestone", self.report(at, code), "reporter")
        return await self.do("MeetMilestone", self.about(reported, code), "checker")

    async def count(self, table: sa.Table) -> int:
        """How many rows a table has."""
        async with self.bench.database.engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(table)
            return (await connection.execute(query)).scalar_one()

    async def condition(self, project_id: str, due: date) -> str:
        """A condition that a decision has made for a project."""
        made = new_id("dec")
        decision = {
            "id": made,
            "project_id": project_id,
            "project_version": 1000,
            "kind": "conditional_go",
            "from_stage": "s0",
            "to_stage": "s1",
            "created_at": datetime.now(UTC),
            "decision": {},
        }

        async def work(session: WriteSession) -> str:
            await session.execute(tables.decision.insert(), [decision])
            ruled = Occasion("hq", datetime.now(UTC))
            condition = ProjectCondition(
                id=new_id("cnd"),
                created_at=ruled.at,
                updated_at=ruled.at,
                state_since=ruled.at,
                project_id=project_id,
                decision_id=made,
                text=LocalizedText(en="Repeat the assay"),
                owner="Quality",
                due_date=due.isoformat(),
            )
            await record_conditions(session, [condition], ruled)
            return condition.id

        return await self.bench.database.write(work)


def held(project_id: str) -> sa.Update:
    """The statement with which a hold leaves a project, for a transaction of the test's own."""
    values = {"state": "on_hold", "resume_date": "2099-01-01", "hold_cause": "decision"}
    return tables.project.update().where(tables.project.c.id == project_id).values(**values)


@contextlib.asynccontextmanager
async def results_of(bench: ProjectsBench) -> AsyncGenerator[Results]:
    """Serve outputs, awards and readiness beside projects, over the same database."""
    outputs = outputs_pb2.DESCRIPTOR.services_by_name["Outputs"]
    awards = awards_pb2.DESCRIPTOR.services_by_name["Awards"]
    readiness = readiness_pb2.DESCRIPTOR.services_by_name["Readiness"]
    async with (
        serve(outputs, outputs_api(bench.database)) as output_rpc,
        serve(awards, awards_api(bench.database)) as award_rpc,
        serve(readiness, readiness_api(bench.database)) as readiness_rpc,
    ):
        yield Results(bench, output_rpc, award_rpc, readiness_rpc)
