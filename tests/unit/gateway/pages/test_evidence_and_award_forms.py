"""The forms that bring evidence and give money: who is offered them, and what they ask for."""

import re
from typing import Any

import httpx
import pytest

from gateway.pages.forms import put, read_amount
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    criteria_pb2,
    evidence_pb2,
    projects_pb2,
    stages_pb2,
)
from servicekit.errors import Fault, Violation
from tests.support.gateway import FakeClients
from tests.unit.gateway.pages.conftest import Site

OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
TEXT = types_pb2.LocalizedText(fa="وصلهٔ غضروفی", en="Cartilage patch")
S0, S1, S2 = stages_pb2.STAGE_S0, stages_pb2.STAGE_S1, stages_pb2.STAGE_S2
PATHWAY = stages_pb2.PATHWAY_SOMATIC_CELL
SHA = "ab" * 32
Page = tuple[httpx.AsyncClient, FakeClients]


def criterion(code: str, stage: int, pathway: int = PATHWAY) -> criteria_pb2.Criterion:
    made: Any = criteria_pb2.Criterion(code=code, text=types_pb2.LocalizedText(en=f"About {code}"))
    made.stage = stage
    made.pathways.append(pathway)
    return made


def irr(amount: str) -> awards_pb2.Money:
    return awards_pb2.Money(amount=amount, currency="IRR")


@pytest.fixture
async def page(site: Site, local: httpx.AsyncClient) -> Page:
    """Somebody of the headquarters, before a project in S1 with evidence and an award."""
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    answers = site.clients.answers
    answers["GetProject"] = projects_pb2.Project(
        id="prj_1",
        titles=TEXT,
        pathway=PATHWAY,
        stage=S1,
        state=projects_pb2.PROJECT_STATE_ACTIVE,
        template_version="3",
        etag="v9",
        stage_visits=[
            stages_pb2.StageVisit(stage=S0, number=1),
            stages_pb2.StageVisit(stage=S1, number=2),
        ],
    )
    answers["GetPathwayTemplate"] = criteria_pb2.PathwayTemplate(
        criteria=[
            criterion("disclosure", S0),
            criterion("toxicology", S1),
            criterion("of-another-way", S1, stages_pb2.PATHWAY_GENE_THERAPY),
            criterion("later", S2),
        ]
    )
    answers["GetNextGate"] = criteria_pb2.NextGate(stage=S1)
    answers["GetEvidence"] = evidence_pb2.Evidence(
        id="evd_1",
        project_id="prj_1",
        criterion="toxicology",
        kind=evidence_pb2.EVIDENCE_KIND_PROTOCOL,
        title=TEXT,
        file=evidence_pb2.EvidenceFile(
            name="report.pdf", media_type="application/pdf", size_bytes=482_133, sha256=SHA
        ),
        state=evidence_pb2.EVIDENCE_STATE_SUBMITTED,
        etag="v1",
    )
    answers["GetAward"] = awards_pb2.Award(
        id="awd_1",
        project_id="prj_1",
        titles=TEXT,
        amount=irr("25000000000"),
        released=irr("5000000000.5"),
        milestones=[
            awards_pb2.Milestone(code="m1", text=TEXT, state=awards_pb2.MILESTONE_STATE_MET),
            awards_pb2.Milestone(code="m2", text=TEXT, state=awards_pb2.MILESTONE_STATE_OPEN),
            awards_pb2.Milestone(code="m3", text=TEXT, state=awards_pb2.MILESTONE_STATE_REPORTED),
            awards_pb2.Milestone(code="m4", text=TEXT, state=awards_pb2.MILESTONE_STATE_MET),
        ],
        tranches=[
            awards_pb2.Tranche(code="t1", amount=irr("5"), milestone_code="m1", released=irr("5")),
            awards_pb2.Tranche(code="t2", amount=irr("6"), milestone_code="m2"),
            awards_pb2.Tranche(code="t4", amount=irr("7"), milestone_code="m4"),
        ],
        etag="v4",
        allowed_actions=[
            "report-milestone",
            "return-milestone",
            "meet-milestone",
            "release-tranche",
        ],
    )
    return local, site.clients


async def form(http: httpx.AsyncClient, address: str, name: str, language: str = "en") -> str:
    """The form of a step on a page; empty where it is not offered."""
    text = (await http.get(address, params={"lang": language})).text
    found = re.findall(r"<details[^>]*>.*?</details>", text, re.DOTALL)
    return next((each for each in found if f'/{name}"' in each), "")


def options(details: str, name: str) -> list[str]:
    """The values that can be chosen in a field."""
    (select,) = re.findall(
        rf'<select[^>]* name="{re.escape(name)}".*?</select>', details, re.DOTALL
    )
    return [value for value in re.findall(r'<option value="([^"]*)"', select) if value]


def sent(clients: FakeClients, name: str) -> list[Any]:
    return [one for rpc, one, _ in clients.calls if rpc.descriptor.name == name]


async def test_evidence_is_brought_for_what_the_project_has_come_to(page: Page) -> None:
    http, clients = page
    details = await form(http, "/projects/prj_1", "add-evidence")
    assert options(details, "evidence.criterion") == ["toxicology", "disclosure"]
    clients.answers["CreateEvidence"] = evidence_pb2.Evidence(id="evd_9")
    typed = {
        "evidence.criterion": "toxicology",
        "evidence.kind": "report",
        "evidence.title.fa": "گزارش سم‌شناسي",
        "evidence.file.name": "گزارش نهایی.pdf",
        "evidence.file.media_type": "application/pdf",
        "evidence.file.size_bytes": "۴۸۲۱۳۳",
        "evidence.file.sha256": f"\u200e{SHA}",
        "evidence.reference.uri": " ",
        "evidence.project_id": "prj_2",
    }
    address = "/pages/records/projects/prj_1/add-evidence"
    answer = await http.post(address, data=typed, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/evidence/evd_9")
    (request,) = sent(clients, "CreateEvidence")
    assert request.evidence == evidence_pb2.Evidence(
        project_id="prj_1",
        criterion="toxicology",
        kind=evidence_pb2.EVIDENCE_KIND_REPORT,
        title=types_pb2.LocalizedText(fa="گزارش سم‌شناسی"),
        file=evidence_pb2.EvidenceFile(
            name="گزارش نهایی.pdf", media_type="application/pdf", size_bytes=482_133, sha256=SHA
        ),
    )


async def test_what_is_wrong_with_evidence_stands_beside_it_and_a_kept_file_stays(
    page: Page,
) -> None:
    http, clients = page
    clients.answers["CreateEvidence"] = Fault.invalid(
        Violation("file.sha256", "FILE_NOT_STORED"), Violation("title", "REQUIRED")
    )
    typed = {"evidence.file.name": "report.pdf", "evidence.file.sha256": SHA}
    address = "/pages/records/projects/prj_1/add-evidence"
    answer = await http.post(address, data=typed, headers=OWN)
    assert answer.status_code == 422
    (details,) = re.findall(r"<details open>.*?</details>", answer.text, re.DOTALL)
    told = re.findall(r'class="broken" id="add-evidence-([^"]+)-error"', details)
    assert told == ["evidence.title.fa", "evidence.file.sha256"]
    assert f'value="{SHA}"' in details
    assert 'value="report.pdf"' in details
    many = await http.post(
        address, data=typed | {"evidence.file.size_bytes": "9" * 18}, headers=OWN
    )
    assert re.findall(r'id="add-evidence-([^"]+)-error"', many.text)[-1] == (
        "evidence.file.size_bytes"
    )


async def test_another_piece_takes_the_place_of_one_that_is_not_voted_on(page: Page) -> None:
    http, clients = page
    details = await form(http, "/evidence/evd_1", "supersede")
    assert '<option value="protocol" selected>' in details
    assert 'value="Cartilage patch"' in details
    hidden = dict(re.findall(r'type="hidden" name="(evidence[^"]+)" value="([^"]+)"', details))
    assert hidden == {"evidence.project_id": "prj_1", "evidence.criterion": "toxicology"}
    clients.answers["CreateEvidence"] = evidence_pb2.Evidence(id="evd_2")
    typed = hidden | {"evidence.kind": "report", "evidence.reference.uri": "https://example.org/r"}
    answer = await http.post("/pages/records/evidence/evd_1/supersede", data=typed, headers=OWN)
    assert answer.headers["location"] == "/evidence/evd_2"
    (request,) = sent(clients, "CreateEvidence")
    made = request.evidence
    assert (made.project_id, made.criterion, made.supersedes_id) == ("prj_1", "toxicology", "evd_1")

    project: Any = clients.answers["GetProject"]
    piece: Any = clients.answers["GetEvidence"]
    project.open_gate_id = "gat_1"
    assert await form(http, "/evidence/evd_1", "supersede")
    piece.state = evidence_pb2.EVIDENCE_STATE_VERIFIED
    assert not await form(http, "/evidence/evd_1", "supersede")
    project.open_gate_id = ""
    assert await form(http, "/evidence/evd_1", "supersede")
    piece.state = evidence_pb2.EVIDENCE_STATE_SUPERSEDED
    assert not await form(http, "/evidence/evd_1", "supersede")


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (projects_pb2.PROJECT_STATE_ON_HOLD, {"add-evidence", "record-award", "supersede"}),
        # What was given for a project can be recorded once it is completed, too.
        (projects_pb2.PROJECT_STATE_COMPLETED, {"record-award"}),
        (projects_pb2.PROJECT_STATE_KILLED, set[str]()),
    ],
)
async def test_of_a_project_that_has_ended_no_more_is_offered_than_is_taken(
    page: Page, state: projects_pb2.ProjectState, offered: set[str]
) -> None:
    http, clients = page
    project: Any = clients.answers["GetProject"]
    project.state = state
    found = {
        name
        for address, name in (
            ("/projects/prj_1", "add-evidence"),
            ("/projects/prj_1", "record-award"),
            ("/evidence/evd_1", "supersede"),
        )
        if await form(http, address, name)
    }
    assert found == offered


async def test_a_file_can_be_had_where_its_evidence_is_judged(page: Page) -> None:
    http, clients = page
    text = (await http.get("/evidence/evd_1", params={"lang": "en"})).text
    assert 'href="/v1/evidence/evd_1/file"' in text
    assert "482,133" in text
    assert SHA in text
    piece: Any = clients.answers["GetEvidence"]
    piece.reference.uri, piece.reference.sha256 = "https://example.org/report", SHA
    piece.ClearField("file")
    text = (await http.get("/evidence/evd_1", params={"lang": "en"})).text
    assert "/v1/evidence/evd_1/file" not in text
    assert "https://example.org/report" in text


async def test_only_a_page_that_takes_a_file_has_the_script_for_it(page: Page) -> None:
    http, _ = page
    script = r'<script src="/pages/static/send-file\.js\?v=[0-9a-f]+" defer></script>'
    assert re.search(script, (await http.get("/projects/prj_1")).text)
    assert "<script" not in (await http.get("/awards/awd_1")).text


async def test_an_award_is_recorded_in_one_currency_and_without_empty_rows(page: Page) -> None:
    http, clients = page
    clients.answers["CreateAward"] = awards_pb2.Award(id="awd_9")
    typed = {
        "award.titles.fa": "حمایت پایلوت",
        "award.funder.names.fa": "صندوق نمونه",
        "award.amount.amount": "۲۵٬۰۰۰٬۰۰۰٬۰۰۰",
        "award.amount.currency": "IRR",
        "award.awarded_date.value": "۱۴۰۵/۰۶/۱۵",
        "award.milestones[0].code": "",
        "award.milestones[1].code": "m1",
        "award.milestones[1].text.fa": "نخستین گروه",
        "award.milestones[1].due_date": "۱۴۰۵-۱۲-۰۱",
        "award.tranches[0].code": "t1",
        "award.tranches[0].amount.amount": "12,000,000.5",
        "award.tranches[0].milestone_code": "m1",
        "award.tranches[1].amount.amount": " ",
    }
    address = "/pages/records/projects/prj_1/record-award"
    answer = await http.post(address, data=typed, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/awards/awd_9")
    (request,) = sent(clients, "CreateAward")
    assert request.award == awards_pb2.Award(
        project_id="prj_1",
        titles=types_pb2.LocalizedText(fa="حمایت پایلوت"),
        funder=awards_pb2.Funder(names=types_pb2.LocalizedText(fa="صندوق نمونه")),
        amount=irr("25000000000"),
        awarded_date=types_pb2.ImpreciseDate(value="2026-09-06"),
        milestones=[
            awards_pb2.Milestone(
                code="m1", text=types_pb2.LocalizedText(fa="نخستین گروه"), due_date="2027-02-20"
            )
        ],
        tranches=[awards_pb2.Tranche(code="t1", amount=irr("12000000.5"), milestone_code="m1")],
    )


async def test_the_tranche_that_is_too_much_is_told_where_it_was_typed(page: Page) -> None:
    http, clients = page
    clients.answers["CreateAward"] = Fault.invalid(
        Violation("tranches[1].milestone_code", "UNKNOWN_MILESTONE", {"value": "m9"})
    )
    typed = {f"award.tranches[{row}].code": f"t{row}" for row in range(2)}
    address = "/pages/records/projects/prj_1/record-award"
    answer = await http.post(address, data=typed, headers=OWN)
    assert re.findall(r'id="record-award-([^"]+)-error"', answer.text) == [
        "award.tranches[1].milestone_code"
    ]


async def test_each_step_of_an_award_offers_what_it_can_be_taken_with(page: Page) -> None:
    http, _ = page
    offered = {
        name: options(await form(http, "/awards/awd_1", name), field)
        for name, field in (
            ("report-milestone", "milestone_code"),
            ("meet-milestone", "milestone_code"),
            ("return-milestone", "milestone_code"),
            ("release-tranche", "tranche_code"),
        )
    }
    assert offered == {
        "report-milestone": ["m2"],
        "meet-milestone": ["m3"],
        # What was paid for is not opened again.
        "return-milestone": ["m3", "m4"],
        "release-tranche": ["t4"],
    }


@pytest.mark.parametrize("typed", ["", "۴"])
async def test_a_part_of_a_tranche_is_released_in_the_currency_of_the_award(
    page: Page, typed: str
) -> None:
    http, clients = page
    details = await form(http, "/awards/awd_1", "release-tranche")
    (currency,) = re.findall(r'type="hidden" name="currency" value="([^"]+)"', details)
    body = {"tranche_code": "t4", "amount.amount": typed, "currency": currency, "etag": "v4"}
    answer = await http.post("/pages/records/awards/awd_1/release-tranche", data=body, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/awards/awd_1")
    (request,) = sent(clients, "ReleaseTranche")
    assert (request.award_id, request.tranche_code, request.etag) == ("awd_1", "t4", "v4")
    assert request.HasField("amount") == bool(typed)
    assert request.amount == (irr("4") if typed else awards_pb2.Money())


async def test_a_milestone_is_reported_with_several_pieces(page: Page) -> None:
    http, clients = page
    clients.answers["ListEvidence"] = evidence_pb2.ListEvidenceResponse(
        evidence=[evidence_pb2.Evidence(id=f"evd_{n}", title=TEXT) for n in (1, 2)]
    )
    address = "/pages/records/awards/awd_1/report-milestone"
    more = await http.post(address, data={"evidence_ids[0]": "evd_1", "more": "1"}, headers=OWN)
    assert options(more.text, "evidence_ids[1]") == ["evd_2", "evd_1"]
    typed = {"milestone_code": "m2", "evidence_ids[0]": "", "evidence_ids[1]": "evd_2"}
    typed["evidence_ids[2]"] = "evd_1"
    assert (await http.post(address, data=typed, headers=OWN)).status_code == 303
    (request,) = sent(clients, "ReportMilestone")
    assert list(request.evidence_ids) == ["evd_2", "evd_1"]


async def test_the_page_of_an_award_shows_its_money_in_the_language_of_its_reader(
    page: Page,
) -> None:
    http, _ = page
    fa, en = [
        (await http.get("/awards/awd_1", params={"lang": each})).text for each in ("fa", "en")
    ]
    assert "۲۵٬۰۰۰٬۰۰۰٬۰۰۰" in fa
    assert "25,000,000,000" in en
    assert "5,000,000,000.5" in en
    assert en.count(">not released<") == 2


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("۱٬۲۳۴٬۵۶۷", "1234567"),
        ("1,234,567.25", "1234567.25"),
        ("۱۲٫۵", "12.5"),
        ("1 000", "1000"),
        # What may be meant in two ways is left for its reader to refuse.
        ("1,5", "1,5"),
        ("12,34", "12,34"),
        ("-5", "-5"),
        ("much", "much"),
    ],
)
def test_an_amount_is_taken_as_people_write_it(typed: str, amount: str) -> None:
    assert read_amount(typed) == amount


def test_a_list_of_texts_is_put_row_by_row() -> None:
    request = awards_pb2.ReportMilestoneRequest()
    assert put(request, "evidence_ids[0]", "evd_1") is None
    assert put(request, "evidence_ids[1]", " evd_2") is None
    assert list(request.evidence_ids) == ["evd_1", "evd_2"]
