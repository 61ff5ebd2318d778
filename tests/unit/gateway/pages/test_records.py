"""The page of one resource, whatever its kind, and the steps that can be taken on it."""

import re
from typing import Any

import httpx
import pytest

from gateway.pages.own_steps import OWN_STEPS
from gateway.pages.record_forms import action_labels
from gateway.pages.record_view import plural_label
from gateway.pages.records import RELATED, Kind, address_of, kinds
from gateway.pages.wording import wording
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2, nodes_pb2, reports_pb2
from servicekit.contract import descriptor_of
from servicekit.errors import Fault
from tests.support.gateway import FakeClients
from tests.unit.gateway.pages.conftest import Site

OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
ALL_KINDS = pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.collection)


@pytest.fixture
async def headquarters(
    site: Site, local: httpx.AsyncClient
) -> tuple[httpx.AsyncClient, FakeClients]:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    return_center = centers_pb2.Center(
        id="ctr_1",
        code="TBZ",
        names=types_pb2.LocalizedText(fa="مرکز تبریز", en="Tabriz center"),
        province="IR-03",
        state=centers_pb2.CENTER_STATE_OPERATIONAL,
        etag="v7",
        allowed_actions=["update", "suspend", "close"],
        citations=[types_pb2.Citation(source="report-1", statement="A11")],
    )
    step = types_pb2.Step(
        version=7, action="opened", from_state="establishing", to_state="operational"
    )
    step.actor, step.reason = "local:hq_admin", "گشایش رسمی"
    site.clients.answers["GetCenter"] = return_center
    site.clients.answers["ListCenterSteps"] = centers_pb2.ListCenterStepsResponse(steps=[step])
    site.clients.answers["ListNodes"] = nodes_pb2.ListNodesResponse(
        nodes=[nodes_pb2.Node(id="nod_1", name="Server room", state=nodes_pb2.NODE_STATE_ACTIVE)]
    )
    site.clients.answers["ListPeriodReports"] = reports_pb2.ListPeriodReportsResponse(
        period_reports=[
            reports_pb2.PeriodReport(
                id="rep_1",
                center_id="ctr_1",
                period="1405-07",
                state=reports_pb2.PERIOD_REPORT_STATE_SUBMITTED,
            )
        ]
    )
    return local, site.clients


@ALL_KINDS
async def test_every_kind_of_resource_has_a_page(
    headquarters: tuple[httpx.AsyncClient, FakeClients], kind: Kind
) -> None:
    http, _ = headquarters
    page = await http.get(f"/{kind.collection}/{kind.id_prefix}_1")
    assert page.status_code == 200, page.text
    assert page.headers["content-type"].startswith("text/html")
    assert f"/v1/{kind.collection}/" in page.text


@ALL_KINDS
def test_a_step_that_a_form_can_take_has_a_name_in_both_languages(kind: Kind) -> None:
    for verb in kind.verbs.keys() - OWN_STEPS.get(kind.collection, {}).keys():
        fa, en = (action_labels(wording(language)).get(verb, "") for language in ("fa", "en"))
        assert re.search("[\u0600-\u06ff]", fa), verb
        assert en, verb


@ALL_KINDS
async def test_what_belongs_to_a_resource_can_be_listed(
    headquarters: tuple[httpx.AsyncClient, FakeClients], kind: Kind
) -> None:
    for collection, field in RELATED.get(kind.collection, ()):
        found = kinds().get(collection)
        if found is None:
            continue
        assert found.list is not None
        assert field in descriptor_of(found.list.request_class).fields_by_name
        assert re.search("[\u0600-\u06ff]", plural_label(collection, wording("fa")))


async def test_the_page_of_a_center_says_what_is_known_and_what_can_be_done(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, _ = headquarters
    text = (await http.get("/centers/ctr_1")).text
    for said in (
        "مرکز تبریز",
        "Tabriz center",
        "آذربایجان شرقی",
        "گشایش رسمی",
        "A11",
        "Server room",
    ):
        assert said in text
    assert 'href="/period-reports/rep_1"' in text
    verbs = re.findall(r'action="/pages/records/centers/ctr_1/([a-z-]+)"', text)
    assert verbs == ["suspend", "close"]


async def test_a_step_is_taken_with_the_version_that_was_shown_and_the_reason(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    shown = (await http.get("/centers/ctr_1")).text
    key = re.search(r'name="idempotency_key" value="([^"]+-suspend)"', shown)
    assert key
    form = {"etag": "v7", "reason": " آتش‌سوزی ", "idempotency_key": key[1]}
    answer = await http.post("/pages/records/centers/ctr_1/suspend", data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/centers/ctr_1")
    taken: list[Any] = [
        request for rpc, request, _ in clients.calls if rpc.descriptor.name == "SuspendCenter"
    ]
    assert [(one.center_id, one.etag, one.reason, one.idempotency_key) for one in taken] == [
        ("ctr_1", "v7", "آتش‌سوزی", key[1])
    ]


async def test_a_report_that_waits_is_something_to_decide_and_can_be_given_back(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    network = (await http.get("/pages/network")).text
    assert 'href="/period-reports/rep_1"' in network
    clients.answers["GetPeriodReport"] = reports_pb2.PeriodReport(
        id="rep_1",
        center_id="ctr_1",
        period="1405-07",
        figures=reports_pb2.ActivityFigures(samples_processed=1200, articles=0),
        state=reports_pb2.PERIOD_REPORT_STATE_SUBMITTED,
        etag="v2",
        allowed_actions=["return", "approve"],
    )
    page = (await http.get("/period-reports/rep_1")).text
    assert "۱٬۲۰۰" in page
    assert "۱۴۰۵-۰۷" in page
    form = {"etag": "v2", "reason": "رقم مقاله‌ها را بازبینی کنید"}
    answer = await http.post("/pages/records/period-reports/rep_1/return", data=form, headers=OWN)
    assert answer.status_code == 303


async def test_a_refusal_is_told_on_a_page(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    clients.answers["SuspendCenter"] = Fault("STALE_ETAG")
    answer = await http.post(
        "/pages/records/centers/ctr_1/suspend", data={"etag": "v1"}, headers=OWN
    )
    assert answer.status_code == 412
    assert answer.headers["content-type"].startswith("text/html")
    clients.answers["GetCenter"] = Fault.not_found("center", "ctr_1")
    assert (await http.get("/centers/ctr_1")).status_code == 404


@pytest.mark.parametrize("verb", ["fly", "update", "delete"])
async def test_what_no_form_can_do_is_not_done(
    headquarters: tuple[httpx.AsyncClient, FakeClients], verb: str
) -> None:
    http, clients = headquarters
    before = len(clients.calls)
    answer = await http.post(
        f"/pages/records/centers/ctr_1/{verb}", data={"etag": "v7"}, headers=OWN
    )
    assert answer.status_code == 404
    assert len(clients.calls) == before


async def test_a_form_of_another_site_is_not_taken(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = headquarters
    before = len(clients.calls)
    headers = OWN | {"Sec-Fetch-Site": "cross-site"}
    answer = await http.post(
        "/pages/records/centers/ctr_1/suspend", data={"etag": "v7"}, headers=headers
    )
    assert answer.status_code == 404
    assert len(clients.calls) == before


async def test_who_is_not_signed_in_sees_what_is_open_and_no_more(
    site: Site, local: httpx.AsyncClient
) -> None:
    assert (await local.get("/centers/ctr_1")).status_code == 200
    assert (await local.get("/nodes/nod_1")).status_code == 401


async def test_the_page_of_a_project_leads_to_its_dossier(
    headquarters: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, _ = headquarters
    for language, label in (("fa", "برای خواندن و چاپ"), ("en", "to read and print")):
        text = (await http.get("/projects/prj_1", params={"lang": language})).text
        (address,) = re.findall(r'href="(/v1/projects/[^"]+/dossier\.pdf[^"]*)"', text)
        assert address.endswith(f"/dossier.pdf?lang={language}")
        assert label in text
        assert re.search(r'href="/v1/projects/[^"]+/dossier"', text)
    assert "dossier" not in (await http.get("/centers/ctr_1")).text


def test_an_id_leads_to_its_page() -> None:
    assert address_of("ctr_01k8zj3n5vexs8p2q4r6t7w9yb") == "/centers/ctr_01k8zj3n5vexs8p2q4r6t7w9yb"
    assert address_of("xyz_1") == ""
    assert address_of("Tabriz") == ""
