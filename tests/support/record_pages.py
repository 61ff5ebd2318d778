"""The pages of single resources, and the forms on them, as people who are signed in use them."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persiantools import digits
from persiantools.jdatetime import JalaliDate
from playwright.async_api import Browser, Locator, Page, expect

from peyvandctl.cluster import Cluster
from tests.support.pages import CONTRAST, PATIENCE, watch


@contextlib.asynccontextmanager
async def reader(
    chromium: Browser,
    network: Cluster,
    name: str,
    *,
    locale: str = "fa-IR",
    role: str = "hq_admin",
    center_ids: tuple[str, ...] = (),
) -> AsyncGenerator[Page]:
    """Somebody who is signed in, with a browser of their own that may complain of nothing."""
    context = await chromium.new_context(locale=locale, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    complaints = watch(context, network.gateway_url)
    token = network.token(role, name, center_ids=center_ids)
    await context.add_cookies(
        [{"name": "peyvand_session", "value": token, "url": network.gateway_url}]
    )
    page = await context.new_page()
    try:
        yield page
        # That a form was refused is told by its status as well, which browsers note.
        assert [
            said for said in complaints if "the server responded with a status" not in said
        ] == []
    finally:
        await context.close()


async def unfold(page: Page, label: str) -> Locator:
    """The form of a step, opened."""
    found = page.locator("details").filter(has=page.locator("summary", has_text=label)).first
    if await found.get_attribute("open") is None:
        await found.locator("summary").click()
    return found


async def send(form: Locator) -> None:
    """Press the button that sends a form; another page comes."""
    async with form.page.expect_navigation():
        await form.locator("button.primary").click()


async def broken(form: Locator, name: str) -> Locator:
    """What is told beside a field, which the field itself refers to."""
    field = form.locator(f'[name="{name}"]')
    await expect(field).to_have_attribute("aria-invalid", "true")
    described = (await field.get_attribute("aria-describedby") or "").split()[-1]
    return form.locator(f'[id="{described}"]')


async def look(page: Page, tmp_path: Path, name: str) -> None:
    """On a telephone and on a desk: nothing sticks out, all of it can be read."""
    for width in (375, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate(CONTRAST) == []
        await page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)


def jalali(days: int) -> str:
    """A day from now, as a Persian reader types it."""
    day = JalaliDate((datetime.now(UTC) + timedelta(days=days)).date())
    return digits.en_to_fa(f"{day.year}/{day.month:02}/{day.day:02}")
