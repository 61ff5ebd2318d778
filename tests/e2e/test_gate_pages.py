"""A project goes through a gate on the pages alone: each step and each refusal in its form."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from peyvandctl.cluster import Cluster
from tests.support.people import Json, Person, project_of_a_new_center
from tests.support.record_pages import (
    broken,
    jalali,
    look,
    reader,
    send,
    unfold,
)

PANEL = ("dana", "mina", "kian", "omid")
LEFT_OPEN = "unmet-need"
# Twenty pages and more in a browser, on a machine that may be busy.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def project(network: Cluster) -> Json:
    """A project in S0 with all of its evidence verified, but for one criterion."""
    sara, omid = Person(network, "hq_admin", "sara"), Person(network, "hq_admin", "omid")
    made = await project_of_a_new_center(sara)
    leila = Person(network, "center_operator", "leila", [made["lead_center_id"]])
    for code in (await sara.get(f"/v1/projects/{made['id']}/next-gate"))["missing"]:
        body: Json = {
            "project_id": made["id"],
            "criterion": code,
            "kind": "report",
            "title": {"en": f"Report on {code}", "fa": f"گزارش {code}"},
            "reference": {"uri": "https://example.org/report", "sha256": secrets.token_hex(32)},
        }
        piece = await leila.post("/v1/evidence", body)
        if code != LEFT_OPEN:
            await omid.post(
                f"/v1/evidence/{piece['id']}:verify", {}, status=200, etag=piece["etag"]
            )
    for person in (sara, omid, leila):
        await person.http.aclose()
    return made


async def test_a_project_goes_through_its_gate_on_the_pages(
    chromium: Browser, network: Cluster, project: Json, tmp_path: Path
) -> None:
    address = f"{network.gateway_url}/projects/{project['id']}"
    async with reader(chromium, network, "sara") as page:
        await page.goto(address)
        await _open_gate(page, tmp_path)
        gate = page.url
        await _propose(page, tmp_path)
    for name in PANEL:
        async with reader(chromium, network, name, locale="en-GB") as page:
            await page.goto(gate)
            if name == PANEL[-1]:
                await _declare_a_conflict(page, tmp_path)
            else:
                await _vote(page)
    async with reader(chromium, network, "sara") as page:
        await page.goto(gate)
        await look(page, tmp_path, "gate-fa")
        await _decide(page, gate)
        await look(page, tmp_path, "decided-fa")
        await page.get_by_role("link", name="تکرار آزمون توان").first.click()
        await page.wait_for_url(re.compile("/conditions/"))
        condition = page.url
    await _meet(chromium, network, project, condition)


async def _open_gate(page: Page, tmp_path: Path) -> None:
    """Too few members are refused beside the first of them; with four it opens."""
    form = await unfold(page, "گشودن دروازه")
    for row, name in enumerate(PANEL[:2]):
        await form.locator(f'[name="gate.panel[{row}].subject"]').fill(name)
        await form.locator(f'[name="gate.panel[{row}].role"]').select_option("science")
    await form.locator('[name="gate.quorum"]').fill("۲")
    await send(form)
    form = await unfold(page, "گشودن دروازه")
    said = await broken(form, "gate.panel[0].subject")
    await expect(said).to_contain_text("دست‌کم 3 نفر لازم است")
    await expect(form.locator('[name="gate.panel[1].subject"]')).to_have_value(PANEL[1])
    await look(page, tmp_path, "open-gate-fa")
    async with page.expect_navigation():
        await form.get_by_role("button", name="اعضای بیشتر").click()
    form = await unfold(page, "گشودن دروازه")
    for row, name in enumerate(PANEL):
        await form.locator(f'[name="gate.panel[{row}].subject"]').fill(name)
        await form.locator(f'[name="gate.panel[{row}].role"]').select_option("quality")
    await form.locator('[name="gate.quorum"]').fill("۳")
    await send(form)
    await page.wait_for_url(re.compile(r"/gates/gat_"))
    await expect(page.locator(".panel li")).to_have_count(4)


async def _propose(page: Page, tmp_path: Path) -> None:
    """Terms with a day that is not there are refused beside it; what was typed stays."""
    label = "پیشنهاد مفاد: توقف موقت"
    form = await unfold(page, label)
    await form.locator('[name="resume_date"]').fill("۱۴۰۵-۱۳-۴۵")
    await send(form)
    form = await unfold(page, label)
    await expect(await broken(form, "resume_date")).to_contain_text("چنین تاریخی وجود ندارد")
    await form.locator('[name="resume_date"]').fill(jalali(90))
    await send(form)
    await expect(page.locator(".terms").first).to_contain_text("بازنگری در")

    label = "پیشنهاد مفاد: ادامهٔ مشروط"
    form = await unfold(page, label)
    await form.locator('[name="conditions[0].text.fa"]').fill("تکرار آزمون توان")
    await form.locator('[name="conditions[0].criterion"]').select_option(LEFT_OPEN)
    await send(form)
    form = await unfold(page, label)
    for name in ("owner", "due_date"):
        await expect(await broken(form, f"conditions[0].{name}")).to_be_visible()
    await look(page, tmp_path, "propose-fa")
    await page.locator("a.language").click()
    await expect(page.locator("html")).to_have_attribute("dir", "ltr")
    form = await unfold(page, "Propose terms: Conditional go")
    await send(form)
    form = await unfold(page, "Propose terms: Conditional go")
    await expect(form.get_by_role("alert").or_(form.locator(".broken")).first).to_be_visible()
    await look(page, tmp_path, "propose-en")
    await page.locator("a.language").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    form = await unfold(page, label)
    await form.locator('[name="conditions[0].text.fa"]').fill("تکرار آزمون توان")
    await form.locator('[name="conditions[0].owner"]').fill("تضمین کیفیت")
    await form.locator('[name="conditions[0].due_date"]').fill(jalali(60))
    await form.locator('[name="conditions[0].criterion"]').select_option(LEFT_OPEN)
    await send(form)
    await expect(page.locator(".decisions .terms").last).to_contain_text("تضمین کیفیت")


async def _declare_a_conflict(page: Page, tmp_path: Path) -> None:
    form = await unfold(page, "Declare your interests")
    await form.locator('[name="conflict"]').select_option("financial")
    await send(form)
    form = await unfold(page, "Declare your interests")
    await expect(await broken(form, "note")).to_contain_text("This field is required")
    await form.locator('[name="note"]').fill("Holds shares in the maker of the medium.")
    await send(form)
    await expect(page.locator(".panel")).to_contain_text("Holds shares")
    await expect(page.locator("summary", has_text="Vote")).to_have_count(0)
    await look(page, tmp_path, "gate-en")


async def _vote(page: Page) -> None:
    form = await unfold(page, "Declare your interests")
    await form.locator('[name="conflict"]').select_option("none")
    await send(form)
    form = await unfold(page, "Vote")
    await form.locator('[name="decision"]').select_option("conditional_go")
    await send(form)
    form = await unfold(page, "Vote")
    await expect(await broken(form, "reason")).to_be_visible()
    await form.locator('[name="reason"]').fill("The rest of it holds.")
    await send(form)
    await expect(page.locator(".panel")).to_contain_text("The rest of it holds.")


async def _decide(page: Page, gate: str) -> None:
    """What the panel has not voted for is refused, with why; what it has is recorded."""
    form = await unfold(page, "ثبت تصمیم")
    await form.locator('[name="decision"]').select_option("hold")
    await form.locator('[name="reason"]').fill("چنان‌که هیئت رأی داد.")
    await send(form)
    form = await unfold(page, "ثبت تصمیم")
    await expect(form.get_by_role("alert")).to_contain_text("ادامهٔ مشروط")
    await form.locator('[name="decision"]').select_option("conditional_go")
    await send(form)
    await page.wait_for_url(re.compile(r"/projects/prj_"))
    await expect(page.locator(".decisions li").first).to_contain_text("ادامهٔ مشروط")
    await expect(page.locator(".facts")).to_contain_text("S1")
    await page.goto(gate)
    await expect(page.locator(".decisions").first).to_contain_text("چنان‌که هیئت رأی داد.")
    await expect(page.locator(".steps-to-take")).to_have_count(0)
    await page.goto(f"{page.url.rpartition('/gates/')[0]}{await _project_of(page)}")


async def _project_of(page: Page) -> str:
    link = page.locator(".facts a[href^='/projects/']")
    return await link.get_attribute("href") or ""


async def _meet(chromium: Browser, network: Cluster, project: Json, condition: str) -> None:
    """Who reports it is of the team; who confirms it is not."""
    lead = project["lead_center_id"]
    leila = Person(network, "center_operator", "leila", [lead])
    pieces = await leila.get("/v1/evidence", project_id=project["id"], criterion=LEFT_OPEN)
    (piece,) = pieces["evidence"]
    async with reader(
        chromium, network, "leila", role="center_operator", center_ids=(lead,)
    ) as page:
        await page.goto(condition)
        form = await unfold(page, "گزارش برآورده شدن")
        await send(form)
        form = await unfold(page, "گزارش برآورده شدن")
        await expect(form.locator(".broken").or_(form.get_by_role("alert")).first).to_be_visible()
        await form.locator('[name="evidence_id"]').select_option(piece["id"])
        await send(form)
        await expect(page.locator(".facts")).to_contain_text("leila")
    async with reader(chromium, network, "parisa") as page:
        await page.goto(f"{network.gateway_url}/evidence/{piece['id']}")
        await send(await unfold(page, "راستی‌آزمایی"))
        await page.goto(condition)
        await send(await unfold(page, "تأیید"))
        await expect(page.locator(".standing")).to_contain_text("برآورده‌شده")
    await leila.http.aclose()


async def test_a_gate_is_withdrawn_and_a_waiver_asked_for_on_the_pages(
    chromium: Browser, network: Cluster, project: Json, tmp_path: Path
) -> None:
    address = f"{network.gateway_url}/projects/{project['id']}"
    lead = project["lead_center_id"]
    async with reader(
        chromium, network, "leila", locale="en-GB", role="center_operator", center_ids=(lead,)
    ) as page:
        await page.goto(address)
        # Who is of a center opens no gate.
        await expect(page.locator("summary", has_text="Open a gate")).to_have_count(0)
        form = await unfold(page, "Ask for a waiver")
        await form.locator('[name="waiver.criterion"]').select_option(LEFT_OPEN)
        await form.locator('[name="waiver.expiry_date"]').fill("1399-01-01")
        await form.locator('[name="waiver.reason"]').fill("Described in the report of the fund.")
        await send(form)
        form = await unfold(page, "Ask for a waiver")
        said = await broken(form, "waiver.expiry_date")
        await expect(said).to_contain_text("cannot be in the past")
        await look(page, tmp_path, "waive-en")
        await form.locator('[name="waiver.expiry_date"]').fill("2099-01-01")
        await send(form)
        await page.wait_for_url(re.compile(r"/waivers/wvr_"))
        waiver = page.url
    async with reader(chromium, network, "sara", locale="en-GB") as page:
        await page.goto(waiver)
        await expect(page.locator(".facts")).to_contain_text("Described in the report")
        await send(await unfold(page, "Grant"))
        await expect(page.locator(".standing")).to_contain_text("Granted")
        await page.goto(address)
        form = await unfold(page, "Open a gate")
        for row, name in enumerate(PANEL[:3]):
            await form.locator(f'[name="gate.panel[{row}].subject"]').fill(name)
            await form.locator(f'[name="gate.panel[{row}].role"]').select_option("science")
        await send(form)
        await page.wait_for_url(re.compile(r"/gates/gat_"))
        form = await unfold(page, "Withdraw")
        await send(form)
        form = await unfold(page, "Withdraw")
        await expect(await broken(form, "reason")).to_be_visible()
        await form.locator('[name="reason"]').fill("Another panel is called.")
        await send(form)
        await expect(page.locator(".standing")).to_contain_text("Withdrawn")
        await expect(page.locator(".standing")).to_contain_text("Another panel is called.")
