"""People who call a network, wherever it runs, each with a token of their own."""

import secrets
from collections.abc import Sequence
from typing import Any, Protocol

from tests.support.http import client
from tests.support.messaging import eventually

Json = dict[str, Any]


class Entrance(Protocol):
    """Where a network is called, and who gives tokens for it."""

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        ...

    def token(self, role: str, sub: str | None = None, *, center_ids: Sequence[str] = ()) -> str:
        """A token for somebody with one role, who acts for some centers."""
        ...


class Person:
    """Someone who calls, with a token of their own."""

    def __init__(
        self, network: Entrance, role: str, name: str, center_ids: Sequence[str] = ()
    ) -> None:
        token = network.token(role, name, center_ids=center_ids)
        self.http = client(network.gateway_url, token)

    async def get(self, path: str, status: int = 200, **query: str) -> Json:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Json, status: int = 201, etag: str = "") -> Json:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        if etag:
            headers["If-Match"] = f'"{etag}"'
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()


async def center(admin: Person, code: str) -> str:
    names = {"fa": "مرکز", "en": f"Center {code}"}
    body = {"code": code, "names": names, "province": "IR-03"}
    return (await admin.post("/v1/centers", body))["id"]


async def project_of_a_new_center(admin: Person, **values: Any) -> Json:
    """A project in S0, as soon as its center is known where projects are recorded."""
    lead = await center(admin, f"GP{secrets.token_hex(3).upper()}")
    given: Json = {
        "titles": {"en": "Cartilage patch", "fa": "وصلهٔ غضروفی"},
        "lead_center_id": lead,
        "pathway": "somatic_cell",
    }
    made: Json = {}

    async def the_center_is_known() -> bool:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = await admin.http.post("/v1/projects", json=given | values, headers=headers)
        made.update(answer.json())
        return answer.status_code == 201

    await eventually(the_center_is_known)
    return made
