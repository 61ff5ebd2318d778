"""The headquarters' page in a browser, on the whole network with the reported facts in it."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from hubkit.topology import GATEWAY
from peyvandctl.cluster import Cluster
from tests.support.http import client, headquarters
from tests.support.pages import CENTERS, CONTRAST, PATIENCE, reader, sign_in

PERSIAN_DIGITS = re.compile("[۰-۹]")


async def change(cluster: Cluster, code: str, verb: str) -> None:
    """Take a step with a center, as a program would."""
    async with headquarters(cluster) as http:
        listed = (await http.get("/v1/centers")).raise_for_status().json()["centers"]
        (center,) = [item for item in listed if item["code"] == code]
        path = f"/v1/centers/{center['id']}"
        etag = (await http.get(path)).headers["etag"]
        answer = await http.post(
            f"{path}:{verb}",
            json={"reason": "بازسازی اتاق تمیز"},
            headers={"If-Match": etag, "Idempotency-Key": f"{verb}-{etag}"},
        )
        answer.raise_for_status()


async def test_the_page_says_how_the_network_stands(
    chromium: Browser, cluster: Cluster, tmp_path: Path
) -> None:
    async with reader(chromium, cluster) as page:
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        await expect(page.locator("h1")).to_contain_text("۴ از ۵ مرکز فعال‌اند؛ خراسان رضوی")
        await expect(page.locator("h1")).to_contain_text("تازگی نامعلوم")
        await expect(page).to_have_title(re.compile("۴ از ۵ مرکز فعال"))
        rows = page.locator(CENTERS)
        await expect(rows).to_have_count(5)
        await expect(rows.filter(has_text="در حال راه‌اندازی")).to_have_count(1)
        await expect(page.locator(".liveness-unknown")).to_have_count(5)
        await expect(page.locator(".liveness-online")).to_have_count(0)
        await expect(page.locator("#card-centers .coverage")).to_contain_text("۵ از ۵ مرکز")
        await expect(page.locator(".regulations li")).to_have_count(2)
        await expect(page.locator(".timeline li")).to_have_count(12)
        # What the public may not see is not there, and the page says that.
        await expect(page.locator(".matters")).not_to_contain_text("تعیین تکلیف")
        await expect(page.locator(".matters")).to_contain_text("پس از ورود")
        await page.screenshot(path=tmp_path / "page-fa.png", full_page=True)


async def test_one_click_changes_the_language(
    chromium: Browser, cluster: Cluster, tmp_path: Path
) -> None:
    async with reader(chromium, cluster) as page:
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("html")).to_have_attribute("dir", "ltr")
        await expect(page.locator("h1")).to_contain_text("4 of 5 centers are operational")
        main = await page.locator("main").inner_text()
        assert PERSIAN_DIGITS.search(main) is None
        await page.goto(cluster.gateway_url)  # the choice is kept
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await page.screenshot(path=tmp_path / "page-en.png", full_page=True)
    async with reader(chromium, cluster, locale="en-GB") as page:
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_a_change_shows_without_a_reload(chromium: Browser, cluster: Cluster) -> None:
    async with reader(chromium, cluster) as page:
        await page.evaluate("""
            window.notReloaded = true;
            window.told = 0;
            const live = document.getElementById("live");
            live.addEventListener("changed", () => { window.told += 1; });
        """)
        kerman = page.locator(CENTERS).filter(has_text="KRM")
        await expect(kerman).to_have_attribute("data-state", "operational")
        await change(cluster, "KRM", "suspend")
        try:
            await expect(kerman).to_have_attribute("data-state", "suspended")
            # It was told of, not only seen when the page looked by itself.
            await page.wait_for_function("window.told >= 1")
            await expect(page.locator("h1")).to_contain_text("کرمان تعلیق شده است")
            await expect(page.locator(".matters")).to_contain_text("کرمان تعلیق است")
            await expect(page).to_have_title(re.compile("۳ از ۵"))
            await expect(page.locator(".timeline li").first).to_contain_text("تعلیق")
        finally:
            await change(cluster, "KRM", "resume")
        await expect(kerman).to_have_attribute("data-state", "operational")
        assert await page.evaluate("window.notReloaded")


async def test_a_script_that_comes_late_leaves_the_page_live(
    chromium: Browser, cluster: Cluster
) -> None:
    async def late(route: Route) -> None:
        await asyncio.sleep(1)
        await route.continue_()

    for script in ("htmx.min.js", "hx-sse.min.js", "page.js"):
        context = await chromium.new_context(locale="fa-IR")
        context.set_default_timeout(PATIENCE)
        await context.route(re.compile(re.escape(script)), late)
        page = await context.new_page()
        async with page.expect_request("**/pages/live?*"):
            await page.goto(cluster.gateway_url)
        await context.close()


async def test_the_headquarters_signs_in_and_out_with_a_click(
    chromium: Browser, cluster: Cluster
) -> None:
    async with reader(chromium, cluster) as page:
        await sign_in(page)
        await expect(page.locator(".matters")).to_contain_text("تعیین تکلیف")
        await expect(page.locator("#card-items .value")).to_have_text("۱")
        (cookie,) = [c for c in await page.context.cookies() if c.get("name") == "peyvand_session"]
        assert cookie.get("httpOnly")
        assert cookie.get("sameSite") == "Strict"
        await page.get_by_role("button", name="خروج").click()
        await expect(page.locator(".who")).to_have_count(0)
        await expect(page.locator(".matters")).not_to_contain_text("تعیین تکلیف")


async def test_an_observatory_that_is_gone_is_told_with_the_time_of_the_last_figures(
    chromium: Browser, cluster: Cluster
) -> None:
    async with reader(chromium, cluster) as page:
        await expect(page.locator(".alarm-down")).to_have_count(0)
        observatory = cluster.process("observatory")
        await observatory.kill()
        try:
            alarm = page.locator(".alarm-down").filter(has_text="این ارقام مربوط به")
            await expect(alarm).to_be_visible()
            await expect(alarm).to_have_text(re.compile(r"از [۰-۹]{2}:[۰-۹]{2}"))
            # A reader who comes now sees the last figures, and the same warning.
            await page.reload()
            await expect(alarm).to_be_visible()
            await expect(page.locator(CENTERS)).to_have_count(5)
        finally:
            await observatory.start()
        await expect(page.locator(".alarm-down")).to_have_count(0)


async def test_a_gateway_that_is_gone_is_told_at_once(chromium: Browser, cluster: Cluster) -> None:
    async with reader(chromium, cluster) as page:
        notice = page.locator("#connection")
        await page.wait_for_timeout(500)
        await expect(notice).to_be_hidden()
        gateway = cluster.process(GATEWAY)
        await gateway.kill()
        try:
            await expect(notice).to_be_visible()
            await expect(notice).to_have_text(re.compile("قطع است؛ ارقام مربوط به ساعت [۰-۹]"))
            await expect(page.locator(CENTERS)).to_have_count(5)
        finally:
            await gateway.start()
        await expect(notice).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["fa-IR", "en-GB"])
async def test_every_screen_shows_it_without_sideways_scrolling_and_with_contrast(
    chromium: Browser, cluster: Cluster, tmp_path: Path, locale: str, scheme: str
) -> None:
    dark = scheme == "dark"
    context = await chromium.new_context(
        locale=locale,
        viewport={"width": 375, "height": 800},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto(cluster.gateway_url)
    await expect(page.locator(CENTERS)).to_have_count(5)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375
    # It is asked for when the page is laid out first, which may be after it was loaded.
    await page.wait_for_function("document.fonts.check('16px Vazirmatn')")
    assert await page.evaluate(CONTRAST) == []
    await page.screenshot(path=tmp_path / f"page-{locale}-{scheme}-375.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 1280
    await page.screenshot(path=tmp_path / f"page-{locale}-{scheme}-1280.png", full_page=True)
    await context.close()


async def test_nobody_signs_in_under_another_name_of_this_machine(cluster: Cluster) -> None:
    port = cluster.gateway_url.rpartition(":")[2]
    own = {"Host": f"127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    async with client(cluster.gateway_url) as http:
        for headers in (
            {"Host": f"peyvand.example:{port}"},
            {"Host": f"127.0.0.1.peyvand.example:{port}"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"X-Forwarded-For": "127.0.0.1"},
        ):
            answer = await http.post("/sign-in", headers=own | headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (404, False), headers
        answer = await http.get("/", headers={"Host": f"peyvand.example:{port}"})
        assert "/sign-in" not in answer.text
        answer = await http.post("/sign-in", headers=own)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_click_on_a_center_leads_to_its_page_where_steps_are_taken(
    chromium: Browser, cluster: Cluster, tmp_path: Path
) -> None:
    async with reader(chromium, cluster) as page:
        await sign_in(page)
        await page.locator(CENTERS).filter(has_text="کرمان").get_by_role("link").first.click()
        await expect(page.locator("h1")).to_contain_text("کرمان")
        await expect(page.locator(".facts")).to_contain_text("استان")
        await expect(page.locator(".timeline li").first).to_be_visible()
        await page.screenshot(path=tmp_path / "record.png", full_page=True)
        await page.locator("summary", has_text="تعلیق").click()
        await page.locator("details[open] input[name=reason]").fill("بازرسی سامانهٔ تهویه")
        await page.locator("details[open] button").click()
        await expect(page.locator(".standing")).to_contain_text("تعلیق‌شده")
        await expect(page.locator(".standing")).to_contain_text("بازرسی سامانهٔ تهویه")
        await expect(page.locator(".timeline li").first).to_contain_text("مدیر ستاد")
        await page.locator("summary", has_text="ازسرگیری").click()
        await page.locator("details[open] button").click()
        await expect(page.locator(".standing")).to_contain_text("فعال")
        await page.goto(f"{page.url}?lang=en")
        await expect(page.locator("html")).to_have_attribute("dir", "ltr")
        await expect(page.locator("h1")).to_contain_text("Kerman")
