"""The repository for harvesters: every verb, lists in parts, what is refused, and for whom."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from fastapi import FastAPI

from gateway.oai import answers
from peyvand.centers.v1 import centers_pb2
from peyvand.projects.v1 import outputs_pb2
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.mapping import to_timestamp
from tests.support.cerif_network import CENTER, CHANGED, INSTITUTION, ORCID, PROJECT, Network, full
from tests.support.cerif_profile import OAI, faults
from tests.support.cerif_profile import records as cerif_records
from tests.support.dossier import at, text
from tests.support.oai_pmh import CORE, Answer, wrong

PATH = "/oai"
CERIF = "oai_cerif_openaire"
WORKER = f"Persons/orcid-{ORCID.removeprefix('https://orcid.org/')}"
SETS = [
    f"openaire_cris_{name}"
    for name in (
        *("publications", "products", "patents", "persons", "orgunits", "projects", "funding"),
        *("events", "equipments"),
    )
]


@pytest.fixture
def clients() -> Network:
    network = Network()
    network.lists = full()
    return network


@pytest.fixture
def start(make_app: Callable[..., FastAPI]) -> Callable[[], httpx.AsyncClient]:
    def start() -> httpx.AsyncClient:
        app = make_app(site="https://hub.example", organization="The office")
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.test")

    return start


@pytest.fixture
async def http(start: Callable[[], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with start() as client:
        yield client


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ENOUGH", 3)


def by(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {role}"} if role else {}


async def ask(http: httpx.AsyncClient, verb: str, role: str = "hq_analyst", **query: str) -> Answer:
    # `from` is a word of Python.
    given = {name.rstrip("_"): value for name, value in query.items()}
    answer = await http.get(PATH, params={"verb": verb, **given}, headers=by(role))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    return Answer(answer.content)


async def walk(
    http: httpx.AsyncClient, verb: str = "ListRecords", role: str = "hq_analyst", **query: str
) -> list[Answer]:
    found = [await ask(http, verb, role, **query)]
    while found[-1].token:
        found.append(await ask(http, verb, role, resumptionToken=found[-1].token))
    assert [found[0].token, found[-1].token] in ([None, None], [found[0].token, ""])
    return found


def ids(found: list[Answer]) -> list[str]:
    return [header.id for answer in found for header in answer.headers]


async def test_who_asks_who_this_is_is_told(http: httpx.AsyncClient) -> None:
    told = await ask(http, "Identify", "")
    assert told.texts("baseURL") == [f"http://gateway.test{PATH}"]
    assert told.texts("protocolVersion") == ["2.0"]
    assert told.texts("deletedRecord") == ["transient"]
    assert told.texts("granularity") == ["YYYY-MM-DDThh:mm:ssZ"]
    assert told.texts("earliestDatestamp") == ["2024-04-23T08:30:00Z"]
    assert b"<repositoryIdentifier>hub.example</repositoryIdentifier>" in told.document
    assert b"OpenAIRE_Service_Compatibility#1.2<" in told.document
    assert f"<OAIPMHBaseURL>http://gateway.test{PATH}<".encode() in told.document
    formats = await ask(http, "ListMetadataFormats", "")
    assert formats.texts("metadataPrefix") == [CERIF, "oai_dc"]
    sets = await ask(http, "ListSets", "")
    assert sets.texts("setSpec") == SETS


async def test_no_change_is_earlier_than_the_earliest(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.lists["ListPersons"][0].updated_at.CopyFrom(to_timestamp(at(1)))
    assert (await ask(http, "Identify")).texts("earliestDatestamp") == ["2024-04-21T08:30:00Z"]
    # Whoever may not see a person is not told of one.
    told = await ask(http, "Identify", "partner")
    assert told.texts("earliestDatestamp") == ["2024-04-23T08:30:00Z"]
    clients.lists.clear()
    told = await ask(http, "Identify")
    assert told.texts("earliestDatestamp") <= [told.time]


@pytest.mark.usefixtures("short_lists")
async def test_a_list_in_parts_is_what_the_export_gives(http: httpx.AsyncClient) -> None:
    found = await walk(http, metadataPrefix=CERIF)
    assert len(found) > 3
    assert [answer.cursor for answer in found] == [
        sum(len(answer.headers) for answer in found[:n]) for n in range(len(found))
    ]
    documents = [answer.document for answer in found]
    assert faults(*documents) == []
    export = await http.get("/v1/exports/cerif", headers=by("hq_analyst"))
    there = {
        item.identifier: (item.set, len(item.element)) for item in cerif_records(export.content)
    }
    del there["oai:hub.example:Services/peyvand"]
    here = [item for document in documents for item in cerif_records(document)]
    assert {item.identifier: (item.set, len(item.element)) for item in here} == there
    assert len(here) == len(there)
    # The headers alone, and every set on its own, are the same records.
    assert ids(await walk(http, "ListIdentifiers", metadataPrefix="oai_dc")) == ids(found)
    each: list[str] = []
    for name in SETS[:-2]:
        part = await walk(http, metadataPrefix=CERIF, set=name)
        assert {header.set for answer in part for header in answer.headers} == {name}
        each += ids(part)
    assert sorted(each) == sorted(ids(found))
    for name in SETS[-2:]:
        answer = await ask(http, "ListRecords", metadataPrefix=CERIF, set=name)
        assert answer.error == "noRecordsMatch"


async def test_long_lists_are_cut(http: httpx.AsyncClient, clients: Network) -> None:
    clients.page_size = 200
    clients.lists["ListCenters"] = [
        centers_pb2.Center(
            id=new_id("ctr"), code=f"C{n}", names=text(en=f"N{n}"), updated_at=CHANGED
        )
        for n in range(701)
    ]
    found = await walk(http, role="", metadataPrefix=CERIF)
    assert [len(answer.headers) for answer in found] == [202, 200, 200, 101]
    assert len(set(ids(found))) == 703


async def test_one_record_is_what_the_list_says(http: httpx.AsyncClient) -> None:
    for prefix in (CERIF, "oai_dc"):
        (listed,) = await walk(http, metadataPrefix=prefix)
        for header, record in zip(listed.headers, listed.content, strict=True):
            one = await ask(http, "GetRecord", identifier=header.identifier, metadataPrefix=prefix)
            assert one.headers == [header]
            assert len(list(one.content[0].iter())) == len(list(record.iter()))
            formats = await ask(http, "ListMetadataFormats", identifier=header.identifier)
            assert len(formats.texts("metadataPrefix")) == 2


async def test_every_record_has_a_form_in_dublin_core(http: httpx.AsyncClient) -> None:
    (listed,) = await walk(http, metadataPrefix="oai_dc")
    given = {
        header.id: {(element.tag.removeprefix(CORE), element.text) for element in record.iter()}
        for header, record in zip(listed.headers, listed.content, strict=True)
        if not header.deleted
    }
    for id, said in given.items():
        assert ("identifier", f"oai:hub.example:{id}") in said
        assert any(name == "title" for name, _ in said), id
        assert any(name == "type" for name, _ in said), id
    assert ("identifier", ORCID) in given[WORKER]
    assert ("contributor", "Josiah Carberry") in given[f"Projects/{PROJECT}"]
    (publication,) = (said for id, said in given.items() if id.startswith("Publications/"))
    assert {
        ("identifier", "https://doi.org/10.1016/j.cell.2006.07.024"),
        ("date", "2006-08"),
        ("source", "Cell Journal"),
        ("relation", f"oai:hub.example:Projects/{PROJECT}"),
    } <= publication


async def test_what_was_deleted_is_told_of(http: httpx.AsyncClient, clients: Network) -> None:
    (person,) = clients.lists["ListPersons"]
    withdrawn = clients.lists["ListOutputs"][5]
    trial = clients.lists["ListOutputs"][4]
    trial.state = outputs_pb2.OUTPUT_STATE_WITHDRAWN
    del person.names[:]
    person.deleted_at.CopyFrom(to_timestamp(at(50)))
    person.updated_at.CopyFrom(to_timestamp(at(50)))
    (listed,) = await walk(http, "ListIdentifiers", metadataPrefix=CERIF)
    deleted = {header.id: header for header in listed.headers if header.deleted}
    assert set(deleted) == {f"Publications/{withdrawn.id}", f"Persons/{person.id}"}
    assert deleted[f"Persons/{person.id}"].changed == "2024-06-09T08:30:00Z"
    assert deleted[f"Persons/{person.id}"].set == "openaire_cris_persons"
    for header in deleted.values():
        one = await ask(http, "GetRecord", identifier=header.identifier, metadataPrefix="oai_dc")
        assert one.headers == [header]
    # And it is told only to who would see the record.
    (listed,) = await walk(http, "ListIdentifiers", "center_admin", metadataPrefix=CERIF)
    assert [header.id for header in listed.headers if header.deleted] == [
        f"Publications/{withdrawn.id}"
    ]
    (listed,) = await walk(http, "ListIdentifiers", "", metadataPrefix=CERIF)
    assert not any(header.deleted for header in listed.headers)


async def test_a_record_changes_with_what_it_says_of_others(
    http: httpx.AsyncClient, clients: Network
) -> None:
    """Otherwise who asks for changes would keep what is no longer so."""
    award, center = clients.lists["ListAwards"][0], clients.lists["ListCenters"][0]
    funder = clients.lists["ListInstitutions"][1]

    async def changed(since: float) -> set[str]:
        moment = at(since).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = await ask(http, "ListIdentifiers", metadataPrefix=CERIF, from_=moment)
        return set(ids([answer])) if not answer.error else set()

    assert await changed(4) == set()
    award.updated_at.CopyFrom(to_timestamp(at(4)))
    assert await changed(4) == {f"Fundings/{award.id}", f"Projects/{PROJECT}"}
    center.updated_at.CopyFrom(to_timestamp(at(5)))
    assert await changed(5) == {f"OrgUnits/{CENTER}", f"Projects/{PROJECT}"}
    funder.updated_at.CopyFrom(to_timestamp(at(6)))
    assert await changed(6) == {
        f"OrgUnits/{funder.id}",
        f"OrgUnits/{INSTITUTION}",
        f"Fundings/{award.id}",
        f"Projects/{PROJECT}",
    }
    clients.lists["ListProjects"][0].updated_at.CopyFrom(to_timestamp(at(7)))
    found = await changed(7)
    assert {f"Projects/{PROJECT}", WORKER} < found
    counted = [item.id for item in clients.lists["ListOutputs"] if item.HasField("product")]
    assert f"Products/{counted[0]}" in found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "2024-04-23T08:30:00Z", "until": "2024-04-23T08:30:00Z"}, True),
        ({"from": "2024-04-23", "until": "2024-04-23"}, True),
        ({"until": "2024-04-23T08:29:59Z"}, False),
        ({"from": "2024-04-23T08:30:01Z"}, False),
        ({"from": "2024-04-24"}, False),
        ({"until": "2024-04-22"}, False),
        ({"from": "0001-01-01", "until": "9999-12-31"}, True),
    ],
)
async def test_a_list_of_changes_has_those_of_its_time(
    http: httpx.AsyncClient, query: dict[str, str], found: bool
) -> None:
    answer = await ask(http, "ListRecords", metadataPrefix=CERIF, **query)
    assert (answer.error, bool(answer.headers)) == ("" if found else "noRecordsMatch", found)


LIST = f"verb=ListRecords&metadataPrefix={CERIF}"
ONE = f"verb=GetRecord&metadataPrefix={CERIF}&identifier=oai:hub.example:"


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", "badVerb", "verb"),
        ("verb=", "badVerb", "verb"),
        ("verb=listrecords", "badVerb", "verb"),
        ("verb=Identify&verb=Identify", "badVerb", "verb"),
        ("verb=Identify&set=x", "badArgument", "set"),
        (f"{LIST}&colour=red", "badArgument", "colour"),
        (f"{LIST}&set=a&set=a", "badArgument", "set"),
        ("verb=ListRecords", "badArgument", "metadataPrefix"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument", "identifier"),
        ("verb=ListRecords&metadataPrefix=", "badArgument", "metadataPrefix"),
        ("verb=ListRecords&metadataPrefix=%22%3E", "badArgument", "metadataPrefix"),
        (f"{LIST}&set=a::b", "badArgument", "set"),
        (f"{LIST}&from=", "badArgument", "from"),
        (f"{LIST}&from=2024", "badArgument", "from"),
        (f"{LIST}&from=2024-02-30", "badArgument", "from"),
        (f"{LIST}&until=2024-01-01T24:00:01Z", "badArgument", "until"),
        (f"{LIST}&until=2024-01-01T00:00:00", "badArgument", "until"),
        (f"{LIST}&until=%D9%A2%D9%A0%D9%A2%D9%A4-01-01", "badArgument", "until"),
        (f"{LIST}&from=2024-01-01&until=2024-01-01T00:00:00Z", "badArgument", "from, until"),
        (f"{LIST}&from=2024-01-02&until=2024-01-01", "badArgument", "from"),
        (f"{LIST}&resumptionToken=x", "badArgument", "resumptionToken"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat", "metadataPrefix"),
        (f"{LIST}&set=other", "noRecordsMatch", "from, until, set"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken", "resumptionToken"),
        (f"{ONE}OrgUnits/ctr_x", "idDoesNotExist", "identifier"),
        (f"{ONE}Services/peyvand", "idDoesNotExist", "identifier"),
        (f"{ONE}Projects/{CENTER}", "idDoesNotExist", "identifier"),
        (f"{ONE}Persons/orcid-0000", "idDoesNotExist", "identifier"),
        (f"{ONE}OrgUnits/{new_id('ctr')}", "idDoesNotExist", "identifier"),
        (f"{ONE.replace('hub', 'pub')}OrgUnits/{CENTER}", "idDoesNotExist", "identifier"),
        (f"{ONE}%00", "badArgument", "identifier"),
        ("verb=GetRecord&metadataPrefix=x&identifier=oai:a:b", "cannotDisseminateFormat", "meta"),
        ("verb=ListMetadataFormats&identifier=oai:a:b", "idDoesNotExist", "identifier"),
    ],
)
async def test_what_cannot_be_answered_is_refused_by_the_words_of_the_protocol(
    http: httpx.AsyncClient, query: str, code: str, field: str
) -> None:
    told: list[str] = []
    for language in ("en", "fa"):
        headers = {**by("hq_analyst"), "Accept-Language": language}
        response = await http.get(f"{PATH}?{query}", headers=headers)
        assert response.status_code == 200
        answer = Answer(response.content)
        assert answer.error == code
        # Arguments that are not understood are not repeated.
        assert bool(answer.request.attrib) == (code not in ("badVerb", "badArgument"))
        told.append(answer.content.text or "")
    assert told[0].startswith(field)
    assert told[0] != told[1]


@pytest.mark.usefixtures("short_lists")
async def test_a_token_is_of_its_list_and_holds_while_that_grows_and_changes(
    http: httpx.AsyncClient, clients: Network, start: Callable[[], httpx.AsyncClient]
) -> None:
    before = set(ids(await walk(http, metadataPrefix=CERIF)))
    found = [await ask(http, "ListRecords", metadataPrefix=CERIF)]
    number = 0
    while token := found[-1].token:
        number += 1
        for items in clients.lists.values():
            items[0].updated_at.CopyFrom(to_timestamp(at(10 + number)))
        clients.lists["ListCenters"].append(
            centers_pb2.Center(
                id=new_id("ctr"), code=f"M{number}", names=text(en="Made"), updated_at=CHANGED
            )
        )
        # Another process, which knows nothing of what went before.
        async with start() as another:
            found.append(await ask(another, "ListRecords", resumptionToken=token))
    given = ids(found)
    assert len(given) == len(set(given))
    assert before <= set(given)
    assert faults(*(answer.document for answer in found)) == []
    again = await ask(http, "ListIdentifiers", resumptionToken=found[0].token or "")
    assert again.error == "badResumptionToken"


def altered(token: str, place: int, value: Any) -> str:
    values: list[Any] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    values[place] = value
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "x",
        lambda _: "e30",
        lambda _: "[" * 2000,
        lambda _: base64.urlsafe_b64encode(b"[" * 2000).decode(),
        lambda _: "توکن",
        lambda token: token[:-4],
        lambda token: f"{token}!",
        lambda token: token * 100,
        lambda token: altered(token, 1, "marc21"),
        lambda token: altered(token, 2, ["x"]),
        lambda token: altered(token, 3, "yesterday"),
        lambda token: altered(token, 4, 5),
        lambda token: altered(token, 5, ["secrets", ""]),
        lambda token: altered(token, 5, ["centers"]),
        lambda token: altered(token, 5, ["centers", "no token of theirs"]),
        lambda token: altered(token, 5, ["centers", 7]),
        lambda token: altered(token, 2, "\ud800"),
        lambda token: altered(token, 5, ["centers", "\ud800"]),
        lambda token: altered(token, 6, True),
        lambda token: altered(token, 6, -1),
        lambda token: altered(token, 6, "7"),
        lambda token: altered(token, 6, 2**40),
    ],
)
async def test_a_token_that_is_none_is_refused(
    http: httpx.AsyncClient, change: Callable[[str], str]
) -> None:
    first = await ask(http, "ListRecords", metadataPrefix=CERIF)
    assert first.token
    answer = await ask(http, "ListRecords", resumptionToken=change(first.token))
    assert answer.error == "badResumptionToken"


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize("role", ["", "partner"])
async def test_who_shows_no_token_is_given_what_is_public(
    http: httpx.AsyncClient, role: str
) -> None:
    public = ids(await walk(http, role=role, metadataPrefix=CERIF))
    assert len(public) == 3
    assert all(id.startswith(("OrgUnits/ins_", "OrgUnits/ctr_")) for id in public)
    everything = await walk(http, metadataPrefix=CERIF)
    # A token of the list of another lets nobody see more.
    for answer in everything[:-1]:
        rest = await ask(http, "ListRecords", role, resumptionToken=answer.token or "")
        assert set(ids([rest])) <= set(public)
    for header in (header for answer in everything for header in answer.headers):
        one = await ask(http, "GetRecord", role, identifier=header.identifier, metadataPrefix=CERIF)
        assert one.error == ("" if header.id in public else "idDoesNotExist")


async def test_nothing_made_up_is_given(http: httpx.AsyncClient, clients: Network) -> None:
    for prefix in (CERIF, "oai_dc"):
        (listed,) = await walk(http, metadataPrefix=prefix)
        assert b"Sample" not in listed.document
        assert b"Made up" not in listed.document
    sample = clients.lists["ListInstitutions"][2]
    identifier = f"oai:hub.example:OrgUnits/{sample.id}"
    one = await ask(http, "GetRecord", identifier=identifier, metadataPrefix=CERIF)
    assert one.error == "idDoesNotExist"


async def test_a_form_is_taken_as_well(http: httpx.AsyncClient) -> None:
    query = {"verb": "ListIdentifiers", "metadataPrefix": CERIF}
    got = await http.get(PATH, params=query, headers=by("hq_analyst"))
    posted = await http.post(PATH, data=query, headers=by("hq_analyst"))
    assert Answer(posted.content).headers == Answer(got.content).headers
    twice = await http.post(f"{PATH}?verb=Identify", data={"verb": "Identify"})
    assert Answer(twice.content).error == "badVerb"
    many = "&".join(f"a{n}=1" for n in range(50))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = await http.post(PATH, content=many, headers=form)
    assert Answer(refused.content).error == "badArgument"
    other = await http.post(PATH, json=query)
    assert (other.status_code, other.json()["reason"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_whoever_is_away_or_not_let_in_is_told_of_as_elsewhere(
    http: httpx.AsyncClient, clients: Network
) -> None:
    refused = await http.get(f"{PATH}?verb=Identify", headers=by("bad"))
    assert (refused.status_code, refused.json()["reason"]) == (401, "TOKEN_REJECTED")
    clients.answers["ListCenters"] = Fault("UNAVAILABLE")
    for query in ("verb=Identify", LIST):
        away = await http.get(f"{PATH}?{query}", headers=by("hq_analyst"))
        assert (away.status_code, away.json()["reason"]) == (503, "UNAVAILABLE")
        # Harvesters wait that long, and ask again.
        assert int(away.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<setSpec>", "<set>"),
        ("</request>", "</request><error/>"),
        ('<header status="deleted">', "<header>"),
        ("<datestamp>2024", "<datestamp>24"),
        ("<identifier>", "<about/><identifier>"),
        ("ListRecords>", "GetRecord>"),
    ],
)
async def test_the_form_that_this_is_held_to_finds_what_is_wrong(
    http: httpx.AsyncClient, before: str, after: str
) -> None:
    document = (await ask(http, "ListRecords", metadataPrefix=CERIF)).document.decode()
    assert before in document
    changed = document.replace(before, after)
    if after == "<set>":
        changed = changed.replace("</setSpec>", "</set>")
    assert OAI[1:-1] in changed
    assert list(wrong(fromstring(changed.encode())))
