"""The page of the portfolio, and what the page of a project says of its next gate."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from peyvand.api.v1 import annotations_pb2, types_pb2
from peyvand.projects.v1 import (
    criteria_pb2,
    decisions_pb2,
    flags_pb2,
    portfolio_pb2,
    projects_pb2,
    stages_pb2,
)
from servicekit.errors import Fault
from servicekit.mapping import to_timestamp
from tests.unit.gateway.pages.conftest import Site

OWN = {"Sec-Fetch-Site": "same-origin"}
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
REASONS: list[Any] = portfolio_pb2.StuckReason.values()[1:]
STAGES: list[Any] = stages_pb2.Stage.values()[1:]
COVERAGE = portfolio_pb2.PortfolioCoverage(known=9, of=10, as_of=to_timestamp(NOW))


def numbers(active: int = 0, on_hold: int = 0, **more: int) -> portfolio_pb2.ProjectNumbers:
    return portfolio_pb2.ProjectNumbers(active=active, on_hold=on_hold, **more)


def spread(count: int, *days: float) -> portfolio_pb2.DaysSpread:
    names = ("shortest", "first_quartile", "median", "third_quartile", "longest")
    return portfolio_pb2.DaysSpread(count=count, **dict(zip(names, days, strict=True)))


def cause(reason: portfolio_pb2.StuckReason, id: str, **values: Any) -> portfolio_pb2.StuckCause:
    roles = [annotations_pb2.ROLE_HQ_ADMIN]
    return portfolio_pb2.StuckCause(reason=reason, resource_id=id, open_to=roles, **values)


def portfolio(**values: Any) -> portfolio_pb2.Portfolio:
    """A portfolio of ten projects, of which one is stuck with all that there is."""
    since = to_timestamp(NOW - timedelta(days=200))
    stuck = portfolio_pb2.StuckProject(
        project_id="prj_1",
        titles=types_pb2.LocalizedText(fa="وصلهٔ غضروفی", en="Cartilage <patch>"),
        lead_center_id="ctr_9",
        province="IR-03",
        pathway=stages_pb2.PATHWAY_GENE_THERAPY,
        stage=stages_pb2.STAGE_S2,
        causes=[
            cause(portfolio_pb2.STUCK_REASON_LONG_IN_STAGE, "prj_1", since=since),
            cause(portfolio_pb2.STUCK_REASON_ON_HOLD, "prj_1", resume_date="2026-12-01"),
            cause(
                portfolio_pb2.STUCK_REASON_FLAGGED,
                "ctr_9",
                flag=flags_pb2.PROJECT_FLAG_KIND_CENTER_UNAVAILABLE,
            ),
            cause(
                portfolio_pb2.STUCK_REASON_CONDITION_OVERDUE, "cnd_1", owner="Quality", since=since
            ),
            cause(portfolio_pb2.STUCK_REASON_GATE_WITHOUT_QUORUM, "gat_1", count=1, quorum=3),
            cause(portfolio_pb2.STUCK_REASON_GATE_UNDECIDED, "gat_2", count=3, quorum=2),
            cause(portfolio_pb2.STUCK_REASON_EVIDENCE_WAITS, "evd_1", count=4),
        ],
    )
    given: dict[str, Any] = {
        "as_of": to_timestamp(NOW),
        "counts": portfolio_pb2.PortfolioCounts(
            coverage=COVERAGE,
            total=numbers(6, 1, completed=1, killed=2),
            cells=[
                portfolio_pb2.PortfolioCell(
                    stage=stages_pb2.STAGE_S2,
                    pathway=stages_pb2.PATHWAY_GENE_THERAPY,
                    province="IR-03",
                    projects=numbers(6, 1, completed=1, killed=2),
                )
            ],
            provinces=[
                portfolio_pb2.ProvinceNumbers(
                    province=f"IR-{code:02d}", projects=numbers(7) if code == 3 else numbers()
                )
                for code in range(31)
            ],
            left_out=3,
        ),
        "cycle_times": [
            portfolio_pb2.CycleTime(
                stage=stages_pb2.STAGE_S2,
                coverage=COVERAGE,
                decided=spread(8, 10, 50, 80, 100, 900),
                waiting=spread(2, 20, 30, 40, 50, 60),
                expected_median=120,
            ),
            portfolio_pb2.CycleTime(stage=stages_pb2.STAGE_S3),
        ],
        "kills": [
            portfolio_pb2.KillShare(
                stage=stages_pb2.STAGE_S2,
                coverage=COVERAGE,
                ended=8,
                killed=2,
                share=0.25,
                reasons=[portfolio_pb2.KillCount(code=decisions_pb2.KILL_CODE_SAFETY, projects=2)],
            )
        ],
        "money": [
            portfolio_pb2.PortfolioMoney(
                currency="IRR",
                coverage=COVERAGE,
                awards=3,
                awarded="12345678901234567.25",
                released="12345678901234567",
                committed="0.25",
                committed_to_killed="0.05",
                lapsed="0",
            )
        ],
        "stuck": portfolio_pb2.StuckPortfolio(
            coverage=COVERAGE,
            total=5,
            reasons=[
                portfolio_pb2.StuckNumbers(reason=reason, projects=5 if reason == 1 else 0)
                for reason in REASONS
            ],
            projects=[stuck],
        ),
    }
    return portfolio_pb2.Portfolio(**(given | values))


@pytest.fixture
async def headquarters(site: Site, local: httpx.AsyncClient) -> httpx.AsyncClient:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    site.clients.answers["GetPortfolio"] = portfolio()
    return local


def asked(site: Site) -> portfolio_pb2.GetPortfolioRequest:
    """What the service was last asked for."""
    found = [
        request for rpc, request, _ in site.clients.calls if rpc.descriptor.name == "GetPortfolio"
    ]
    return found[-1]


async def test_every_figure_stands_on_the_page_in_words(headquarters: httpx.AsyncClient) -> None:
    text = (await headquarters.get("/portfolio?lang=en")).text
    for said in (
        "7 projects are under way; 5 of them are stuck; 1 completed; 2 killed",
        "The province is known of 9 of 10 projects",
        "Cartilage &lt;patch&gt;",
        "S2 Translational; Gene therapy; East Azerbaijan",
        "looked at again on 1 December 2026",
        "Center unavailable",
        "1 of 3 votes",
        "4 pieces",
        "Can act: Quality",
        "and 4 more",
        "Gene therapy, S2 Translational: 7 under way, 1 of them on hold",
        "80 days",
        "half of 8 between 50 days and 3.3 months",
        "2 wait, the longest for 60 days",
        "3.9 months",
        "nothing decided yet",
        "2 of 8 (25%)",
        "Safety 2",
        "12,345,678,901,234,567.25",
        "None under way:",
        "Alborz",
        "3 sample projects are left out",
        "known of 9 of 10 visits",
    ):
        assert said in text, said
    addresses = ("/projects/prj_1", "/conditions/cnd_1", "/gates/gat_1", "/evidence/evd_1")
    for address in (*addresses, "/centers/ctr_9", "/portfolio?sample=true", "/v1/portfolio"):
        assert f'href="{address}"' in text, address


async def test_the_page_is_persian_for_who_reads_persian(headquarters: httpx.AsyncClient) -> None:
    answer = await headquarters.get("/portfolio")
    assert '<html lang="fa" dir="rtl">' in answer.text
    for said in ("۷ طرح در جریان است", "ژن‌درمانی", "۱ آذر ۱۴۰۵", "وصلهٔ غضروفی", "۱۰ آذر ۱۴۰۵"):
        assert said in answer.text, said
    main = re.sub(r"<[^>]+>", "", answer.text[answer.text.index("<main") :])
    assert not re.search(r"[0-9]", re.sub(r"S[0-7]", "", main)), "digits of the other language"
    english = await headquarters.get("/portfolio?lang=en&pathway=gene_therapy")
    assert "peyvand_lang=en" in english.headers["set-cookie"]
    assert 'href="/portfolio?pathway=gene_therapy&amp;lang=fa"' in english.text


async def test_drawings_lie_within_their_boxes(headquarters: httpx.AsyncClient) -> None:
    text = (await headquarters.get("/portfolio?lang=en")).text
    for box in re.findall(r'<svg class="plot box.*?</svg>', text, re.DOTALL):
        places = [float(place) for place in re.findall(r'x[12]?="([0-9.]+)"', box)]
        assert places
        assert all(0 <= place <= 400 for place in places)
    assert text.count('class="cut"') == 1, "the longest time lies beyond the line"
    (stack,) = re.findall(r'<svg class="plot stack.*?</svg>', text, re.DOTALL)
    widths = [float(width) for width in re.findall(r'width="([0-9.]+)"', stack)]
    assert sum(widths) == pytest.approx(400, abs=0.3)
    assert 'r="18.0"' in text


async def test_the_page_carries_nothing_that_its_policy_forbids(
    headquarters: httpx.AsyncClient,
) -> None:
    answer = await headquarters.get("/portfolio")
    assert "unsafe" not in answer.headers["content-security-policy"]
    for forbidden in ("<style", " style=", " onclick=", "<script", "http://", "https://"):
        assert forbidden not in answer.text, forbidden


async def test_the_service_is_asked_for_what_the_reader_chose(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    answer = await headquarters.get(
        "/portfolio?pathway=device&province=IR-07&reason=on_hold&sample=true&lang=en"
    )
    request = asked(site)
    assert request.pathway == stages_pb2.PATHWAY_DEVICE
    assert request.stuck_reason == portfolio_pb2.STUCK_REASON_ON_HOLD
    assert (request.province, request.sample) == ("IR-07", True)
    text = answer.text
    assert '<option value="device" selected>' in text
    assert '<option value="IR-07" selected>' in text
    # What is chosen is kept by the form, and each reason can be let go of.
    assert '<input type="hidden" name="reason" value="on_hold">' in text
    assert 'aria-current="true"' in text
    assert "/v1/portfolio?pathway=device" in text
    assert "stuck_reason=on_hold" in text


@pytest.mark.parametrize(("field", "value"), [("pathway", "fly"), ("reason", "bored")])
async def test_what_is_not_known_is_refused_on_a_page(
    headquarters: httpx.AsyncClient, site: Site, field: str, value: str
) -> None:
    before = len(site.clients.calls)
    answer = await headquarters.get(f"/portfolio?{field}={value}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "gene_therapy" in answer.text or "on_hold" in answer.text
    assert len(site.clients.calls) == before


async def test_who_may_not_see_it_is_told_so(site: Site, local: httpx.AsyncClient) -> None:
    assert (await local.get("/portfolio")).status_code == 401
    assert 'href="/portfolio"' not in (await local.get("/")).text
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    assert 'href="/portfolio"' in (await local.get("/")).text
    site.clients.answers["GetPortfolio"] = Fault("UNAVAILABLE")
    assert (await local.get("/portfolio")).status_code == 503


async def test_a_picture_of_the_sample_data_says_so(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    site.clients.answers["GetPortfolio"] = portfolio(sample=True)
    text = (await headquarters.get("/portfolio?sample=true&lang=en")).text
    assert "sample data, not from a source" in text
    assert 'href="/portfolio">This is sample data, and nothing else.' in text


async def test_a_portfolio_of_nothing_is_a_page_too(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    empty = portfolio_pb2.Portfolio(
        as_of=to_timestamp(NOW),
        cycle_times=[portfolio_pb2.CycleTime(stage=stage) for stage in STAGES],
    )
    site.clients.answers["GetPortfolio"] = empty
    text = (await headquarters.get("/portfolio?lang=en")).text
    for said in (
        "There is no such project.",
        "Nothing is known to be stuck.",
        "No award is recorded.",
        "none waits",
    ):
        assert said in text, said
    assert "plot box" not in text


STANDING = criteria_pb2.NextGate(
    project_id="prj_1",
    stage=stages_pb2.STAGE_S2,
    next_stage=stages_pb2.STAGE_S3,
    visit=2,
    criteria=[
        criteria_pb2.CriterionStanding(
            criterion=criteria_pb2.Criterion(
                code="potency", text=types_pb2.LocalizedText(en="Potency assay", fa="سنجش توان")
            ),
            state=criteria_pb2.CRITERION_STATE_SUBMITTED,
            evidence_ids=["evd_8", "evd_9"],
            evidence_count=9,
            next_step=types_pb2.LocalizedText(en="To be verified.", fa="باید راستی‌آزمایی شود."),
            open_to=[annotations_pb2.ROLE_HQ_ADMIN],
        ),
        criteria_pb2.CriterionStanding(
            criterion=criteria_pb2.Criterion(
                code="ip", route_name=types_pb2.LocalizedText(en="Hospital exemption")
            ),
            state=criteria_pb2.CRITERION_STATE_WAIVED,
            waiver_id="wvr_1",
        ),
    ],
    missing=["potency"],
    flags=[
        flags_pb2.ProjectFlag(
            kind=flags_pb2.PROJECT_FLAG_KIND_CENTER_UNAVAILABLE, resource_id="ctr_1"
        )
    ],
)


async def test_a_project_says_what_it_needs_for_its_next_gate(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    site.clients.answers["GetProject"] = projects_pb2.Project(id="prj_1")
    site.clients.answers["GetNextGate"] = STANDING
    headquarters.cookies.set("peyvand_lang", "en")
    text = (await headquarters.get("/projects/prj_1")).text
    for said in (
        "S2 Translational",
        "S3 Trial-enabling",
        "visit 2 · 1 criterion is still to be met",
        "Potency assay",
        "To be verified. (Headquarters administrator)",
        '<a href="/evidence/evd_8">evidence 8</a>',
        '<a href="/evidence/evd_9">evidence 9</a>',
        '<a href="/waivers/wvr_1">waiver</a>',
        "Hospital exemption",
        '<a href="/centers/ctr_1">Center unavailable</a>',
    ):
        assert said in text, said
    states = re.findall(r'<li data-state="(\w+)">', text)
    assert states == ["submitted", "waived"]
    headquarters.cookies.set("peyvand_lang", "fa")
    assert "باید راستی‌آزمایی شود." in (await headquarters.get("/projects/prj_1")).text


async def test_a_project_that_has_all_says_that(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    site.clients.answers["GetProject"] = projects_pb2.Project(id="prj_1")
    site.clients.answers["GetNextGate"] = criteria_pb2.NextGate(
        stage=stages_pb2.STAGE_S7, visit=1, satisfied=True
    )
    headquarters.cookies.set("peyvand_lang", "en")
    text = (await headquarters.get("/projects/prj_1")).text
    assert "All that is needed is there." in text
    assert "leads to" not in text


async def test_what_refuses_a_go_besides_criteria_is_told(
    headquarters: httpx.AsyncClient, site: Site
) -> None:
    site.clients.answers["GetProject"] = projects_pb2.Project(id="prj_1")
    site.clients.answers["GetNextGate"] = criteria_pb2.NextGate(
        stage=stages_pb2.STAGE_S1,
        visit=2,
        on_hold=True,
        unmet_condition_ids=["cnd_1", "cnd_2"],
        overdue_condition_ids=["cnd_3"],
    )
    headquarters.cookies.set("peyvand_lang", "en")
    text = (await headquarters.get("/projects/prj_1")).text
    assert "All that is needed is there." not in text
    assert "All criteria are met, and a go is still refused." in text
    assert "The project is on hold" in text
    assert re.findall(r'<a href="/conditions/(cnd_\d)">', text) == ["cnd_1", "cnd_2", "cnd_3"]
    headquarters.cookies.set("peyvand_lang", "fa")
    text = (await headquarters.get("/projects/prj_1")).text
    assert "طرح متوقف است" in text
    assert "سررسیدگذشته" in text


async def test_other_kinds_go_through_no_gates(headquarters: httpx.AsyncClient, site: Site) -> None:
    assert (await headquarters.get("/awards/awd_1")).status_code == 200
    assert "GetNextGate" not in [rpc.descriptor.name for rpc, _, _ in site.clients.calls]
