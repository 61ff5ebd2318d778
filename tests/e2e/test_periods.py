"""A month of two centers, from their own report to the headquarters' page."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from domainkit.months import month_of
from peyvandctl.cluster import Cluster
from tests.support.http import client
from tests.support.messaging import eventually
from tests.support.pages import CENTERS, reader, sign_in


def last_month() -> str:
    """The month that has ended last."""
    return str(month_of(datetime.now(UTC), persian=True).shifted(-1))


async def peyvand(cluster: Cluster, token: str, *arguments: str) -> Any:
    """Run a command as the bearer of a token; give its JSON."""
    environment = os.environ | {"PEYVAND_URL": cluster.gateway_url, "PEYVAND_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "peyvandctl", *arguments, "--json"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    return json.loads(output)


async def test_what_a_center_reports_is_a_figure_of_the_network_once_it_is_approved(
    chromium: Browser, cluster: Cluster, tmp_path: Path
) -> None:
    hq = cluster.token("hq_admin")
    async with client(cluster.gateway_url, hq) as http:
        listed = (await http.get("/v1/centers")).raise_for_status().json()["centers"]
        ids = {center["code"]: center["id"] for center in listed}
        tabriz = cluster.token("center_operator", center_ids=[ids["TBZ"]])
        shiraz = cluster.token("center_operator", center_ids=[ids["SHZ"]])
        last = last_month()
        month = ("--period", last)
        drafts = [
            await peyvand(cluster, token, "reports", "draft", "--center", code, *month, *figures)
            for token, code, figures in (
                (tabriz, "TBZ", ("--samples-processed", "120", "--articles", "0")),
                (shiraz, "SHZ", ("--samples-processed", "35", "--trainees", "8")),
            )
        ]
        first, second = (str(draft["id"]) for draft in drafts)
        await peyvand(cluster, tabriz, "reports", "submit", first)
        await peyvand(cluster, shiraz, "reports", "submit", second)

        async def waiting() -> bool:
            found = await peyvand(cluster, hq, "reports", "list", "--state", "submitted")
            return {report["id"] for report in found} == {first, second}

        await eventually(waiting, within=60)
        # What waits is no figure; what the headquarters gives back is none either.
        assert (await http.get("/v1/network/status")).json()["totals"]["activity"] is None
        await peyvand(cluster, hq, "reports", "return", second, "--comment", "مقاله‌ها؟")
        await peyvand(cluster, shiraz, "reports", "change", second, "--articles", "2")
        await peyvand(cluster, shiraz, "reports", "submit", second)
        for id in (first, second):
            await peyvand(cluster, hq, "reports", "approve", id)

        async def counted() -> bool:
            activity = (await http.get("/v1/network/status")).json()["totals"]["activity"]
            return activity is not None and activity["known"] == 2

        await eventually(counted, within=60)
        activity = (await http.get("/v1/network/status")).json()["totals"]["activity"]
        assert (activity["period"], activity["of"]) == (last, len(ids))
        assert activity["samples_processed"] == {"value": "155", "known": 2, "sample": None}
        assert activity["articles"]["value"] == "2"
        assert activity["procedures"] == {"value": None, "known": 0, "sample": None}
        own = await peyvand(cluster, shiraz, "reports", "months", "--months", "1")
        assert own["periods"][0]["totals"] is None
        assert [one["figures"]["trainees"] for one in own["periods"][0]["centers"]] == [8]

        rebuilt: dict[str, Any] = {}

        async def rebuilt_anew() -> bool:
            # Sent again with its key it waits on for what has begun.
            answer = await http.post("/v1/network:rebuild", headers={"Idempotency-Key": "again"})
            rebuilt.update(answer.raise_for_status().json())
            return True

        await eventually(rebuilt_anew)
        assert rebuilt["digest_before"] == rebuilt["digest_after"]
        assert (await http.get("/v1/network/status")).json()["totals"]["activity"][
            "samples_processed"
        ] == activity["samples_processed"]

    async with reader(chromium, cluster) as page:
        await expect(page.locator(".activity")).to_have_count(0)
        await sign_in(page)
        shown = page.locator(".activity")
        await expect(shown).to_contain_text("۲ از ۵ مرکز گزارش تأییدشدهٔ این ماه را دارند")
        await expect(shown.locator("tr.all td").first).to_contain_text("۱۵۵")
        rows = shown.locator("tbody tr").filter(has_text="تبریز")
        await expect(rows.locator("td")).to_contain_text(["۱۲۰", "—", "—", "—", "۰"])
        await expect(shown.locator("tr.all svg").first.locator(".month")).to_have_count(12)
        await expect(shown.locator("tr.all svg").first.locator(".month-known")).to_have_count(1)
        await page.screenshot(path=tmp_path / "months-fa.png", full_page=True)
        await page.goto(f"{cluster.gateway_url}/?lang=en")
        await expect(page.locator(".activity h2")).to_contain_text("What centers did in")
        await page.screenshot(path=tmp_path / "months-en.png", full_page=True)
        await page.set_viewport_size({"width": 390, "height": 844})
        wide = "document.documentElement.scrollWidth > window.innerWidth"
        assert not await page.evaluate(wide)
        await page.screenshot(path=tmp_path / "months-narrow.png", full_page=True)

        # The times after which its silence counts are set where a center is shown.
        await page.set_viewport_size({"width": 1280, "height": 900})
        await page.locator(CENTERS).filter(has_text="Tabriz").get_by_role("link").first.click()
        await page.locator(".thresholds input[name=capacity_hours]").fill("۲")
        await page.locator(".thresholds button").click()
        await expect(page.locator(".facts")).to_contain_text("Capacity late after (hours)")
        await expect(page.locator(".thresholds input[name=capacity_hours]")).to_have_value("2")
        await page.screenshot(path=tmp_path / "center.png", full_page=True)
    told = await peyvand(cluster, hq, "centers", "thresholds", "TBZ")
    assert told["capacity_hours"] == 2
    told = await peyvand(
        cluster, hq, "centers", "thresholds", "TBZ", "--feed", "heartbeat", "--late", "1m"
    )
    assert (told["capacity_hours"], told["late_seconds"]) == (2, 60)
