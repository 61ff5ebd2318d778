"""What to decide, and what is late: the matters of the day, and how fresh the sources are."""

from collections.abc import Iterable

from gateway.pages.picture import Picture
from gateway.pages.reading import LIVENESS, SILENT, Reader, counted, liveness_of, state_of
from gateway.pages.view_model import Matter, StreamRow
from gateway.pages.wording import TEHRAN, Moment
from peyvand.observatory.v1 import network_pb2, plan_pb2
from servicekit.contract import enum_names


def matters(reader: Reader, picture: Picture) -> Iterable[Matter]:
    """What a person has to decide or to look into; the decisions first."""
    if picture.for_headquarters and picture.action_items is not None:
        for item in picture.action_items.action_items:
            yield _action_item(reader, item)
    if picture.status is None:
        return
    late: list[Matter] = []
    for center in picture.status.centers:
        if state_of(center) == "suspended":
            yield _suspension(reader, center)
        if liveness_of(center) in SILENT:
            late.append(_silence(reader, center))
    for source in picture.status.streams:
        if _stream_state(source) in ("late", "stale"):
            text = reader.words.say(
                "Figures from %(service)s are behind", service=reader.service(source.service)
            )
            late.append(Matter("late", text, stream(reader, source).detail, "#sources"))
    yield from late
    yield from _never_heard(reader, picture.status)


def _never_heard(reader: Reader, status: network_pb2.NetworkStatus) -> Iterable[Matter]:
    words = reader.words
    found = [
        center
        for center in counted(status)
        if state_of(center) == "operational" and liveness_of(center) == "unknown"
    ]
    if found:
        yield Matter(
            "unknown",
            words.say_count(
                "%(count)s operational center has never reported",
                "%(count)s operational centers have never reported",
                len(found),
            ),
            reader.names(found),
            "#centers",
        )


def _action_item(reader: Reader, item: plan_pb2.ActionItem) -> Matter:
    words = reader.words
    owner = words.text(item.owner)
    details = [
        _due(reader, item),
        words.say("owner: %(owner)s", owner=owner) if owner else words.say("no owner is named"),
    ]
    return Matter(
        "decide",
        words.text(item.text),
        words.clauses(details),
        f"/v1/action-items/{item.id}",
        item.sample,
    )


def _due(reader: Reader, item: plan_pb2.ActionItem) -> str:
    words, due = reader.words, item.due_date.value
    if not due:
        return words.text(item.due_text) or words.say("no date is known")
    date = words.imprecise(item.due_date)
    # Of a month or a year that has begun nobody can say that it is over.
    if due < reader.now.astimezone(TEHRAN).date().isoformat()[: len(due)]:
        return words.say("overdue since %(date)s", date=date)
    return words.say("due %(date)s", date=date)


def _suspension(reader: Reader, center: network_pb2.CenterStatus) -> Matter:
    words = reader.words
    details = [center.state_reason or words.say("no reason is recorded")]
    if center.HasField("state_since"):
        since = reader.moment(center.state_since).short
        details.insert(0, words.say("since %(since)s", since=since))
    return Matter(
        "decide",
        words.say("%(name)s is suspended: resume or close?", name=reader.short_name(center)),
        words.clauses(details),
        f"/v1/centers/{center.center_id}",
        center.sample,
    )


def _silence(reader: Reader, center: network_pb2.CenterStatus) -> Matter:
    words = reader.words
    known = center.HasField("liveness_since")
    return Matter(
        "late",
        words.say(
            "%(name)s: %(liveness)s",
            name=reader.short_name(center),
            liveness=words.label(LIVENESS, liveness_of(center)),
        ),
        words.say("since %(since)s", since=reader.moment(center.liveness_since).short)
        if known
        else "",
        f"/v1/centers/{center.center_id}",
        center.sample,
    )


def stream(
    reader: Reader, source: network_pb2.StreamFreshness, *, is_stale: bool = False
) -> StreamRow:
    """How far the picture has followed one service; of an old picture nobody can say."""
    words = reader.words
    if is_stale:
        return StreamRow(
            reader.service(source.service),
            "unknown",
            words.say("unknown"),
            "",
            _last_event(reader, source),
        )
    state = _stream_state(source)
    labels = {
        "online": words.say("up to date"),
        "late": words.say("behind"),
        "stale": words.say("out of reach"),
        "unknown": words.say("never heard of"),
    }
    details: list[str] = []
    if source.lag:
        details.append(
            words.say_count("%(count)s event behind", "%(count)s events behind", source.lag)
        )
    if source.HasField("since"):
        details.append(words.say("since %(since)s", since=reader.moment(source.since).short))
    if source.held_back:
        details.append(
            words.say_count(
                "%(count)s record could not be taken in",
                "%(count)s records could not be taken in",
                source.held_back,
            )
        )
    return StreamRow(
        service=reader.service(source.service),
        state=state,
        state_label=labels[state],
        detail=words.clauses(details),
        last_event=_last_event(reader, source),
    )


def _last_event(reader: Reader, source: network_pb2.StreamFreshness) -> Moment | None:
    return reader.moment(source.last_event_at) if source.HasField("last_event_at") else None


def _stream_state(stream: network_pb2.StreamFreshness) -> str:
    known = enum_names(LIVENESS)[stream.liveness]
    return {"online": "online", "late": "late", "stale": "stale", "offline": "stale"}.get(
        known, "unknown"
    )
