"""What a developer finds in a browser."""

import re
from html import unescape

import httpx
import pytest

from servicekit.contract import contract


async def test_every_problem_has_a_page_in_both_languages(http: httpx.AsyncClient) -> None:
    index = (await http.get("/problems")).text
    for reason, spec in contract().errors.items():
        assert f"/problems/{reason}" in index
        for language, text in (("en", spec.en), ("fa", spec.fa)):
            answer = await http.get(f"/problems/{reason}", headers={"Accept-Language": language})
            assert answer.status_code == 200
            assert answer.headers["content-language"] == language
            assert f'<html lang="{language}"' in answer.text
            assert text.split("{")[0].strip() in unescape(answer.text)


@pytest.mark.parametrize("page", ["/docs", "/problems", "/problems/NOT_FOUND"])
async def test_pages_ask_nobody_else_for_anything(http: httpx.AsyncClient, page: str) -> None:
    answer = await http.get(page)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    used = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert used
    for address in used:
        assert address.startswith(("/", "data:,"))
        if not address.startswith("data:"):
            assert (await http.get(address)).status_code == 200, address


async def test_the_document_is_served_as_it_is_committed(http: httpx.AsyncClient) -> None:
    document = (await http.get("/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert "/v1/centers/{center_id}:suspend" in document["paths"]
