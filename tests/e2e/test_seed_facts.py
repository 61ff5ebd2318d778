"""Every fact of the two reports is found through the public API, with source and precision.

The table is the reports' own (`tests.support.reported_facts`). A fact is found when the
resource says it, and cites the statement for it; what a report does not say is `null`.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from peyvandctl import seed
from peyvandctl.cluster import Cluster
from tests.support.http import headquarters
from tests.support.reported_facts import FACTS, MOU, STATEMENTS, A, B, Fact

Json = dict[str, Any]

_STEP = re.compile(r"([a-z_]+)|\[(\d+)\]|\[(\w+)=([^\]]+)\]")


def at(value: Any, path: str) -> Any:
    """Follow a path; ``[key=value]`` keeps the items of a list that say so, of which the
    first counts.
    """
    for name, index, condition, wanted in _STEP.findall(path):
        if condition:
            value = [item for item in value if str(item[condition]) == wanted]
        elif index:
            value = value[int(index)]
        else:
            value = (value[0] if isinstance(value, list) else value)[name]
    return value


def citations(value: Any) -> Iterator[Json]:
    """All citations within a resource."""
    if isinstance(value, dict):
        yield from value.get("citations") or ()
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from citations(item)


class Reader:
    """Reads resources by collection and external key, each once."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self._known: dict[str, Json] = {}

    async def get(self, collection: str, external_key: str) -> Json:
        place = f"{collection}/{external_key}"
        if place not in self._known:
            answer = await self.http.get(f"/v1/{collection}", params={"external_key": external_key})
            answer.raise_for_status()
            (found,) = answer.json()[collection.replace("-", "_")]
            if collection == "indicators":
                page = await self.http.get(f"/v1/indicators/{found['id']}/observations")
                found["observations"] = page.raise_for_status().json()["observations"]
            self._known[place] = found
        return self._known[place]


@pytest.fixture(scope="module")
async def reader(network: Cluster) -> AsyncIterator[Reader]:
    await seed.load(network, lambda _: None)
    async with headquarters(network, "hq_analyst") as caller:
        yield Reader(caller)


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f"{f.statement}-{f.external_key}")
async def test_a_fact_is_found_with_its_source(reader: Reader, fact: Fact) -> None:
    resource = await reader.get(fact.collection, fact.external_key)
    for path, expected in fact.says.items():
        value = expected
        if isinstance(expected, str) and expected.startswith("@"):
            value = (await reader.get(*expected[1:].split("/")))["id"]
        assert at(resource, path) == value, path
    cited = {(citation["source"], citation["statement"]) for citation in citations(resource)}
    assert (fact.source, fact.statement) in cited


def test_the_table_has_every_statement() -> None:
    assert {fact.statement for fact in FACTS} == STATEMENTS


async def test_the_sources_themselves_are_recorded(reader: Reader) -> None:
    report = await reader.get("sources", A)
    assert (report["number"], report["published_date"]["value"]) == ("11491", "2020-06-01")
    assert report["url"] is None
    news = await reader.get("sources", B)
    assert news["published_date"]["value"] == "2025-04-26"


async def test_the_conflict_of_dates_is_kept(reader: Reader) -> None:
    mou = await reader.get("agreements", MOU)
    committee = await reader.get("activities", "act-joint-economic-committee-18")
    assert mou["signed_date"]["value"] > committee["end_date"]["value"]
    assert "the conflict is kept as it is" in mou["note"]["en"]
    assert mou["note"]["fa"]


async def test_what_is_not_stated_is_unknown_and_nothing_is_a_sample(reader: Reader) -> None:
    unknown: dict[str, Callable[[Json], Any]] = {
        "institutions": lambda item: item["ror_id"],
        "agreements": lambda item: (
            item["effective_date"] or item["expiry_date"] or item["terms_hash"]
        ),
        "indicators": lambda item: item["target"] or item["baseline"] or item["owner"],
        "centers": lambda item: item["opened_date"] or item["position"] or item["contact"],
    }
    keys = {fact.collection: set[str]() for fact in FACTS}
    for fact in FACTS:
        keys[fact.collection].add(fact.external_key)
    for collection, known in keys.items():
        for external_key in known:
            resource = await reader.get(collection, external_key)
            assert resource["sample"] is False
            if collection in unknown:
                assert unknown[collection](resource) is None, external_key


async def test_what_an_institution_is_no_report_says(reader: Reader) -> None:
    for key in {fact.external_key for fact in FACTS if fact.collection == "institutions"}:
        item = await reader.get("institutions", key)
        concluded = [c["inferred"] for c in item["citations"] if "type" in c["fields"]]
        assert concluded == ([True] if item["type"] else []), item["external_key"]


async def test_no_person_has_an_address_or_number_of_their_own(reader: Reader) -> None:
    answer = await reader.http.get("/v1/persons", params={"page_size": 200})
    text = json.dumps(answer.raise_for_status().json())
    assert not re.search(r"[\w.]+@[\w.]+|\+\d{2}", text)


async def test_every_name_is_there_in_both_languages(reader: Reader) -> None:
    for fact in FACTS:
        resource = await reader.get(fact.collection, fact.external_key)
        field = next(name for name in ("titles", "text", "names") if name in resource)
        names = resource[field]
        if isinstance(names, list):
            assert {name["language"] for name in names} >= {"en", "fa"}, fact.external_key
        else:
            assert names["fa"], fact.external_key
            assert names["en"], fact.external_key
