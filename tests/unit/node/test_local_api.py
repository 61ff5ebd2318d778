"""The API for the center's own systems."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from node_agent.local_api import application, service_info_form
from node_agent.store import Store
from peyvand.node.v1 import protocol_pb2 as pb
from tests.support.ga4gh import SERVICE, faults
from tests.unit.node.conftest import CENTER, Bench

CAPACITY: dict[str, Any] = {
    "observed_at": "2026-11-22T10:00:00Z",
    "items": [{"kind": "gmp_suite", "total": 4, "used": 3}],
}
PERIOD: dict[str, Any] = {"period": "1405-07", "figures": {"trainees": 25}}


@pytest.fixture
async def api(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    app = application(bench.agent, bench.taker)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1234") as client:
        yield client


async def hand_in(
    api: httpx.AsyncClient, value: Any, key: str = "k", feed: str = "capacity", **headers: str
) -> httpx.Response:
    return await api.post(
        f"/reports/{feed}", json=value, headers={"Idempotency-Key": key, **headers}
    )


def rules(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {(error["pointer"], error["rule"]) for error in answer.json()["errors"]}


async def test_a_report_is_accepted_while_the_hub_is_away_and_says_so(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    answer = await hand_in(api, CAPACITY)
    assert answer.status_code == 202
    assert answer.json()["state"] == "queued"
    assert answer.json()["hub"] == "connecting"
    kept = bench.store.report(answer.json()["key"])
    assert kept is not None
    assert kept.report.capacity.items[0].total == 4
    shown = (await api.get(answer.headers["location"])).json()
    assert shown["state"] == "queued"
    assert shown["report"]["items"] == CAPACITY["items"]
    assert shown["report"]["observed_at"] == CAPACITY["observed_at"]


async def test_a_period_report_says_whether_it_is_submitted(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    for key, submit in (("a", True), ("b", False)):
        text = str(submit).lower()
        answer = await hand_in(api, PERIOD, key, f"period?submit={text}")
        kept = bench.store.report(answer.json()["key"])
        assert kept is not None
        assert kept.report.period_report.submit is submit
    assert not kept.report.period_report.period_report.figures.HasField("articles")


async def test_each_broken_rule_is_named_with_its_place(api: httpx.AsyncClient) -> None:
    wrong = {
        "id": "cap_1",
        "observed_at": "yesterday",
        "note": "x",
        "items": [
            {"kind": "gmp_suite", "total": 1, "used": 2},
            {"kind": "gmp_suite", "total": -1},
            {"kind": "kitchen"},
            {"total": 1e12},
        ],
    }
    assert rules(await hand_in(api, wrong)) == {
        ("/id", "IMMUTABLE"),
        ("/observed_at", "WRONG_FORMAT"),
        ("/note", "UNKNOWN_FIELD"),
        ("/items/0/used", "USED_OVER_TOTAL"),
        ("/items/1/kind", "CAPABILITY_REPEATED"),
        ("/items/1/total", "OUT_OF_RANGE"),
        ("/items/2/kind", "UNKNOWN_VALUE"),
        ("/items/3/kind", "REQUIRED"),
        ("/items/3/total", "OUT_OF_RANGE"),
    }


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        ({}, {("/period", "REQUIRED"), ("/figures", "REQUIRED")}),
        ({"period": "1405-13", "figures": {"articles": 1}}, {("/period", "WRONG_FORMAT")}),
        ({"period": "1405-07\n", "figures": {"articles": 1}}, {("/period", "TOO_LONG")}),
        ({"period": "1405-07", "figures": {}}, {("/figures", "FIGURES_MISSING")}),
        (
            {"period": "1405-07", "figures": {"articles": 1.5}},
            {("/figures/articles", "WRONG_TYPE")},
        ),
        (
            {"period": "1405-07", "figures": {"articles": True}},
            {("/figures/articles", "WRONG_TYPE")},
        ),
        (
            {"period": "1405-07", "figures": {"articles": "1"}},
            {("/figures/articles", "WRONG_TYPE")},
        ),
        (PERIOD | {"external_key": "0499370899"}, {("/external_key", "PERSONAL_DATA")}),
        (PERIOD | {"external_key": "049-937089-9"}, {("/external_key", "PERSONAL_DATA")}),
        (
            PERIOD | {"center_id": "ctr_01k0000000000000000000000b"},
            {("/center_id", "FOREIGN_CENTER")},
        ),
        (PERIOD | {"state": "approved"}, {("/state", "IMMUTABLE")}),
        ([], {("", "WRONG_TYPE")}),
    ],
)
async def test_a_period_report_keeps_the_rules(
    api: httpx.AsyncClient, bench: Bench, value: Any, broken: set[tuple[str, str]]
) -> None:
    assert rules(await hand_in(api, value, feed="period")) == broken
    assert bench.store.standing().newest == 0


async def test_the_own_center_may_be_named(api: httpx.AsyncClient) -> None:
    answer = await hand_in(api, PERIOD | {"center_id": CENTER}, feed="period")
    assert answer.status_code == 202


async def test_a_problem_speaks_the_language_of_the_caller(api: httpx.AsyncClient) -> None:
    said = await hand_in(api, {"items": []}, **{"Accept-Language": "fa-IR, en;q=0.5"})
    assert said.headers["content-language"] == "fa"
    assert "پذیرفتنی" in said.json()["detail"]
    assert {error["detail"] for error in said.json()["errors"]} >= {"این فیلد لازم است."}


async def test_the_same_key_gives_the_same_answer_and_another_report_is_refused(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    first, again = await hand_in(api, CAPACITY), await hand_in(api, CAPACITY)
    assert first.json()["key"] == again.json()["key"]
    other = await hand_in(api, {**CAPACITY, "observed_at": "2026-11-22T11:00:00Z"})
    assert other.json()["reason"] == "IDEMPOTENCY_KEY_REUSED"
    assert bench.store.standing().newest == 1


@pytest.mark.parametrize(
    ("headers", "content", "status", "reason"),
    [
        ({"Idempotency-Key": ""}, b"{}", 422, "INVALID_ARGUMENT"),
        ({}, b"{", 400, "MALFORMED_BODY"),
        ({}, b'{"a":1,"a":2}', 400, "MALFORMED_BODY"),
        ({}, b'{"a":NaN}', 400, "MALFORMED_BODY"),
        ({}, b"\xff", 400, "MALFORMED_BODY"),
        ({}, b"[" * 30_000, 400, "MALFORMED_BODY"),
        ({}, b" " * 70_000, 413, "BODY_TOO_LARGE"),
        ({"Content-Type": "text/plain"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"Host": "evil.example"}, b"{}", 421, "FOREIGN_HOST"),
        ({"Host": "127.0.0.1.evil.example"}, b"{}", 421, "FOREIGN_HOST"),
        ({"Origin": "https://evil.example"}, b"{}", 403, "FOREIGN_PAGE"),
        ({"Origin": "null"}, b"{}", 403, "FOREIGN_PAGE"),
        ({"Sec-Fetch-Site": "cross-site"}, b"{}", 403, "FOREIGN_PAGE"),
    ],
)
async def test_what_is_no_call_of_a_program_of_the_center_is_refused(
    api: httpx.AsyncClient, headers: dict[str, str], content: bytes, status: int, reason: str
) -> None:
    given = {"Content-Type": "application/json", "Idempotency-Key": "k", **headers}
    answer = await api.post("/reports/capacity", content=content, headers=given)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


async def test_a_report_without_a_key_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/reports/capacity", json=CAPACITY)
    assert answer.json()["reason"] == "IDEMPOTENCY_KEY_REQUIRED"


async def test_on_a_full_disk_nothing_is_accepted_and_the_reason_is_clear(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    accepted = await hand_in(api, CAPACITY, "before")
    bench.fill_the_disk()
    refused = await hand_in(api, CAPACITY, "after")
    assert (refused.status_code, refused.json()["reason"]) == (507, "STORAGE_FULL")
    assert "free on the disk" in refused.json()["detail"]
    assert (await api.get("/readyz")).status_code == 503
    assert (await api.get("/livez")).status_code == 200
    assert not (await api.get("/status")).json()["accepts_reports"]
    bench.make_room()
    assert (await hand_in(api, CAPACITY, "after")).status_code == 202
    assert (await api.get("/readyz")).status_code == 200
    assert (await api.get(f"/reports/{accepted.json()['key']}")).status_code == 200


async def test_receipts_are_followed_by_a_cursor(api: httpx.AsyncClient, bench: Bench) -> None:
    keys = [(await hand_in(api, CAPACITY, f"k{n}")).json()["key"] for n in range(3)]
    journal = bench.store.standing().journal
    receipts = [
        pb.Receipt(number=n + 1, journal=journal, report_number=n + 1, key=key)
        for n, key in enumerate(keys)
    ]
    receipts[1].refusals.add(field="items[0].used", reason="USED_OVER_TOTAL", en="No.", fa="نه.")
    bench.store.acknowledge(3, receipts)
    first = (await api.get("/receipts", params={"limit": 2})).json()
    assert [item["key"] for item in first["receipts"]] == keys[:2]
    assert first["receipts"][1]["refusals"] == [
        {
            "field": "items[0].used",
            "pointer": "/items/0/used",
            "rule": "USED_OVER_TOTAL",
            "en": "No.",
            "fa": "نه.",
        }
    ]
    rest = (await api.get("/receipts", params={"after": first["next_after"]})).json()
    assert [item["key"] for item in rest["receipts"]] == keys[2:]
    refused = (await api.get("/receipts", params={"refused": "true"})).json()
    assert [item["key"] for item in refused["receipts"]] == [keys[1]]
    states = [(await api.get(f"/reports/{key}")).json()["state"] for key in keys]
    assert states == ["accepted", "refused", "accepted"]
    word = pb.Receipt(number=4, journal=journal, report_number=1, key=keys[0], decision="returned")
    bench.store.receive([word])
    assert (await api.get(f"/reports/{keys[0]}")).json()["state"] == "returned"


async def test_a_refusal_is_new_until_somebody_has_seen_it(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    keys = [(await hand_in(api, CAPACITY, f"k{n}")).json()["key"] for n in range(3)]
    receipts = [pb.Receipt(number=n, report_number=n, key=keys[n - 1]) for n in (1, 2, 3)]
    for receipt in receipts[:2]:
        receipt.refusals.add(field="items[0].used", reason="USED_OVER_TOTAL")

    async def counts() -> tuple[int, int, str]:
        found = (await api.get("/status")).json()
        return found["refused_reports"], found["unseen_refusals"], found["refusals_seen_up_to"]

    assert await counts() == (0, 0, "0")
    bench.store.acknowledge(1, receipts[:1])
    (first,) = (await api.get("/receipts", params={"refused": "true"})).json()["receipts"]
    seen = await api.post("/receipts/seen", params={"up_to": first["position"]})
    assert seen.json() == {"unseen_refusals": 0}
    bench.store.acknowledge(3, receipts[1:])
    assert await counts() == (2, 1, "1")
    # What is yet to come cannot be seen, and what was seen stays so.
    assert (await api.post("/receipts/seen?up_to=900")).json() == {"unseen_refusals": 0}
    assert (await api.post("/receipts/seen?up_to=1")).json() == {"unseen_refusals": 0}
    assert await counts() == (2, 0, "3")
    assert (await api.post("/receipts/seen")).json()["reason"] == "INVALID_ARGUMENT"
    foreign = {"Origin": "https://elsewhere.example"}
    assert (await api.post("/receipts/seen?up_to=1", headers=foreign)).status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/reports/rpt_nothing", 404, "NOT_FOUND"),
        ("/nowhere", 404, "ROUTE_NOT_FOUND"),
        ("/docs", 404, "ROUTE_NOT_FOUND"),
        ("/reports/capacity/x", 404, "ROUTE_NOT_FOUND"),
        ("/receipts?after=-1", 422, "INVALID_ARGUMENT"),
        ("/receipts?after=99999999999999999999", 422, "INVALID_ARGUMENT"),
    ],
)
async def test_wrong_addresses_are_problems_too(
    api: httpx.AsyncClient, path: str, status: int, reason: str
) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


async def test_a_method_that_is_not_taken_names_those_that_are(api: httpx.AsyncClient) -> None:
    answer = await api.put("/reports/capacity")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_it_says_what_it_is_as_the_standard_wants(api: httpx.AsyncClient) -> None:
    assert faults((await api.get("/service-info")).json(), SERVICE) == []


async def test_a_node_was_not_updated_before_it_was_made(bench: Bench) -> None:
    joined = bench.agent.identity
    for years in (-30, 30):
        at = joined.joined_at + timedelta(days=365 * years)
        form = service_info_form(replace(joined, joined_at=at))
        assert form["createdAt"] <= form["updatedAt"]


@pytest.mark.parametrize("query", ["limit=-1", "limit=0", "after=-1"])
async def test_receipts_are_counted_from_one(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/receipts?{query}", headers={"Accept-Language": "fa"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["rule"]) == (query.partition("=")[0], "OUT_OF_RANGE")
    assert "a whole number" not in error["detail"]


async def test_the_document_names_every_operation_and_the_rules(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/reports/capacity",
        "/reports/period",
        "/reports/{key}",
        "/receipts",
        "/receipts/seen",
        "/status",
        "/livez",
        "/readyz",
        "/service-info",
    }
    post = document["paths"]["/reports/capacity"]["post"]
    form = post["requestBody"]["content"]["application/json"]["schema"]
    assert form["required"] == ["observed_at", "items"]
    assert set(form["properties"]) == {"center_id", "observed_at", "items", "sample"}
    item = form["properties"]["items"]["items"]
    assert item["properties"]["used"]["maximum"] == 1_000_000_000
    assert "gmp_suite" in item["properties"]["kind"]["enum"]
    assert form["properties"]["observed_at"]["description"].startswith("When it was so")


async def test_the_status_tells_what_waits(api: httpx.AsyncClient, bench: Bench) -> None:
    await hand_in(api, CAPACITY)
    status = (await api.get("/status")).json()
    assert status["queued_reports"] == 1
    assert status["accepts_reports"]
    assert status["line"]["state"] == "connecting"
    assert bench.agent.identity.credentials.seed not in (await api.get("/status")).text
    assert (await bench.agent.ask(Store.standing)).queued == 1
