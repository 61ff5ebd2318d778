"""Evidence from a file on a disk to a criterion that is met, through the whole network."""

import asyncio
import base64
import hashlib
import os
import secrets

import httpx

from peyvandctl.cluster import Cluster
from tests.support.http import client
from tests.support.messaging import eventually
from tests.support.people import Json, Person, center

CONTENT = b"%PDF-1.7\n" + os.urandom(2_500_000)
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"


async def test_a_file_becomes_evidence_that_another_verifies(network: Cluster) -> None:
    sara, omid = Person(network, "hq_admin", "sara"), Person(network, "hq_admin", "omid")
    lead, elsewhere = [await center(sara, f"EV{n}{secrets.token_hex(2).upper()}") for n in "AB"]
    leila = Person(network, "center_operator", "leila", [lead])
    stranger = Person(network, "center_admin", "fereydun", [elsewhere])
    described = {
        "titles": {"en": "Cartilage patch"},
        "lead_center_id": lead,
        "pathway": "somatic_cell",
    }

    async def the_center_is_known() -> bool:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = await sara.http.post("/v1/projects", json=described, headers=headers)
        made.update(answer.json())
        return answer.status_code == 201

    made: Json = {}
    await eventually(the_center_is_known)
    headers = {"Content-Type": "application/pdf", "Repr-Digest": DIGEST}
    sent = await leila.http.post("/v1/files", content=CONTENT, headers=headers)
    assert sent.status_code == 201, sent.text
    file = {"name": "disclosure.pdf", **sent.json()}
    body: Json = {
        "project_id": made["id"],
        "criterion": "disclosure",
        "kind": "report",
        "title": {"fa": "افشای نوآوری", "en": "Disclosure"},
        "file": file,
    }
    await stranger.post("/v1/evidence", body, status=404)
    # Whoever has heard of its hash has not sent it.
    refused = await sara.post("/v1/evidence", body, status=422)
    assert [(e["pointer"], e["rule"]) for e in refused["errors"]] == [
        ("/file/sha256", "FILE_NOT_STORED")
    ]
    piece = await leila.post("/v1/evidence", body)
    assert (piece["state"], piece["visit"], piece["submitted_by"]) == ("submitted", 1, "leila")
    verify = f"/v1/evidence/{piece['id']}:verify"
    await leila.post(verify, {}, status=403, etag=piece["etag"])
    verified = await omid.post(verify, {}, status=200, etag=piece["etag"])
    assert verified["state"] == "verified"

    gate = await leila.get(f"/v1/projects/{made['id']}/next-gate")
    assert (gate["stage"], gate["next_stage"], gate["satisfied"]) == ("s0", "s1", False)
    states = {item["criterion"]["code"]: item["state"] for item in gate["criteria"]}
    assert states["disclosure"] == "verified"
    assert set(gate["missing"]) == {code for code, state in states.items() if state == "missing"}
    assert gate["criteria"][1]["open_to"] == ["center_admin", "center_operator", "hq_admin"]

    given = await leila.http.get(f"/v1/evidence/{piece['id']}/file")
    assert given.status_code == 200
    assert given.content == CONTENT
    await stranger.get(f"/v1/evidence/{piece['id']}/file", status=404)
    # What is kept stands under its hash, in the folder of this network.
    (path,) = network.home.objects.rglob(file["sha256"])
    assert path.read_bytes() == CONTENT

    async def it_is_told() -> bool:
        events = await leila.get("/v1/events", subject=piece["id"])
        told = [item["summaryen"] for item in events["events"]]
        return sorted(told) == ['Evidence "Disclosure" submitted', 'Evidence "Disclosure" verified']

    await eventually(it_is_told)
    for person in (sara, omid, leila, stranger):
        await person.http.aclose()


async def test_of_a_file_that_is_cut_off_nothing_is_kept(network: Cluster) -> None:
    url = httpx.URL(network.gateway_url)
    token = network.token("hq_admin", "sara")
    before = {path for path in network.home.objects.rglob("*") if path.is_file()}
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/pdf\r\nContent-Length: 5000000\r\n\r\n"
    )
    writer.write(head.encode() + CONTENT)
    await writer.drain()
    writer.close()
    # The gateway goes on, and the next file is kept.
    async with client(network.gateway_url) as http:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
        sent = await http.post("/v1/files", content=secrets.token_bytes(10), headers=headers)
        assert sent.status_code == 201
    after = {path for path in network.home.objects.rglob("*") if path.is_file()}
    kept = {path for path in after - before if "senders" not in path.parts}
    assert [path.name for path in kept] == [sent.json()["sha256"]]
    # And who has sent that one.
    assert len(after - before) == 2


async def test_the_templates_are_open_to_everyone(network: Cluster) -> None:
    async with client(network.gateway_url) as http:
        listed = (await http.get("/v1/pathway-templates")).json()["pathway_templates"]
        newest = next(item for item in listed if item["newest"])
        one = (await http.get(f"/v1/pathway-templates/{newest['version']}")).json()
        assert one == newest
        routes = {c["route"]: c["route_name"] for c in one["criteria"] if c["route"]}
        assert routes["hospital_exemption"]["fa"] == "معافیت بیمارستانی"
        assert (await http.get("/v1/pathway-templates/999")).status_code == 404
