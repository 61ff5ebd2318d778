"""What the page says of a picture."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.languages import Language
from gateway.pages.picture import Picture
from gateway.pages.view import view
from gateway.pages.view_model import View
from gateway.pages.wording import wording
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import network_pb2
from tests.support.network_picture import (
    action_items,
    events,
    network_status,
    regulations,
    stamp,
)

NOW = datetime(2025, 11, 22, 7, 12, tzinfo=UTC)  # 10:42 in Tehran


def picture(**changed: Any) -> Picture:
    parts: dict[str, Any] = {
        "status": network_status(NOW),
        "events": events(NOW),
        "regulations": regulations(),
    }
    return Picture(**(parts | changed))


def seen(status: network_pb2.NetworkStatus, language: Language = "en") -> View:
    return view(picture(status=status), wording(language), NOW)


def center(status: network_pb2.NetworkStatus, code: str) -> network_pb2.CenterStatus:
    return next(item for item in status.centers if item.code == code)


def test_the_headline_is_made_of_the_data() -> None:
    assert seen(network_status(NOW)).headline == (
        "4 of 5 centers are operational; Razavi Khorasan is being set up;"
        " no center has reported to the network yet: freshness unknown."
    )
    assert seen(network_status(NOW), "fa").headline == (
        "۴ از ۵ مرکز فعال‌اند؛ خراسان رضوی در حال راه‌اندازی است؛"
        " هیچ مرکزی هنوز به شبکه گزارش نداده است: تازگی نامعلوم."
    )


def test_silent_centers_are_named_and_never_counted_as_well() -> None:
    status = network_status(NOW)
    for item in status.centers:
        item.liveness = network_pb2.LIVENESS_ONLINE
    assert "all report on time" in seen(status).headline
    center(status, "TBZ").liveness = network_pb2.LIVENESS_OFFLINE
    center(status, "TBZ").liveness_since.CopyFrom(stamp(NOW - timedelta(hours=1)))
    center(status, "SHZ").liveness = network_pb2.LIVENESS_UNKNOWN
    shown = seen(status)
    assert "Tabriz is late or silent; 1 center has never reported" in shown.headline
    assert "on time" not in shown.headline
    assert [(m.kind, m.text, m.detail) for m in shown.matters] == [
        ("late", "Tabriz: Offline", "since 09:42"),
        ("unknown", "1 operational center has never reported", "Shiraz"),
    ]


def test_a_liveness_that_was_not_given_is_unknown() -> None:
    status = network_status(NOW)
    status.centers[0].liveness = network_pb2.LIVENESS_UNSPECIFIED
    assert seen(status).centers[0].liveness == "unknown"


def test_centers_that_are_gone_or_samples_are_not_counted() -> None:
    status = network_status(NOW)
    center(status, "KRM").state = centers_pb2.CENTER_STATE_CLOSED
    center(status, "TEH").sample = True
    shown = seen(status)
    assert shown.headline.startswith("2 of 3 centers are operational")
    assert [row.code for row in shown.centers][-1] == "KRM"
    assert [row.code for row in shown.centers if row.is_sample] == ["TEH"]


def test_a_suspended_center_stands_first_and_asks_for_a_decision() -> None:
    status = network_status(NOW)
    tabriz = center(status, "TBZ")
    tabriz.state = centers_pb2.CENTER_STATE_SUSPENDED
    tabriz.state_reason = "Clean room rebuilt"
    shown = seen(status)
    assert shown.centers[0].code == "TBZ"
    matter, unknown = shown.matters
    assert (unknown.kind, unknown.detail) == ("unknown", "Kerman, Shiraz and Tehran")
    assert (matter.kind, matter.text) == ("decide", "Tabriz is suspended: resume or close?")
    assert matter.detail == "since 10:38; Clean room rebuilt"


def test_many_centers_are_named_by_the_first_and_counted() -> None:
    status = network_status(NOW)
    for code in ("TBZ", "TEH"):
        center(status, code).state = centers_pb2.CENTER_STATE_PLANNED
    assert "Tabriz and Tehran are planned" in seen(status).headline
    for item in status.centers:
        item.state = centers_pb2.CENTER_STATE_PLANNED
    assert "Kerman, Razavi Khorasan, Shiraz and 2 more are planned" in seen(status).headline


def test_centers_of_one_city_are_told_apart_by_their_codes() -> None:
    status = network_status(NOW)
    tabriz, tehran = center(status, "TBZ"), center(status, "TEH")
    tabriz.city.CopyFrom(tehran.city)
    tabriz.state = centers_pb2.CENTER_STATE_SUSPENDED
    shown = seen(status)
    assert "; Tehran (TBZ) is suspended;" in shown.headline
    assert shown.matters[0].text == "Tehran (TBZ) is suspended: resume or close?"
    assert shown.matters[1].detail == "Kerman, Shiraz and Tehran (TEH)"


def test_a_total_that_nothing_is_known_of_shows_no_zero() -> None:
    cards = {card.key: card for card in seen(network_status(NOW)).cards}
    assert (cards["fresh"].value, cards["fresh"].is_partial) == ("—", True)
    assert cards["centers"].coverage == "Known of 5 of 5 centers"
    assert cards["projects"].coverage == "None is recorded"
    assert [p.label for p in cards["centers"].parts] == ["Operational", "Being set up"]
    assert [(p.label, p.value) for p in cards["institutions"].parts] == [
        ("Iran", "6"),
        ("Russia", "3"),
    ]
    assert "items" not in cards


def test_samples_are_told_apart_everywhere() -> None:
    status = network_status(NOW, sample=True)
    shown = view(picture(status=status, events=events(NOW, sample=True)), wording("en"), NOW)
    assert [alarm.kind for alarm in shown.alarms] == ["sample"]
    cards = {card.key: card for card in shown.cards}
    assert (cards["projects"].value, cards["projects"].sample) == ("0", "and 6 sample")
    tabriz = next(row for row in shown.centers if row.code == "TBZ")
    assert tabriz.projects == "2 sample"
    assert [(c.code, c.is_sample) for c in tabriz.stages if c.count] == [("S0", True), ("S6", True)]
    assert shown.events is not None
    assert [event.is_sample for event in shown.events][:2] == [True, False]


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("2025-11-21", "overdue since 21 November 2025"),
        ("2025-11-22", "due 22 November 2025"),
        ("2025-11", "due November 2025"),
        ("2024", "overdue since 2024"),
        ("", "Within the present management period"),
    ],
)
def test_an_action_item_says_when_and_whose(due: str, said: str) -> None:
    items = action_items()
    if due:
        items.action_items[0].due_date.CopyFrom(types_pb2.ImpreciseDate(value=due))
    shown = view(picture(action_items=items, for_headquarters=True), wording("en"), NOW)
    assert shown.matters[0].detail == f"{said}; no owner is named"


def test_sources_that_are_behind_are_late_whatever_else_they_say() -> None:
    status = network_status(NOW)
    behind, gone, never = status.streams
    behind.liveness, behind.lag = network_pb2.LIVENESS_LATE, 3
    gone.liveness = network_pb2.LIVENESS_STALE
    gone.since.CopyFrom(stamp(NOW - timedelta(minutes=5)))
    never.liveness = network_pb2.LIVENESS_UNSPECIFIED
    shown = seen(status)
    assert [(s.state, s.state_label, s.detail) for s in shown.streams] == [
        ("late", "behind", "3 events behind"),
        ("stale", "out of reach", "since 10:37"),
        ("unknown", "never heard of", ""),
    ]
    assert [matter.text for matter in shown.matters if matter.kind == "late"] == [
        "Figures from centers are behind",
        "Figures from partners are behind",
    ]


def test_without_any_figures_nothing_is_claimed() -> None:
    shown = view(Picture(missing=frozenset({"status"}), failing_since=NOW), wording("fa"), NOW)
    assert shown.headline.startswith("از شبکه چیزی نمی‌توان گفت")
    assert (shown.cards, shown.centers, shown.regulations, shown.events) == ((), (), None, None)
    assert shown.alarms[0].text == "رصدخانه از ۱۰:۴۲ در دسترس نیست و هنوز هیچ رقمی نرسیده است."


def test_who_did_something_is_told_by_role_where_that_is_all_there_is() -> None:
    listed = events(NOW)
    change = listed.events[1].data.fields["change"].struct_value
    change.fields["step"].struct_value.update({"actor": "person:7"})
    shown = view(picture(events=listed), wording("en"), NOW)
    assert shown.events is not None
    assert [event.actor for event in shown.events[:2]] == [
        "Headquarters administrator, on this machine",
        "person:7",
    ]
