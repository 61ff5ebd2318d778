"""What the service does with those who are named on projects."""

from peyvand.projects.v1 import people_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.repository.gates import stake_in
from projects.repository.projects import projects
from projects.use_cases.actions import present
from projects.use_cases.projects import lock_led
from servicekit.database import WriteSession
from servicekit.errors import Fault
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def strike_project_naming(
    session: WriteSession, request: people_pb2.StrikeProjectNamingRequest, call: Call
) -> pb.Project:
    """Note that somebody was named on a project wrongly.

    Who is named but has done nothing for the project may do it for others: otherwise a lead
    center could name all who could.
    """
    project = await lock_led(session, request.project_id, call, request.etag)
    if request.subject == call.principal.subject:
        raise Fault("TEAM_HAS_NO_SAY")
    (await stake_in(session, project, call)).require_no_acts()
    project.strike_naming(request.subject, occasion(request, call))
    await projects.save(session, project)
    return await present(session, project, call)
