"""The forms of gates: one for each step that is offered, and each refusal beside its field."""

import re
from typing import Any

import httpx
import pytest

from gateway.pages.forms import put, read_day, typed_day, without_gaps
from gateway.pages.records import kinds
from gateway.pages.wording import wording
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    flags_pb2,
    gates_pb2,
    panel_pb2,
    projects_pb2,
    stages_pb2,
    waivers_pb2,
)
from servicekit.contract import contract
from servicekit.errors import Fault, Violation
from tests.support.gateway import FakeClients
from tests.unit.gateway.pages.conftest import Site

OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
TEXT = types_pb2.LocalizedText(fa="تکرار آزمون", en="Repeat the assay")
WORKED = ("gates", "projects", "conditions", "waivers", "evidence", "awards")
"""The collections that a gate is worked with, and the money that hangs on what was reached."""


def verbs(collection: str) -> list[str]:
    """The verbs of the contract that `allowed_actions` of a collection can offer."""
    paths = [rpc.http.path for rpc in contract().rpcs.values() if rpc.http]
    found = [re.fullmatch(rf"/v1/{collection}/\{{\w+\}}:([a-z-]+)", path) for path in paths]
    return sorted({match[1] for match in found if match})


@pytest.fixture
async def page(site: Site, local: httpx.AsyncClient) -> tuple[httpx.AsyncClient, FakeClients]:
    """Somebody of the headquarters, before a project at its gate and all that belongs to it."""
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    answers = site.clients.answers
    answers["GetProject"] = projects_pb2.Project(
        id="prj_1",
        titles=TEXT,
        pathway=stages_pb2.PATHWAY_SOMATIC_CELL,
        stage=stages_pb2.STAGE_S1,
        state=projects_pb2.PROJECT_STATE_ACTIVE,
        template_version="3",
        etag="v9",
        open_gate_id="gat_1",
        flags=[
            flags_pb2.ProjectFlag(
                kind=flags_pb2.PROJECT_FLAG_KIND_REGULATION_CHANGED, resource_id="reg_1"
            )
        ],
        allowed_actions=verbs("projects"),
    )
    answers["GetGate"] = gates_pb2.Gate(
        id="gat_1",
        project_id="prj_1",
        stage=stages_pb2.STAGE_S1,
        visit=2,
        quorum=2,
        state=gates_pb2.GATE_STATE_OPEN,
        assessment_hash="a" * 64,
        etag="v7",
        panel=[panel_pb2.PanelMember(subject="dana", role=panel_pb2.PANEL_ROLE_CHAIR)],
        declarations=[panel_pb2.Declaration(subject="dana", conflict=panel_pb2.CONFLICT_NONE)],
        votes=[
            decisions_pb2.Vote(
                subject="dana",
                kind=decisions_pb2.DECISION_KIND_GO,
                reason="It holds.",
                assessment_hash="b" * 64,
            )
        ],
        proposals=[
            decisions_pb2.Proposal(
                terms=decisions_pb2.DecisionTerms(
                    kind=decisions_pb2.DECISION_KIND_CONDITIONAL_GO,
                    conditions=[
                        decisions_pb2.Condition(text=TEXT, owner="Quality", due_date="2026-09-06")
                    ],
                ),
                proposed_by="bahar",
            )
        ],
        allowed_actions=verbs("gates"),
    )
    answers["GetProjectCondition"] = conditions_pb2.ProjectCondition(
        id="cnd_1", project_id="prj_1", text=TEXT, etag="v1", allowed_actions=verbs("conditions")
    )
    answers["GetWaiver"] = waivers_pb2.Waiver(
        id="wvr_1", project_id="prj_1", etag="v1", allowed_actions=verbs("waivers")
    )
    answers["GetEvidence"] = evidence_pb2.Evidence(
        id="evd_1", project_id="prj_1", etag="v1", allowed_actions=verbs("evidence")
    )
    answers["GetAward"] = awards_pb2.Award(
        id="awd_1", project_id="prj_1", titles=TEXT, etag="v1", allowed_actions=verbs("awards")
    )
    answers["GetPathwayTemplate"] = criteria_pb2.PathwayTemplate(
        pathways=[
            criteria_pb2.PathwayStages(
                pathway=stages_pb2.PATHWAY_SOMATIC_CELL,
                stages=[stages_pb2.STAGE_S0, stages_pb2.STAGE_S1],
            )
        ]
    )
    return local, site.clients


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("collection", WORKED)
async def test_every_step_that_is_offered_has_a_form(
    page: tuple[httpx.AsyncClient, FakeClients], collection: str, language: str
) -> None:
    http, _ = page
    kind = kinds()[collection]
    text = (await http.get(f"/{collection}/{kind.id_prefix}_1", params={"lang": language})).text
    place = rf'action="/pages/records/{collection}/{kind.id_prefix}_1/([a-z-]+)"'
    offered = re.findall(place, text)
    # Terms have a form for each kind of decision that comes with any.
    steps = {"propose" if name.startswith("propose-") else name for name in offered}
    assert set(verbs(collection)) <= steps
    labels = re.findall(r"<summary>([^<]+)</summary>", text)
    assert len(labels) == len(set(labels)) >= len(verbs(collection))
    persian = [label for label in labels if re.search("[\u0600-\u06ff]", label)]
    assert len(persian) == (len(labels) if language == "fa" else 0)


async def test_a_vote_is_on_what_the_page_has_shown(
    page: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = page
    text = (await http.get("/gates/gat_1", params={"lang": "en"})).text
    assert "Repeat the assay" in text
    assert "on what has changed since" in text
    (shown,) = re.findall(r'name="assessment_hash" value="([^"]+)"', text)
    form = {
        "etag": "v7",
        "decision": "conditional_go",
        "reason": "Sound.",
        "assessment_hash": shown,
    }
    answer = await http.post("/pages/records/gates/gat_1/vote", data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gates/gat_1")
    taken: list[Any] = [one for rpc, one, _ in clients.calls if rpc.descriptor.name == "VoteAtGate"]
    assert [(one.gate_id, one.decision, one.assessment_hash) for one in taken] == [
        ("gat_1", decisions_pb2.DECISION_KIND_CONDITIONAL_GO, "a" * 64)
    ]


async def test_what_is_refused_stands_beside_its_field_and_what_was_typed_stays(
    page: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = page
    clients.answers["ProposeAtGate"] = Fault.invalid(
        Violation("conditions[1].owner", "REQUIRED"), Violation("elsewhere", "DUPLICATE")
    )
    form = {
        "etag": "v7",
        "conditions[0].owner": "",
        "conditions[1].text.fa": "گزارش سوم",
        "conditions[1].owner": "کیفیت",
        "conditions[2].text.fa": "<b>چهارم</b>",
    }
    address = "/pages/records/gates/gat_1/propose-conditional-go"
    answer = await http.post(address, data=form, headers=OWN)
    assert answer.status_code == 422
    (details,) = re.findall(r"<details open>.*?</details>", answer.text, re.DOTALL)
    assert "گزارش سوم" in details
    assert "&lt;b&gt;چهارم" in details
    (told,) = re.findall(r'id="([^"]+conditions\[1\]\.owner)-error"', details)
    assert f'aria-describedby="{told}-hint {told}-error"' in details
    # What speaks of no field of the form is told at its head.
    (alert,) = re.findall(r'role="alert">(.*?)</p>', details, re.DOTALL)
    assert "این کار انجام نشد" in alert
    sent: Any = next(one for rpc, one, _ in clients.calls if rpc.descriptor.name == "ProposeAtGate")
    assert sent.decision == decisions_pb2.DECISION_KIND_CONDITIONAL_GO
    assert [item.text.fa for item in sent.conditions] == ["گزارش سوم", "<b>چهارم</b>"]


async def test_more_rows_are_given_and_nothing_is_sent(
    page: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = page
    project: Any = clients.answers["GetProject"]
    project.open_gate_id = ""
    form = {f"gate.panel[{row}].subject": f"member-{row}" for row in range(3)}
    address = "/pages/records/projects/prj_1/open-gate"
    answer = await http.post(address, data=form | {"more": "1"}, headers=OWN)
    assert answer.status_code == 200
    assert 'name="gate.panel[4].role"' in answer.text
    assert 'value="member-2"' in answer.text
    assert not [rpc for rpc, _, _ in clients.calls if rpc.descriptor.name == "CreateGate"]
    clients.answers["CreateGate"] = gates_pb2.Gate(id="gat_9")
    answer = await http.post(address, data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gates/gat_9")


async def test_a_form_that_is_not_there_any_more_still_tells_why(
    page: tuple[httpx.AsyncClient, FakeClients],
) -> None:
    http, clients = page
    gate: Any = clients.answers["GetGate"]
    gate.ClearField("allowed_actions")
    clients.answers["VoteAtGate"] = Fault("NOT_ON_PANEL")
    answer = await http.post("/pages/records/gates/gat_1/vote", data={"etag": "v1"}, headers=OWN)
    assert answer.status_code == 403
    assert re.search(r'role="alert">.*عضو هیئت این دروازه نیستید', answer.text, re.DOTALL)


def test_rows_that_say_nothing_come_last() -> None:
    typed = {"a[0].x": " ", "a[0].y": "", "a[2].x": "two", "b.c[1].x": "one", "d": "e"}
    assert without_gaps(typed) == {
        "a[1].x": " ",
        "a[1].y": "",
        "a[0].x": "two",
        "b.c[0].x": "one",
        "d": "e",
    }


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("۱۴۰۵/۰۶/۱۵", "2026-09-06"),
        ("1405-6-15", "2026-09-06"),
        ("2026-09-06", "2026-09-06"),
        ("1405-13-01", None),
        ("2026-02-30", None),
        ("tomorrow", None),
    ],
)
def test_a_day_is_taken_in_either_calendar(typed: str, iso: str | None) -> None:
    assert read_day(typed) == iso


def test_a_day_is_shown_as_its_reader_types_it() -> None:
    assert typed_day("2026-09-06", wording("fa")) == "۱۴۰۵-۰۶-۱۵"
    assert typed_day("2026-09-06", wording("en")) == "2026-09-06"
    assert typed_day("", wording("fa")) == ""


def test_what_cannot_stand_in_a_request_is_told_with_its_rule() -> None:
    request = gates_pb2.CreateGateRequest()
    assert put(request, "gate.quorum", "۳") is None
    assert request.gate.quorum == 3
    assert put(request, "gate.quorum", "many") == Violation(
        "gate.quorum", "WRONG_TYPE", {"expected": "a whole number"}
    )
    proposed = gates_pb2.ProposeAtGateRequest()
    assert put(proposed, "resume_date", "1405-13-01") == Violation("resume_date", "NO_SUCH_DATE")
