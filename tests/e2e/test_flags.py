"""A center is suspended and its project flagged, on the whole network, by the public API."""

import asyncio
import secrets
import time
from typing import Any

import httpx

from tests.support.messaging import eventually

Json = dict[str, Any]


async def post(
    http: httpx.AsyncClient, path: str, body: Json, etag: str = "", key: str = ""
) -> httpx.Response:
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    if etag:
        headers["If-Match"] = f'"{etag}"'
    return await http.post(path, json=body, headers=headers)


async def read(http: httpx.AsyncClient, path: str, **params: str) -> Json:
    return (await http.get(path, params=params)).raise_for_status().json()


async def made(http: httpx.AsyncClient, path: str, body: Json, within: float = 60) -> Json:
    """Record something; what it points to may not be known there in the first moment."""
    until, key = time.monotonic() + within, secrets.token_hex(8)
    while True:
        # With the same key: what was recorded though its answer was lost is not made twice.
        answer = await post(http, path, body, key=key)
        if answer.is_success or time.monotonic() > until:
            return answer.raise_for_status().json()
        await asyncio.sleep(0.03)


async def step(http: httpx.AsyncClient, path: str, verb: str, **body: str) -> Json:
    now = await read(http, path)
    return (await post(http, f"{path}:{verb}", body, now["etag"])).raise_for_status().json()


async def test_a_project_is_flagged_while_its_center_is_suspended(http: httpx.AsyncClient) -> None:
    code = "F" + secrets.token_hex(2).upper()
    center = await made(
        http, "/v1/centers", {"code": code, "names": {"en": f"Center {code}"}, "province": "IR-07"}
    )
    place = f"/v1/centers/{center['id']}"
    await step(http, place, "establish")
    await step(http, place, "open")
    project = await made(
        http,
        "/v1/projects",
        {
            "titles": {"en": f"Patch {code}"},
            "lead_center_id": center["id"],
            "pathway": "somatic_cell",
        },
    )
    path = f"/v1/projects/{project['id']}"

    async def flags() -> list[tuple[str, str, str]]:
        now = await read(http, path)
        return [(f["kind"], f["resource_id"], f["state"]) for f in now.get("flags", [])]

    assert await flags() == []
    await step(http, place, "suspend", reason="The clean room has to be rebuilt.")
    expected = [("center_unavailable", center["id"], "suspended")]

    async def flagged() -> bool:
        return await flags() == expected

    await eventually(flagged, within=60)
    now = await read(http, path)
    suspended = await read(http, place)
    assert now["flags"][0]["since"] == suspended["state_since"]
    refused = await post(http, f"{path}:decide", {"decision": "go", "reason": "On."}, now["etag"])
    # Without a gate nothing is decided at all; that a flag stands in the way of what a panel
    # voted for is tried in tests/integration/projects.
    assert (refused.status_code, refused.json()["reason"]) == (409, "GATE_NEEDED")
    listed = await read(http, "/v1/projects", flag="center_unavailable", center_id=center["id"])
    assert [item["id"] for item in listed["projects"]] == [project["id"]]

    claim = await made(
        http,
        "/v1/readiness-claims",
        {
            "project_id": project["id"],
            "dimension": "team",
            "level": 1,
            "statement": {"en": "Two of us."},
        },
    )
    readiness = await read(http, f"{path}/readiness")
    (team,) = (item for item in readiness["dimensions"] if item["dimension"] == "team")
    assert (team["claimed_level"], team["verified_level"]) == (1, 0)
    assert team["missing"][0]["readiness_claim_id"] == claim["id"]
    assert (await read(http, "/v1/readiness-scales/newest"))["version"] == "1"

    await step(http, place, "resume")

    async def free() -> bool:
        return await flags() == []

    await eventually(free, within=60)

    async def told() -> bool:
        page = await read(http, "/v1/events", subject=project["id"])
        summaries = [event["summaryen"] for event in page["events"]]
        return summaries == [
            f'Project "Patch {code}" recorded',
            f'Project "Patch {code}" flagged',
            f'Project "Patch {code}" freed of a flag',
        ]

    await eventually(told, within=60)
    page = await read(http, "/v1/events", subject=claim["id"])
    (event,) = page["events"]
    assert event["summaryen"] == f'Readiness claim "Patch {code}: team level 1" recorded'
    assert event["summaryfa"].startswith("ادعای آمادگی «")
    assert event["visibility"] == "concerned"
