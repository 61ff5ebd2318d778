"""What callers are offered, and what they are not refused, held side by side.

Each step is tried for real. A trigger of the test's own ends every transaction that would
keep one, at its commit, so that the next caller finds all as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, evidence_pb2, panel_pb2, people_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.contract import Rpc, contract, descriptor_of, resource_spec
from servicekit.errors import Fault
from tests.integration.projects.conftest import KILL, VOTERS, ProjectsBench, project
from tests.integration.projects.results import Results
from tests.support.rpc import RpcBench

# Answered as a row that somebody holds, which nobody does here: it tells that the commit was
# reached, and is neither logged as a fault of the service nor tried again.
_KEEP_NOTHING = (
    """
    CREATE FUNCTION keep_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'nothing is kept' USING ERRCODE = 'lock_not_available';
    END
    $$
    """,
    """
    CREATE CONSTRAINT TRIGGER keep_nothing AFTER INSERT ON step
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_nothing()
    """,
)
_KEPT = "RESOURCE_IN_USE"

Who = Mapping[str, Any]
Inputs = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Subject:
    """A project with people of every kind around it."""

    project: pb.Project
    callers: Mapping[str, Who]


@dataclass(frozen=True)
class Tried:
    """A resource in one state, and for each of its verbs the inputs that can be given.

    A verb without inputs takes a reason at most.
    """

    rpc: RpcBench
    message: type[Message]
    id: str
    inputs: Inputs = field(default_factory=dict)


async def subject(bench: ProjectsBench) -> Subject:
    """A new project: omid is named on it, kian works for it, sara has declared a conflict."""
    lead, partner, other = [await bench.center() for _ in range(3)]
    member = people_pb2.ProjectPerson(
        name=types_pb2.LocalizedText(en="Dr Omid"),
        role=people_pb2.PERSON_ROLE_QUALITY,
        subject="omid",
    )
    participant = pb.ProjectParticipant(center_id=partner)
    made = await bench.create(project(lead, people=[member], participants=[participant]))
    await bench.verified(made.id, "disclosure")
    gate = await bench.open_gate(made.id, *VOTERS, "sara", "vida")
    await bench.declare(gate.id, "sara", panel_pb2.CONFLICT_FINANCIAL, "Holds shares.")
    await bench.withdraw(gate.id)
    callers: dict[str, Who] = {
        "of the headquarters": {"subject": "outsider"},
        "named on it": {"subject": "omid"},
        "who works for it": {"subject": "kian"},
        "of its lead center too": {"subject": "azar", "center_ids": [lead]},
        "in conflict": {"subject": "sara"},
        "who has verified": {"subject": "verifier"},
        "on the panel": {"subject": "dana"},
        "who reports": {"subject": "reporter"},
        "analyst": {"role": "hq_analyst"},
        "administrator of the lead": {"role": "center_admin", "center_ids": [lead]},
        "operator of a participant": {"role": "center_operator", "center_ids": [partner]},
        "panel member of a center": {
            "role": "center_admin",
            "subject": "mina",
            "center_ids": [other],
        },
        "stranger": {"role": "center_admin", "center_ids": [other]},
    }
    return Subject(await bench.get(made.id), callers)


async def keep_nothing(bench: ProjectsBench) -> None:
    """From here on every step is undone at its commit."""
    async with bench.database.engine.begin() as connection:
        for statement in _KEEP_NOTHING:
            await connection.execute(sa.text(statement))


async def offered(tried: Tried, who: Who) -> set[str]:
    """What a caller is offered; nothing where the caller does not see it."""
    try:
        at: Any = await _read(tried, who)
    except Fault as fault:
        if fault.reason != "NOT_FOUND":
            raise
        return set()
    return set(at.allowed_actions)


async def accepted(bench: ProjectsBench, tried: Tried, who: Who) -> set[str]:
    """The verbs that a caller is not refused, whatever was offered."""
    at: Any = await _read(tried, {})
    found: set[str] = set()
    for verb, rpc in verbs_of(tried.message).items():
        for given in tried.inputs.get(verb, [{}]):
            if await _is_kept(tried, rpc, _request(bench, rpc, at, given), who):
                found.add(verb)
                break
    return found


def verbs_of(message: type[Message]) -> Mapping[str, Rpc]:
    """The rpcs of the contract that act on one resource, by their verbs."""
    spec = resource_spec(descriptor_of(message))
    assert spec is not None
    verbs: dict[str, Rpc] = {}
    for rpc in contract().rpcs.values():
        head, _, rest = rpc.http.path.partition("}") if rpc.http else ("", "", "")
        if rpc.http is None or not head.startswith(f"/v1/{spec.plural}/{{"):
            continue
        if rpc.http.method == "PATCH":
            verbs["update"] = rpc
        elif rpc.http.method == "POST" and rest.startswith(":"):
            verbs[rest[1:]] = rpc
    return verbs


def refusals(of: Iterable[str], by: Iterable[str]) -> str:
    """How two sets of verbs differ, to be read when they do."""
    return f"offered {sorted(of)}, accepted {sorted(by)}"


async def _read(tried: Tried, who: Who) -> Message:
    name = tried.message.DESCRIPTOR.name
    rpc = tried.rpc.rpc(f"Get{name}")
    (id_field,) = rpc.descriptor.input_type.fields
    request = rpc.request_class(**{id_field.name: tried.id})
    return await tried.rpc.call(f"Get{name}", request, **who)


def _request(bench: ProjectsBench, rpc: Rpc, at: Any, given: Mapping[str, Any]) -> Message:
    fields = rpc.descriptor.input_type.fields_by_name
    values: dict[str, Any] = {rpc.descriptor.input_type.fields[0].name: at.id, "etag": at.etag}
    if "reason" in fields:
        values["reason"] = "As it was seen."
    if "idempotency_key" in fields:
        values["idempotency_key"] = bench.key()
    return rpc.request_class(**(values | dict(given)))


async def _is_kept(tried: Tried, rpc: Rpc, request: Message, who: Who) -> bool:
    """Whether a call comes to its commit; what does not is refused by a rule."""
    fault = await tried.rpc.fault(rpc.descriptor.name, request, **who)
    assert fault.reason not in ("INTERNAL", "UNAVAILABLE"), fault
    return fault.reason == _KEPT


@dataclass(frozen=True)
class Stage:
    """The services, and a project with people of every kind around it."""

    bench: ProjectsBench
    results: Results
    readiness: RpcBench
    at: pb.Project

    async def kill(self) -> None:
        kind = decisions_pb2.DECISION_KIND_KILL
        await self.bench.decide(await self.bench.get(self.at.id), kind, kill=KILL)

    async def decide(self, kind: Any, **terms: Any) -> None:
        await self.bench.decide(await self.bench.get(self.at.id), kind, **terms)

    async def criteria(self, name: str, request: Message, person: str = "outsider") -> Any:
        return await self.bench.criteria.call(name, request, subject=person)


async def step_of(stage: Stage, verb: str, at: evidence_pb2.Evidence) -> evidence_pb2.Evidence:
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=at.id, etag=at.etag, reason="As it is.", idempotency_key=stage.bench.key()
    )
    return await stage.criteria(f"{verb}Evidence", request, "verifier")


async def superseding(stage: Stage, at: evidence_pb2.Evidence) -> evidence_pb2.Evidence:
    newer = evidence_pb2.Evidence(
        project_id=at.project_id,
        criterion=at.criterion,
        kind=at.kind,
        title=at.title,
        reference=evidence_pb2.EvidenceReference(uri=at.reference.uri, sha256="b" * 64),
        supersedes_id=at.id,
    )
    request = evidence_pb2.CreateEvidenceRequest(evidence=newer, idempotency_key=stage.bench.key())
    return await stage.criteria("CreateEvidence", request, "kian")
