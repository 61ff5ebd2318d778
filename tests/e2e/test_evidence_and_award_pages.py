"""Evidence is brought and judged, and money given for it, on the pages alone."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

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

CONTENT = b"%PDF-1.7\n" + os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CRITERION = "disclosure"
# Many pages in a browser, on a machine that may be busy.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def sara(network: Cluster) -> AsyncGenerator[Person]:
    """Who records projects at the headquarters."""
    own = Person(network, "hq_admin", "sara")
    yield own
    await own.http.aclose()


@pytest.fixture
async def project(sara: Person) -> Json:
    """A project in S0 without any evidence."""
    return await project_of_a_new_center(sara)


async def test_evidence_is_brought_and_judged_on_the_pages(
    chromium: Browser, network: Cluster, project: Json, tmp_path: Path
) -> None:
    address = f"{network.gateway_url}/projects/{project['id']}"
    lead = project["lead_center_id"]
    async with reader(
        chromium, network, "leila", role="center_operator", center_ids=(lead,)
    ) as page:
        await page.goto(address)
        # The headquarters alone gives money.
        await expect(page.locator("summary", has_text="ثبت حمایت مالی")).to_have_count(0)
        await _bring_a_file(page, tmp_path)
        piece = page.url
        await expect(page.locator("summary", has_text="راستی‌آزمایی")).to_have_count(0)
        await look(page, tmp_path, "evidence-fa")
    async with reader(chromium, network, "omid", locale="en-GB") as page:
        await page.goto(piece)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="The file itself").click()
        given = await (await download.value).path()
        assert given.read_bytes() == CONTENT
        form = await unfold(page, "Reject")
        await send(form)
        form = await unfold(page, "Reject")
        await expect(await broken(form, "reason")).to_be_visible()
        await look(page, tmp_path, "reject-en")
        await form.locator('[name="reason"]').fill("The signature is missing.")
        await send(form)
        await expect(page.locator(".standing")).to_contain_text("Rejected")
    async with reader(
        chromium, network, "leila", locale="en-GB", role="center_operator", center_ids=(lead,)
    ) as page:
        await page.goto(piece)
        await _bring_another_in_its_place(page, tmp_path)
        newer = page.url
        await page.goto(piece)
        await expect(page.locator(".standing")).to_contain_text("Superseded")
        await expect(page.locator("summary", has_text="in its place")).to_have_count(0)
    async with reader(chromium, network, "omid") as page:
        await page.goto(newer)
        await send(await unfold(page, "راستی‌آزمایی"))
        await expect(page.locator(".standing")).to_contain_text("راستی‌آزمایی‌شده")
        await page.goto(address)
        row = page.locator('.criteria li[data-state="verified"]')
        await expect(row).to_have_count(1)
        await _bring_what_only_another_verifies(page)


async def _bring_a_file(page: Page, tmp_path: Path) -> None:
    """What is no file is refused at once; one that is kept stays when the form is refused."""
    form = await unfold(page, "ارائهٔ شاهد")
    chooser = form.locator('input[type="file"]')
    told = form.locator("[role=status]")
    sha256 = form.locator('[name="evidence.file.sha256"]')
    await expect(sha256).to_be_hidden()
    await chooser.set_input_files({"name": "empty.pdf", "mimeType": "", "buffer": b""})
    await expect(told).to_have_class("broken")
    await expect(told).to_contain_text("لازم است")
    await chooser.set_input_files(
        {"name": "disclosure.pdf", "mimeType": "application/pdf", "buffer": CONTENT}
    )
    await expect(told).to_contain_text("نگه داشته شد")
    await expect(sha256).to_have_value(SHA256)
    await form.locator('[name="evidence.file.name"]').fill("افشا.pdf")
    await form.locator('[name="evidence.criterion"]').select_option(CRITERION)
    await form.locator('[name="evidence.title.fa"]').fill("افشای نوآوری")
    await look(page, tmp_path, "bring-fa")
    await send(form)
    form = await unfold(page, "ارائهٔ شاهد")
    await expect(await broken(form, "evidence.kind")).to_be_visible()
    await expect(form.locator('[name="evidence.file.sha256"]')).to_have_value(SHA256)
    await look(page, tmp_path, "bring-refused-fa")
    await form.locator('[name="evidence.kind"]').select_option("report")
    await send(form)
    await page.wait_for_url(re.compile(r"/evidence/evd_"))
    await expect(page.locator(".facts")).to_contain_text("افشا.pdf")
    await expect(page.locator(".facts")).to_contain_text(SHA256)


async def _bring_another_in_its_place(page: Page, tmp_path: Path) -> None:
    """By reference this time; a wrong hash is told beside it."""
    label = "Bring another piece in its place"
    form = await unfold(page, label)
    # What it was before, to be changed where it differs.
    await expect(form.locator('[name="evidence.kind"]')).to_have_value("report")
    await form.locator('[name="evidence.reference.uri"]').fill("https://example.org/disclosure")
    await form.locator('[name="evidence.reference.sha256"]').fill("12ab")
    await send(form)
    form = await unfold(page, label)
    await expect(await broken(form, "evidence.reference.sha256")).to_be_visible()
    await look(page, tmp_path, "supersede-en")
    await form.locator('[name="evidence.reference.sha256"]').fill("c" * 64)
    await send(form)
    await page.wait_for_url(lambda url: "/evidence/evd_" in url)
    await expect(page.locator(".facts")).to_contain_text("https://example.org/disclosure")


async def _bring_what_only_another_verifies(page: Page) -> None:
    """Who has brought a piece is not offered to verify it, whatever the role."""
    form = await unfold(page, "ارائهٔ شاهد")
    await form.locator('[name="evidence.criterion"]').select_option("unmet-need")
    await form.locator('[name="evidence.kind"]').select_option("data_set")
    await form.locator('[name="evidence.title.fa"]').fill("بار بیماری")
    await send(form)
    form = await unfold(page, "ارائهٔ شاهد")
    # Neither a file nor a reference.
    await expect(await broken(form, "evidence.file.name")).to_be_visible()
    await form.locator('[name="evidence.reference.uri"]').fill("https://example.org/burden")
    await form.locator('[name="evidence.reference.sha256"]').fill("d" * 64)
    await send(form)
    await page.wait_for_url(re.compile(r"/evidence/evd_"))
    await expect(page.locator("summary", has_text="رد کردن")).to_have_count(1)
    await expect(page.locator("summary", has_text="راستی‌آزمایی")).to_have_count(0)


async def test_money_is_given_for_what_was_reached_on_the_pages(
    chromium: Browser, network: Cluster, project: Json, sara: Person, tmp_path: Path
) -> None:
    lead = project["lead_center_id"]
    leila = Person(network, "center_operator", "leila", [lead])
    body: Json = {
        "project_id": project["id"],
        "criterion": CRITERION,
        "kind": "report",
        "title": {"fa": "گزارش گروه نخست", "en": "Report on the first group"},
        "reference": {"uri": "https://example.org/report", "sha256": "e" * 64},
    }
    piece = await leila.post("/v1/evidence", body)
    await leila.http.aclose()
    await sara.post(f"/v1/evidence/{piece['id']}:verify", {}, status=200, etag=piece["etag"])
    async with reader(chromium, network, "sara") as page:
        await page.goto(f"{network.gateway_url}/projects/{project['id']}")
        await _record_an_award(page, tmp_path)
        award = page.url
    async with reader(
        chromium, network, "leila", locale="en-GB", role="center_operator", center_ids=(lead,)
    ) as page:
        await page.goto(award)
        form = await unfold(page, "Report a milestone as reached")
        await form.locator('[name="milestone_code"]').select_option("m1")
        await send(form)
        form = await unfold(page, "Report a milestone as reached")
        await expect(await broken(form, "note")).to_be_visible()
        await form.locator('[name="evidence_ids[0]"]').select_option(piece["id"])
        await send(form)
        await expect(page.locator(".panel").first).to_contain_text("reported by")
        await expect(page.locator("summary", has_text="Confirm a milestone")).to_have_count(0)
    async with reader(chromium, network, "omid") as page:
        await page.goto(award)
        form = await unfold(page, "تأیید نقطهٔ عطف")
        await form.locator('[name="milestone_code"]').select_option("m1")
        await send(form)
        await _release(page, tmp_path)
    async with reader(chromium, network, "sara", locale="en-GB") as page:
        await page.goto(award)
        await expect(page.locator(".facts").first).to_contain_text("10,000,000")
        # What was paid for is not given back, and no other tranche has its milestone met.
        for label in ("Give the report", "Release a tranche"):
            await expect(page.locator("summary", has_text=label)).to_have_count(0)
        await look(page, tmp_path, "released-en")
        form = await unfold(page, "Cancel")
        await send(form)
        form = await unfold(page, "Cancel")
        await expect(await broken(form, "reason")).to_be_visible()
        await form.locator('[name="reason"]').fill("The fund has ended.")
        await send(form)
        await expect(page.locator(".standing")).to_contain_text("Cancelled")
        await expect(page.locator(".steps-to-take")).to_have_count(0)


async def _record_an_award(page: Page, tmp_path: Path) -> None:
    """Tranches that are more than the award are refused beside the first of them."""
    form = await unfold(page, "ثبت حمایت مالی")
    await _fill(
        form,
        {
            "award.titles.fa": "حمایت نمونه",
            "award.funder.names.fa": "صندوق نمونه",
            "award.amount.amount": "۲۵٬۰۰۰٬۰۰۰",
            "award.milestones[0].code": "m1",
            "award.milestones[0].text.fa": "نخستین گروه",
            "award.milestones[0].due_date": jalali(90),
            "award.milestones[1].code": "m2",
            "award.milestones[1].text.fa": "گروه دوم",
            "award.tranches[0].code": "t1",
            "award.tranches[0].amount.amount": "۱۵٬۰۰۰٬۰۰۰",
            "award.tranches[0].milestone_code": "m1",
            "award.tranches[1].code": "t2",
            "award.tranches[1].amount.amount": "۱۵٬۰۰۰٬۰۰۰",
            "award.tranches[1].milestone_code": "m2",
        },
    )
    await send(form)
    form = await unfold(page, "ثبت حمایت مالی")
    await expect(await broken(form, "award.tranches[0].code")).to_contain_text("30000000")
    await look(page, tmp_path, "record-award-fa")
    await _fill(
        form,
        {
            "award.tranches[1].amount.amount": "۱۰٬۰۰۰٬۰۰۰",
            "award.tranches[1].milestone_code": "m3",
        },
    )
    await send(form)
    form = await unfold(page, "ثبت حمایت مالی")
    said = await broken(form, "award.tranches[1].milestone_code")
    await expect(said).to_contain_text("m3")
    await _fill(form, {"award.tranches[1].milestone_code": "m2"})
    await send(form)
    await page.wait_for_url(re.compile(r"/awards/awd_"))
    await expect(page.locator(".facts").first).to_contain_text("۲۵٬۰۰۰٬۰۰۰")
    await expect(page.locator("summary", has_text="پرداخت قسط")).to_have_count(0)
    await look(page, tmp_path, "award-fa")


async def _release(page: Page, tmp_path: Path) -> None:
    """More than the tranche is refused beside the amount; a part of it is released."""
    form = await unfold(page, "پرداخت قسط")
    await _fill(form, {"amount.amount": "۱۶٬۰۰۰٬۰۰۰", "payment_reference": "1405-00231"})
    await form.locator('[name="tranche_code"]').select_option("t1")
    await send(form)
    form = await unfold(page, "پرداخت قسط")
    await expect(await broken(form, "amount.amount")).to_contain_text("15000000")
    await look(page, tmp_path, "release-fa")
    await _fill(form, {"amount.amount": "۱۰٬۰۰۰٬۰۰۰"})
    await send(form)
    await expect(page.locator(".panel").last).to_contain_text("1405-00231")
    await expect(page.locator(".panel").last).to_contain_text("omid")


async def _fill(form: Locator, typed: dict[str, str]) -> None:
    for name, text in typed.items():
        await form.locator(f'[name="{name}"]').fill(text)
