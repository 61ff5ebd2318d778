"""The export as CERIF XML: the shape of the profile, what is in it, for whom, and what is not."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
from defusedxml import DefusedXmlException
from fastapi import FastAPI
from google.protobuf.message import Message

from gateway.cerif.routes import PATH
from peyvand.centers.v1 import centers_pb2
from peyvand.projects.v1 import (
    projects_pb2,
)
from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.rpc_client import CallContext
from tests.support.cerif_network import (
    CENTER,
    CHANGED,
    INSTITUTION,
    ORCID,
    Network,
    full,
)
from tests.support.cerif_profile import OAI, PROFILE, Found, faults, records
from tests.support.dossier import text


@pytest.fixture
def clients() -> Network:
    return Network()


@pytest.fixture
async def http(make_app: Callable[..., FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(site="https://hub.example", organization="The office")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client


async def export(http: httpx.AsyncClient, role: str = "hq_analyst", **query: str) -> bytes:
    headers = {"Authorization": f"Bearer {role}"} if role else {}
    answer = await http.get(PATH, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    return answer.content


def of(found: Sequence[Found], kind: str) -> list[Found]:
    return [item for item in found if item.element.tag == f"{PROFILE}{kind}"]


def said(found: Found, path: str) -> list[str]:
    where = "/".join(f"{PROFILE}{step}" for step in path.split("/"))
    return [element.text or "" for element in found.element.findall(where)]


async def test_everything_that_has_a_counterpart_is_given_in_the_shape_of_the_profile(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.lists = full()
    document = await export(http)
    assert faults(document) == []
    found = records(document)
    kinds = [item.element.tag.removeprefix(PROFILE) for item in found]
    assert kinds == [
        "Service",
        *["OrgUnit"] * 4,
        *["Person"] * 2,
        "Project",
        *["Funding"] * 2,
        "Publication",
        *["Patent"] * 2,
        "Product",
    ]
    assert found[1].identifier == f"oai:hub.example:OrgUnits/{INSTITUTION}"
    assert found[1].set == "openaire_cris_orgunits"
    assert found[0].set == ""


async def test_what_is_known_of_each_stands_where_it_belongs(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.lists = full()
    found = records(await export(http))
    institution, _, center, company = of(found, "OrgUnit")
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    names = [(e.get(language), e.text) for e in institution.element.findall(f"{PROFILE}Name")]
    assert names == [("fa-Arab", "دانشگاه علوم پزشکی تهران"), ("en", "Tehran Med")]
    assert said(institution, "Acronym") == ["TUMS"]
    assert said(institution, "RORID") == ["https://ror.org/01c4pz451"]
    assert said(institution, "ElectronicAddress") == [
        "https://institution.example/a?b=1&c=2",
        "mailto:office@example.org",
    ]
    assert said(institution, "PartOf/OrgUnit/Name") == ["Ministry"]
    assert said(center, "Name") == ["مرکز تبریز", "Tabriz center"]
    assert said(center, "PartOf/DisplayName") == ["Tabriz University"]
    # What XML does not have is shown as missing; the rest comes back as it was written.
    shown = 'A <b> & "quote" ]]> &amp; \ufffd\ufffd\ufffd end'
    assert said(company, "Name") == [shown]

    (project,) = of(found, "Project")
    assert said(project, "Title") == ["وصلهٔ غضروفی", shown]
    assert said(project, "EndDate") == ["2024-07-29"]
    assert said(project, "StartDate") == []
    assert said(project, "Consortium/Coordinator/OrgUnit/Acronym") == ["TBZ"]
    assert len(said(project, "Consortium/Partner")) == 1
    assert said(project, "Team/PrincipalInvestigator/DisplayName") == ["بی‌شناسه"]
    assert said(project, "Team/Member/Person/ORCID") == [ORCID]
    assert said(project, "Funded/As/Funding/Name") == ["Start", "More"]
    assert said(project, "Funded/By/OrgUnit/Name") == ["Ministry", "A fund abroad"]
    first, second = of(found, "Funding")
    (amount,) = first.element.findall(f"{PROFILE}Amount")
    assert (amount.text, amount.get("currency")) == ("25000000000.5", "IRR")
    assert said(second, "Funder/OrgUnit/RORID") == ["https://ror.org/03yrm5c26"]

    abroad, worker = of(found, "Person")
    assert worker.element.get("id") == "Persons/orcid-0000-0002-1825-0097"
    assert said(abroad, "PersonName/OtherNames") == ["Elena Parovichnikova"]
    assert said(abroad, "Affiliation/OrgUnit/Acronym") == ["TUMS"]
    assert said(abroad, "Affiliation/OrgUnit/Name")[-1] == "Academy"

    (publication,), (us, wo) = of(found, "Publication"), of(found, "Patent")
    assert said(publication, "DOI") == ["10.1016/j.cell.2006.07.024"]
    assert said(publication, "PublicationDate") == ["2006-08"]
    assert said(publication, "OriginatesFrom/Project/Title")[0] == "وصلهٔ غضروفی"
    assert (said(us, "PatentNumber"), said(us, "CountryCode")) == (["US8048999B2"], ["US"])
    assert said(us, "RegistrationDate") == ["2006-12-06"]
    # A year is no day, and an office of many countries no country.
    assert said(us, "ApprovalDate") == []
    assert said(wo, "CountryCode") == []


async def test_sample_data_is_given_to_who_asks_for_it(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.lists = full()
    without, with_it = await export(http), await export(http, sample="true")
    assert faults(with_it) == []
    for words in ("Made up", "Sample project", "Sample award"):
        assert words.encode() not in without
        assert words.encode() in with_it
    assert len(of(records(with_it), "Publication")) == 2
    assert b"Sample" not in await export(http, sample="false")


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("", {"Service", "OrgUnit"}),
        ("partner", {"Service", "OrgUnit"}),
        (
            "center_admin",
            {
                "Service",
                "OrgUnit",
                "Person",
                "Project",
                "Funding",
                "Publication",
                "Patent",
                "Product",
            },
        ),
    ],
)
async def test_each_caller_is_given_what_that_caller_sees(
    http: httpx.AsyncClient, clients: Network, role: str, kinds: set[str]
) -> None:
    clients.lists = full()
    document = await export(http, role)
    assert faults(document) == []
    found = records(document)
    assert {item.element.tag.removeprefix(PROFILE) for item in found} == kinds
    # Persons of the network are for the headquarters; who works on a project is not.
    assert b"Parovichnikova" not in document
    assert {context.token for _, _, context in clients.calls} == {role or None}


async def test_every_page_is_read(http: httpx.AsyncClient, clients: Network) -> None:
    clients.lists["ListCenters"] = [
        centers_pb2.Center(
            id=new_id("ctr"), code=f"C{n}", names=text(en=f"N{n}"), updated_at=CHANGED
        )
        for n in range(501)
    ]
    document = await export(http, "")
    assert faults(document) == []
    assert len(of(records(document), "OrgUnit")) == 501


async def test_what_was_made_meanwhile_names_nothing_that_is_not_there(
    http: httpx.AsyncClient, clients: Network
) -> None:
    """A project that comes between the two readings is for the next export."""
    clients.lists = full()
    listed = clients.call
    asked: list[str] = []

    async def call(rpc: Rpc, request: Any, context: CallContext) -> Message:
        answer = await listed(rpc, request, context)
        if rpc.descriptor.name == "ListProjects":
            asked.append(rpc.descriptor.name)
            clients.lists["ListProjects"] += (
                [
                    projects_pb2.Project(
                        id=new_id("prj"),
                        titles=text(en="Late"),
                        lead_center_id=CENTER,
                        updated_at=CHANGED,
                    )
                ]
                if len(asked) == 1
                else []
            )
        return answer

    clients.call = call
    clients.lists["ListProjects"] *= 1
    document = await export(http)
    assert faults(document) == []


@pytest.mark.parametrize(
    ("query", "told"), [({"sample": "yes"}, "sample"), ({"page_size": "2"}, "page_size")]
)
async def test_a_question_that_is_not_known_is_refused(
    http: httpx.AsyncClient, query: dict[str, str], told: str
) -> None:
    answer = await http.get(PATH, params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == told


async def test_whoever_is_away_is_told_of_before_anything_is_sent(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.answers["ListCenters"] = Fault("UNAVAILABLE")
    answer = await http.get(PATH)
    assert (answer.status_code, answer.json()["reason"]) == (503, "UNAVAILABLE")
    answer = await http.get(PATH, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["reason"]) == (406, "NOT_ACCEPTABLE")


async def test_the_envelope_says_what_it_is(http: httpx.AsyncClient) -> None:
    document = (await export(http, "")).decode()
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH ')
    (request,) = re.findall(r"<request [^>]*>[^<]*</request>", document)
    assert 'verb="ListRecords"' in request
    assert 'metadataPrefix="oai_cerif_openaire"' in request
    assert request.endswith(f">http://gateway.test{PATH}</request>")
    assert OAI[1:-1] in document
    (service,) = of(records(document.encode()), "Service")
    assert said(service, "Owner/DisplayName") == ["The office"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("Abstract", "Abstrakt"), "Abstrakt is not allowed here in Project"),
        ((ORCID, "0000-0002-1825-0097"), "ORCID is"),
        (("COAR_Patent_Types", "COAR_Product_Types"), "Patent has the type"),
        ((f'id="OrgUnits/{CENTER}"', 'id="OrgUnits/ctr_other"'), "twice"),
        ((' currency="IRR"', ""), "Amount lacks currency"),
        (("<EndDate>2024-07-29", "<EndDate>2024-07"), "EndDate is"),
    ],
)
async def test_the_shape_that_this_is_held_to_finds_what_is_wrong(
    http: httpx.AsyncClient, clients: Network, change: tuple[str, str], fault: str
) -> None:
    clients.lists = full()
    document = (await export(http)).decode()
    before, after = change
    assert before in document
    found = faults(document.replace(before, after).encode())
    assert any(fault in each for each in found), found


async def test_a_document_with_a_dtd_or_an_entity_is_no_document_of_ours(
    http: httpx.AsyncClient, clients: Network
) -> None:
    clients.lists = full()
    document = (await export(http)).decode()
    declared, _, rest = document.partition("?>")
    planted = f'{declared}?><!DOCTYPE x [<!ENTITY e "e">]>{rest}'
    with pytest.raises(DefusedXmlException):
        faults(planted.encode())
