"""Who may become the headquarters by a click."""

import httpx
import pytest

from gateway.app import create_app
from tests.unit.gateway.pages.conftest import Site

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


async def test_a_click_on_this_machine_signs_in(local: httpx.AsyncClient) -> None:
    assert 'action="/sign-in"' in (await local.get("/")).text
    answer = await local.post("/sign-in", headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
        assert attribute in cookie
    assert "Secure" not in cookie
    page = (await local.get("/")).text
    assert "مدیر ستاد" in page
    assert 'action="/sign-out"' in page
    assert "تعیین تکلیف" in page
    answer = await local.post("/sign-out", headers=SAME_ORIGIN)
    assert (answer.status_code, dict(local.cookies)) == (303, {})
    assert "تعیین تکلیف" not in (await local.get("/")).text


async def test_over_https_the_cookie_is_for_https_alone(site: Site) -> None:
    transport = httpx.ASGITransport(site.app, client=("::1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="https://[::1]:8443") as http:
        answer = await http.post("/sign-in", headers=SAME_ORIGIN)
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("::ffff:192.0.2.7", {}),
        ("127.0.0.1", {"Host": "rebound.example:8080"}),
        ("127.0.0.1", {"Host": "localhost.example"}),
        ("127.0.0.1", {"Host": "[::1].example"}),
        ("127.0.0.1", {"Host": ""}),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "same-site"}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
    ],
)
async def test_nobody_else_is_offered_it_or_gets_it(
    site: Site, address: str, headers: dict[str, str]
) -> None:
    transport = httpx.ASGITransport(site.app, client=(address, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as http:
        answer = await http.post("/sign-in", headers=SAME_ORIGIN | headers)
        assert (answer.status_code, answer.json()["reason"]) == (404, "ROUTE_NOT_FOUND")
        assert "set-cookie" not in answer.headers
        if "Sec-Fetch-Site" not in headers:
            assert "/sign-in" not in (await http.get("/", headers=headers)).text


async def test_a_form_without_any_origin_is_not_believed(local: httpx.AsyncClient) -> None:
    assert (await local.post("/sign-in")).status_code == 404
    assert (await local.post("/sign-in", headers={"Origin": "http://localhost:9"})).is_error
    own = {"Origin": "http://localhost:8080"}
    assert (await local.post("/sign-in", headers=own)).status_code == 303


async def test_without_a_signing_key_there_is_no_such_address(site: Site) -> None:
    site.edge.settings = site.edge.settings.model_copy(update={"signing_key": ""})
    transport = httpx.ASGITransport(create_app(site.edge), client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as http:
        assert (await http.post("/sign-in", headers=SAME_ORIGIN)).status_code == 404
        assert "/sign-in" not in (await http.get("/")).text
