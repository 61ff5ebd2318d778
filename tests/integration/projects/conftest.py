"""The projects service over real gRPC and a real database, with neighbours it has heard of."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import agreements_pb2, institutions_pb2
from peyvand.projects.v1 import companies_pb2, decisions_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.api import projects_api
from projects.consumers import keep_copies
from servicekit.database import Database
from servicekit.delivery import Delivery
from servicekit.ids import new_id, uuid7
from tests.support.cluster import Infra
from tests.support.rpc import RpcBench, serve


def heard(kind: str, id: str, version: int, event: Message) -> Delivery:
    """An event of a neighbour as it is delivered."""
    service = "centers" if kind == "center" else "partners"
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
    )
    return centers_pb2.CenterEvent(center=center)


def agreement_event(
    id: str, state: "agreements_pb2.AgreementState"
) -> agreements_pb2.AgreementEvent:
    """What the partners service announces of an agreement."""
    titles = types_pb2.LocalizedText(en="Memorandum")
    agreement = agreements_pb2.Agreement(id=id, titles=titles, state=state)
    return agreements_pb2.AgreementEvent(agreement=agreement)


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
    database: Database
    keys: list[str] = field(default_factory=list[str])

    def key(self) -> str:
        """An idempotency key not used before."""
        self.keys.append(f"key-{len(self.keys)}")
        return self.keys[-1]

    async def hear(self, *deliveries: Delivery) -> None:
        """Handle events in one transaction, as the consumer does."""
        async with self.database.engine.begin() as connection:
            await keep_copies(connection, deliveries)

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

    async def agreement(self, state: "agreements_pb2.AgreementState") -> str:
        """Hear of an agreement and return its id."""
        id = new_id("agr")
        await self.hear(heard("agreement", id, 1, agreement_event(id, state)))
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

    async def decide(
        self, at: pb.Project, decision: "decisions_pb2.DecisionKind", **values: Any
    ) -> pb.Project:
        """Decide as the headquarters."""
        request = self.ruling(at, decision, **values)
        return cast("pb.Project", await self.rpc.call("DecideProject", request))

    async def company(self, **values: Any) -> companies_pb2.Company:
        """Record a company as the headquarters."""
        given: dict[str, Any] = {"names": types_pb2.LocalizedText(en="CellMade")}
        request = companies_pb2.CreateCompanyRequest(
            company=companies_pb2.Company(**(given | values)), idempotency_key=self.key()
        )
        return cast("companies_pb2.Company", await self.rpc.call("CreateCompany", request))


KILL = decisions_pb2.KillReason(
    code=decisions_pb2.KILL_CODE_SAFETY, narrative="Tumours.", lessons="Test the bank first."
)


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[ProjectsBench]:
    url = await infra.fresh_database("projects", migrated=True)
    database = Database(url, pool=10)
    service = pb.DESCRIPTOR.services_by_name["Projects"]
    async with serve(service, projects_api(database)) as rpc:
        yield ProjectsBench(rpc, database)
    await database.close()
    await infra.drop_database(url)
