"""The service of criteria over real gRPC, with people who are told apart by their tokens."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import criteria_pb2, evidence_pb2, waivers_pb2
from projects.api.criteria import criteria_api
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.object_store import ObjectStore, spool
from tests.support.rpc import RpcBench, serve

DIGEST = "a" * 64


@dataclass(frozen=True)
class Person:
    """Someone with a token of their own."""

    subject: str
    role: str = "hq_admin"
    center_ids: Sequence[str] = field(default_factory=tuple)


SARA = Person("sara")
OMID = Person("omid")


def reference(**values: Any) -> evidence_pb2.EvidenceReference:
    """Where others keep evidence, as a caller describes it."""
    given = {"uri": "https://doi.org/10.1038/nature12373", "sha256": DIGEST}
    return evidence_pb2.EvidenceReference(**(given | values))


@dataclass
class CriteriaBench:
    """The service, its database and its files, and short ways to use it."""

    rpc: RpcBench
    database: Database
    objects: ObjectStore

    async def call(self, name: str, request: Message, who: Person = SARA) -> Any:
        """Call as a person."""
        return await self.rpc.call(name, request, token=self.token(who))

    async def fault(self, name: str, request: Message, who: Person = SARA) -> Fault:
        """Call as a person, and be refused."""
        return await self.rpc.fault(name, request, token=self.token(who))

    async def rows(self, query: str) -> list[Any]:
        """What the database has."""
        async with self.database.engine.connect() as connection:
            return list(await connection.execute(sa.text(query)))

    def token(self, who: Person) -> str:
        """The token of a person."""
        return self.rpc._issuer.mint(who.role, who.subject, center_ids=who.center_ids)

    def submission(self, project_id: str, criterion: str, **values: Any) -> Any:
        """Evidence as a caller submits it; a reference unless it is given a file."""
        given: dict[str, Any] = {
            "kind": evidence_pb2.EVIDENCE_KIND_REPORT,
            "title": types_pb2.LocalizedText(en=f"Report on {criterion}"),
        }
        if "file" not in values:
            given["reference"] = reference()
        made = evidence_pb2.Evidence(project_id=project_id, criterion=criterion, **(given | values))
        return evidence_pb2.CreateEvidenceRequest(evidence=made, idempotency_key=key())

    async def submit(
        self, project_id: str, criterion: str, who: Person = SARA, **values: Any
    ) -> evidence_pb2.Evidence:
        """Submit evidence."""
        return await self.call(
            "CreateEvidence", self.submission(project_id, criterion, **values), who
        )

    async def step(
        self, verb: str, at: evidence_pb2.Evidence, who: Person = OMID, reason: str = ""
    ) -> evidence_pb2.Evidence:
        """Take a step of evidence: ``Verify``, ``Reconfirm``, ``Reject``."""
        return await self.call(f"{verb}Evidence", step_of(at, reason), who)

    async def verified(
        self, project_id: str, *criteria: str, submitted_by: Person = SARA, by: Person = OMID
    ) -> list[evidence_pb2.Evidence]:
        """Submit evidence for criteria as one person and verify it as another."""
        return [
            await self.step("Verify", await self.submit(project_id, code, submitted_by), by)
            for code in criteria
        ]

    async def ask(
        self, project_id: str, criterion: str, who: Person = SARA, **values: Any
    ) -> waivers_pb2.Waiver:
        """Ask for a waiver."""
        given: dict[str, Any] = {"reason": "The same substance.", "expiry_date": "2099-01-01"}
        waiver = waivers_pb2.Waiver(project_id=project_id, criterion=criterion, **(given | values))
        request = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=key())
        return await self.call("CreateWaiver", request, who)

    async def rule(
        self, verb: str, at: waivers_pb2.Waiver, who: Person = OMID, reason: str = ""
    ) -> waivers_pb2.Waiver:
        """Take a step of a waiver: ``Grant``, ``Refuse``, ``Withdraw``, ``Revoke``."""
        return await self.call(f"{verb}Waiver", ruling_on(at, reason), who)

    async def next_gate(self, project_id: str, who: Person = SARA) -> criteria_pb2.NextGate:
        """Ask what a project needs."""
        request = criteria_pb2.GetNextGateRequest(project_id=project_id)
        return await self.call("GetNextGate", request, who)

    async def file(
        self, content: bytes, name: str = "report.pdf", sender: Person = SARA
    ) -> evidence_pb2.EvidenceFile:
        """Keep a file that somebody sends, and give how evidence names it."""
        with spool() as arrived:
            await arrived.write(content)
            sha256 = await arrived.finish()
            await self.objects.put(arrived, sha256, sender=sender.subject)
        return evidence_pb2.EvidenceFile(
            name=name, media_type="application/pdf", size_bytes=len(content), sha256=sha256
        )


def key() -> str:
    """An idempotency key not used before."""
    return secrets.token_hex(8)


def step_of(at: evidence_pb2.Evidence, reason: str = "") -> evidence_pb2.EvidenceStepRequest:
    """A step of a version of evidence that was read."""
    return evidence_pb2.EvidenceStepRequest(
        evidence_id=at.id, etag=at.etag, reason=reason, idempotency_key=key()
    )


def waiver_request(
    project_id: str, criterion: str, **values: Any
) -> waivers_pb2.CreateWaiverRequest:
    """Ask for a waiver, with what does not matter filled in."""
    given: dict[str, Any] = {"reason": "The same.", "expiry_date": "2099-01-01"}
    waiver = waivers_pb2.Waiver(project_id=project_id, criterion=criterion, **(given | values))
    return waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=key())


def ruling_on(at: waivers_pb2.Waiver, reason: str = "") -> waivers_pb2.WaiverStepRequest:
    """A step of a version of a waiver that was read."""
    return waivers_pb2.WaiverStepRequest(
        waiver_id=at.id, etag=at.etag, reason=reason, idempotency_key=key()
    )


def states(gate: criteria_pb2.NextGate) -> dict[str, str]:
    """How it stands with each criterion, by its code."""
    name = cast("Any", criteria_pb2.CriterionState).Name
    return {
        item.criterion.code: name(item.state).removeprefix("CRITERION_STATE_").lower()
        for item in gate.criteria
    }


@contextlib.asynccontextmanager
async def serve_criteria(
    database: Database, objects: ObjectStore, *, told_of_store: bool = True
) -> AsyncGenerator[CriteriaBench]:
    """Serve the criteria of the projects in a database until the block ends."""
    service = criteria_pb2.DESCRIPTOR.services_by_name["Criteria"]
    api = criteria_api(database, objects if told_of_store else None)
    async with serve(service, api) as rpc:
        yield CriteriaBench(rpc, database, objects)
