"""The addresses of the page: what is answered, kept, and told when something is away."""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.pages import page_stream
from gateway.pages.picture import MIN_INTERVAL
from servicekit.errors import Fault
from tests.unit.gateway.pages.conftest import Site

OBSERVATORY = ("GetNetworkStatus", "ListRegulations", "ListEvents", "ListActionItems")


def break_down(site: Site) -> None:
    site.clients.serving["observatory"] = False
    site.clients.answers |= dict.fromkeys(OBSERVATORY, Fault("UNAVAILABLE"))


async def pause() -> None:
    """Let the shared picture become too old to be given again."""
    await asyncio.sleep(0.35)


@pytest.mark.parametrize(
    ("cookie", "query", "accepted", "language"),
    [
        ("", "", "", "fa"),
        ("", "", "de-DE,de;q=0.9", "fa"),
        ("", "", "en-US,en;q=0.9", "en"),
        ("", "", "en;q=0.5,fa;q=0.9", "fa"),
        ("fa", "", "en", "fa"),
        ("fa", "?lang=en", "fa", "en"),
        ("xx", "?lang=xx", "en", "en"),
    ],
)
async def test_the_language_is_the_readers(
    local: httpx.AsyncClient, cookie: str, query: str, accepted: str, language: str
) -> None:
    local.cookies.set("peyvand_lang", cookie)
    answer = await local.get(f"/{query}", headers={"Accept-Language": accepted})
    assert answer.headers["content-language"] == language
    direction = "rtl" if language == "fa" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    assert ("peyvand_lang=en" in answer.headers.get("set-cookie", "")) == ("lang=en" in query)


async def test_forms_say_where_they_come_from_and_nobody_else_is_told(
    local: httpx.AsyncClient,
) -> None:
    # A browser sends "Origin: null" with the form of a page that has no referrer.
    for page in ("/", "/sign-in/back"):
        assert (await local.get(page)).headers["referrer-policy"] == "same-origin"
    assert (await local.get("/v1/nothing")).headers["referrer-policy"] == "no-referrer"


async def test_the_page_carries_nothing_that_its_policy_forbids(local: httpx.AsyncClient) -> None:
    answer = await local.get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    for forbidden in ("<style", " style=", " onclick=", "javascript:", "http://", "https://"):
        assert forbidden not in answer.text, forbidden
    assert "<script>" not in answer.text


async def test_what_has_not_changed_is_not_sent_again(local: httpx.AsyncClient, site: Site) -> None:
    for path in ("/", "/pages/network"):
        first = await local.get(path)
        again = await local.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["vary"] == "Accept-Language, Authorization, Cookie"
    before = await local.get("/pages/network")
    status: Any = site.clients.answers["GetNetworkStatus"]
    status.centers[0].state_reason, status.etag = "Something new", "2"
    await pause()
    after = await local.get("/pages/network", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, "Something new" in after.text) == (200, True)


async def test_many_readers_cost_the_observatory_one_question(
    local: httpx.AsyncClient, site: Site
) -> None:
    await asyncio.gather(*(local.get("/pages/network") for _ in range(20)))
    asked = [rpc.descriptor.name for rpc, _, _ in site.clients.calls]
    assert sorted(asked) == ["GetNetworkStatus", "ListEvents", "ListRegulations"]


async def test_readers_who_may_not_see_the_same_share_nothing(local: httpx.AsyncClient) -> None:
    public = (await local.get("/")).text
    assert "تعیین تکلیف" not in public
    await local.post("/sign-in", headers={"Sec-Fetch-Site": "same-origin"})
    assert "تعیین تکلیف" in (await local.get("/")).text
    local.cookies.delete("peyvand_session")
    assert "تعیین تکلیف" not in (await local.get("/")).text


async def test_text_from_elsewhere_is_text(local: httpx.AsyncClient, site: Site) -> None:
    status: Any = site.clients.answers["GetNetworkStatus"]
    status.centers[0].names.fa = '<script>alert("x")</script>'
    text = (await local.get("/")).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


async def test_an_observatory_that_is_gone_leaves_the_last_figures_and_a_warning(
    local: httpx.AsyncClient, site: Site
) -> None:
    first = await local.get("/")
    assert "alarm-down" not in first.text
    assert 'class="fresh"' in first.text
    break_down(site)
    await pause()
    answer = await local.get("/")
    assert answer.status_code == 200
    assert "این ارقام مربوط به" in answer.text
    assert 'class="stale"' in answer.text
    assert "به‌روز" in first.text
    assert "به‌روز" not in answer.text, "of the sources nobody can say it now"
    assert answer.text.count('data-state="operational"') == 4
    assert answer.headers["etag"] != first.headers["etag"]


async def test_a_monitor_may_ask_without_the_body(local: httpx.AsyncClient) -> None:
    for path in ("/", "/favicon.ico"):
        assert (await local.head(path)).status_code == 200


async def test_without_any_figures_the_page_still_tells_the_truth(
    local: httpx.AsyncClient, site: Site
) -> None:
    break_down(site)
    answer = await local.get("/")
    assert answer.status_code == 200
    assert "هنوز هیچ رقمی نرسیده است" in answer.text
    assert "به‌موقع" not in answer.text


async def test_a_service_that_does_not_answer_is_named(
    local: httpx.AsyncClient, site: Site
) -> None:
    site.clients.serving["centers"] = False
    assert "اکنون پاسخ نمی‌دهد: مراکز" in (await local.get("/")).text


async def test_scripts_run_before_the_document_is_done(local: httpx.AsyncClient) -> None:
    # htmx begins when the document is done, or at once when it is: what is deferred, or comes
    # from elsewhere than the end of the document, may come too late for it.
    page = (await local.get("/")).text
    scripts = re.findall(r"<script[^>]*>", page)
    assert [script.split("/")[-1].split("?")[0] for script in scripts] == [
        "htmx.min.js",
        "hx-sse.min.js",
        "page.js",
    ]
    assert not any(word in script for script in scripts for word in ("defer", "async", "module"))


async def test_files_are_kept_by_browsers_under_a_name_that_changes_with_them(
    local: httpx.AsyncClient,
) -> None:
    page = (await local.get("/")).text
    # A script is named twice: where it runs, and before that, to be fetched early.
    found = dict.fromkeys(part.split('"')[0] for part in page.split('"/pages/static/')[1:])
    addresses = list(found)
    assert len(addresses) == 5
    for address in addresses:
        answer = await local.get(f"/pages/static/{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await local.get(f"/pages/static/{address}", headers=known)).status_code == 304
    font = await local.get("/pages/static/vendor/vazirmatn/Vazirmatn-wght.woff2")
    assert font.headers["content-type"] == "font/woff2"
    for path in ("nothing.css", "vendor/README.md", "../routes.py", "%2e%2e/routes.py"):
        assert (await local.get(f"/pages/static/{path}")).status_code == 404


class Stream:
    """The page stream as a browser reads it, without a server in between."""

    def __init__(self, site: Site, seen: str) -> None:
        self._site = site
        self._messages: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": "/pages/live",
            "raw_path": b"/pages/live",
            "query_string": f"seen={seen}".encode(),
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "server": ("localhost", 80),
        }

    async def __aenter__(self) -> "Stream":
        app: Any = self._site.app
        self.task = asyncio.create_task(app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await asyncio.wait_for(self.task, 60)

    async def next(self, within: float = 60.0) -> str:
        return (await asyncio.wait_for(self._messages.get(), within)).decode()

    async def within(self, seconds: float) -> list[str]:
        """Everything that comes within a time."""
        await asyncio.sleep(seconds)
        return [self._messages.get_nowait().decode() for _ in range(self._messages.qsize())]

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message.get("body"):
            self._messages.put_nowait(message["body"])


def tag_of(page: httpx.Response) -> str:
    return page.text.split("/pages/live?seen=")[1].split('"')[0]


@pytest.fixture
async def tag(local: httpx.AsyncClient) -> str:
    return tag_of(await local.get("/"))


@pytest.fixture
async def stream(site: Site, tag: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stream]:
    # That nothing has changed is said at once alone, however long the machine stands still.
    monkeypatch.setattr(page_stream, "ALIVE_SECONDS", math.inf)
    async with Stream(site, tag) as opened:
        assert "event: alive" in await opened.next()
        yield opened


async def test_a_page_is_told_that_something_changed_and_once_for_a_burst(
    local: httpx.AsyncClient, site: Site, stream: Stream, tag: str
) -> None:
    assert await stream.within(0.4) == []
    status: Any = site.clients.answers["GetNetworkStatus"]
    began = time.monotonic()
    for number in range(20):
        status.etag = f"burst {number}"
        site.feed.wake()
        await asyncio.sleep(0.01)
    looks = math.ceil((time.monotonic() - began) / MIN_INTERVAL)
    await pause()
    last = tag_of(await local.get("/"))
    told: list[str] = []
    while f"id: {last}\n" not in "".join(told):
        told.append(await stream.next())
    # The first of a burst is told at once, the rest together once in each interval.
    assert 1 <= len(told) <= 1 + looks
    assert len(told) < 20
    assert all("event: changed" in message for message in told)
    assert last != tag
    site.feed.wake()  # nothing new: nothing is said
    assert await stream.within(0.5) == []


async def test_a_page_that_missed_something_is_told_when_it_comes(site: Site) -> None:
    async with Stream(site, "something-old") as opened:
        assert "event: alive" in await opened.next()
        assert "event: changed" in await opened.next()


async def test_a_page_is_told_of_an_outage_and_of_its_end(site: Site, stream: Stream) -> None:
    answers = dict(site.clients.answers)
    break_down(site)
    site.feed.wake()
    assert "event: changed" in await stream.next()
    site.clients.answers |= answers
    site.clients.serving["observatory"] = True
    site.feed.wake()
    assert "event: changed" in await stream.next()


async def test_streams_end_when_the_process_does(site: Site, tag: str) -> None:
    async with Stream(site, tag) as opened:
        await opened.next()
        site.edge.closing.set()
        await asyncio.wait_for(opened.task, 60)
