"""A project that went through a gate, as people take one there."""

import secrets
from pathlib import Path

from tests.support.people import Entrance, Person, project_of_a_new_center

PANEL = ("dana", "mina", "kian")


async def decided(network: Entrance, folder: Path) -> tuple[str, str]:
    """A project that went through its first gate; gives its id and that of its center.

    The files of its evidence stand in the folder.
    """
    sara, omid = Person(network, "hq_admin", "sara"), Person(network, "hq_admin", "omid")
    made = await project_of_a_new_center(
        sara,
        titles={"en": "Patch #panic() of <cells>", "fa": "وصلهٔ سلولی"},
        external_key=f"dossier-{secrets.token_hex(4)}",
    )
    lead = made["lead_center_id"]
    leila = Person(network, "center_operator", "leila", [lead])
    path = f"/v1/projects/{made['id']}"
    for code in (await leila.get(f"{path}/next-gate"))["missing"]:
        content = f"report on {code} {secrets.token_hex(8)}".encode()
        (folder / f"{code}.txt").write_bytes(content)
        sent = await leila.http.post(
            "/v1/files", content=content, headers={"Content-Type": "text/plain"}
        )
        piece = await leila.post(
            "/v1/evidence",
            {
                "project_id": made["id"],
                "criterion": code,
                "kind": "report",
                "title": {"en": f"Report on {code}"},
                "file": {"name": f"{code}.txt", **sent.json()},
            },
        )
        await omid.post(f"/v1/evidence/{piece['id']}:verify", {}, status=200, etag=piece["etag"])
    members = [Person(network, "hq_admin", name) for name in PANEL]
    panel = [{"subject": name, "role": "chair" if name == PANEL[0] else "other"} for name in PANEL]
    gate = await sara.post("/v1/gates", {"project_id": made["id"], "panel": panel})
    place, vote = f"/v1/gates/{gate['id']}", {"decision": "go", "reason": "All of it holds."}
    for member in members:
        declared = {"conflict": "none"}
        gate = await member.post(f"{place}:declare", declared, status=200, etag=gate["etag"])
        gate = await member.post(f"{place}:vote", vote, status=200, etag=gate["etag"])
    now = await sara.get(path)
    ruling = {"decision": "go", "reason": "As the panel voted."}
    after = await sara.post(f"{path}:decide", ruling, status=200, etag=now["etag"])
    assert after["stage"] == "s1"
    for person in (sara, omid, leila, *members):
        await person.http.aclose()
    return made["id"], lead
