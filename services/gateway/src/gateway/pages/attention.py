"""What to decide, and what is late: the matters of the day, and how fresh the sources are."""

from collections.abc import Iterable

from gateway.pages.picture import Picture
from gateway.pages.reading import LIVENESS, SILENT, Reader, counted, liveness_of, state_of
from gateway.pages.records import address_of
from gateway.pages.view_model import Matter, StreamRow
from gateway.pages.wording import TEHRAN, Moment
from peyvand.centers.v1 import reports_pb2
from peyvand.observatory.v1 import alerts_pb2, network_pb2, plan_pb2
from servicekit.contract import enum_names

_ALERT_KIND = alerts_pb2.AlertKind.DESCRIPTOR


def matters(reader: Reader, picture: Picture) -> Iterable[Matter]:
    """What a person has to decide or to look into; alerts first, then the decisions."""
    alerts = picture.alerts.alerts if picture.alerts is not None else ()
    for alert in sorted(alerts, key=_is_not_escalated):
        yield _alert(reader, alert)
    if picture.for_headquarters and picture.action_items is not None:
        for item in picture.action_items.action_items:
            yield _action_item(reader, item)
    if picture.for_headquarters and picture.reports is not None:
        for report in picture.reports.period_reports:
            yield _report(reader, report, picture)
    if picture.status is None:
        return
    late: list[Matter] = []
    told = _silences_told(picture)
    for center in picture.status.centers:
        if state_of(center) == "suspended":
            yield _suspension(reader, center)
        if liveness_of(center) in SILENT and center.center_id not in told:
            late.append(_silence(reader, center))
    for source in picture.status.streams:
        if _stream_state(source) in ("late", "stale"):
            text = reader.words.say(
                "Figures from %(service)s are behind", service=reader.service(source.service)
            )
            late.append(Matter("late", text, stream(reader, source).detail, "#sources"))
    yield from late
    yield from _never_heard(reader, picture.status)


def _silences_told(picture: Picture) -> set[str]:
    """Centers of whose silence an alert speaks already."""
    return {
        alert.center_id
        for alert in (picture.alerts.alerts if picture.alerts is not None else ())
        if alert.kind == alerts_pb2.ALERT_KIND_NODE_SILENT
    }


def _is_not_escalated(alert: alerts_pb2.Alert) -> bool:
    """Whether nobody has to be told once more that it is open."""
    return alert.state != alerts_pb2.ALERT_STATE_OPEN or not alert.HasField("escalated_at")


def _alert(reader: Reader, alert: alerts_pb2.Alert) -> Matter:
    words = reader.words
    kind = enum_names(_ALERT_KIND)[alert.kind]
    details = [
        words.label(_ALERT_KIND, kind),
        words.say("since %(since)s", since=reader.moment(alert.opened_at).short),
    ]
    if alert.occurrences > 1:
        details.append(words.say_count("%(count)s time", "%(count)s times", alert.occurrences))
    if alert.HasField("escalated_at"):
        at = reader.moment(alert.escalated_at).short
        details.append(words.say("not seen in time, escalated %(when)s", when=at))
    seen = alert.state == alerts_pb2.ALERT_STATE_ACKNOWLEDGED
    if seen:
        details.append(
            words.say(
                "seen by %(who)s, %(when)s",
                who=alert.acknowledged_by,
                when=reader.moment(alert.acknowledged_at).short,
            )
        )
        if alert.comment:
            details.append(alert.comment)
    kind_of_matter = "seen" if seen else "alert" if _is_not_escalated(alert) else "escalated"
    return Matter(
        kind_of_matter,
        words.text(alert.summary) or words.label(_ALERT_KIND, kind),
        words.clauses(details),
        address_of(alert.resource_id) or f"/centers/{alert.center_id}",
        alert.sample,
        alert_id=alert.id if "acknowledge" in alert.allowed_actions else "",
    )


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
        f"/action-items/{item.id}",
        item.sample,
    )


def _report(reader: Reader, report: reports_pb2.PeriodReport, picture: Picture) -> Matter:
    words = reader.words
    centers = {c.center_id: c for c in (picture.status.centers if picture.status else ())}
    center = centers.get(report.center_id)
    return Matter(
        "decide",
        words.say(
            "%(name)s: the report of %(month)s waits for approval",
            name=reader.short_name(center) if center is not None else report.center_id,
            month=words.month(report.period),
        ),
        words.say("since %(since)s", since=reader.moment(report.state_since).short),
        f"/period-reports/{report.id}",
        report.sample,
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
        f"/centers/{center.center_id}",
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
        f"/centers/{center.center_id}",
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
