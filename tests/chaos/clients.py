"""Clients that keep writing through every outage, as good clients do.

Each POST carries an `Idempotency-Key` and is sent again with the same key until its
answer arrives. What was acknowledged is written down for the oracle, together with all
that was ever asked for.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

# The step that a resource is taken by from each of its states, by collection.
_STEPS = {
    "centers": {
        "planned": "establish",
        "establishing": "open",
        "operational": "suspend",
        "suspended": "resume",
    },
    "agreements": {
        "draft": "negotiate",
        "negotiating": "sign",
        "partly_signed": "sign",
        "signed": "enter-force",
        "in_force": "suspend",
        "suspended": "resume",
    },
    "activities": {"proposed": "approve", "approved": "start", "active": "complete"},
    "action-items": {"open": "complete", "done": "reopen"},
}
_PARTIES = {"iran": "IR", "russia": "RU"}
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
    """What clients asked for and what was answered.

    Attributes:
        there: names of what was there before they began.
        sent_again: why requests were sent again, and how often.
    """

    there: set[str | None] = field(default_factory=set[str | None])
    asked: set[str] = field(default_factory=set[str])
    acknowledged: list[Acknowledged] = field(default_factory=list[Acknowledged])
    refused: Counter[str] = field(default_factory=Counter[str])
    sent_again: Counter[str] = field(default_factory=Counter[str])


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
        self._known = defaultdict[str, list[Any]](list)

    async def work(self, done: asyncio.Event) -> None:
        """Write until `done`; what was begun by then is brought to its end."""
        acts: list[Callable[[], Any]] = [
            *[self._create_center] * 2,
            *[partial(self._step, "centers", "centers")] * 3,
            *[self._create_institution] * 2,
            *[self._update_institution] * 2,
            self._create_project,
            self._create_agreement,
            *[partial(self._step, "partners", "agreements")] * 2,
            self._create_activity,
            partial(self._step, "partners", "activities"),
            self._create_plan,
            self._update_plan,
            self._create_indicator,
            self._observe,
            self._create_action_item,
            partial(self._step, "observatory", "action-items"),
        ]
        while not done.is_set():
            await self._dice.choice(acts)()

    async def _create_center(self) -> None:
        key = self._key()
        center = {"code": key, "names": {"en": f"Center {key}"}, "province": "IR-03"}
        await self._create("centers", "centers", key, center)

    async def _create_institution(self) -> None:
        key = self._key()
        name = {"text": key, "language": "en", "script": "Latn", "kind": "official"}
        institution = {"names": [name], "country": "IR", "type": "education"}
        await self._create("partners", "institutions", key, institution)

    async def _create_agreement(self) -> None:
        key = self._key()
        parties = [{"key": party, "country": country} for party, country in _PARTIES.items()]
        agreement = {"kind": "mou", "titles": {"en": key}, "parties": parties}
        await self._create("partners", "agreements", key, agreement)

    async def _create_activity(self) -> None:
        key = self._key()
        activity = {"kind": "meeting", "titles": {"en": key}}
        await self._create("partners", "activities", key, activity)

    async def _create_plan(self) -> None:
        key = self._key()
        await self._create("observatory", "plans", key, {"code": key, "titles": {"en": key}})

    async def _create_indicator(self) -> None:
        key = self._key()
        indicator = {
            "code": key,
            "titles": {"en": key},
            "direction": "up",
            "kind": "stock",
            "source_kind": "entered",
        }
        await self._create("observatory", "indicators", key, indicator)

    async def _observe(self) -> None:
        """Enter what was observed, as a correction of the last where there is one."""
        if not self._known["indicators"]:
            return
        key = self._key()
        indicator = self._dice.choice(self._known["indicators"])
        path = f"indicators/{indicator['id']}/observations"
        observation: dict[str, Any] = {"claim": {"en": key}, "period": {"value": "2024"}}
        if before := self._known[path]:
            observation["revision_of"] = before[-1]["id"]
        await self._create("observatory", path, key, observation)

    async def _create_action_item(self) -> None:
        key = self._key()
        await self._create("observatory", "action-items", key, {"text": {"en": key}})

    async def _create(self, service: str, path: str, key: str, body: Mapping[str, Any]) -> None:
        created = await self._post(service, f"/v1/{path}", key, body)
        if created is not None:
            self._known[path].append(created)

    async def _step(self, service: str, collection: str) -> None:
        """Take one of the resources a step further, if one can go further."""
        steps, known = _STEPS[collection], self._known[collection]
        places = [place for place, item in enumerate(known) if item["state"] in steps]
        if not places:
            return
        place = self._dice.choice(places)
        resource = known[place]
        body: dict[str, Any] = {"reason": "tried"}
        verb = steps[resource["state"]]
        if verb == "sign":
            party = list(_PARTIES)[len(resource["signatures"])]
            date = {"value": "2024-04-25"}
            body["signature"] = {"party": party, "name": {"en": party}, "signed_date": date}
        stepped = await self._post(
            service,
            f"/v1/{collection}/{resource['id']}:{verb}",
            self._key(),
            body,
            {"If-Match": f'"{resource["etag"]}"'},
        )
        if stepped is not None:
            known[place] = stepped

    async def _update_institution(self) -> None:
        website = {"website": f"https://{self._key().lower()}.example"}
        await self._update("partners", "institutions", {"contact": website})

    async def _update_plan(self) -> None:
        await self._update("observatory", "plans", {"note": {"en": self._key()}})

    async def _update(self, service: str, collection: str, body: Mapping[str, Any]) -> None:
        """Change a resource; PATCH has no key, the version keeps it from acting twice."""
        known = self._known[collection]
        if not known:
            return
        place = self._dice.randrange(len(known))
        resource = known[place]
        path = f"/v1/{collection}/{resource['id']}"
        answer = await self._send("PATCH", path, body, {"If-Match": f'"{resource["etag"]}"'})
        if answer.status_code == HTTPStatus.OK:
            known[place] = answer.json()
            self._acknowledge(service, answer.json())
        elif answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            # It was done, and its answer was lost.
            known[place] = (await self._send("GET", path)).json()
        else:
            self._refused(answer)

    async def _create_project(self) -> None:
        if not self._known["centers"]:
            return
        key = self._key()
        project = {
            "titles": {"en": key},
            "lead_center_id": self._dice.choice(self._known["centers"])["id"],
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
            except httpx.TransportError as error:
                why = repr(error)
            else:
                running = answer.status_code == HTTPStatus.CONFLICT and _reason(answer) == _IN_USE
                if not (answer.is_server_error or running):
                    return answer
                why = f"{answer.status_code} {answer.text[:200]}"
            self._ledger.sent_again[why] += 1
            await asyncio.sleep(pause * self._dice.random())
            pause = min(2 * pause, 1.0)

    def _acknowledge(self, service: str, resource: Any, key: str = "") -> None:
        # What may stand behind a dot tells representations of one version apart.
        version = int(resource["etag"].removeprefix("v").partition(".")[0])
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
