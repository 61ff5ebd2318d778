"""The projects service over real gRPC and a real database, with neighbours it has heard of."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Container, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2, institutions_pb2
from peyvand.projects.v1 import (
    companies_pb2,
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    gates_pb2,
    panel_pb2,
    readiness_pb2,
    stages_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from projects.api.criteria import criteria_api
from projects.api.gates import gates_api
from projects.api.projects import projects_api
from projects.api.readiness import readiness_api
from projects.consumers import keep_copies
from projects.pathway_templates import NEWEST, template
from servicekit.contract import enum_names
from servicekit.database import Database
from servicekit.delivery import Delivery, is_transient
from servicekit.ids import new_id, uuid7
from servicekit.mapping import to_timestamp
from servicekit.object_store import ObjectStore
from tests.support.cluster import Infra
from tests.support.criteria import CriteriaBench, serve_criteria
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve

SERVICES = {
    "center": "centers",
    "institution": "partners",
    "agreement": "partners",
    "regulation": "observatory",
}


def heard(kind: str, id: str, version: int, event: Message) -> Delivery:
    """An event of a neighbour as it is delivered."""
    service = SERVICES[kind]
    return Delivery(
        event_id=uuid7(),
        type=f"peyvand.{service}.v1.{kind}.updated",
        subject=f"evt.{service}.{kind}.updated.{id}",
        aggregate_id=id,
        aggregate_version=version,
        time=datetime.now(UTC),
        payload=event.SerializeToString(),
        headers={},
        stream=f"EVT_{service.upper()}",
        stream_seq=version,
    )


def center_event(
    id: str, state: "centers_pb2.CenterState" = centers_pb2.CENTER_STATE_OPERATIONAL, key: str = ""
) -> centers_pb2.CenterEvent:
    """What the centers service announces of a center."""
    center = centers_pb2.Center(
        id=id,
        external_key=key,
        code="TBZ",
        province="IR-03",
        names=types_pb2.LocalizedText(en="Tabriz"),
        state=state,
        state_since=to_timestamp(datetime.now(UTC)),
    )
    return centers_pb2.CenterEvent(center=center)


def agreement_event(
    id: str, state: "agreements_pb2.AgreementState", *party_ids: str
) -> agreements_pb2.AgreementEvent:
    """What the partners service announces of an agreement, one of a state with institutions."""
    titles = types_pb2.LocalizedText(en="Memorandum")
    since = to_timestamp(datetime.now(UTC))
    parties = [agreements_pb2.Party(key="iran", country="IR")]
    parties += [
        agreements_pb2.Party(key=f"party-{n}", institution_id=party)
        for n, party in enumerate(party_ids)
    ]
    agreement = agreements_pb2.Agreement(
        id=id, titles=titles, state=state, state_since=since, parties=parties
    )
    return agreements_pb2.AgreementEvent(agreement=agreement)


def regulation_event(
    id: str,
    key: str,
    version: int,
    state: "regulations_pb2.RegulationState" = regulations_pb2.REGULATION_STATE_DRAFTING,
    *,
    before: str = "",
    changed: Sequence[str] = (),
) -> regulations_pb2.RegulationEvent:
    """What the observatory announces of a regulation."""
    regulation = regulations_pb2.Regulation(
        id=id,
        external_key=key,
        titles=types_pb2.LocalizedText(en="Cell therapy regulations"),
        state=state,
    )
    after = enum_names(regulations_pb2.RegulationState.DESCRIPTOR)[state]
    step = types_pb2.Step(
        version=version,
        from_state=before,
        to_state=after if before else "",
        changed_fields=changed,
    )
    return regulations_pb2.RegulationEvent(
        regulation=regulation, change=types_pb2.Change(step=step)
    )


def project(lead: str, **values: Any) -> pb.Project:
    """A project as a caller describes it."""
    given: dict[str, Any] = {
        "titles": types_pb2.LocalizedText(en="Cartilage patch"),
        "pathway": stages_pb2.PATHWAY_SOMATIC_CELL,
    }
    return pb.Project(lead_center_id=lead, **(given | values))


@dataclass
class ProjectsBench:
    """The service, its database, and short ways to use it."""

    rpc: RpcBench
    gates: RpcBench
    criteria: RpcBench
    database: Database
    url: str
    keys: list[str] = field(default_factory=list[str])

    def key(self) -> str:
        """An idempotency key not used before."""
        self.keys.append(f"key-{len(self.keys)}")
        return self.keys[-1]

    async def hear(self, *deliveries: Delivery) -> None:
        """Handle events in one transaction; again where the machine was too slow, as they are."""
        for last in (*[False] * 9, True):
            try:
                async with self.database.engine.begin() as connection:
                    await keep_copies(connection, deliveries)
            except Exception as error:
                # A row that was waited for too long. A deadlock is none of the machine's,
                # and the server counts those.
                if last or not is_transient(error):
                    raise
            else:
                return

    async def center(
        self,
        key: str = "",
        state: "centers_pb2.CenterState" = centers_pb2.CENTER_STATE_OPERATIONAL,
    ) -> str:
        """Hear of a center and return its id."""
        id = new_id("ctr")
        await self.hear(heard("center", id, 1, center_event(id, state, key)))
        return id

    async def institution(self) -> str:
        """Hear of an institution and return its id."""
        id = new_id("ins")
        institution = institutions_pb2.Institution(id=id)
        event = institutions_pb2.InstitutionEvent(institution=institution)
        await self.hear(heard("institution", id, 1, event))
        return id

    async def agreement(self, state: "agreements_pb2.AgreementState", *party_ids: str) -> str:
        """Hear of an agreement, with these institutions as parties, and return its id."""
        id = new_id("agr")
        await self.hear(heard("agreement", id, 1, agreement_event(id, state, *party_ids)))
        return id

    async def create(self, given: pb.Project, *, center_ids: Sequence[str] = ()) -> pb.Project:
        """Record a project, as the headquarters or as an administrator of centers."""
        request = pb.CreateProjectRequest(project=given, idempotency_key=self.key())
        role = "center_admin" if center_ids else "hq_admin"
        answer = await self.rpc.call("CreateProject", request, role, center_ids=center_ids)
        return cast("pb.Project", answer)

    def ruling(
        self, at: pb.Project, decision: "decisions_pb2.DecisionKind", **values: Any
    ) -> decisions_pb2.DecideProjectRequest:
        """A decision on a version of a project that was read."""
        given: dict[str, Any] = {"reason": "As the board sees it.", "idempotency_key": self.key()}
        return decisions_pb2.DecideProjectRequest(
            project_id=at.id, etag=at.etag, decision=decision, **(given | values)
        )

    async def get(self, id: str, **who: Any) -> pb.Project:
        """Read a project."""
        request = pb.GetProjectRequest(project_id=id)
        return cast("pb.Project", await self.rpc.call("GetProject", request, **who))

    async def decide(
        self, at: pb.Project, decision: "decisions_pb2.DecisionKind", **values: Any
    ) -> pb.Project:
        """Decide as the headquarters, at a gate of its own, with all that it takes."""
        if decision in ADVANCES:
            await self.satisfy(at.id)
        await self.review(at.id, decision, **values)
        request = self.ruling(await self.get(at.id), decision, **values)
        return cast("pb.Project", await self.rpc.call("DecideProject", request))

    async def satisfy(self, project_id: str, *, but: Container[str] = ()) -> None:
        """Have evidence for all that the stage still asks for but these, verified by another."""
        request = criteria_pb2.GetNextGateRequest(project_id=project_id)
        asked = cast("criteria_pb2.NextGate", await self.criteria.call("GetNextGate", request))
        for criterion in asked.missing:
            if criterion not in but:
                await self.verified(project_id, criterion)

    async def evidence(
        self, project_id: str, criterion: str, *, subject: str = "kian", content: str = ""
    ) -> evidence_pb2.Evidence:
        """Submit evidence for a criterion; what it is, if it matters."""
        given = evidence_pb2.Evidence(
            project_id=project_id,
            criterion=criterion,
            kind=evidence_pb2.EVIDENCE_KIND_REPORT,
            title=types_pb2.LocalizedText(en=f"Report on {criterion}"),
            reference=evidence_pb2.EvidenceReference(
                uri="https://example.org/report",
                sha256=hashlib.sha256((content or criterion).encode()).hexdigest(),
            ),
        )
        request = evidence_pb2.CreateEvidenceRequest(evidence=given, idempotency_key=self.key())
        answer = await self.criteria.call("CreateEvidence", request, subject=subject)
        return cast("evidence_pb2.Evidence", answer)

    async def verified(
        self, project_id: str, criterion: str, *, subject: str = "kian", content: str = ""
    ) -> evidence_pb2.Evidence:
        """Submit evidence for a criterion, and have another find that it holds."""
        made = await self.evidence(project_id, criterion, subject=subject, content=content)
        request = evidence_pb2.EvidenceStepRequest(
            evidence_id=made.id, etag=made.etag, idempotency_key=self.key()
        )
        answer = await self.criteria.call("VerifyEvidence", request, subject="verifier")
        return cast("evidence_pb2.Evidence", answer)

    async def open_gate(
        self, project_id: str, *subjects: str, quorum: int = 0, supersedes_id: str = ""
    ) -> gates_pb2.Gate:
        """Open a gate with these on its panel."""
        request = self.opening(project_id, *subjects, quorum=quorum, supersedes_id=supersedes_id)
        return cast("gates_pb2.Gate", await self.gates.call("CreateGate", request))

    def opening(
        self, project_id: str, *subjects: str, **values: Any
    ) -> gates_pb2.CreateGateRequest:
        """What opens a gate with these on its panel, and some more where they are too few."""
        role = panel_pb2.PANEL_ROLE_SCIENCE
        # There are three at least.
        spare = [other for other in PANEL if other not in subjects]
        members = [*subjects, *spare[: max(0, 3 - len(subjects))]]
        panel = [panel_pb2.PanelMember(subject=subject, role=role) for subject in members]
        gate = gates_pb2.Gate(project_id=project_id, panel=panel, **values)
        return gates_pb2.CreateGateRequest(gate=gate, idempotency_key=self.key())

    async def gate(self, id: str, **who: Any) -> gates_pb2.Gate:
        """Read a gate."""
        answer = await self.gates.call("GetGate", gates_pb2.GetGateRequest(gate_id=id), **who)
        return cast("gates_pb2.Gate", answer)

    async def declare(
        self,
        gate_id: str,
        subject: str,
        conflict: "panel_pb2.Conflict" = panel_pb2.CONFLICT_NONE,
        note: str = "",
        **who: Any,
    ) -> gates_pb2.Gate:
        """Declare as a member of the panel."""
        request = gates_pb2.DeclareAtGateRequest(
            gate_id=gate_id,
            conflict=conflict,
            note=note,
            etag=(await self.gate(gate_id)).etag,
            idempotency_key=self.key(),
        )
        answer = await self.gates.call("DeclareAtGate", request, subject=subject, **who)
        return cast("gates_pb2.Gate", answer)

    async def propose(
        self, gate_id: str, decision: "decisions_pb2.DecisionKind", *, etag: str = "", **terms: Any
    ) -> gates_pb2.Gate:
        """Put terms to the panel as the headquarters: those given, or some that will do."""
        request = gates_pb2.ProposeAtGateRequest(
            gate_id=gate_id,
            decision=decision,
            etag=etag or (await self.gate(gate_id)).etag,
            idempotency_key=self.key(),
            **(terms or TERMS[decision]),
        )
        return cast("gates_pb2.Gate", await self.gates.call("ProposeAtGate", request))

    async def vote(
        self, gate_id: str, subject: str, decision: "decisions_pb2.DecisionKind", **who: Any
    ) -> gates_pb2.Gate:
        """Vote as a member of the panel."""
        request = gates_pb2.VoteAtGateRequest(
            gate_id=gate_id,
            decision=decision,
            reason="As the evidence stands.",
            etag=(await self.gate(gate_id)).etag,
            idempotency_key=self.key(),
        )
        answer = await self.gates.call("VoteAtGate", request, subject=subject, **who)
        return cast("gates_pb2.Gate", answer)

    async def review(
        self,
        project_id: str,
        decision: "decisions_pb2.DecisionKind",
        *subjects: str,
        supersedes_id: str = "",
        **terms: Any,
    ) -> gates_pb2.Gate:
        """Open a gate, put terms to it, and have these declare and vote for the decision."""
        voters = subjects or VOTERS
        gate = await self.open_gate(project_id, *voters, supersedes_id=supersedes_id)
        if decision in TERMS:
            await self.propose(gate.id, decision, **terms)
        for subject in voters:
            await self.declare(gate.id, subject)
            gate = await self.vote(gate.id, subject, decision)
        return gate

    async def withdraw(self, gate_id: str, reason: str = "Later.", **who: Any) -> gates_pb2.Gate:
        """End a gate without a decision."""
        request = gates_pb2.GateStepRequest(
            gate_id=gate_id,
            etag=(await self.gate(gate_id)).etag,
            reason=reason,
            idempotency_key=self.key(),
        )
        return cast("gates_pb2.Gate", await self.gates.call("WithdrawGate", request, **who))

    async def decisions(self, project_id: str) -> list[decisions_pb2.Decision]:
        """All decisions on a project, the oldest first."""
        request = decisions_pb2.ListProjectDecisionsRequest(project_id=project_id, page_size=200)
        answer = await self.rpc.call("ListProjectDecisions", request)
        return list(cast("decisions_pb2.ListProjectDecisionsResponse", answer).decisions)

    async def conditions(self, **filters: Any) -> list[conditions_pb2.ProjectCondition]:
        """Conditions, as the headquarters see them."""
        request = conditions_pb2.ListProjectConditionsRequest(**filters)
        answer = await self.gates.call("ListProjectConditions", request)
        return list(cast("conditions_pb2.ListProjectConditionsResponse", answer).conditions)

    async def company(self, **values: Any) -> companies_pb2.Company:
        """Record a company as the headquarters."""
        given: dict[str, Any] = {"names": types_pb2.LocalizedText(en="CellMade")}
        request = companies_pb2.CreateCompanyRequest(
            company=companies_pb2.Company(**(given | values)), idempotency_key=self.key()
        )
        return cast("companies_pb2.Company", await self.rpc.call("CreateCompany", request))


S0 = [c.code for c in template(NEWEST).criteria if c.stage == "s0"]
ADVANCES = (decisions_pb2.DECISION_KIND_GO, decisions_pb2.DECISION_KIND_CONDITIONAL_GO)
KILL = decisions_pb2.KillReason(
    code=decisions_pb2.KILL_CODE_SAFETY, narrative="Tumours.", lessons="Test the bank first."
)
# Those who vote where it does not matter who does, and who sits there beside them.
VOTERS = ("dana", "mina")
PANEL = ("vida", "yas", "zari")
NEAR_MIDNIGHT = timedelta(minutes=2)


async def within_one_day() -> None:
    """Wait until midnight is over, where it is near: what is due today is, to the end of a test."""
    now = datetime.now(UTC)
    left = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC) - now
    if left < NEAR_MIDNIGHT:
        await asyncio.sleep(left.total_seconds() + 1)


def in_days(days: int) -> str:
    """A day from today on, UTC, ISO 8601."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def condition(criterion: str = "", due_date: str = "") -> decisions_pb2.Condition:
    """A condition, as terms have it."""
    return decisions_pb2.Condition(
        text=types_pb2.LocalizedText(en="Bring it"),
        owner="Quality, Tabriz",
        due_date=due_date or in_days(300),
        criterion=criterion,
    )


# Terms for each kind of decision that has any.
TERMS: dict[int, dict[str, Any]] = {
    decisions_pb2.DECISION_KIND_CONDITIONAL_GO: {"conditions": [condition()]},
    decisions_pb2.DECISION_KIND_HOLD: {"resume_date": "2099-01-01"},
    decisions_pb2.DECISION_KIND_RECYCLE: {"to_stage": stages_pb2.STAGE_S0},
    decisions_pb2.DECISION_KIND_KILL: {"kill": KILL},
}


async def at_s1(bench: ProjectsBench, **values: Any) -> pb.Project:
    """A project in S1, for which it was recorded."""
    center = values.pop("center", None) or await bench.center()
    given = {"initial_stage": stages_pb2.STAGE_S1, "initial_stage_reason": "Under way."}
    return await bench.create(project(center, **(given | values)))


async def back_in_s1(bench: ProjectsBench, criteria: CriteriaBench, made: pb.Project) -> pb.Project:
    """The same project after a visit to S0: its third visit is to S1 again."""
    recycled = await bench.decide(
        made, decisions_pb2.DECISION_KIND_RECYCLE, to_stage=stages_pb2.STAGE_S0
    )
    await criteria.verified(made.id, *S0)
    return await bench.decide(recycled, decisions_pb2.DECISION_KIND_GO)


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[ProjectsBench]:
    await within_one_day()
    url = await infra.fresh_database("projects", migrated=True)
    # As many connections as there are callers at once: none waits for one.
    database = Database(url, pool=30, patience=PATIENT)
    async with contextlib.AsyncExitStack() as served:
        rpc = await served.enter_async_context(
            serve(pb.DESCRIPTOR.services_by_name["Projects"], projects_api(database))
        )
        gates = await served.enter_async_context(
            serve(gates_pb2.DESCRIPTOR.services_by_name["Gates"], gates_api(database))
        )
        service = criteria_pb2.DESCRIPTOR.services_by_name["Criteria"]
        criteria = await served.enter_async_context(serve(service, criteria_api(database, None)))
        yield ProjectsBench(rpc, gates, criteria, database, url)
    await database.close()
    await infra.drop_database(url)


@pytest.fixture
async def criteria(bench: ProjectsBench, tmp_path: Path) -> AsyncGenerator[CriteriaBench]:
    """The service of criteria, over the database of the bench, with a folder for files."""
    objects = ObjectStore.in_folder(tmp_path / "objects")
    async with serve_criteria(bench.database, objects) as served:
        yield served


@pytest.fixture
async def readiness(bench: ProjectsBench) -> AsyncGenerator[RpcBench]:
    """The service of readiness, over the database of the bench."""
    service = readiness_pb2.DESCRIPTOR.services_by_name["Readiness"]
    async with serve(service, readiness_api(bench.database)) as rpc:
        yield rpc
