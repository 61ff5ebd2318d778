"""Totals with what they rest on, and the rows of the centers."""

from collections.abc import Iterable

from google.protobuf.descriptor import EnumDescriptor

from gateway.pages.capacity import availability, capacity
from gateway.pages.nodes import marks
from gateway.pages.picture import Picture
from gateway.pages.provinces import province_name
from gateway.pages.reading import LIVENESS, STATE, Reader, liveness_of, state_of
from gateway.pages.view_model import Card, CenterRow, Part, StageCell
from peyvand.observatory.v1 import network_pb2, plan_pb2
from peyvand.partners.v1 import activities_pb2, agreements_pb2
from peyvand.projects.v1 import stages_pb2
from servicekit.contract import enum_names

_STAGE = stages_pb2.Stage.DESCRIPTOR
_STAGES = [name for number, name in enum_names(_STAGE).items() if number]
# What asks for attention comes first.
_STATE_ORDER = ("suspended", "operational", "establishing", "planned", "closed", "cancelled")


def cards(reader: Reader, status: network_pb2.NetworkStatus) -> Iterable[Card]:
    """The totals of the network."""
    totals = status.totals
    say = reader.words.say
    if totals.HasField("open_action_items"):
        yield _card(
            reader,
            "items",
            say("Open action items"),
            totals.open_action_items,
            plan_pb2.ActionItemState.DESCRIPTOR,
        )
    yield _card(reader, "centers", say("Centers"), totals.centers, STATE)
    yield _card(reader, "fresh", say("Centers with fresh figures"), totals.fresh_centers, LIVENESS)
    yield _card(reader, "projects", say("Active projects"), totals.projects, _STAGE)
    yield _card(reader, "companies", say("Companies"), totals.companies)
    yield _card(reader, "institutions", say("Institutions"), totals.institutions)
    yield _card(
        reader,
        "agreements",
        say("Signed agreements"),
        totals.agreements,
        agreements_pb2.AgreementState.DESCRIPTOR,
    )
    yield _card(
        reader,
        "activities",
        say("Joint activities"),
        totals.activities,
        activities_pb2.ActivityState.DESCRIPTOR,
    )


def _card(
    reader: Reader,
    key: str,
    label: str,
    total: network_pb2.Total,
    enum: EnumDescriptor | None = None,
) -> Card:
    words = reader.words
    known, of = words.number(total.known), words.number(total.of)
    if not total.HasField("as_of"):
        coverage = words.say("Nothing was heard of it yet")
    elif not total.of:
        coverage = words.say("None is recorded")
    elif key in ("centers", "fresh"):
        coverage = words.say("Known of %(known)s of %(of)s centers", known=known, of=of)
    else:
        coverage = words.say("Known of %(known)s of %(of)s", known=known, of=of)
    return Card(
        key=key,
        label=label,
        value=words.number(total.value) if total.HasField("as_of") else "—",
        coverage=coverage,
        is_partial=total.known < total.of or not total.HasField("as_of"),
        parts=tuple(
            Part(_kind(reader, part.key, key, enum), words.number(part.value))
            for part in _in_order(total.parts, enum)
            if part.value
        ),
        sample=words.say("and %(count)s sample", count=words.number(total.sample))
        if total.sample
        else "",
        as_of=reader.moment(total.as_of) if total.HasField("as_of") else None,
    )


def _in_order(
    parts: Iterable[network_pb2.Count], enum: EnumDescriptor | None
) -> Iterable[network_pb2.Count]:
    if enum is _STAGE:
        return sorted(parts, key=lambda part: part.key)
    return sorted(parts, key=lambda part: (-part.value, part.key))


def _kind(reader: Reader, value: str, card: str, enum: EnumDescriptor | None) -> str:
    if card == "institutions":
        return reader.words.country(value)
    if card == "companies":
        known = {
            "knowledge_based": reader.words.say("knowledge-based"),
            "other": reader.words.say("other"),
        }
        return known.get(value, value.replace("_", " "))
    return reader.words.label(enum, value) if enum else value.replace("_", " ")


def centers(reader: Reader, picture: Picture) -> Iterable[CenterRow]:
    """The centers; first those that ask for attention."""
    if picture.status is None:
        return
    status = picture.status
    order = {state: place for place, state in enumerate(_STATE_ORDER)}
    for center in sorted(
        status.centers, key=lambda c: (order.get(state_of(c), len(order)), c.code)
    ):
        yield _center(reader, picture, center)


def _center(reader: Reader, picture: Picture, center: network_pb2.CenterStatus) -> CenterRow:
    words = reader.words
    state, liveness = state_of(center), liveness_of(center)
    province = province_name(center.province, words.language)
    heard = center.liveness_since if center.HasField("liveness_since") else None
    count = sum(part.value for part in center.projects_by_stage)
    sample = sum(part.sample for part in center.projects_by_stage)
    projects = [words.number(count)] if count else []
    if sample:
        projects.append(words.say("%(count)s sample", count=words.number(sample)))
    return CenterRow(
        id=center.center_id,
        code=center.code,
        name=words.text(center.names) or center.code,
        place=words.place(words.text(center.city), province),
        state=state,
        state_label=words.label(STATE, state),
        state_reason=center.state_reason,
        opened=words.imprecise(center.opened_date) if center.HasField("opened_date") else "",
        recorded=reader.moment(center.state_since) if center.HasField("state_since") else None,
        liveness=liveness,
        liveness_label=words.label(LIVENESS, liveness),
        heard=reader.moment(heard) if heard else None,
        stages=tuple(_stages(reader, center)),
        projects=" + ".join(projects),
        is_sample=center.sample,
        nodes=tuple(marks(reader, center.nodes)),
        capacity=capacity(reader, center),
        availability=availability(reader, picture.availability.get(center.center_id)),
    )


def _stages(reader: Reader, center: network_pb2.CenterStatus) -> Iterable[StageCell]:
    counts = {part.key: part for part in center.projects_by_stage}
    if not any(part.value or part.sample for part in counts.values()):
        return
    for stage in _STAGES:
        part = counts.get(stage, network_pb2.Count())
        total = part.value + part.sample
        yield StageCell(
            code=stage.upper(),
            label=reader.words.label(_STAGE, stage),
            count=reader.words.number(total) if total else "",
            is_sample=bool(part.sample) and not part.value,
        )
