"""Clients that keep writing through every outage, as good clients do.

Each POST carries an `Idempotency-Key` and is sent again with the same key until its
answer arrives. What was acknowledged is written down for the oracle, together with all
that was ever asked for.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

_STEPS = {
    "planned": "establish",
    "establishing": "open",
    "operational": "suspend",
    "suspended": "resume",
}
_IN_USE = "IDEMPOTENCY_KEY_IN_USE"
# A project can name a center only once its creation has reached the other service.
_NOT_KNOWN_YET = "UNKNOWN_CENTER"


@dataclass(frozen=True)
class Acknowledged:
    """A write whose success was answered: what it did to which resource."""

    service: str
    id: str
    version: int
    key: str = ""


@dataclass
class Ledger:
    """What clients asked for and what was answered."""

    asked: set[str] = field(default_factory=set[str])
    acknowledged: list[Acknowledged] = field(default_factory=list[Acknowledged])
    refused: Counter[str] = field(default_factory=Counter[str])
    sent_again: int = 0


class Client:
    """One writer. It works on resources of its own, so nobody else is in its way."""

    def __init__(
        self, http: httpx.AsyncClient, ledger: Ledger, name: str, dice: random.Random
    ) -> None:
        self._http = http
        self._ledger = ledger
        self._name = name
        self._dice = dice
        self._number = 0
        self._centers: list[Any] = []
        self._institutions: list[Any] = []

    async def work(self, done: asyncio.Event) -> None:
        """Write until `done`; what was begun by then is brought to its end."""
        acts: list[Callable[[], Any]] = [
            *[self._create_center] * 2,
            *[self._step_center] * 3,
            *[self._create_institution] * 2,
            *[self._update_institution] * 2,
            self._create_project,
        ]
        while not done.is_set():
            await self._dice.choice(acts)()

    async def _create_center(self) -> None:
        key = self._key()
        center = {"code": key, "names": {"en": f"Center {key}"}, "province": "IR-03"}
        created = await self._post("centers", "/v1/centers", key, center)
        if created is not None:
            self._centers.append(created)

    async def _step_center(self) -> None:
        if not self._centers:
            return
        place = self._dice.randrange(len(self._centers))
        center = self._centers[place]
        stepped = await self._post(
            "centers",
            f"/v1/centers/{center['id']}:{_STEPS[center['state']]}",
            self._key(),
            {"reason": "tried"},
            {"If-Match": f'"{center["etag"]}"'},
        )
        if stepped is not None:
            self._centers[place] = stepped

    async def _create_institution(self) -> None:
        key = self._key()
        name = {"text": key, "language": "en", "script": "Latn", "kind": "official"}
        institution = {"names": [name], "country": "IR", "type": "education"}
        created = await self._post("partners", "/v1/institutions", key, institution)
        if created is not None:
            self._institutions.append(created)

    async def _update_institution(self) -> None:
        """Change an institution; PATCH has no key, the version keeps it from acting twice."""
        if not self._institutions:
            return
        place = self._dice.randrange(len(self._institutions))
        known = self._institutions[place]
        path = f"/v1/institutions/{known['id']}"
        note = {"website": f"https://{self._key().lower()}.example"}
        answer = await self._send(
            "PATCH", path, {"contact": note}, {"If-Match": f'"{known["etag"]}"'}
        )
        if answer.status_code == HTTPStatus.OK:
            self._institutions[place] = answer.json()
            self._acknowledge("partners", answer.json())
        elif answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            # It was done, and its answer was lost.
            self._institutions[place] = (await self._send("GET", path)).json()
        else:
            self._refused(answer)

    async def _create_project(self) -> None:
        if not self._centers:
            return
        key = self._key()
        project = {
            "titles": {"en": key},
            "lead_center_id": self._dice.choice(self._centers)["id"],
            "pathway": "somatic_cell",
        }
        await self._post("projects", "/v1/projects", key, project)

    async def _post(
        self,
        service: str,
        path: str,
        key: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        self._ledger.asked.add(key)
        answer = await self._send("POST", path, body, {"Idempotency-Key": key, **(headers or {})})
        if answer.is_success:
            self._acknowledge(service, answer.json(), key)
            return answer.json()
        self._refused(answer)
        return None

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request, again and again, until the answer is not about an outage."""
        pause = 0.05
        while True:
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                pass
            else:
                running = answer.status_code == HTTPStatus.CONFLICT and _reason(answer) == _IN_USE
                if not (answer.is_server_error or running):
                    return answer
            self._ledger.sent_again += 1
            await asyncio.sleep(pause * self._dice.random())
            pause = min(2 * pause, 1.0)

    def _acknowledge(self, service: str, resource: Any, key: str = "") -> None:
        version = int(resource["etag"].removeprefix("v"))
        self._ledger.acknowledged.append(Acknowledged(service, resource["id"], version, key))

    def _refused(self, answer: httpx.Response) -> None:
        self._ledger.refused[f"{answer.status_code} {_reason(answer)}"] += 1

    def _key(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"


def _reason(answer: httpx.Response) -> str:
    problem = answer.json()
    inner = [error.get("reason", error.get("rule", "")) for error in problem.get("errors") or ()]
    return " ".join([problem.get("reason", ""), *inner])
