"""What an event says: about which resource, who may see it, and what it counts as.

Most of it stands in the contract, so that events of a service that is new here still
come into the timeline, for the headquarters alone. What depends on the kind of the
resource is one small function for each kind.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from observatory.projections.names import (
    NAMELESS,
    Name,
    feed_name,
    named_after,
    readiness_name,
)
from servicekit.contract import contract, enum_names, event_spec
from servicekit.delivery import Delivery, PoisonError
from servicekit.json_form import to_plain


class Visibility(StrEnum):
    """Who may see something, besides the headquarters."""

    PUBLIC = "public"
    CONCERNED = "concerned"
    HEADQUARTERS = "headquarters"


@dataclass(frozen=True)
class Facts:
    """What the picture keeps of a resource.

    `part` is what it is counted under, for its kind and for each of
    `lead_center_ids`; `None` when it is not counted. `center_ids` and
    `institution_ids` are those whom it concerns.
    """

    name: Name = NAMELESS
    part: str | None = None
    lead_center_ids: tuple[str, ...] = ()
    visibility: Visibility = Visibility.HEADQUARTERS
    center_ids: tuple[str, ...] = ()
    institution_ids: tuple[str, ...] = ()


Known = Mapping[str, Facts]


@dataclass(frozen=True)
class Happening:
    """An event, read. `resource` is absent for a kind that this service does not know.

    `lead_center_ids` are those of its facts, once these are told.
    """

    delivery: Delivery
    kind: str
    action: str
    announcement: Any
    resource: Any
    lead_center_ids: tuple[str, ...] = ()

    @property
    def deletes(self) -> bool:
        """Whether the resource is gone with it."""
        return self.action == "deleted"

    def mentions(self) -> list[str]:
        """Ids of resources whose facts before the event are needed to tell those after it."""
        mentioned = _MENTIONS.get(self.kind)
        return mentioned(self.resource) if mentioned and self.resource is not None else []

    def facts(self, known: Known) -> Facts:
        """What the picture keeps; `known` are the facts of resources mentioned."""
        tell = _FACTS.get(self.kind)
        if tell is None or self.resource is None:
            return Facts()
        return tell(self.resource, known)

    def data(self) -> dict[str, Any] | None:
        """The resource, and what else the event carries, as the API spells it."""
        if self.announcement is None or self.deletes:
            return None
        plain = to_plain(self.announcement)
        del plain["change"]
        return plain

    def change(self) -> dict[str, Any] | None:
        """What changed the resource, as the API spells it."""
        return None if self.announcement is None else to_plain(self.announcement.change)

    def sample(self) -> bool:
        """Whether the resource is sample data."""
        return bool(getattr(self.resource, "sample", False))


def read_happening(delivery: Delivery) -> Happening:
    """Read an event. Raises `PoisonError` if it is not what its type says."""
    resource_type, _, action = delivery.type.rpartition(".")
    message_class = _announcements().get(resource_type)
    kind = resource_type.rpartition(".")[2]
    if message_class is None:
        return Happening(delivery, kind, action, None, None)
    try:
        announcement: Any = message_class.FromString(delivery.payload)
    except DecodeError as error:
        raise PoisonError(f"{delivery.type} cannot be read: {error}") from error
    return Happening(delivery, kind, action, announcement, getattr(announcement, kind))


@functools.cache
def _announcements() -> dict[str, type[Message]]:
    """Event messages by ``<package>.<aggregate>``, the type of their events without the end."""
    found: dict[str, type[Message]] = {}
    for message in contract().messages():
        if spec := event_spec(message):
            found[f"{message.file.package}.{spec.aggregate}"] = GetMessageClass(message)
    return found


def _state(message: Any, field: str = "state") -> str:
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    return enum_names(enum)[getattr(message, field)]


def _ids(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _named(text: Any) -> Name:
    return Name(text.fa, text.en)


def _best_name(names: Iterable[Any]) -> Name:
    """Of names in many languages, the official one in Persian and in English."""
    found: dict[str, str] = {}
    # The official name comes first in its enum, so that it wins where it is given.
    for name in sorted(names, key=lambda name: name.kind or 1):
        found.setdefault(name.language.partition("-")[0], name.text)
    if "fa" in found or "en" in found:
        return Name(found.get("fa", ""), found.get("en", ""))
    return Name(en=next(iter(found.values()), ""))


def _center(center: Any, known: Known) -> Facts:
    del known
    return Facts(
        name=_named(center.names),
        part=_state(center),
        visibility=Visibility.PUBLIC,
        center_ids=(center.id,),
    )


def _project(project: Any, known: Known) -> Facts:
    del known
    taking_part = [participant.center_id for participant in project.participants]
    return Facts(
        name=_named(project.titles),
        part=_state(project, "stage") if _state(project) == "active" else None,
        lead_center_ids=_ids([project.lead_center_id]),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([project.lead_center_id, *taking_part]),
    )


def _company(company: Any, known: Known) -> Facts:
    projects = [known[id] for id in company.project_ids if id in known]
    part = "knowledge_based" if company.knowledge_based else "other"
    return Facts(
        name=_named(company.names),
        part=part if _state(company) == "active" else None,
        visibility=Visibility.CONCERNED,
        center_ids=_ids(id for project in projects for id in project.center_ids),
    )


def _readiness_claim(claim: Any, known: Known) -> Facts:
    project = known.get(claim.project_id, Facts())
    dimension = _state(claim, "dimension")
    return Facts(
        name=named_after(project.name, readiness_name(dimension, claim.level)),
        visibility=Visibility.CONCERNED,
        center_ids=project.center_ids,
    )


def _evidence(evidence: Any, known: Known) -> Facts:
    return Facts(
        name=_named(evidence.title),
        visibility=Visibility.CONCERNED,
        center_ids=known.get(evidence.project_id, Facts()).center_ids,
    )


def _waiver(waiver: Any, known: Known) -> Facts:
    project = known.get(waiver.project_id, Facts())
    return Facts(
        name=named_after(project.name, Name(waiver.criterion, waiver.criterion)),
        visibility=Visibility.CONCERNED,
        center_ids=project.center_ids,
    )


def _gate(gate: Any, known: Known) -> Facts:
    project = known.get(gate.project_id, Facts())
    stage = _state(gate, "stage").upper()
    return Facts(
        name=named_after(project.name, Name(stage, stage)),
        visibility=Visibility.CONCERNED,
        center_ids=project.center_ids,
    )


def _condition(condition: Any, known: Known) -> Facts:
    project = known.get(condition.project_id, Facts())
    return Facts(
        name=_named(condition.text),
        lead_center_ids=project.lead_center_ids,
        visibility=Visibility.CONCERNED,
        center_ids=project.center_ids,
    )


def _of_project(resource: Any, known: Known) -> Facts:
    """Facts of an output or an award: it concerns those whom its project does."""
    return Facts(
        name=_named(resource.titles),
        visibility=Visibility.CONCERNED,
        center_ids=known.get(resource.project_id, Facts()).center_ids,
    )


def _institution(institution: Any, known: Known) -> Facts:
    del known
    return Facts(
        name=_best_name(institution.names),
        part=institution.country or "unknown",
        visibility=Visibility.PUBLIC,
        institution_ids=(institution.id,),
    )


def _person(person: Any, known: Known) -> Facts:
    del known
    return Facts(name=_best_name(person.names))


# Until every party has signed, an agreement is known to the parties alone.
_UNSIGNED = frozenset({"draft", "negotiating", "partly_signed", "withdrawn"})


def _agreement(agreement: Any, known: Known) -> Facts:
    del known
    state = _state(agreement)
    centers = _ids(party.center_id for party in agreement.parties)
    return Facts(
        name=_named(agreement.titles),
        part=None if state in _UNSIGNED else state,
        lead_center_ids=centers,
        visibility=Visibility.CONCERNED if state in _UNSIGNED else Visibility.PUBLIC,
        center_ids=centers,
        institution_ids=_ids(party.institution_id for party in agreement.parties),
    )


_APPROVED = frozenset({"approved", "active", "done"})


def _activity(activity: Any, known: Known) -> Facts:
    state = _state(activity)
    agreement = known.get(activity.agreement_id, Facts())
    before = known.get(activity.id, Facts())
    # One that was approved stays open to the public, also when it is cancelled.
    was_approved = state in _APPROVED or before.visibility is Visibility.PUBLIC
    centers = [participant.center_id for participant in activity.participants]
    institutions = [participant.institution_id for participant in activity.participants]
    return Facts(
        name=_named(activity.titles),
        part=state,
        visibility=Visibility.PUBLIC if was_approved else Visibility.CONCERNED,
        center_ids=_ids([*centers, *agreement.center_ids]),
        institution_ids=_ids([*institutions, *agreement.institution_ids]),
    )


def _node(node: Any, known: Known) -> Facts:
    del known
    return Facts(
        name=Name(node.name, node.name),
        part=_state(node),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([node.center_id]),
    )


def _presence(presence: Any, known: Known) -> Facts:
    node = known.get(presence.node_id, Facts())
    return Facts(
        name=named_after(node.name, feed_name(presence.feed)),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([presence.center_id]),
    )


def _capacity_snapshot(snapshot: Any, known: Known) -> Facts:
    # The newest is in the picture for everyone to see. How the use of a center went up
    # and down is not: its list in the service is for the same readers as this.
    return Facts(
        name=known.get(snapshot.center_id, Facts()).name,
        visibility=Visibility.CONCERNED,
        center_ids=_ids([snapshot.center_id]),
    )


def _period_report(report: Any, known: Known) -> Facts:
    center = known.get(report.center_id, Facts())
    return Facts(
        name=named_after(center.name, Name(report.period, report.period)),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([report.center_id]),
    )


def _refused_report(report: Any, known: Known) -> Facts:
    node = known.get(report.node_id, Facts())
    return Facts(
        name=named_after(node.name, feed_name(report.feed)),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([report.center_id]),
    )


def _alert(alert: Any, known: Known) -> Facts:
    del known
    return Facts(
        name=_named(alert.summary),
        visibility=Visibility.CONCERNED,
        center_ids=_ids([alert.center_id]),
    )


def _source(source: Any, known: Known) -> Facts:
    del known
    return Facts(name=_named(source.title), visibility=Visibility.PUBLIC)


def _titled(resource: Any, known: Known) -> Facts:
    del known
    return Facts(name=_named(resource.titles), visibility=Visibility.PUBLIC)


def _observation(observation: Any, known: Known) -> Facts:
    indicator = known.get(observation.indicator_id, Facts())
    return Facts(name=indicator.name, visibility=Visibility.PUBLIC)


def _action_item(item: Any, known: Known) -> Facts:
    del known
    return Facts(name=_named(item.text), part=_state(item))


_FACTS: dict[str, Callable[[Any, Known], Facts]] = {
    "center": _center,
    "node": _node,
    "presence": _presence,
    "capacity_snapshot": _capacity_snapshot,
    "period_report": _period_report,
    "refused_report": _refused_report,
    "alert": _alert,
    "project": _project,
    "readiness_claim": _readiness_claim,
    "company": _company,
    "output": _of_project,
    "award": _of_project,
    "evidence": _evidence,
    "waiver": _waiver,
    "gate": _gate,
    "condition": _condition,
    "institution": _institution,
    "person": _person,
    "agreement": _agreement,
    "activity": _activity,
    "source": _source,
    "plan": _titled,
    "indicator": _titled,
    "observation": _observation,
    "action_item": _action_item,
    "regulation": _titled,
}

# Only resources of the same service may be mentioned: between streams there is no order.
_MENTIONS: dict[str, Callable[[Any], list[str]]] = {
    "presence": lambda presence: [presence.node_id],
    "capacity_snapshot": lambda snapshot: [snapshot.center_id],
    "period_report": lambda report: [report.center_id],
    "refused_report": lambda report: [report.node_id],
    "readiness_claim": lambda claim: [claim.project_id],
    "company": lambda company: list(company.project_ids),
    "output": lambda output: [output.project_id],
    "award": lambda award: [award.project_id],
    "evidence": lambda evidence: [evidence.project_id],
    "waiver": lambda waiver: [waiver.project_id],
    "gate": lambda gate: [gate.project_id],
    "condition": lambda condition: [condition.project_id],
    "activity": lambda activity: [activity.id, activity.agreement_id],
    "observation": lambda observation: [observation.indicator_id],
}
