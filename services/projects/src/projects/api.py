"""The rpcs of the service: a transaction around each use case, and each key once."""

from functools import partial

from peyvand.projects.v1 import companies_pb2, decisions_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.repository import FIND_BY_KEY, companies, projects
from projects.use_cases import companies as company_cases
from projects.use_cases import projects as project_cases
from servicekit.database import Database, WriteSession
from servicekit.idempotency import once
from servicekit.imports import RowOutcome, import_rows
from servicekit.references import References
from servicekit.rpc_server import Call


class ProjectsApi:
    """Answers the rpcs of ``peyvand.projects.v1.Projects``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_project(self, request: pb.GetProjectRequest, call: Call) -> pb.Project:
        async with self._database.read() as session:
            return await project_cases.get_project(session, request, call)

    async def list_projects(
        self, request: pb.ListProjectsRequest, call: Call
    ) -> pb.ListProjectsResponse:
        async with self._database.read() as session:
            return await project_cases.list_projects(session, request, call)

    async def create_project(self, request: pb.CreateProjectRequest, call: Call) -> pb.Project:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(project_cases.create_project, session, request, call),
            )
        )

    async def update_project(self, request: pb.UpdateProjectRequest, call: Call) -> pb.Project:
        return await self._database.write(
            lambda session: project_cases.update_project(session, request, call)
        )

    async def decide_project(
        self, request: decisions_pb2.DecideProjectRequest, call: Call
    ) -> pb.Project:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(project_cases.decide_project, session, request, call),
            )
        )

    async def resume_project(self, request: pb.ProjectStepRequest, call: Call) -> pb.Project:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(project_cases.resume_project, session, request, call),
            )
        )

    async def list_project_decisions(
        self, request: decisions_pb2.ListProjectDecisionsRequest, call: Call
    ) -> decisions_pb2.ListProjectDecisionsResponse:
        async with self._database.read() as session:
            return await project_cases.list_project_decisions(session, request, call)

    async def list_project_steps(
        self, request: pb.ListProjectStepsRequest, call: Call
    ) -> pb.ListProjectStepsResponse:
        async with self._database.read() as session:
            return await project_cases.list_project_steps(session, request, call)

    async def import_projects(
        self, request: pb.ImportProjectsRequest, call: Call
    ) -> pb.ImportProjectsResponse:
        pending = request.pending if request.validate_only else ()
        references = References(FIND_BY_KEY, pending=pending, reasons={"center": "UNKNOWN_CENTER"})

        async def apply(session: WriteSession, row: pb.ProjectsRow) -> RowOutcome:
            if row.WhichOneof("row") == "project":
                return await project_cases.import_project(session, row.project, call, references)
            return await company_cases.import_company(session, row.company, call, references)

        # Companies after the projects that they came out of, wherever both stand.
        order = sorted(range(len(request.rows)), key=lambda i: _is_company(request.rows[i]))
        results = await import_rows(
            self._database,
            [request.rows[index] for index in order],
            apply,
            kind=lambda row: companies.kind if _is_company(row) else projects.kind,
            key_of=_external_key,
            validate_only=request.validate_only,
        )
        in_file = sorted(zip(order, results, strict=True), key=lambda placed: placed[0])
        return pb.ImportProjectsResponse(results=[result for _, result in in_file])

    async def get_company(
        self, request: companies_pb2.GetCompanyRequest, call: Call
    ) -> companies_pb2.Company:
        async with self._database.read() as session:
            return await company_cases.get_company(session, request, call)

    async def list_companies(
        self, request: companies_pb2.ListCompaniesRequest, call: Call
    ) -> companies_pb2.ListCompaniesResponse:
        async with self._database.read() as session:
            return await company_cases.list_companies(session, request, call)

    async def create_company(
        self, request: companies_pb2.CreateCompanyRequest, call: Call
    ) -> companies_pb2.Company:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(company_cases.create_company, session, request, call),
            )
        )

    async def update_company(
        self, request: companies_pb2.UpdateCompanyRequest, call: Call
    ) -> companies_pb2.Company:
        return await self._database.write(
            lambda session: company_cases.update_company(session, request, call)
        )

    async def dissolve_company(
        self, request: companies_pb2.CompanyStepRequest, call: Call
    ) -> companies_pb2.Company:
        return await self._company_step(request, call, "dissolve")

    async def reinstate_company(
        self, request: companies_pb2.CompanyStepRequest, call: Call
    ) -> companies_pb2.Company:
        return await self._company_step(request, call, "reinstate")

    async def list_company_steps(
        self, request: companies_pb2.ListCompanyStepsRequest, call: Call
    ) -> companies_pb2.ListCompanyStepsResponse:
        async with self._database.read() as session:
            return await company_cases.list_company_steps(session, request, call)

    async def _company_step(
        self, request: companies_pb2.CompanyStepRequest, call: Call, action: str
    ) -> companies_pb2.Company:
        return await self._database.write(
            lambda session: once(
                session,
                call,
                request,
                partial(company_cases.take_company_step, session, request, call, action),
            )
        )


def _is_company(row: pb.ProjectsRow) -> bool:
    return row.WhichOneof("row") == "company"


def _external_key(row: pb.ProjectsRow) -> str:
    if _is_company(row):
        return row.company.company.external_key
    return row.project.project.external_key
