"""A harvester that others wrote takes all of it, while the network changes and its gateway ends."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sickle
from sickle.iterator import OAIResponseIterator
from sickle.oaiexceptions import IdDoesNotExist, NoRecordsMatch

from peyvandctl.cluster import Cluster
from tests.support.cerif_profile import faults
from tests.support.messaging import eventually
from tests.support.oai_pmh import Answer, Header
from tests.support.people import Json, Person, center

CERIF = "oai_cerif_openaire"
# More than one response holds.
INSTITUTIONS = 230


@dataclass
class Made:
    """What a test has recorded."""

    lead: str
    project: str
    award: str
    person: Json
    outputs: list[Json]
    institutions: list[Json]

    def ids(self) -> set[str]:
        """What is to be harvested of it."""
        kinds = ("Publications", "Patents", "Products")
        return {
            f"OrgUnits/{self.lead}",
            f"Projects/{self.project}",
            f"Fundings/{self.award}",
            f"Persons/{self.person['id']}",
            "Persons/orcid-0000-0002-1825-0097",
            *(f"{kind}/{out['id']}" for kind, out in zip(kinds, self.outputs, strict=True)),
            *(f"OrgUnits/{item['id']}" for item in self.institutions),
        }


async def institution(admin: Person, name: str) -> Json:
    names = [{"text": name, "language": "en", "kind": "official"}]
    return await admin.post(
        "/v1/institutions", {"names": names, "type": "education", "country": "IR"}
    )


async def recorded(admin: Person) -> Made:
    """One of every kind that has a counterpart, and very many of one kind."""
    institutions = [await institution(admin, f"Institution {n}") for n in range(INSTITUTIONS)]
    first = institutions[0]["id"]
    names = [{"text": "Elena Parovichnikova", "language": "en", "kind": "official"}]
    person = await admin.post("/v1/persons", {"names": names})
    lead = await center(admin, f"HV{secrets.token_hex(3).upper()}")
    described = {
        "titles": {"en": "Cartilage patch"},
        "lead_center_id": lead,
        "pathway": "somatic_cell",
        "people": [
            {
                "name": {"en": "Josiah Carberry"},
                "orcid": "https://orcid.org/0000-0002-1825-0097",
                "role": "principal_investigator",
            }
        ],
    }
    project: Json = {}

    async def the_center_is_known() -> bool:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = await admin.http.post("/v1/projects", json=described, headers=headers)
        project.update(answer.json())
        return answer.status_code == 201

    await eventually(the_center_is_known, within=60)
    of = {"project_id": project["id"]}
    award = {
        **of,
        "titles": {"en": "A start"},
        "funder": {"names": {"en": "A fund"}, "institution_id": first},
        "amount": {"amount": "1000", "currency": "EUR"},
    }
    given: Json = {}

    async def the_funder_is_known() -> bool:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = await admin.http.post("/v1/awards", json=award, headers=headers)
        given.update(answer.json())
        return answer.status_code == 201

    await eventually(the_funder_is_known, within=60)
    outputs = [
        await admin.post("/v1/outputs", {**of, "titles": {"en": "On cartilage"}, **kind})
        for kind in (
            {"publication": {"doi": f"10.1016/{secrets.token_hex(6)}"}},
            {"patent": {"office": "US", "number": "8048999", "kind_code": "B2"}},
            {"product": {}},
        )
    ]
    return Made(lead, project["id"], given["id"], person, outputs, institutions)


def harvester(network: Cluster, role: str = "", **options: Any) -> Any:
    """A harvester; it makes attributes of what it reads, which no type tells of."""
    token = network.token(role, "hana") if role else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return sickle.Sickle(f"{network.gateway_url}/oai", headers=headers, timeout=60, **options)


async def harvested(
    by: Any, since: str = "", between: Callable[[int], Awaitable[None]] | None = None
) -> list[Answer]:
    """Answers to `ListRecords`, one after the other; something may happen between them."""
    query = {"metadataPrefix": CERIF, **({"from": since} if since else {})}
    responses: Iterator[Any] = await asyncio.to_thread(by.ListRecords, **query)
    found: list[Answer] = []
    while (response := await asyncio.to_thread(next, responses, None)) is not None:
        found.append(Answer(response.http_response.content))
        if between:
            await between(len(found))
    return found


def headers(answers: list[Answer]) -> dict[str, Header]:
    found = [header for answer in answers for header in answer.headers]
    assert len({header.id for header in found}) == len(found)
    return {header.id: header for header in found}


@pytest.mark.timeout(600)
async def test_a_harvester_takes_all_of_it_while_the_network_changes(network: Cluster) -> None:
    sara = Person(network, "hq_admin", "sara")
    made = await recorded(sara)
    by = harvester(network, "hq_analyst", iterator=OAIResponseIterator)
    came: list[Json] = []
    last = made.institutions[-1]["updated_at"][: len("2026-01-31T00:00:00")]

    async def a_second_has_passed() -> bool:
        answer = await sara.http.get("/oai", params={"verb": "ListSets"})
        return Answer(answer.content).time > f"{last}Z"

    # Datestamps are in seconds: what is from before the harvest must be told from what changed.
    await eventually(a_second_has_passed, within=60)

    async def change(number: int) -> None:
        """Something is changed, something comes, and the process that answered ends."""
        old = await sara.get(f"/v1/institutions/{made.institutions[number]['id']}")
        names = [{"text": f"Renamed {number}", "language": "en", "kind": "official"}]
        await _patch(sara, f"/v1/institutions/{old['id']}", {"names": names}, old["etag"])
        came.append(await institution(sara, f"Came {number}"))
        if number == 1:
            path = f"/v1/outputs/{made.outputs[0]['id']}"
            reason = {"reason": "Retracted."}
            etag = (await sara.get(path))["etag"]
            await sara.post(f"{path}:withdraw", reason, status=200, etag=etag)
            await network.process("gateway").restart()

    answers = await harvested(by, between=change)
    assert len(answers) > 1
    # Whatever was there is given once, as it should be, and names nothing that is not.
    assert made.ids() <= headers(answers).keys()
    assert faults(*(answer.document for answer in answers)) == []
    publication = headers(answers)[f"Publications/{made.outputs[0]['id']}"]
    assert publication.deleted

    # What changed meanwhile is what there is since the first answer.
    renamed = made.institutions[1 : len(answers) + 1]
    expected = {f"OrgUnits/{item['id']}" for item in (*renamed, *came)} | {publication.id}
    changed: dict[str, Header] = {}

    async def all_of_it_is_told() -> bool:
        changed.update(headers(await harvested(by, since=answers[0].time)))
        return expected <= changed.keys()

    # The last change waits for whatever may come before it.
    with contextlib.suppress(TimeoutError):
        await eventually(all_of_it_is_told)
    assert expected <= changed.keys()
    assert f"OrgUnits/{made.institutions[-1]['id']}" not in changed
    assert changed[publication.id].deleted
    await _sets(network, set(headers(await harvested(by))))
    await _erased(network, sara, made)
    await _others(network, made)
    await sara.http.aclose()


async def _patch(admin: Person, path: str, body: Json, etag: str) -> None:
    answer = await admin.http.patch(path, json=body, headers={"If-Match": f'"{etag}"'})
    assert answer.status_code == 200, answer.text


async def _sets(network: Cluster, everything: set[str]) -> None:
    """All sets together are the whole, in either format."""
    by = harvester(network, "hq_analyst")
    identity = await asyncio.to_thread(by.Identify)
    assert (identity.protocolVersion, identity.deletedRecord) == ("2.0", "transient")
    formats = await asyncio.to_thread(lambda: [f.metadataPrefix for f in by.ListMetadataFormats()])
    for prefix in formats:
        found: set[str] = set()
        for name in await asyncio.to_thread(lambda: [item.setSpec for item in by.ListSets()]):
            query = {"metadataPrefix": prefix, "set": name}

            def listed(query: dict[str, str] = query) -> list[Any]:
                return list(by.ListRecords(**query))

            try:
                records = await asyncio.to_thread(listed)
            except NoRecordsMatch:
                assert name in ("openaire_cris_events", "openaire_cris_equipments")
                continue
            assert {tuple(record.header.setSpecs) for record in records} == {(name,)}
            found |= {record.header.identifier.split(":", 2)[2] for record in records}
        assert found == everything


async def _erased(network: Cluster, admin: Person, made: Made) -> None:
    """A person who is deleted is told of as deleted, without a name."""
    path = f"/v1/persons/{made.person['id']}"
    etag = {"If-Match": f'"{made.person["etag"]}"'}
    assert (await admin.http.delete(path, headers=etag)).status_code == 200
    by = harvester(network, "hq_analyst")
    host = (await asyncio.to_thread(by.Identify)).repositoryIdentifier
    asked = {"metadataPrefix": CERIF, "identifier": f"oai:{host}:Persons/{made.person['id']}"}

    async def it_is_told() -> bool:
        record = await asyncio.to_thread(lambda: by.GetRecord(**asked))
        return record.header.deleted and "Parovichnikova" not in record.raw

    await eventually(it_is_told, within=60)


async def _others(network: Cluster, made: Made) -> None:
    """Who shows no token takes what is public; a center its own."""
    anyone = headers(await harvested(harvester(network, iterator=OAIResponseIterator)))
    assert all(id.startswith(("OrgUnits/ins_", "OrgUnits/ctr_")) for id in anyone)
    assert {f"OrgUnits/{made.lead}", f"OrgUnits/{made.institutions[0]['id']}"} <= anyone.keys()
    by = harvester(network)
    host = (await asyncio.to_thread(by.Identify)).repositoryIdentifier
    asked = {"metadataPrefix": CERIF, "identifier": f"oai:{host}:Projects/{made.project}"}
    with pytest.raises(IdDoesNotExist):
        await asyncio.to_thread(lambda: by.GetRecord(**asked))
    own = network.token("center_admin", "nima", center_ids=[made.lead])
    by.request_args["headers"] = {"Authorization": f"Bearer {own}"}
    record = await asyncio.to_thread(lambda: by.GetRecord(**asked))
    assert "Cartilage patch" in record.raw
