"""The partners service over real gRPC and a real database."""

import itertools
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from partners.api import partners_api
from partners.consumers import keep_copies
from peyvand.api.v1 import types_pb2
from peyvand.partners.v1 import activities_pb2 as act
from peyvand.partners.v1 import agreements_pb2 as agr
from peyvand.partners.v1 import institutions_pb2 as ins
from peyvand.partners.v1 import partners_pb2
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.support.cluster import Infra
from tests.support.neighbours import center_event, heard
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve


def text(en: str) -> types_pb2.LocalizedText:
    return types_pb2.LocalizedText(en=en)


def on(value: str) -> types_pb2.ImpreciseDate:
    return types_pb2.ImpreciseDate(value=value)


@dataclass
class PartnersBench:
    """The service, its database, and short ways to use it as the headquarters."""

    rpc: RpcBench
    database: Database
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def call(self, name: str, request: Any, role: str | None = "hq_admin", **who: Any) -> Any:
        """Call as a role, with a key of its own where one is taken."""
        if "idempotency_key" in request.DESCRIPTOR.fields_by_name and not request.idempotency_key:
            request.idempotency_key = f"key-{next(self.keys)}"
        return await self.rpc.call(name, request, role, **who)

    async def fault(
        self, name: str, request: Any, role: str | None = "hq_admin", **who: Any
    ) -> Fault:
        """Call and return the fault; fails the test if the call succeeds."""
        try:
            answer = await self.call(name, request, role, **who)
        except Fault as fault:
            return fault
        raise AssertionError(f"{name} answered {answer}")

    async def center(self, key: str = "") -> str:
        """Hear of a center, as the consumer does, and return its id."""
        id = new_id("ctr")
        async with self.database.engine.begin() as connection:
            await keep_copies(connection, [heard("center", id, 1, center_event(id, key=key))])
        return id

    async def institution(self, name: str, **values: Any) -> ins.Institution:
        given: dict[str, Any] = {
            "names": [ins.Name(text=name, language="en")],
            "country": "IR",
        }
        request = ins.CreateInstitutionRequest(institution=ins.Institution(**(given | values)))
        return cast("ins.Institution", await self.call("CreateInstitution", request))

    async def person(self, name: str, title: str = "") -> ins.Person:
        positions = [ins.PersonPosition(title=text(title))] if title else []
        person = ins.Person(names=[ins.Name(text=name, language="en")], positions=positions)
        answer = await self.call("CreatePerson", ins.CreatePersonRequest(person=person))
        return cast("ins.Person", answer)

    async def agreement(
        self, kind: agr.AgreementKind = agr.AGREEMENT_KIND_MOU, **values: Any
    ) -> agr.Agreement:
        given: dict[str, Any] = {
            "kind": kind,
            "titles": text("Memorandum"),
            "parties": [agr.Party(key="iran", country="IR"), agr.Party(key="russia", country="RU")],
        }
        request = agr.CreateAgreementRequest(agreement=agr.Agreement(**(given | values)))
        return cast("agr.Agreement", await self.call("CreateAgreement", request))

    async def step(self, verb: str, at: agr.Agreement, reason: str = "") -> agr.Agreement:
        request = agr.AgreementStepRequest(agreement_id=at.id, etag=at.etag, reason=reason)
        return cast("agr.Agreement", await self.call(verb, request))

    async def sign(self, at: agr.Agreement, party: str, **values: Any) -> agr.Agreement:
        given: dict[str, Any] = {"party": party} | (values or {"name": text(party)})
        request = agr.SignAgreementRequest(
            agreement_id=at.id, etag=at.etag, signature=agr.Signature(**given)
        )
        return cast("agr.Agreement", await self.call("SignAgreement", request))

    async def signed(self, **values: Any) -> agr.Agreement:
        found = await self.step("NegotiateAgreement", await self.agreement(**values))
        for party in list(found.parties):
            found = await self.sign(found, party.key)
        return found

    async def in_force(self, **values: Any) -> agr.Agreement:
        found = await self.signed(**values)
        for party in list(found.parties) if found.ratification_required else ():
            ratification = agr.Ratification(party=party.key, body=text("Parliament"), approved=True)
            request = agr.RatifyAgreementRequest(
                agreement_id=found.id, etag=found.etag, ratification=ratification
            )
            found = await self.call("RatifyAgreement", request)
        return await self.step("EnterAgreementIntoForce", found)

    async def activity(self, **values: Any) -> act.Activity:
        given: dict[str, Any] = {"kind": act.ACTIVITY_KIND_MEETING, "titles": text("Meeting")}
        request = act.CreateActivityRequest(activity=act.Activity(**(given | values)))
        return cast("act.Activity", await self.call("CreateActivity", request))

    async def activity_step(self, verb: str, at: act.Activity, reason: str = "") -> act.Activity:
        request = act.ActivityStepRequest(activity_id=at.id, etag=at.etag, reason=reason)
        return cast("act.Activity", await self.call(verb, request))

    async def get(self, id: str, role: str | None = "hq_admin", **who: Any) -> Any:
        """Read anything by its id."""
        return await self.call(*self.reading(id), role, **who)

    def reading(self, id: str) -> tuple[str, Any]:
        """The rpc and request that read one resource."""
        requests: dict[str, tuple[str, Any]] = {
            "ins": ("GetInstitution", ins.GetInstitutionRequest(institution_id=id)),
            "per": ("GetPerson", ins.GetPersonRequest(person_id=id)),
            "agr": ("GetAgreement", agr.GetAgreementRequest(agreement_id=id)),
            "act": ("GetActivity", act.GetActivityRequest(activity_id=id)),
        }
        return requests[id.partition("_")[0]]

    async def update(self, at: Any, **values: Any) -> Any:
        """Change fields of anything that was read."""
        name, request = self.updating(at, **values)
        return await self.call(name, request)

    def updating(self, at: Any, **values: Any) -> tuple[str, Any]:
        """The rpc and request that change fields of one resource."""
        classes: dict[str, Any] = {
            "institution": ins.UpdateInstitutionRequest,
            "person": ins.UpdatePersonRequest,
            "agreement": agr.UpdateAgreementRequest,
            "activity": act.UpdateActivityRequest,
        }
        name = type(at).__name__
        kind = name.lower()
        given: dict[str, Any] = {
            f"{kind}_id": at.id,
            "etag": at.etag,
            kind: type(at)(**values),
            "update_mask": FieldMask(paths=list(values)),
        }
        return f"Update{name}", classes[kind](**given)

    async def import_rows(
        self,
        rows: Sequence[partners_pb2.PartnersRow],
        *,
        validate_only: bool = False,
        pending: Sequence[str] = (),
    ) -> list[types_pb2.RowResult]:
        request = partners_pb2.ImportPartnersRequest(
            rows=rows, validate_only=validate_only, pending=pending
        )
        answer = await self.call("ImportPartners", request)
        return list(answer.results)


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[PartnersBench]:
    url = await infra.fresh_database("partners", migrated=True)
    database = Database(url, pool=10, patience=PATIENT)
    service = partners_pb2.DESCRIPTOR.services_by_name["Partners"]
    async with serve(service, partners_api(database)) as rpc:
        yield PartnersBench(rpc, database)
    await database.close()
    await infra.drop_database(url)
