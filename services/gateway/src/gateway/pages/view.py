"""What the page says: the picture of the network turned into sentences, cards and rows.

Nothing here knows HTML, and nothing is decided in the templates: what is shown as late,
unknown or to be decided is decided here.
"""

from datetime import UTC, datetime

from google.protobuf.struct_pb2 import Struct

from gateway.pages.activity import activity
from gateway.pages.attention import matters, stream
from gateway.pages.figures import cards, centers
from gateway.pages.headline import alarms, headline, title
from gateway.pages.nodes import rows
from gateway.pages.picture import Picture
from gateway.pages.reading import Reader, shared_names
from gateway.pages.record_view import actor_name
from gateway.pages.records import address_of
from gateway.pages.view_model import EventRow, RegulationRow, View
from gateway.pages.wording import Wording
from peyvand.observatory.v1 import events_pb2, regulations_pb2
from servicekit.contract import enum_names

_REGULATION_STATE = regulations_pb2.RegulationState.DESCRIPTOR


def view(picture: Picture, words: Wording, now: datetime | None = None) -> View:
    """Make the view of a picture; `now` decides what counts as today and as overdue."""
    status, regulations, events = picture.status, picture.regulations, picture.events
    shared = shared_names(status.centers, words) if status else frozenset[str]()
    reader = Reader(words, now or datetime.now(UTC), shared)
    is_stale = "status" in picture.missing
    return View(
        title=title(reader, status),
        headline=headline(reader, status),
        is_stale=is_stale,
        weekday=words.weekday(status.as_of) if status else "",
        as_of=reader.moment(status.as_of) if status else None,
        alarms=tuple(alarms(reader, picture)),
        cards=tuple(cards(reader, status)) if status else (),
        centers=tuple(centers(reader, picture)),
        matters=tuple(matters(reader, picture)),
        for_headquarters=picture.for_headquarters,
        regulations=tuple(_regulation(reader, item) for item in regulations.regulations)
        if regulations
        else None,
        streams=tuple(stream(reader, item, is_stale=is_stale) for item in status.streams)
        if status
        else (),
        events=tuple(_event(reader, item) for item in events.events) if events else None,
        nodes=rows(reader, picture),
        activity=activity(reader, picture),
    )


def _regulation(reader: Reader, regulation: regulations_pb2.Regulation) -> RegulationRow:
    names = enum_names(regulations_pb2.RegulationState.DESCRIPTOR)
    return RegulationRow(
        title=reader.words.text(regulation.titles),
        state=reader.words.label(
            regulations_pb2.RegulationState.DESCRIPTOR, names[regulation.state]
        ),
        address=f"/regulations/{regulation.id}",
        is_sample=regulation.sample,
    )


def _event(reader: Reader, event: events_pb2.Event) -> EventRow:
    fa, en = event.summaryfa, event.summaryen
    text = (fa or en) if reader.words.language == "fa" else (en or fa)
    step = _member(_member(event.data, "change"), "step")
    kind = event.type.split(".")[-2] if event.type.count(".") else ""
    return EventRow(
        text=text or event.type,
        actor=actor_name(_text(step, "actor"), reader.words),
        reason=_text(step, "reason"),
        when=reader.moment(event.time),
        address=address_of(event.subject) or f"/v1/events?subject={event.subject}",
        is_sample=_flag(_member(event.data, kind), "sample"),
    )


def _member(data: Struct, name: str) -> Struct:
    value = data.fields.get(name)
    return value.struct_value if value is not None else Struct()


def _text(data: Struct, name: str) -> str:
    value = data.fields.get(name)
    return value.string_value if value is not None else ""


def _flag(data: Struct, name: str) -> bool:
    value = data.fields.get(name)
    return value.bool_value if value is not None else False
