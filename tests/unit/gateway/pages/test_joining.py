"""Nodes, capacity, alerts and the bar of days on the page, and the forms that change them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gateway.pages.picture import Picture
from gateway.pages.view import view
from gateway.pages.view_model import CenterRow, View
from gateway.pages.wording import wording
from peyvand.centers.v1 import nodes_pb2
from peyvand.observatory.v1 import alerts_pb2
from servicekit.errors import Fault
from tests.support.gateway import FakeClients
from tests.support.joined_picture import availability, join
from tests.support.network_picture import stamp
from tests.unit.gateway.pages.conftest import Site

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


def answers() -> dict[str, Any]:
    clients = FakeClients()
    join(clients, NOW)
    return clients.answers


def seen(**changes: Any) -> View:
    known = answers()
    status = known["GetNetworkStatus"]
    parts: dict[str, Any] = {
        "status": status,
        "alerts": known["ListAlerts"],
        "nodes": known["ListNodes"],
        "availability": {status.centers[1].center_id: known["GetAvailability"]},
        "for_headquarters": True,
    }
    return view(Picture(**parts | changes), wording("en"), NOW)


def row(shown: View, code: str) -> CenterRow:
    return next(center for center in shown.centers if center.code == code)


def test_a_center_shows_its_nodes_with_state_liveness_and_since() -> None:
    (mark,) = row(seen(), "RKH").nodes
    assert (mark.name, mark.state_label, mark.liveness_label) == ("Server room", "Active", "Online")
    assert mark.since is not None
    assert row(seen(), "TBZ").nodes == ()


def test_capacity_says_used_and_free_and_how_fresh_it_is() -> None:
    found = row(seen(), "RKH").capacity
    assert found is not None
    gmp, cold = found.bars
    assert (gmp.label, gmp.figures, gmp.filled) == ("GMP suite", "3 of 4 in use, 1 free", 75)
    assert cold.figures == "310.5 of 1,200 in use, 889.5 free"
    assert (found.liveness, found.liveness_label) == ("late", "Late")
    assert found.observed is not None
    assert row(seen(), "TBZ").capacity is None


def test_a_day_without_data_is_never_shown_as_one_of_the_others() -> None:
    found = row(seen(), "RKH").availability
    assert found is not None
    marks = [day.mark for day in found.days]
    assert marks[:81] == ["unknown"] * 81
    assert marks[81:] == ["online"] * 5 + ["offline", "late", "online", "online"]
    # Of that day little is known, so its mark is not whole.
    assert [day.is_partial for day in found.days].index(True) == 81
    assert found.text == (
        "The last 90 days: 81 days without data; Online on 7 days; Late on 1 day; Offline on 1 day"
    )
    assert found.share == "online for 99% of the known time"
    assert found.days[-1].text == "22 November 2026: Online"


def test_a_bar_of_nothing_but_silence_claims_nothing() -> None:
    nothing = alerts_pb2.Availability()
    for day in availability(NOW, "ctr_rkh").days[:20]:
        nothing.days.append(day)
    found = row(seen(availability={"ctr_rkh": nothing}), "RKH").availability
    assert found is not None
    assert {day.mark for day in found.days} == {"unknown"}
    assert found.share == "nothing is known yet"


def test_less_than_always_is_never_shown_as_100_percent() -> None:
    assert wording("en").percent(0.99999) == "99.9%"
    assert (wording("en").percent(1), wording("fa").percent(0.5)) == ("100%", "۵۰٪")


def test_alerts_stand_first_and_silence_is_told_once() -> None:
    first, *others = seen().matters
    assert (first.kind, first.text) == ("alert", "The node of Shiraz is silent")
    assert first.alert_id == "alr_1"
    assert "3 times" in first.detail
    assert not any("Shiraz: Offline" in matter.text for matter in others)
    without = seen(alerts=alerts_pb2.ListAlertsResponse())
    assert any("Shiraz: Offline" in matter.text for matter in without.matters)


def test_an_alert_that_somebody_has_seen_says_who_and_offers_no_button() -> None:
    alerts = answers()["ListAlerts"]
    alert = alerts.alerts[0]
    alert.state, alert.acknowledged_by = alerts_pb2.ALERT_STATE_ACKNOWLEDGED, "person:7"
    alert.acknowledged_at.CopyFrom(stamp(NOW))
    alert.comment = "The center was called"
    del alert.allowed_actions[:]
    matter = seen(alerts=alerts).matters[0]
    assert (matter.kind, matter.alert_id) == ("seen", "")
    assert "seen by person:7, 11:30; The center was called" in matter.detail


def test_the_headquarters_sees_what_a_node_tells_of_itself_and_what_asks_for_a_look() -> None:
    rows = seen().nodes
    assert rows is not None
    assert [item.mark.state for item in rows] == [
        "applied",
        "approved",
        "active",
        "active",
        "revoked",
    ]
    known = {item.mark.id: item for item in rows}
    good, bad = known["nod_1"], known["nod_2"]
    assert [(v.value, v.alert) for v in good.vitals] == [
        ("0 reports", False),
        ("41 \u2066GiB\u2069", False),
        ("right", False),
    ]
    assert [(v.value, v.alert) for v in bad.vitals] == [
        ("1,250 reports, the oldest for 2 hours", True),
        ("512 \u2066MiB\u2069", True),
        ("1 minute fast", True),
    ]
    assert (good.expires_soon, bad.expires_soon) == (False, True)
    assert [item.may_approve for item in rows] == [True, False, False, False, False]
    assert [item.may_join for item in rows] == [False, True, True, True, False]


def test_who_may_take_no_step_is_offered_none() -> None:
    nodes = answers()["ListNodes"]
    for node in nodes.nodes:
        del node.allowed_actions[:]
    rows = seen(nodes=nodes).nodes
    assert rows is not None
    assert not any(item.may_approve or item.may_join for item in rows)


def test_what_changes_without_an_event_changes_the_tag_as_exactly_as_it_is_shown() -> None:
    def tag(**vitals: Any) -> str:
        status = answers()["GetNetworkStatus"]
        for name, value in vitals.items():
            setattr(status.centers[1].nodes[0].vitals, name, value)
        return Picture(status=status).tag

    plain = tag()
    assert tag(queued_reports=7) != plain
    assert tag(clock_ahead_ms=8000) != plain
    assert tag(clock_ahead_ms=-199) == plain


@pytest.fixture
async def headquarters(
    site: Site, local: httpx.AsyncClient
) -> tuple[httpx.AsyncClient, FakeClients]:
    join(site.clients, NOW)
    await local.post("/sign-in", headers=OWN)
    return local, site.clients


def last(clients: FakeClients, name: str) -> Any:
    return [message for rpc, message, _ in clients.calls if rpc.descriptor.name == name][-1]


async def test_an_alert_is_acknowledged_with_what_is_done_about_it(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    page = (await http.get("/")).text
    assert 'action="/pages/alerts/alr_1/acknowledge"' in page
    path = "/pages/alerts/alr_1/acknowledge"
    answer = await http.post(path, data={"comment": "به مرکز زنگ زدیم"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#matters")
    asked = last(clients, "AcknowledgeAlert")
    assert (asked.alert_id, asked.comment) == ("alr_1", "به مرکز زنگ زدیم")
    assert asked.idempotency_key


async def test_a_node_is_asked_for_and_approved_as_it_was_shown(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    form = {"center_id": "ctr_rkh", "name": " Server room ", "key": "k1"}
    answer = await http.post("/pages/nodes", data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#nodes")
    asked = last(clients, "CreateNode")
    assert (asked.node.center_id, asked.node.name) == ("ctr_rkh", "Server room")
    assert asked.idempotency_key == "k1"
    answer = await http.post("/pages/nodes/nod_3/approve", data={"etag": "v3"}, headers=OWN)
    assert answer.status_code == 303
    assert last(clients, "ApproveNode").etag == "v3"


async def test_a_token_is_shown_once_with_the_command_and_kept_by_nobody(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    clients.answers["CreateJoinToken"] = nodes_pb2.JoinToken(
        token="pvn1.secret",
        node_id="nod_4",
        hub="hub.test:4443",
        authority_fingerprint="ab12" * 16,
        expires_at=stamp(NOW),
    )
    answer = await http.post("/pages/nodes/nod_4/token", headers=OWN)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "peyvand-node join pvn1.secret" in answer.text
    assert "ab12 ab12" in answer.text
    assert "pvn1.secret" not in (await http.get("/")).text
    clients.answers["CreateJoinToken"] = nodes_pb2.JoinToken(node_id="nod_4", hub="hub.test:4443")
    again = await http.post("/pages/nodes/nod_4/token", headers=OWN)
    assert "peyvand-node join" not in again.text
    assert "توکن تازه بسازید" in again.text


async def test_a_refusal_is_told_in_words_with_its_status(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    clients.answers["CreateJoinToken"] = Fault("NODE_CANNOT_JOIN", {"state": "suspended"})
    answer = await http.post("/pages/nodes/nod_4/token", headers=OWN)
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    assert "تعلیق" in answer.text


FORMS = (
    "/pages/alerts/alr_1/acknowledge",
    "/pages/nodes",
    "/pages/nodes/nod_3/approve",
    "/pages/nodes/nod_4/token",
)


@pytest.mark.parametrize("path", FORMS)
async def test_what_another_site_makes_a_browser_send_changes_nothing(
    headquarters: tuple[httpx.AsyncClient, FakeClients], path: str
) -> None:
    http, clients = headquarters
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.test"},
        {},
    ):
        clients.calls.clear()
        answer = await http.post(path, data={"x": "1"}, headers=headers)
        assert answer.status_code in (401, 403, 404), headers
        assert clients.calls == []


@pytest.mark.parametrize("path", FORMS)
async def test_who_is_not_signed_in_changes_nothing(
    local: httpx.AsyncClient, site: Site, path: str
) -> None:
    join(site.clients, NOW)
    answer = await local.post(path, headers=OWN)
    assert answer.status_code == 401
    assert site.clients.calls == []
    page = (await local.get("/")).text
    assert "<form" not in page.replace('<form method="post" action="/sign-in">', "")


async def test_a_body_that_is_no_form_is_refused(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, _ = headquarters
    answer = await http.post(
        "/pages/nodes", content=b"{}", headers=OWN | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 415
