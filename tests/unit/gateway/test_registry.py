"""GA4GH service-info and service-registry: what is listed, and that the standard is kept."""

import math
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gateway import registry
from gateway.registry import reverse_domain
from peyvand.centers.v1 import nodes_pb2
from servicekit.errors import Fault
from tests.support import ga4gh
from tests.support.gateway import FakeClients
from tests.support.network_picture import observe, stamp

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def known(clients: FakeClients) -> None:
    observe(clients, NOW)
    status: Any = clients.answers["GetNetworkStatus"]
    for number, state in enumerate(
        (
            nodes_pb2.NODE_STATE_ACTIVE,
            nodes_pb2.NODE_STATE_ENROLLED,
            nodes_pb2.NODE_STATE_SUSPENDED,
            nodes_pb2.NODE_STATE_APPROVED,
        )
    ):
        status.centers[1].nodes.add(
            node_id=f"nod_{number}",
            name="Server room",
            state=state,
            software_version="0.1.0",
            joined_at=stamp(NOW),
            updated_at=stamp(NOW),
        )
    status.centers[2].nodes.add(
        node_id="nod_9", name="Sample", state=nodes_pb2.NODE_STATE_ACTIVE, sample=True
    )


async def get(http: httpx.AsyncClient, path: str) -> Any:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_the_hub_says_who_it_is(http: httpx.AsyncClient) -> None:
    hub = await get(http, "/service-info")
    assert ga4gh.faults(hub, ga4gh.SERVICE) == []
    assert hub["id"] == "example.peyvand.hub"
    assert hub["type"] == {
        "group": "org.ga4gh",
        "artifact": "service-registry",
        "version": "1.0.0",
    }
    assert hub["environment"] == "prod"
    # The first thing that happened here is when it was first there.
    assert hub["createdAt"] == "2026-11-22T07:57:00Z"
    # It was there before it is changed, also where the release was installed before it.
    assert datetime.fromisoformat(hub["updatedAt"]) >= datetime.fromisoformat(hub["createdAt"])
    assert "url" not in hub


async def test_the_hub_its_services_and_the_active_nodes_are_listed(
    http: httpx.AsyncClient,
) -> None:
    services = await get(http, "/services")
    assert ga4gh.faults(services, ga4gh.SERVICES) == []
    assert {service["id"] for service in services} == {
        "example.peyvand.hub",
        "example.peyvand.centers",
        "example.peyvand.observatory",
        "example.peyvand.node.nod_0",
    }
    (node,) = [service for service in services if service["type"]["artifact"] == "node"]
    assert node["version"] == "0.1.0"
    assert node["createdAt"] == node["updatedAt"] == "2026-11-22T08:00:00Z"
    assert "Razavi Khorasan" in node["organization"]["name"]


async def test_each_one_is_found_by_its_id_and_a_node_is_answered_for(
    http: httpx.AsyncClient,
) -> None:
    for service in await get(http, "/services"):
        assert await get(http, f"/services/{service['id']}") == service
    node = await get(http, "/services/example.peyvand.node.nod_0")
    info = await get(http, node["url"].removeprefix("http://gateway.test") + "/service-info")
    assert ga4gh.faults(info, ga4gh.SERVICE) == []
    assert info | {"url": node["url"]} == node


async def test_the_kinds_are_those_of_what_is_listed(http: httpx.AsyncClient) -> None:
    types = await get(http, "/services/types")
    assert ga4gh.faults(types, ga4gh.SERVICE_TYPES) == []
    listed = {str(sorted(s["type"].items())) for s in await get(http, "/services")}
    assert {str(sorted(kind.items())) for kind in types} == listed


async def test_what_is_not_listed_is_not_found(http: httpx.AsyncClient) -> None:
    for unknown in ("example.peyvand.node.nod_2", "example.other"):
        answer = await http.get(f"/services/{unknown}")
        assert answer.status_code == 404
        assert ga4gh.faults(answer.json(), ga4gh.ERROR) == []
        assert answer.json()["reason"] == "NOT_FOUND"


async def test_the_hub_knows_itself_when_others_are_away_and_hides_no_node(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    away = Fault("UNAVAILABLE")
    clients.answers |= {"GetNetworkStatus": away, "ListEvents": away}
    hub = await get(http, "/service-info")
    assert ga4gh.faults(hub, ga4gh.SERVICE) == []
    assert "createdAt" not in hub
    # A list without the nodes would say that there are none.
    answer = await http.get("/services")
    assert answer.status_code == 503


async def test_many_who_ask_cost_one_look(
    http: httpx.AsyncClient, clients: FakeClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_FRESH_SECONDS", math.inf)
    for _ in range(5):
        await get(http, "/services")
    asked = [rpc.descriptor.name for rpc, _, _ in clients.calls]
    assert sorted(asked) == ["GetNetworkStatus", "ListEvents"]


def test_a_domain_is_read_from_its_end() -> None:
    assert reverse_domain("https://hub.peyvand.example:8443/x") == "example.peyvand.hub"


def test_the_check_against_the_standard_can_fail() -> None:
    assert ga4gh.faults({"id": "x"}, ga4gh.SERVICE)
    assert ga4gh.faults({"status": "500"}, ga4gh.ERROR)
