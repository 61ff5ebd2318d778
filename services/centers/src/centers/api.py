"""The rpcs of the service: a transaction around each use case, and each key once."""

from functools import partial

from centers import use_cases
from centers.repository import centers
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import Database
from servicekit.idempotency import once
from servicekit.imports import import_rows
from servicekit.rpc_server import Call


class CentersApi:
    """Answers the rpcs of ``peyvand.centers.v1.Centers``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_center(self, request: pb.GetCenterRequest, call: Call) -> pb.Center:
        async with self._database.read() as session:
            return await use_cases.get_center(session, request, call)

    async def list_centers(
        self, request: pb.ListCentersRequest, call: Call
    ) -> pb.ListCentersResponse:
        async with self._database.read() as session:
            return await use_cases.list_centers(session, request, call)

    async def create_center(self, request: pb.CreateCenterRequest, call: Call) -> pb.Center:
        return await self._database.write(
            lambda session: once(
                session, call, request, partial(use_cases.create_center, session, request, call)
            )
        )

    async def update_center(self, request: pb.UpdateCenterRequest, call: Call) -> pb.Center:
        return await self._database.write(
            lambda session: use_cases.update_center(session, request, call)
        )

    async def establish_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "establish")

    async def open_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "open")

    async def suspend_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "suspend")

    async def resume_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "resume")

    async def close_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "close")

    async def cancel_center(self, request: pb.CenterStepRequest, call: Call) -> pb.Center:
        return await self._step(request, call, "cancel")

    async def list_center_steps(
        self, request: pb.ListCenterStepsRequest, call: Call
    ) -> pb.ListCenterStepsResponse:
        async with self._database.read() as session:
            return await use_cases.list_center_steps(session, request, call)

    async def import_centers(
        self, request: pb.ImportCentersRequest, call: Call
    ) -> pb.ImportCentersResponse:
        results = await import_rows(
            self._database,
            request.rows,
            lambda session, row: use_cases.import_center(session, row, call),
            kind=centers.kind,
            key_of=lambda row: row.center.external_key,
            validate_only=request.validate_only,
        )
        return pb.ImportCentersResponse(results=results)

    async def _step(self, request: pb.CenterStepRequest, call: Call, action: str) -> pb.Center:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(use_cases.take_step, session, request, call, action),
            )
        )
