"""The portfolio on the whole network: recorded by the public API, told by API and page."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from peyvandctl.cluster import Cluster
from tests.support.pages import CONTRAST, reader, sign_in

Json = dict[str, Any]
IN_A_PROVINCE = "IR-29"
"""The province of the center that these tests make; other tests record nothing there."""


async def post(http: httpx.AsyncClient, path: str, body: Json, etag: str = "") -> Json:
    """Record something; what it points to may not be known there in the first moment."""
    until = time.monotonic() + 60
    # The same each time: what was recorded though its answer was lost is not made twice.
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    if etag:
        headers["If-Match"] = f'"{etag}"'
    while True:
        answer = await http.post(path, json=body, headers=headers)
        if answer.is_success or time.monotonic() > until:
            return answer.raise_for_status().json()
        await asyncio.sleep(0.03)


async def ask(http: httpx.AsyncClient, **params: str) -> Json:
    """The portfolio, as the headquarters see it."""
    return (await http.get("/v1/portfolio", params=params)).raise_for_status().json()


@pytest.fixture
async def made(http: httpx.AsyncClient) -> Json:
    """A center with a project, an award for it, and a sample project."""
    code = "P" + secrets.token_hex(2).upper()
    center = await post(
        http,
        "/v1/centers",
        {"code": code, "names": {"en": f"Center {code}"}, "province": IN_A_PROVINCE},
    )
    project: Json = {
        "titles": {"en": f"Patch {code}", "fa": f"وصلهٔ {code}"},
        "lead_center_id": center["id"],
        "pathway": "gene_therapy",
    }
    recorded = await post(http, "/v1/projects", project)
    await post(http, "/v1/projects", project | {"sample": True})
    text = {"en": "Three runs in specification"}
    await post(
        http,
        "/v1/awards",
        {
            "project_id": recorded["id"],
            "titles": {"en": "Seed grant"},
            "funder": {"names": {"en": "Headquarters"}},
            "amount": {"amount": "100000000000000.25", "currency": "IRR"},
            "milestones": [{"code": "m1", "text": text}],
            "tranches": [
                {
                    "code": "t1",
                    "amount": {"amount": "0.25", "currency": "IRR"},
                    "milestone_code": "m1",
                }
            ],
        },
    )
    return {"center": center, "project": recorded}


async def test_what_was_recorded_is_counted_and_samples_are_apart(
    http: httpx.AsyncClient, network: Cluster, made: Json
) -> None:
    center = made["center"]["id"]
    told = await ask(http, center_id=center)
    (cell,) = told["counts"]["cells"]
    assert (cell["stage"], cell["pathway"], cell["province"]) == (
        "s0",
        "gene_therapy",
        IN_A_PROVINCE,
    )
    assert cell["projects"]["active"] == 1
    assert told["counts"]["left_out"] == 1
    assert told["counts"]["coverage"]["as_of"] == told["as_of"]
    (money,) = told["money"]
    assert (money["currency"], Decimal(money["committed"])) == (
        "IRR",
        Decimal("100000000000000.25"),
    )
    sample = await ask(http, center_id=center, sample="true")
    assert sample["counts"]["total"]["active"] == 1
    assert sample["money"] == []
    # The center itself sees its own, and another sees nothing of it.
    for own, count in (([center], 1), ([], 0)):
        token = network.token("center_admin", center_ids=own)
        answer = await http.get("/v1/portfolio", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["counts"]["total"]["active"] == count


async def test_what_cannot_be_asked_is_refused_in_the_language_of_who_asks(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get(
        "/v1/portfolio", params={"province": "IR-99"}, headers={"Accept-Language": "fa"}
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["rule"]) == ("province", "UNKNOWN_PROVINCE")
    assert "استان" in error["detail"]
    for params in ({"patience_days": "-1"}, {"pathway": "fly"}, {"stuck_limit": "201"}):
        assert (await http.get("/v1/portfolio", params=params)).status_code == 422
    anyone = await http.get("/v1/portfolio", headers={"Authorization": ""})
    assert anyone.status_code == 401


@contextlib.asynccontextmanager
async def at_the_portfolio(
    chromium: Browser, network: Cluster, scheme: str
) -> AsyncGenerator[Page]:
    """The headquarters with a browser, led to the portfolio."""
    async with reader(chromium, network, color_scheme=scheme, reduced_motion="reduce") as page:
        await sign_in(page)
        await page.get_by_role("link", name="سبد طرح‌ها").click()
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_is_led_to_and_read_in_both_languages(
    chromium: Browser, network: Cluster, made: Json, scheme: str, tmp_path: Path
) -> None:
    title = made["project"]["titles"]["en"]
    async with at_the_portfolio(chromium, network, scheme) as page:
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        await expect(page.locator("h1")).to_contain_text("در جریان")
        await page.locator("select[name=province]").select_option(IN_A_PROVINCE)
        async with page.expect_navigation():
            await page.get_by_role("button", name="نمایش").click()
        await expect(page.locator(".matrix tbody tr")).to_have_count(6)
        await expect(page.locator(".provinces li")).to_have_count(1)
        await expect(page.locator(".times tbody tr")).to_have_count(8)
        for width in (375, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await page.evaluate(CONTRAST) == []
            await page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("html")).to_have_attribute("dir", "ltr")
        # What the reader has narrowed it to is kept.
        await expect(page.locator("select[name=province]")).to_have_value(IN_A_PROVINCE)
        await page.goto(f"{network.gateway_url}/projects/{made['project']['id']}")
        await expect(page.locator("h1")).to_contain_text(title)
        await expect(page.locator(".next-gate")).to_contain_text("S0 Disclosure")
        await expect(page.locator(".criteria li").first).to_contain_text("Submit evidence")
