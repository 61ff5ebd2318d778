"""Files sent to the whole network: checked as a whole, applied once, finished after any kill."""

import asyncio
import secrets
import time
from typing import Any

import httpx
import pytest

from peyvandctl.cluster import Cluster
from tests.support.held_rows import import_held
from tests.support.http import client, headquarters
from tests.support.messaging import eventually

Json = dict[str, Any]
YAML = "application/yaml"
# A file whose import is met in its midst: it is held at the row after these.
ROWS, HELD = 300, 150


@pytest.fixture
def mark() -> str:
    """Makes the keys of a test its own."""
    return secrets.token_hex(4)


async def send(
    http: httpx.AsyncClient,
    content: str,
    *,
    key: str | None = None,
    media_type: str = YAML,
    **query: str,
) -> httpx.Response:
    headers = {"Content-Type": media_type, "Idempotency-Key": key or secrets.token_hex(8)}
    return await http.post("/v1/imports", content=content.encode(), headers=headers, params=query)


async def ended(http: httpx.AsyncClient, answer: httpx.Response, *, within: float = 240) -> Json:
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            found = await http.get(answer.headers["location"])
        except httpx.TransportError:
            found = None
        if found is not None and found.status_code == 200 and not is_under_way(found):
            return found.json()
        await asyncio.sleep(0.1)
    raise AssertionError("the import did not end")


def is_under_way(answer: httpx.Response) -> bool:
    return answer.json()["state"] in ("checking", "running")


def counts(result: Json, section: str) -> tuple[int, int, int, int]:
    (found,) = (item for item in result["sections"] if item["name"] == section)
    return found["created"], found["updated"], found["unchanged"], found["refused"]


def institutions(mark: str, number: int, name: str = "Institute") -> str:
    rows = (
        f"  - external_key: ins-{mark}-{n}\n    country: IR\n"
        f"    names: [{{text: {name} {n}, language: en}}]\n"
        for n in range(number)
    )
    return "institutions:\n" + "".join(rows)


async def found(http: httpx.AsyncClient, mark: str, number: int) -> list[Json]:
    """The institutions of a test, one request for each key."""
    gate = asyncio.Semaphore(20)

    async def one(n: int) -> list[Json]:
        async with gate:
            query = {"external_key": f"ins-{mark}-{n}"}
            answer = await http.get("/v1/institutions", params=query)
            return answer.raise_for_status().json()["institutions"]

    pages = await asyncio.gather(*(one(n) for n in range(number)))
    return [item for page in pages for item in page]


async def events_of(http: httpx.AsyncClient, subject: str) -> list[str]:
    answer = await http.get("/v1/events", params={"subject": subject, "page_size": 200})
    return [event["type"] for event in answer.raise_for_status().json()["events"]]


NETWORK = """\
companies:
  - external_key: com-{mark}
    names: {{en: Company}}
    project_ids: [prj-{mark}]
projects:
  - external_key: prj-{mark}
    titles: {{en: Project}}
    lead_center_id: ctr-{mark}
    pathway: device
centers:
  - external_key: ctr-{mark}
    code: "X{code}"
    names: {{fa: مرکز, en: Center}}
    province: IR-10
    state: operational
agreements:
  - external_key: agr-{mark}
    kind: mou
    titles: {{en: Memorandum}}
    parties:
      - {{key: one, institution_id: ins-{mark}}}
      - {{key: two, country: RU}}
      - {{key: three, center_id: ctr-{mark}}}
institutions:
  - external_key: ins-{mark}
    names: [{{text: Institute, language: en}}]
    country: IR
"""


def network_file(mark: str) -> str:
    return NETWORK.format(mark=mark, code=mark.upper())


async def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    http: httpx.AsyncClient, mark: str
) -> None:
    answer = await send(http, network_file(mark), dry_run="true")
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["state"], report["dry_run"], report["id"]) == ("checked", True, None)
    assert [section["name"] for section in report["sections"]] == [
        "centers",
        "institutions",
        "agreements",
        "projects",
        "companies",
    ]
    assert all(section["created"] == 1 for section in report["sections"])
    for collection, key in (("centers", f"ctr-{mark}"), ("companies", f"com-{mark}")):
        listed = await http.get(f"/v1/{collection}", params={"external_key": key})
        assert listed.json()[collection] == []


async def test_a_file_of_all_services_is_applied_in_the_order_of_its_references(
    http: httpx.AsyncClient, mark: str
) -> None:
    result = await ended(http, await send(http, network_file(mark)))
    assert result["state"] == "done", result
    assert result["done"] == result["rows"] == 5
    project = await http.get("/v1/projects", params={"external_key": f"prj-{mark}"})
    center = await http.get("/v1/centers", params={"external_key": f"ctr-{mark}"})
    assert project.json()["projects"][0]["lead_center_id"] == center.json()["centers"][0]["id"]
    assert center.json()["centers"][0]["state"] == "operational"


async def test_the_same_file_again_changes_nothing_and_makes_no_event(
    http: httpx.AsyncClient, mark: str
) -> None:
    file = institutions(mark, 20)
    first = await ended(http, await send(http, file))
    assert counts(first, "institutions") == (20, 0, 0, 0)
    before = await found(http, mark, 20)
    again = await ended(http, await send(http, file))
    assert again["id"] != first["id"]
    assert counts(again, "institutions") == (0, 0, 20, 0)
    assert await found(http, mark, 20) == before

    # An event after them all shows that none is still under way.
    changed = await ended(http, await send(http, institutions(mark, 1, "Renamed")))
    assert counts(changed, "institutions") == (0, 1, 0, 0)
    expected = ["created", "updated"]
    until = time.monotonic() + 60
    seen: list[str] = []
    while len(seen) < 2 and time.monotonic() < until:
        seen = await events_of(http, before[0]["id"])
        await asyncio.sleep(0.1)
    assert [event.rpartition(".")[2] for event in seen] == expected
    for item in before[1:]:
        assert len(await events_of(http, item["id"])) == 1


async def test_what_people_changed_since_stays(http: httpx.AsyncClient, mark: str) -> None:
    file = institutions(mark, 1)
    await ended(http, await send(http, file))
    (institution,) = await found(http, mark, 1)
    changed = await http.patch(
        f"/v1/institutions/{institution['id']}",
        json={"type": "facility"},
        headers={"If-Match": f'"{institution["etag"]}"'},
    )
    assert changed.status_code == 200, changed.text
    result = await ended(http, await send(http, file))
    assert counts(result, "institutions") == (0, 0, 1, 0)
    (institution,) = await found(http, mark, 1)
    assert institution["type"] == "facility"


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_a_broken_row_is_told_by_line_and_field_and_nothing_is_written(
    http: httpx.AsyncClient, mark: str, dry_run: str
) -> None:
    file = f"""\
centers:
  - external_key: good-{mark}
    code: G{mark.upper()}
    names: {{en: Good}}
    province: IR-01
  - external_key: bad-{mark}
    code: B{mark.upper()}
    names: {{en: Bad}}
    province: IR-77
projects:
  - external_key: prj-{mark}
    titles: {{en: Project}}
    lead_center_id: nobody-{mark}
    pathway: device
institutions:
  - external_key: ins-{mark}
    names: [{{text: Institute, language: en}}]
    country: XX
"""
    answer = await send(http, file, dry_run=dry_run)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [
        (error["line"], error["field"], error["rule"], error["pointer"])
        for error in answer.json()["errors"]
    ] == [
        (9, "province", "UNKNOWN_PROVINCE", "/centers/1/province"),
        (13, "lead_center_id", "UNKNOWN_CENTER", "/projects/0/lead_center_id"),
        (18, "country", "UNKNOWN_COUNTRY", "/institutions/0/country"),
    ]
    listed = await http.get("/v1/centers", params={"external_key": f"good-{mark}"})
    assert listed.json()["centers"] == []


async def test_a_refusal_is_told_in_the_language_of_the_caller(http: httpx.AsyncClient) -> None:
    http.headers["Accept-Language"] = "fa"
    answer = await send(http, "centers:\n- {code: AA}\n")
    details = {error["rule"]: error["detail"] for error in answer.json()["errors"]}
    assert details["REQUIRED"] == "این فیلد لازم است."


async def test_a_table_is_imported(http: httpx.AsyncClient, mark: str) -> None:
    table = (
        "external_key;code;names.fa;province;opened_date;state\r\n"
        f"csv-{mark};C{mark.upper()};مركز;IR-۰۳;۱۴۰۲/۰۲/۰۵;operational\r\n"
    )
    result = await ended(http, await send(http, table, media_type="text/csv", kind="centers"))
    assert result["state"] == "done"
    listed = await http.get("/v1/centers", params={"external_key": f"csv-{mark}"})
    (center,) = listed.json()["centers"]
    assert (center["names"]["fa"], center["province"]) == ("مرکز", "IR-03")
    assert center["opened_date"]["value"] == "2023-04-25"
    broken = await send(http, "external_key,kode\nx,y\n", media_type="text/csv", kind="centers")
    (error,) = broken.json()["errors"]
    assert (error["line"], error["field"], error["rule"]) == (1, "kode", "UNKNOWN_FIELD")
    assert "pointer" not in error


async def test_only_the_headquarters_imports(network: Cluster) -> None:
    async with client(network.gateway_url) as nobody:
        assert (await send(nobody, "centers: []")).status_code == 401
    async with headquarters(network, "hq_analyst") as analyst:
        assert (await send(analyst, "centers: []")).status_code == 403


async def test_one_key_makes_one_import_however_often_it_is_sent(
    http: httpx.AsyncClient, mark: str
) -> None:
    file = institutions(mark, 30)
    answers = await asyncio.gather(*(send(http, file, key=mark) for _ in range(8)))
    results = [await ended(http, answer) for answer in answers]
    assert len({result["id"] for result in results}) == 1
    assert counts(results[0], "institutions") == (30, 0, 0, 0)
    other = await send(http, institutions(mark, 31), key=mark)
    assert (other.status_code, other.json()["reason"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_the_same_file_sent_at_once_under_several_keys_makes_each_row_once(
    http: httpx.AsyncClient, mark: str
) -> None:
    file = institutions(mark, 40)
    answers = await asyncio.gather(*(send(http, file) for _ in range(4)))
    results = [await ended(http, answer) for answer in answers]
    assert {result["state"] for result in results} == {"done"}
    assert sum(counts(result, "institutions")[0] for result in results) == 40
    assert sum(counts(result, "institutions")[2] for result in results) == 120
    assert len(await found(http, mark, 40)) == 40


async def half_of_it(http: httpx.AsyncClient, answer: httpx.Response) -> None:
    """Wait until an import stands where it is held."""

    async def is_there() -> bool:
        progress = (await http.get(answer.headers["location"])).json()
        return (progress["state"], progress["done"]) == ("running", HELD)

    await eventually(is_there)


async def test_an_import_outlives_the_kill_of_a_service(
    network: Cluster, http: httpx.AsyncClient, mark: str
) -> None:
    async with import_held(network, f"ins-{mark}-{HELD}"):
        answer = await send(http, institutions(mark, ROWS))
        await half_of_it(http, answer)
        service = network.process("partners")
        await service.kill()
        await asyncio.sleep(0.5)
        await service.start()
    result = await ended(http, answer)
    assert (result["state"], result["done"]) == ("done", ROWS)
    assert len(await found(http, mark, ROWS)) == ROWS


async def test_an_import_whose_gateway_was_killed_is_finished_by_sending_it_again(
    network: Cluster, http: httpx.AsyncClient, mark: str
) -> None:
    file = institutions(mark, ROWS)
    async with import_held(network, f"ins-{mark}-{HELD}"):
        answer = await send(http, file, key=mark)
        await half_of_it(http, answer)
        gateway = network.process("gateway")
        await gateway.kill()
        await gateway.start()
        left = await ended(http, answer)
    assert (left["state"], left["done"]) == ("interrupted", HELD)

    again = await send(http, file, key=mark)
    assert again.json()["id"] == left["id"], "the same key goes on with the same import"
    result = await ended(http, again)
    assert result["state"] == "done"
    assert counts(result, "institutions") == (ROWS - HELD, 0, HELD, 0)
    assert len(await found(http, mark, ROWS)) == ROWS
