"""Reports of centers and their thresholds from the command line, before a pretended gateway."""

import json
from typing import Any

import pytest

from centers.domain.presence import thresholds
from peyvandctl.cli_centers import seconds_of
from peyvandctl.errors import ClusterError
from tests.unit.cli.conftest import CENTER, Gateway, Json, run

FIGURES = {
    "samples_processed": 120,
    "products_released": None,
    "procedures": 0,
    "trainees": None,
    "articles": None,
}
REPORT: Json = {
    "id": "rep_1",
    "center_id": "ctr_1",
    "period": "1405-07",
    "revision": 2,
    "figures": FIGURES,
    "state": "submitted",
    "state_reason": "",
    "state_since": "2026-11-22T12:00:00Z",
    "sample": False,
    "etag": "v3",
    "allowed_actions": ["approve", "return"],
}
CENTERS = {"centers": [CENTER | {"etag": "v7", "expectations": None}], "next_page_token": None}


@pytest.fixture(autouse=True)
def _center(gateway: Gateway) -> None:
    """The center of the reports is known."""
    gateway.says("GET /v1/centers/ctr_1", CENTER)


def sent(gateway: Gateway, method: str) -> tuple[str, Json, Any]:
    """Where the last request of a method went, its body, and the version it was taken from."""
    request = [one for one in gateway.asked if one.method == method][-1]
    return request.url.path, json.loads(request.content), request.headers.get("if-match")


def test_reports_are_listed_with_their_months_and_states(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", CENTERS)
    gateway.says("GET /v1/period-reports", {"period_reports": [REPORT], "next_page_token": None})
    arguments = ("--state", "submitted", "--center", "tbz", "--period", "1405-07")
    shown = run("reports", "list", *arguments)
    for told in ("rep_1", "TBZ", "1405-07", "submitted", "2026-11-22T12:00"):
        assert told in shown
    (asked,) = [one for one in gateway.asked if one.url.path == "/v1/period-reports"]
    wanted = {"state": "submitted", "center_id": "ctr_1", "period": "1405-07"}
    assert wanted.items() <= dict(asked.url.params).items()
    assert "ارسال‌شده" in run("reports", "list", "--lang", "fa")
    assert json.loads(run("reports", "list", "--json")) == [REPORT]
    gateway.answers.pop("GET /v1/period-reports")
    sample = REPORT | {"sample": True}
    gateway.says("GET /v1/period-reports", {"period_reports": [sample], "next_page_token": None})
    assert "TBZ (sample data)" in run("reports", "list")


def test_a_report_is_shown_with_what_is_unknown_and_who_did_what(gateway: Gateway) -> None:
    step = {
        "action": "submitted",
        "actor": "node:nod_1",
        "reason": "",
        "at": "2026-11-22T12:00:00Z",
    }
    gateway.says("GET /v1/period-reports/rep_1", REPORT)
    gateway.says("GET /v1/period-reports/rep_1/steps", {"steps": [step], "next_page_token": None})
    shown = [" ".join(line.split()) for line in run("reports", "show", "rep_1").splitlines()]
    # Zero is none, and what was not given is unknown.
    assert shown[0].startswith("rep_1 TBZ 1405-07 (2)")
    for told in ("samples processed 120", "procedures 0", "trainees —", "approve, return"):
        assert told in shown
    assert any("submitted node:nod_1" in line for line in shown)
    assert json.loads(run("reports", "show", "rep_1", "--json")) == REPORT | {"steps": [step]}


@pytest.mark.parametrize(
    ("arguments", "verb", "body"),
    [
        (("approve", "rep_1"), "approve", {}),
        (("submit", "rep_1"), "submit", {}),
        (("return", "rep_1", "--comment", "Trainees?"), "return", {"reason": "Trainees?"}),
    ],
)
def test_a_step_is_taken_from_the_version_that_was_read(
    gateway: Gateway, arguments: tuple[str, ...], verb: str, body: Json
) -> None:
    gateway.says("GET /v1/period-reports/rep_1", REPORT)
    gateway.says(f"POST /v1/period-reports/rep_1:{verb}", REPORT | {"state": "approved"})
    assert "approved" in run("reports", *arguments)
    assert sent(gateway, "POST") == (f"/v1/period-reports/rep_1:{verb}", body, '"v3"')


def test_a_report_is_not_given_back_without_a_comment(gateway: Gateway) -> None:
    assert "--comment" in run("reports", "return", "rep_1", code=2)
    assert gateway.asked == []


def test_an_illegal_step_tells_what_can_be_done(gateway: Gateway) -> None:
    gateway.says("GET /v1/period-reports/rep_1", REPORT)
    problem = {"detail": "It is a draft.", "reason": "ILLEGAL_TRANSITION", "allowed": ["submit"]}
    gateway.says("POST /v1/period-reports/rep_1:approve", problem, status=409)
    assert "Now it can be: submit" in run("reports", "approve", "rep_1", code=2)


def test_the_key_of_a_center_names_the_last_revision(gateway: Gateway) -> None:
    first = REPORT | {"id": "rep_0", "revision": 1}
    gateway.says(
        "GET /v1/period-reports", {"period_reports": [REPORT, first], "next_page_token": None}
    )
    gateway.says("POST /v1/period-reports/rep_1:approve", REPORT)
    run("reports", "approve", "tbz-1405-07")
    gateway.answers["GET /v1/period-reports"].clear()
    gateway.says("GET /v1/period-reports", {"period_reports": [], "next_page_token": None})
    assert "There is no report tbz" in run("reports", "approve", "tbz", code=1)


def test_a_key_that_two_centers_have_names_no_report(gateway: Gateway) -> None:
    others = [
        REPORT | {"id": "rep_8", "center_id": "ctr_2", "revision": 1},
        REPORT | {"id": "rep_9", "center_id": "ctr_2", "revision": 3},
    ]
    both = {"period_reports": [REPORT, *others], "next_page_token": None}
    gateway.says("GET /v1/period-reports", both)
    second = CENTER | {"id": "ctr_2", "code": "SHZ"}
    gateway.says("GET /v1/centers", {"centers": [CENTER, second], "next_page_token": None})
    for step in (("approve",), ("return", "--comment", "Trainees?"), ("submit",), ("show",)):
        told = run("reports", *step, "monthly-1405-07", code=1)
        assert "several centers have the key monthly-1405-07" in told
        assert "rep_9 (SHZ), rep_1 (TBZ)" in told
    assert [one for one in gateway.asked if one.method != "GET"] == []


def test_what_was_decided_is_told_also_where_the_center_is_not(gateway: Gateway) -> None:
    gateway.says("GET /v1/period-reports/rep_1", REPORT)
    gateway.says("POST /v1/period-reports/rep_1:approve", REPORT | {"state": "approved"})
    gateway.answers["GET /v1/centers/ctr_1"].clear()
    gateway.says("GET /v1/centers/ctr_1", {"detail": "Away.", "reason": "UNAVAILABLE"}, status=503)
    shown = run("reports", "approve", "rep_1")
    assert "ctr_1" in shown
    assert "approved" in shown


def test_a_center_without_a_node_records_and_mends_its_report(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", CENTERS)
    gateway.says("POST /v1/period-reports", REPORT | {"state": "draft"})
    figures = ("--samples-processed", "120", "--procedures", "0")
    run("reports", "draft", "--center", "TBZ", "--period", "1405-07", *figures)
    path, body, _ = sent(gateway, "POST")
    assert (path, body) == (
        "/v1/period-reports",
        {
            "center_id": "ctr_1",
            "period": "1405-07",
            "figures": {"samples_processed": 120, "procedures": 0},
        },
    )
    gateway.says("GET /v1/period-reports/rep_1", REPORT)
    gateway.says("PUT /v1/period-reports/rep_1", REPORT)
    mended = ("--trainees", "4", "--unknown", "procedures")
    run("reports", "change", "rep_1", *mended)
    path, body, version = sent(gateway, "PUT")
    assert version == '"v3"'
    assert body["figures"] == {"samples_processed": 120, "trainees": 4}
    assert "There is no figure money" in run(
        "reports", "change", "rep_1", "--unknown", "money", code=1
    )


def total(value: str | None, sample: str | None = None) -> Json:
    return {"value": value, "known": 0 if value is None else 1, "sample": sample}


def totals(**figures: str | None) -> Json:
    names = ("samples_processed", "products_released", "procedures", "trainees", "articles")
    return {
        "period": "1405-08",
        "known": 4,
        "of": 5,
        "as_of": "2026-11-22T12:00:00Z",
        **{name: total(figures.get(name)) for name in names},
        "sample": 0,
    }


def test_months_show_sums_to_the_headquarters_and_figures_of_one_center(gateway: Gateway) -> None:
    center = {"center_id": "ctr_1", "figures": FIGURES, "sample": False}
    missing = {"center_id": "ctr_2", "figures": None, "sample": False}
    known = {"period": "1405-08", "totals": totals(articles="3"), "centers": [center, missing]}
    gateway.says("GET /v1/network/periods", {"periods": [known]})
    (line,) = run("reports", "months", "--months", "1").splitlines()[1:]
    assert line.split() == ["1405-08", "4/5", "—", "—", "—", "—", "3"]
    assert gateway.asked[-1].url.params["months"] == "1"
    gateway.says("GET /v1/centers", CENTERS)
    gateway.answers["GET /v1/network/periods"].clear()
    own = {"period": "1405-08", "totals": None, "centers": [center]}
    nothing = {"period": "1405-07", "totals": None, "centers": [missing]}
    gateway.says("GET /v1/network/periods", {"periods": [nothing, own]})
    first, second = run("reports", "months", "--center", "TBZ").splitlines()[1:]
    assert first.split() == ["1405-07", "0/1", "—", "—", "—", "—", "—"]
    assert second.split() == ["1405-08", "1/1", "120", "—", "0", "—", "—"]
    assert gateway.asked[-1].url.params["center_id"] == "ctr_1"


def test_the_status_tells_the_month_with_what_it_rests_on(gateway: Gateway) -> None:
    activity = totals(articles="3") | {"trainees": total("7", "2")}
    gateway.says(
        "GET /v1/network/status",
        {
            "centers": [],
            "totals": {"activity": activity},
            "sample": False,
            "as_of": "2026-11-22T12:00:00Z",
        },
    )
    shown = run("status")
    assert "activity 1405-08 (4 of 5 approved)" in shown
    assert "trainees 7 (+2), articles 3" in shown
    assert "procedures unknown" in shown


def test_thresholds_are_shown_with_those_of_the_network(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", CENTERS)
    heartbeat, capacity, report = run("centers", "thresholds", "tbz").splitlines()[1:]
    assert heartbeat.split() == ["heartbeat", "30s", "(usual)", "2m", "(usual)", "10m", "(usual)"]
    assert capacity.split() == ["capacity", "1d", "(usual)", "2d", "—"]
    assert report.split() == ["report", "45d", "(usual)", "90d", "—"]


def test_thresholds_of_one_feed_are_set_and_the_others_stay(gateway: Gateway) -> None:
    own = {"late_seconds": 60, "stale_seconds": None, "capacity_hours": 12, "report_days": 0}
    found = CENTER | {"etag": "v7", "expectations": own}
    gateway.says("GET /v1/centers", {"centers": [found], "next_page_token": None})
    gateway.says("PATCH /v1/centers/ctr_1", found)
    run("centers", "thresholds", "TBZ", "--feed", "capacity", "--late", "2h")
    path, body, version = sent(gateway, "PATCH")
    assert (path, version) == ("/v1/centers/ctr_1", '"v7"')
    assert body == {"expectations": {"late_seconds": 60, "capacity_hours": 2}}
    run("centers", "thresholds", "TBZ", "--feed", "heartbeat", "--stale", "5m", "--offline", "1h")
    assert sent(gateway, "PATCH")[1] == {
        "expectations": {
            "late_seconds": 60,
            "capacity_hours": 12,
            "stale_seconds": 300,
            "offline_seconds": 3600,
        }
    }
    run("centers", "thresholds", "TBZ", "--feed", "heartbeat", "--usual")
    assert sent(gateway, "PATCH")[1] == {"expectations": {"capacity_hours": 12}}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--feed", "capacity", "--late", "90m"), "no whole number"),
        (("--feed", "capacity", "--stale", "2d"), "--stale cannot be set of capacity"),
        (("--feed", "report", "--offline", "2d"), "--offline cannot be set of report"),
        (("--feed", "report", "--late", "soon"), "soon is no duration"),
        (("--late", "2h"), "Say which feed"),
        (("--feed", "report", "--late", "1d", "--usual"), "Say which feed"),
    ],
)
def test_thresholds_that_make_no_sense_are_told_and_not_sent(
    gateway: Gateway, arguments: tuple[str, ...], told: str
) -> None:
    gateway.says("GET /v1/centers", CENTERS)
    assert told in run("centers", "thresholds", "TBZ", *arguments, code=1)
    assert [one for one in gateway.asked if one.method != "GET"] == []


def test_durations_are_read_in_all_units() -> None:
    assert [seconds_of(text) for text in ("30s", "5m", "2H", " 1d ")] == [30, 300, 7200, 86400]
    for text in ("", "2", "0h", "-1h", "1.5h", "1w", "۲h"):
        with pytest.raises(ClusterError):
            seconds_of(text)


def test_alerts_say_when_they_were_escalated(gateway: Gateway) -> None:
    alert = {
        "id": "alr_1",
        "kind": "condition_overdue",
        "state": "open",
        "summary": {"en": "Overdue", "fa": None},
        "opened_at": "2026-11-22T12:00:00Z",
        "escalated_at": "2026-11-22T16:00:00Z",
    }
    gateway.says("GET /v1/alerts", {"alerts": [alert], "next_page_token": None})
    assert "2026-11-22T16:00" in run("alerts", "--escalated")
    assert gateway.asked[-1].url.params["escalated"] == "true"
    assert "شرط سررسیدگذشته" in run("alerts", "--lang", "fa")
    assert "escalated" not in gateway.asked[-1].url.params


def test_the_usual_thresholds_are_those_of_the_service(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", CENTERS)
    expected = {
        feed: [_short(seconds) for seconds in (limits.late, limits.stale, limits.offline)]
        for feed, limits in thresholds(None).items()
    }
    shown = run("centers", "thresholds", "TBZ").replace(" (usual)", "")
    assert {line.split()[0]: line.split()[1:] for line in shown.splitlines()[1:]} == expected


def _short(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    unit, size = next(
        (unit, size)
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
        if seconds % size == 0
    )
    return f"{seconds / size:g}{unit}"
