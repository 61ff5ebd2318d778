"""The rpcs of the service: a transaction around each use case, and each key once."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from partners.use_cases import activities, agreements, imports, institutions, persons
from peyvand.partners.v1 import activities_pb2, agreements_pb2, institutions_pb2, partners_pb2
from servicekit.database import Database, ReadSession, WriteSession
from servicekit.idempotency import once
from servicekit.imports import import_rows
from servicekit.rpc_server import Call

Q = TypeVar("Q", bound=Message)
M = TypeVar("M", bound=Message)


class PartnersApi:
    """Answers the rpcs of ``peyvand.partners.v1.Partners``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_institution(
        self, request: institutions_pb2.GetInstitutionRequest, call: Call
    ) -> institutions_pb2.Institution:
        return await self._read(institutions.get_institution, request, call)

    async def list_institutions(
        self, request: institutions_pb2.ListInstitutionsRequest, call: Call
    ) -> institutions_pb2.ListInstitutionsResponse:
        return await self._read(institutions.list_institutions, request, call)

    async def create_institution(
        self, request: institutions_pb2.CreateInstitutionRequest, call: Call
    ) -> institutions_pb2.Institution:
        return await self._once(institutions.create_institution, request, call)

    async def update_institution(
        self, request: institutions_pb2.UpdateInstitutionRequest, call: Call
    ) -> institutions_pb2.Institution:
        return await self._write(institutions.update_institution, request, call)

    async def get_person(
        self, request: institutions_pb2.GetPersonRequest, call: Call
    ) -> institutions_pb2.Person:
        return await self._read(persons.get_person, request, call)

    async def list_persons(
        self, request: institutions_pb2.ListPersonsRequest, call: Call
    ) -> institutions_pb2.ListPersonsResponse:
        return await self._read(persons.list_persons, request, call)

    async def create_person(
        self, request: institutions_pb2.CreatePersonRequest, call: Call
    ) -> institutions_pb2.Person:
        return await self._once(persons.create_person, request, call)

    async def update_person(
        self, request: institutions_pb2.UpdatePersonRequest, call: Call
    ) -> institutions_pb2.Person:
        return await self._write(persons.update_person, request, call)

    async def delete_person(
        self, request: institutions_pb2.DeletePersonRequest, call: Call
    ) -> institutions_pb2.Person:
        return await self._write(persons.delete_person, request, call)

    async def get_agreement(
        self, request: agreements_pb2.GetAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._read(agreements.get_agreement, request, call)

    async def list_agreements(
        self, request: agreements_pb2.ListAgreementsRequest, call: Call
    ) -> agreements_pb2.ListAgreementsResponse:
        return await self._read(agreements.list_agreements, request, call)

    async def create_agreement(
        self, request: agreements_pb2.CreateAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._once(agreements.create_agreement, request, call)

    async def update_agreement(
        self, request: agreements_pb2.UpdateAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._write(agreements.update_agreement, request, call)

    async def negotiate_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "negotiate")

    async def enter_agreement_into_force(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "enter-force")

    async def suspend_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "suspend")

    async def resume_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "resume")

    async def expire_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "expire")

    async def terminate_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "terminate")

    async def withdraw_agreement(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._agreement_step(request, call, "withdraw")

    async def sign_agreement(
        self, request: agreements_pb2.SignAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._once(agreements.sign_agreement, request, call)

    async def ratify_agreement(
        self, request: agreements_pb2.RatifyAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._once(agreements.ratify_agreement, request, call)

    async def supersede_agreement(
        self, request: agreements_pb2.SupersedeAgreementRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._once(agreements.supersede_agreement, request, call)

    async def confirm_agreement_parent(
        self, request: agreements_pb2.AgreementStepRequest, call: Call
    ) -> agreements_pb2.Agreement:
        return await self._once(agreements.confirm_agreement_parent, request, call)

    async def list_agreement_steps(
        self, request: agreements_pb2.ListAgreementStepsRequest, call: Call
    ) -> agreements_pb2.ListAgreementStepsResponse:
        return await self._read(agreements.list_agreement_steps, request, call)

    async def get_activity(
        self, request: activities_pb2.GetActivityRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._read(activities.get_activity, request, call)

    async def list_activities(
        self, request: activities_pb2.ListActivitiesRequest, call: Call
    ) -> activities_pb2.ListActivitiesResponse:
        return await self._read(activities.list_activities, request, call)

    async def create_activity(
        self, request: activities_pb2.CreateActivityRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._once(activities.create_activity, request, call)

    async def update_activity(
        self, request: activities_pb2.UpdateActivityRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._write(activities.update_activity, request, call)

    async def approve_activity(
        self, request: activities_pb2.ActivityStepRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._activity_step(request, call, "approve")

    async def start_activity(
        self, request: activities_pb2.ActivityStepRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._activity_step(request, call, "start")

    async def complete_activity(
        self, request: activities_pb2.ActivityStepRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._activity_step(request, call, "complete")

    async def cancel_activity(
        self, request: activities_pb2.ActivityStepRequest, call: Call
    ) -> activities_pb2.Activity:
        return await self._activity_step(request, call, "cancel")

    async def list_activity_steps(
        self, request: activities_pb2.ListActivityStepsRequest, call: Call
    ) -> activities_pb2.ListActivityStepsResponse:
        return await self._read(activities.list_activity_steps, request, call)

    async def import_partners(
        self, request: partners_pb2.ImportPartnersRequest, call: Call
    ) -> partners_pb2.ImportPartnersResponse:
        order = imports.in_order(request.rows)
        results = await import_rows(
            self._database,
            [request.rows[index] for index in order],
            lambda session, row: imports.import_row(session, row, call),
            kind=imports.kind_of,
            key_of=imports.key_of,
            validate_only=request.validate_only,
        )
        placed = dict(zip(order, results, strict=True))
        return partners_pb2.ImportPartnersResponse(results=[placed[i] for i in range(len(order))])

    async def _agreement_step(
        self, request: agreements_pb2.AgreementStepRequest, call: Call, action: str
    ) -> agreements_pb2.Agreement:
        async def step(
            session: WriteSession, request: agreements_pb2.AgreementStepRequest, call: Call
        ) -> agreements_pb2.Agreement:
            return await agreements.take_agreement_step(session, request, call, action)

        return await self._once(step, request, call)

    async def _activity_step(
        self, request: activities_pb2.ActivityStepRequest, call: Call, action: str
    ) -> activities_pb2.Activity:
        async def step(
            session: WriteSession, request: activities_pb2.ActivityStepRequest, call: Call
        ) -> activities_pb2.Activity:
            return await activities.take_activity_step(session, request, call, action)

        return await self._once(step, request, call)

    async def _read(
        self, use_case: Callable[[ReadSession, Q, Call], Awaitable[M]], request: Q, call: Call
    ) -> M:
        async with self._database.read() as session:
            return await use_case(session, request, call)

    async def _write(
        self, use_case: Callable[[WriteSession, Q, Call], Awaitable[M]], request: Q, call: Call
    ) -> M:
        return await self._database.write(lambda session: use_case(session, request, call))

    async def _once(
        self, use_case: Callable[[WriteSession, Q, Call], Awaitable[M]], request: Q, call: Call
    ) -> M:
        return await self._database.write(
            lambda session: once(session, call, request, lambda: use_case(session, request, call))
        )
