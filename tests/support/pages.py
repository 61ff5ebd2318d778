"""The pages of a network as readers see them, each in a browser of their own."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from peyvandctl.cluster import Cluster

# Milliseconds that a step may take on a machine that is busy.
PATIENCE = 60_000

CENTERS = "table.centers tbody tr"

# Texts whose contrast with the ground behind them is below 4.5 (WCAG AA).
CONTRAST = """() => {
  const channel = (value) => {
    value /= 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([r, g, b]) =>
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const ground = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(node).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility() || element.tagName === "NOSCRIPT") continue;
    const pair = [numbers(getComputedStyle(element).color), ground(element)].map(luminance);
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) found.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""


@contextlib.asynccontextmanager
async def reader(
    chromium: Browser, cluster: Cluster, locale: str = "fa-IR", **more: Any
) -> AsyncGenerator[Page]:
    """A reader with a browser of their own, which may complain of nothing."""
    context = await chromium.new_context(
        locale=locale, viewport={"width": 1280, "height": 900}, **more
    )
    context.set_default_timeout(PATIENCE)
    complaints = watch(context, cluster.gateway_url)
    page = await context.new_page()
    await page.goto(cluster.gateway_url)
    try:
        yield page
        assert complaints == []
    finally:
        await context.close()


def watch(context: BrowserContext, own: str) -> list[str]:
    """Collect what a page must not do: log errors, break its policy, call elsewhere."""
    complaints: list[str] = []
    context.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and not is_lost_line(message.text)
            else None
        ),
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(own)
            else complaints.append(f"asked elsewhere: {request.url}")
        ),
    )
    return complaints


def is_lost_line(text: str) -> bool:
    """Tell whether a browser or htmx speaks of a gateway that a test has stopped, or that is late.

    Of what comes too late htmx says no more than that.
    """
    said = ("net::ERR_", "Failed to fetch", "network error", "error: timeout")
    return any(part in text for part in said)


async def sign_in(page: Page) -> None:
    await page.get_by_role("button", name="ورود به‌عنوان ستاد").click()
    await expect(page.locator(".who")).to_contain_text("مدیر ستاد")
