"""What a project still needs for its next gate, in words, and the templates that say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from domainkit.values import LocalizedText
from peyvand.api.v1 import annotations_pb2, types_pb2
from peyvand.projects.v1 import criteria_pb2 as pb
from peyvand.projects.v1 import flags_pb2, stages_pb2
from projects.domain.assessment import Assessed, Assessment, CriterionState
from projects.domain.pathways import ROUTE_NAMES, Criterion, Pathway, Template
from projects.domain.project import ProjectState
from projects.domain.record_hashes import assessment_hash
from projects.domain.visits import is_under_way
from projects.pathway_templates import NEWEST, template, versions
from projects.repository.assessments import assess
from projects.repository.conditions import overdue_conditions, unmet_conditions
from projects.use_cases.projects import get_seen
from servicekit.contract import enum_names
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.mapping import to_message
from servicekit.rpc_server import Call

_MAX_IDS = 20
_BRING = ("center_admin", "center_operator", "hq_admin")
_RULE = ("hq_admin",)


@dataclass(frozen=True)
class _NextStep:
    """What would satisfy a criterion, and the roles that can do it."""

    text: LocalizedText
    open_to: Sequence[str]


_NEXT_STEPS: Mapping[CriterionState, _NextStep] = {
    CriterionState.MISSING: _NextStep(
        LocalizedText(
            en="Submit evidence for this visit, or ask for a waiver.",
            fa="برای این بازدید از مرحله شاهد ارائه دهید یا معافیت بخواهید.",
        ),
        _BRING,
    ),
    CriterionState.SUBMITTED: _NextStep(
        LocalizedText(
            en="The evidence is to be verified by someone other than who submitted it.",
            fa="شاهد ارائه‌شده باید به دست کسی جز ارائه‌دهندهٔ آن راستی‌آزمایی شود.",
        ),
        _RULE,
    ),
    CriterionState.REJECTED: _NextStep(
        LocalizedText(
            en="What was submitted was rejected; submit better evidence, or ask for a waiver.",
            fa="شاهد ارائه‌شده رد شده است؛ شاهد بهتری ارائه دهید یا معافیت بخواهید.",
        ),
        _BRING,
    ),
    CriterionState.TO_RECONFIRM: _NextStep(
        LocalizedText(
            en="The evidence is of an earlier visit to the stage; it is to be reconfirmed by"
            " someone other than who submitted it.",
            fa="شاهد از بازدید پیشین این مرحله است؛ کسی جز ارائه‌دهندهٔ آن باید دوباره تأییدش کند.",
        ),
        _RULE,
    ),
}


async def get_next_gate(
    session: ReadSession, request: pb.GetNextGateRequest, call: Call
) -> pb.NextGate:
    """Tell what a project still needs for its next gate."""
    project = await get_seen(session, request.project_id, call)
    found = await assess(session, project, call.now.date())
    unmet = await unmet_conditions(session, project.id)
    overdue = await overdue_conditions(session, project.id, call.now.date())
    is_held = project.state == ProjectState.ON_HOLD
    following = template(project.template_version).next_stage(project.pathway, project.stage)
    return pb.NextGate(
        project_id=project.id,
        template_version=project.template_version,
        stage=_number(stages_pb2.Stage.DESCRIPTOR, found.stage),
        visit=found.visit,
        next_stage=_number(
            stages_pb2.Stage.DESCRIPTOR, following if is_under_way(project) else None
        ),
        satisfied=found.is_satisfied and not (unmet or overdue or project.flags or is_held),
        criteria=[_standing(item) for item in found.criteria],
        routes=[_route(found, route) for route in found.routes],
        missing=[item.criterion.code for item in found.missing],
        flags=[to_message(flag, flags_pb2.ProjectFlag) for flag in project.flags],
        assessment_hash=assessment_hash(found),
        unmet_condition_ids=unmet,
        overdue_condition_ids=overdue,
        on_hold=is_held,
    )


async def list_pathway_templates(
    session: ReadSession, request: pb.ListPathwayTemplatesRequest, call: Call
) -> pb.ListPathwayTemplatesResponse:
    """Give all versions of the pathway template."""
    del session, request, call
    found = [_template(template(version)) for version in versions()]
    return pb.ListPathwayTemplatesResponse(pathway_templates=found)


async def get_pathway_template(
    session: ReadSession, request: pb.GetPathwayTemplateRequest, call: Call
) -> pb.PathwayTemplate:
    """Give one version of the pathway template."""
    del session, call
    if request.version not in versions():
        raise Fault.not_found("pathway template", request.version)
    return _template(template(request.version))


def _standing(item: Assessed) -> pb.CriterionStanding:
    message = pb.CriterionStanding(
        criterion=_criterion(item.criterion),
        state=_number(pb.CriterionState.DESCRIPTOR, item.state),
        evidence_ids=item.evidence_ids[-_MAX_IDS:],
        evidence_count=len(item.evidence_ids),
        waiver_id=item.waiver_id,
    )
    if next_step := _NEXT_STEPS.get(item.state):
        message.next_step.CopyFrom(to_message(next_step.text, types_pb2.LocalizedText))
        roles = annotations_pb2.Role.DESCRIPTOR
        message.open_to.extend(_number(roles, role) for role in next_step.open_to)
    return message


def _route(found: Assessment, route: str) -> pb.RouteStanding:
    missing = [
        item.criterion.code
        for item in found.criteria
        if item.criterion.route == route and not item.is_satisfied
    ]
    name = to_message(ROUTE_NAMES[route], types_pb2.LocalizedText)
    return pb.RouteStanding(route=route, name=name, missing=missing)


def _template(found: Template) -> pb.PathwayTemplate:
    pathways, stages = stages_pb2.Pathway.DESCRIPTOR, stages_pb2.Stage.DESCRIPTOR
    return pb.PathwayTemplate(
        version=found.version,
        newest=found.version == NEWEST,
        pathways=[
            pb.PathwayStages(
                pathway=_number(pathways, pathway),
                stages=[_number(stages, stage) for stage in way],
            )
            for pathway, way in found.ways.items()
        ],
        criteria=[_criterion(criterion) for criterion in found.criteria],
    )


def _criterion(criterion: Criterion) -> pb.Criterion:
    message = to_message(replace(criterion, pathways=frozenset(), regulations=()), pb.Criterion)
    message.pathways.extend(_numbers(criterion.pathways))
    message.regulations.extend(
        pb.CitedRegulation(external_key=cited.external_key, pathways=_numbers(cited.pathways))
        for cited in criterion.regulations
    )
    if criterion.route_name:
        message.route_name.CopyFrom(to_message(criterion.route_name, types_pb2.LocalizedText))
    return message


def _numbers(pathways: frozenset[Pathway]) -> list[Any]:
    """The pathways as the contract has them, in the order of their declaration."""
    held = (pathway for pathway in Pathway if pathway in pathways)
    return [_number(stages_pb2.Pathway.DESCRIPTOR, pathway) for pathway in held]


def _number(enum: EnumDescriptor, name: str | None) -> Any:
    """The number that the contract has for a name; 0 for none."""
    numbers = {known: number for number, known in enum_names(enum).items()}
    return numbers[name] if name else 0
