"""The commands as a person types them, against a gateway that is only pretended."""

import json
import re
from pathlib import Path

import httpx
import pytest

from peyvandctl import client, doctor, imports
from peyvandctl.cli import app
from peyvandctl.cli_network import sent_events
from peyvandctl.imports import send
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.state import HomeLock, State
from tests.unit.cli.conftest import CENTER, Gateway, Json, run, runner

REFUSED = {
    "id": "ref_1",
    "node_id": "nod_1",
    "center_id": "ctr_1",
    "feed": "capacity",
    "number": "7",
    "report_key": "rpt_1",
    "violations": [{"field": "items[0].used", "reason": "USED_OVER_TOTAL", "params": {}}],
    "refused_at": "2026-11-22T12:00:00Z",
}


def test_token_prints_a_token_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEYVAND_HOME", str(tmp_path))
    home = Home.locate()
    home.prepare()
    state = State(home)
    state.save()
    LocalIssuer(home, state.cluster_id).ensure_key()
    assert re.fullmatch(
        r"[\w-]+\.[\w-]+\.[\w-]+\n", runner.invoke(app, ["token", "--role", "hq_admin"]).stdout
    )


def test_centers_are_listed_in_the_language_asked_for(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", {"centers": [CENTER], "next_page_token": None})
    assert "Tabriz center" in run("centers")
    persian = run("centers", "--lang", "fa", "--state", "operational")
    assert "مرکز تبریز" in persian
    assert "فعال" in persian
    assert gateway.asked[-1].url.params["state"] == "operational"
    assert gateway.asked[-1].headers["accept-language"] == "fa"


def test_json_is_the_answer_as_it_came(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", {"centers": [CENTER], "next_page_token": None})
    assert json.loads(run("centers", "--json")) == [CENTER]


def test_a_program_that_reads_a_table_gets_a_line_for_each_row(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    names = {"fa": None, "en": "A center with a name " * 10}
    gateway.says("GET /v1/centers", {"centers": [CENTER | {"names": names}]})
    assert len(run("centers").splitlines()) == 2


def test_sample_data_is_labelled(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", {"centers": [CENTER | {"sample": True}]})
    assert "sample data" in run("centers")


def test_unknown_dates_are_shown_as_unknown_and_inferred_ones_as_inferred(
    gateway: Gateway,
) -> None:
    agreement: Json = {
        "kind": "mou",
        "titles": {"en": "MoU", "fa": None},
        "state": "signed",
        "signed_date": {"value": "2025-04-25", "inferred": True, "note": None},
        "expiry_date": None,
        "sample": False,
    }
    gateway.says("GET /v1/agreements", {"agreements": [agreement]})
    assert re.search(r"2025-04-25 \(inferred\)\s+unknown", run("agreements"))


def test_totals_show_what_they_rest_on_and_samples_apart(gateway: Gateway) -> None:
    total = {
        "value": 4,
        "known": 4,
        "of": 5,
        "as_of": None,
        "parts": [{"key": "s2", "value": 3, "sample": 2}],
        "sample": 2,
    }
    gateway.says(
        "GET /v1/network/status",
        {
            "centers": [
                CENTER | {"liveness": "unknown", "projects_by_stage": []},
            ],
            "totals": {"projects": total, "alerts": None},
            "sample": True,
            "as_of": "2026-01-01T00:00:00Z",
        },
    )
    shown = run("status")
    assert "projects: 4 (+2) (4 of 5)  s2 3 (+2)" in shown
    assert "alerts" not in shown


def test_a_refusal_tells_line_field_and_rule(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("centers: []")
    errors = [
        {"line": 3, "field": "names.fa", "rule": "REQUIRED", "detail": "This is required."},
        {"parameter": "kind", "rule": "UNKNOWN_VALUE", "detail": "No."},
    ]
    gateway.says("POST /v1/imports", {"detail": "See errors.", "errors": errors}, status=422)
    shown = run("import", str(file), code=2)
    assert "line 3, names.fa: This is required. [REQUIRED]" in shown
    assert "kind: No. [UNKNOWN_VALUE]" in shown


def progress(state: str, done: int, refusals: list[Json] | None = None) -> Json:
    refused = len(refusals or ())
    section = {
        "name": "centers",
        "rows": 2,
        "done": done,
        "created": done - refused,
        "updated": 0,
        "unchanged": 0,
        "refused": refused,
    }
    return {
        "id": "imp_1",
        "state": state,
        "sections": [section],
        "rows": 2,
        "done": done,
        "refusals": refusals or [],
    }


def test_an_import_is_watched_to_its_end(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "table.CSV"
    file.write_text("external_key\n")
    gateway.says("POST /v1/imports", progress("running", 0), status=202)
    gateway.says("GET /v1/imports/imp_1", progress("running", 1), progress("done", 2))
    assert "Done." in run("import", str(file), "--kind", "centers", "--key", "mine")
    sent = gateway.asked[0]
    assert sent.headers["content-type"] == "text/csv"
    assert sent.headers["idempotency-key"] == "mine"
    assert dict(sent.url.params) == {"kind": "centers"}


def test_the_check_of_a_file_is_watched_too(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports.time, "sleep", lambda _: None)
    file = tmp_path / "x.yaml"
    file.write_text("{}")
    gateway.says("POST /v1/imports", progress("checking", 0), status=202)
    states = [("checking", 1), ("running", 0), ("running", 1), ("done", 2)]
    gateway.says("GET /v1/imports/imp_1", *(progress(*state) for state in states))
    seen: list[tuple[str, int]] = []
    with client.Api(client.Access("http://net.test")) as api:
        send(api, file, progress=lambda result: seen.append((result["state"], result["done"])))
    assert seen == [("checking", 0), *states]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_that_is_rejected_after_a_while_tells_what_is_wrong(
    gateway: Gateway, tmp_path: Path, *, dry_run: bool
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("{}")
    refusals = [{"line": 7, "field": "code", "rule": "CENTER_CODE_TAKEN", "detail": "Taken."}]
    gateway.says("POST /v1/imports", progress("checking", 0), status=202)
    gateway.says("GET /v1/imports/imp_1", progress("rejected", 2, refusals))
    shown = run("import", str(file), *(["--dry-run"] if dry_run else []), code=2)
    assert "line 7, code: Taken. [CENTER_CODE_TAKEN]" in shown
    assert "nothing was written" in shown


def test_who_stops_watching_an_import_is_told_that_it_goes_on(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "my table.csv"
    file.write_text("external_key\n")
    gateway.says("POST /v1/imports", progress("running", 0), status=202)
    monkeypatch.setattr(imports.time, "sleep", interrupt)
    shown = run("import", str(file), "--kind", "centers", "--key", "mine", code=130)
    assert f"peyvand import '{file}' --key mine --kind centers" in shown.replace("\n", "")


def test_who_stops_before_the_first_answer_is_told_how_to_look_again(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "x.yaml"
    file.write_text("centers: []")
    # The file is on its way, and may have come.
    monkeypatch.setattr(client.Api, "post", interrupt)
    shown = run("import", str(file), "--key", "mine", "--dry-run", code=130)
    assert f"peyvand import {file} --key mine --dry-run" in shown.replace("\n", "")
    assert gateway.asked == []


def test_a_file_without_rows_is_not_called_a_success(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text("centers: []")
    gateway.says("POST /v1/imports", progress("checked", 0) | {"rows": 0, "sections": []})
    shown = run("import", str(file), "--dry-run")
    assert "There is no row in it." in shown
    assert "can be applied" not in shown


def test_of_a_table_it_has_to_be_said_what_its_rows_are(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("external_key\n")
    assert "--kind centers" in run("import", str(file), code=1)
    assert gateway.asked == []


@pytest.mark.parametrize("state", ["incomplete", "interrupted"])
def test_an_import_that_is_not_whole_fails(gateway: Gateway, tmp_path: Path, state: str) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}")
    refusals = [{"line": 7, "field": "code", "rule": "CENTER_CODE_TAKEN", "detail": "Taken."}]
    gateway.says("POST /v1/imports", progress("running", 0), status=202)
    gateway.says("GET /v1/imports/imp_1", progress(state, 2, refusals))
    assert "line 7, code: Taken. [CENTER_CODE_TAKEN]" in run("import", str(file), code=1)


def test_a_dry_run_sends_nothing_to_be_written(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text("{}")
    gateway.says("POST /v1/imports", progress("checked", 2))
    assert "nothing was written" in run("import", str(file), "--dry-run")
    assert gateway.asked[0].url.params["dry_run"] == "true"


@pytest.mark.parametrize("name", ["data.xlsx", "missing.yaml"])
def test_a_file_that_cannot_be_sent_is_told(gateway: Gateway, tmp_path: Path, name: str) -> None:
    if name.endswith("xlsx"):
        (tmp_path / name).write_text("x")
    assert name in run("import", str(tmp_path / name), code=1)
    assert gateway.asked == []


def test_a_gateway_that_is_away_for_a_moment_does_not_end_the_watch(
    gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("{}")
    gateway.says("POST /v1/imports", progress("running", 0), status=202)
    gateway.says("GET /v1/imports/imp_1", {"detail": "Away.", "reason": "UNAVAILABLE"}, status=503)
    gateway.says("GET /v1/imports/imp_1", progress("done", 2))
    with client.Api(client.Access("http://net.test")) as api:
        assert send(api, file)["state"] == "done"


def rebuilt(after: str, events: str = "7") -> Json:
    return {
        "digest_before": "sha256:a",
        "digest_after": after,
        "events_before": "7",
        "events_after": events,
        "tables": [{"name": "timeline", "rows_before": "7", "rows_after": "7"}],
    }


def test_rebuild_fails_when_another_picture_comes_out_of_the_same_events(
    gateway: Gateway,
) -> None:
    path = "POST /v1/network:rebuild"
    gateway.says(path, rebuilt("sha256:a"), rebuilt("sha256:b"), rebuilt("sha256:b", events="8"))
    assert "same picture" in run("rebuild")
    assert "differs" in run("rebuild", code=1)
    assert "differs" in run("rebuild")


def test_events_are_shown_the_latest_last(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def event(n: int) -> Json:
        return {
            "type": "peyvand.centers.v1.center.opened",
            "subject": f"ctr_{n}",
            "time": "2026-01-01T00:00:00Z",
            "data": {"change": {}, "center": CENTER},
            "cursor": str(n),
            "summaryfa": f"مرکز «{n}» گشوده شد",
            "summaryen": f'Center "{n}" opened',
        }

    gateway.says(
        "GET /v1/events",
        {"head_cursor": "2"},
        {"events": [event(2)], "next_cursor": "before-2", "more": True},
        {"events": [event(1)], "next_cursor": "before-1", "more": False},
    )
    shown = run("events").splitlines()
    assert ["ctr_1" in shown[0], "ctr_2" in shown[1]] == [True, True]
    assert [r.url.params.get("before") for r in gateway.asked] == [None, None, "before-2"]
    assert ['Center "1" opened' in shown[0], 'Center "2" opened' in shown[1]] == [True, True]
    gateway.answers.clear()
    gateway.says(
        "GET /v1/events",
        {"head_cursor": "2"},
        {"events": [event(1)], "next_cursor": "before-1", "more": False},
    )
    monkeypatch.setenv("PEYVAND_LANG", "fa")
    assert "مرکز «1» گشوده شد" in run("events").splitlines()[0]


def test_server_sent_events_are_read_with_their_ids() -> None:
    lines = ["retry: 2000", "id: 5", "", "id: 6", "event: x", 'data: {"a":', "data: 1}", ""]
    lines += [": still here", "", 'data: {"b": 2}', "", 'data: {"cut": ']
    assert list(sent_events(lines)) == [("5", None), ("6", {"a": 1}), ("6", None), ("6", {"b": 2})]


def test_doctor_without_a_network_names_each_mend(gateway: Gateway) -> None:
    findings = json.loads(run("doctor", "--json", "--url", "http://127.0.0.1:1", code=1))
    verdicts = {finding["subject"]: finding for finding in findings}
    assert verdicts["home"]["verdict"] == "bad"
    assert verdicts["gateway"]["verdict"] == "bad"
    assert all(finding["mend"] for finding in findings if finding["verdict"] == "bad")


def test_doctor_names_a_mend_for_what_it_cannot_look_at(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    Home.locate().prepare()
    monkeypatch.setattr(doctor.shutil, "disk_usage", refuse)
    findings = json.loads(run("doctor", "--json", "--url", "http://127.0.0.1:1", code=1))
    (unseen,) = (item for item in findings if "cannot be looked at" in item["message"])
    assert (unseen["subject"], unseen["verdict"]) == ("space", "bad")
    assert "run as the user that runs the network" in unseen["mend"]


def test_doctor_finds_one_thing_in_a_network_that_was_stopped(gateway: Gateway) -> None:
    home = Home.locate()
    home.prepare()
    State(home).save()
    lock = HomeLock(home)
    lock.acquire()
    arguments = ("doctor", "--json", "--url", "http://127.0.0.1:1")
    running = [item["subject"] for item in json.loads(run(*arguments, code=1))]
    lock.release()
    stopped = json.loads(run(*arguments, code=1))
    assert "database" in running
    assert [f["subject"] for f in stopped if f["verdict"] == "bad"] == ["supervisor", "gateway"]


def test_doctor_counts_no_events_where_nothing_is_heard(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ready(*_: object, **__: object) -> httpx.Response:
        return httpx.Response(200, json={"services": {}})

    monkeypatch.setattr(doctor.httpx, "get", ready)
    gateway.says("GET /v1/centers", {"centers": []})
    streams = [
        {"service": "centers", "liveness": "stale", "lag": 0, "since": "2026-01-01T00:00:00Z"},
        {"service": "projects", "liveness": "online", "lag": 0, "since": None},
    ]
    gateway.says("GET /v1/network/status", {"streams": streams, "centers": [CENTER]})
    findings = {item["subject"]: item for item in json.loads(run("doctor", "--json", code=1))}
    assert findings["picture of centers"]["verdict"] == "warning"
    assert "events may be missing" in findings["picture of centers"]["message"]
    assert findings["picture of projects"]["verdict"] == "ok"


def test_a_language_that_is_not_there_is_refused(gateway: Gateway) -> None:
    assert "en, fa" in run("centers", "--lang", "de", code=1)


def test_what_was_refused_of_nodes_is_listed_with_field_and_rule(gateway: Gateway) -> None:
    gateway.says("GET /v1/centers", {"centers": [CENTER], "next_page_token": None})
    gateway.says("GET /v1/nodes", {"nodes": [{"id": "nod_1"}], "next_page_token": None})
    gateway.says("GET /v1/refused-reports", {"refused_reports": [REFUSED], "next_page_token": None})
    done = runner.invoke(app, ["node", "refusals", "--node", "tbz-1", "--center", "TBZ"])
    assert done.exit_code == 0, done.output
    for told in ("TBZ", "nod_1", "capacity 7", "items[0].used", "USED_OVER_TOTAL"):
        assert told in done.output
    (asked,) = [one for one in gateway.asked if one.url.path == "/v1/refused-reports"]
    assert (asked.url.params["node_id"], asked.url.params["center_id"]) == ("nod_1", "ctr_1")
    done = runner.invoke(app, ["node", "refusals", "--json"])
    assert json.loads(done.output) == [REFUSED]
