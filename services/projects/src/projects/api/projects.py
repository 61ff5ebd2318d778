"""Which use case answers which rpc of ``peyvand.projects.v1.Projects``, and how."""

from collections.abc import Sequence
from functools import partial

from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.company import Company
from projects.repository.companies import companies
from projects.repository.neighbours import FIND_BY_KEY
from projects.repository.projects import projects
from projects.use_cases import companies as company_cases
from projects.use_cases import decisions as decision_cases
from projects.use_cases import flags as flag_cases
from projects.use_cases import people as people_cases
from projects.use_cases import projects as project_cases
from servicekit.database import Database, WriteSession
from servicekit.imports import Plan, RowOutcome
from servicekit.references import References
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs


def projects_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(
        project_cases.get_project,
        project_cases.list_projects,
        decision_cases.list_project_decisions,
        project_cases.list_project_steps,
        company_cases.get_company,
        company_cases.list_companies,
        company_cases.list_company_steps,
    )
    rpcs.once(
        project_cases.create_project,
        decision_cases.decide_project,
        project_cases.resume_project,
        flag_cases.acknowledge_project_flag,
        people_cases.strike_project_naming,
        company_cases.create_company,
    )
    rpcs.write(project_cases.update_project, company_cases.update_company)
    for action in Company.EVENTS:
        step = partial(company_cases.take_company_step, action=action)
        rpcs.once(**{f"{action}_company": step})
    rpcs.imports("projects", _plan, pb.ImportProjectsResponse)
    return rpcs


def _plan(request: pb.ImportProjectsRequest, call: Call) -> Plan[pb.ProjectsRow]:
    pending = request.pending if request.validate_only else ()
    references = References(FIND_BY_KEY, pending=pending, reasons={"center": "UNKNOWN_CENTER"})

    async def apply(session: WriteSession, row: pb.ProjectsRow) -> RowOutcome:
        if row.WhichOneof("row") == "project":
            return await project_cases.import_project(session, row.project, call, references)
        return await company_cases.import_company(session, row.company, call, references)

    return Plan(
        request.rows,
        apply,
        kind=lambda row: companies.kind if _is_company(row) else projects.kind,
        key_of=_external_key,
        in_order=_projects_first,
    )


def _projects_first(rows: Sequence[pb.ProjectsRow]) -> list[int]:
    """Companies after the projects that they came out of, wherever both stand."""
    return sorted(range(len(rows)), key=lambda place: _is_company(rows[place]))


def _is_company(row: pb.ProjectsRow) -> bool:
    return row.WhichOneof("row") == "company"


def _external_key(row: pb.ProjectsRow) -> str:
    if _is_company(row):
        return row.company.company.external_key
    return row.project.project.external_key
