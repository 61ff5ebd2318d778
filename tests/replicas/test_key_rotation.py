"""The issuer changes its keys: all processes follow, and none is started anew for it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from peyvand.centers.v1 import centers_pb2 as pb
from peyvandctl.cluster import Cluster
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext, RpcClient
from tests.support.cluster import fresh_home
from tests.support.http import PATIENCE_SECONDS, client
from tests.support.issuer import Issuer, issuer
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.timeout(900)

LIST = contract().rpcs["/peyvand.centers.v1.Centers/ListCenters"]
KEY_SET_SECONDS = "2"
# A process asks the issuer at most every ten seconds.
FOLLOWED_WITHIN = 120


@dataclass
class Doors:
    """Every process that looks at tokens: two gateways, and two of a service."""

    gateways: list[httpx.AsyncClient]
    services: list[RpcClient]

    async def answers(self, token: str) -> list[str]:
        """What each of them says to who shows this token."""
        found: list[str] = []
        for gateway in self.gateways:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await gateway.get("/v1/centers", headers=headers)
            found.append("OK" if answer.status_code == 200 else answer.json()["reason"])
        for service in self.services:
            try:
                await service.call(
                    LIST, pb.ListCentersRequest(), CallContext(token, timeout=PATIENCE_SECONDS)
                )
            except Fault as fault:
                found.append(fault.reason)
            else:
                found.append("OK")
        return found

    async def all_say(self, answer: str, token: str) -> bool:
        """Tell whether this is what all of them say."""
        return set(await self.answers(token)) == {answer}


@dataclass
class Network:
    """What runs, and who lets people in."""

    cluster: Cluster
    issuer: Issuer
    doors: Doors

    def pids(self) -> dict[str, int]:
        """The number of each process."""
        return {name: process.pid for name, process in self.cluster.processes.items()}


@pytest.fixture(scope="module")
async def network() -> AsyncGenerator[Network]:
    async with contextlib.AsyncExitStack() as stack:
        at = await stack.enter_async_context(issuer(sub="azar", roles=["hq_admin"]))
        home = stack.enter_context(fresh_home())
        settings = {
            "PEYVAND_ISSUER": at.url,
            "PEYVAND_JWKS": "",
            "PEYVAND_KEY_SET_SECONDS": KEY_SET_SECONDS,
            # What is said of a token is asked once: a machine may stand still meanwhile.
            "PEYVAND_CALL_TIMEOUT": str(PATIENCE_SECONDS),
        }
        cluster = await stack.enter_async_context(
            Cluster(home.root, services=["centers", "gateway"], port=0, replicas=2, env=settings)
        )
        gateways = [await stack.enter_async_context(client(url)) for url in cluster.gateway_urls]
        services: list[RpcClient] = []
        for name in cluster.names("centers"):
            services.append(RpcClient(cluster.process(name).spec.env["PEYVAND_LISTEN"]))
            stack.push_async_callback(services[-1].close)
        yield Network(cluster, at, Doors(gateways, services))


async def test_a_new_key_is_taken_and_a_withdrawn_one_refused_by_all(network: Network) -> None:
    at, doors, pids = network.issuer, network.doors, network.pids()
    old = at.access_token()
    await eventually(lambda: doors.all_say("OK", old), within=FOLLOWED_WITHIN)

    at.rotate()
    new = at.access_token()
    await eventually(lambda: doors.all_say("OK", new), within=FOLLOWED_WITHIN)
    # The one before is published still.
    assert await doors.all_say("OK", old)

    at.withdraw()
    await eventually(lambda: doors.all_say("TOKEN_REJECTED", old), within=FOLLOWED_WITHIN)
    assert await doors.all_say("OK", new)
    assert network.pids() == pids


async def test_a_key_that_was_never_published_is_refused_by_all(network: Network) -> None:
    stranger = Issuer(network.issuer.url, network.issuer.person)
    assert await network.doors.all_say("TOKEN_REJECTED", stranger.access_token())
    assert await network.doors.all_say("OK", network.issuer.access_token())


async def test_while_the_issuer_is_away_its_keys_count_on(network: Network) -> None:
    known = network.issuer.access_token()
    await eventually(lambda: network.doors.all_say("OK", known), within=FOLLOWED_WITHIN)
    network.issuer.is_away = True
    described = network.issuer.described_times

    async def has_been_missed() -> bool:
        assert await network.doors.all_say("OK", known)
        return network.issuer.described_times >= described + 4

    try:
        await eventually(has_been_missed, within=FOLLOWED_WITHIN)
        assert await network.doors.all_say("OK", network.issuer.access_token())
    finally:
        network.issuer.is_away = False
