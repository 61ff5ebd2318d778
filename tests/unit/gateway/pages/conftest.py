import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import Edge, create_app
from gateway.live import LiveFeed
from gateway.settings import GatewaySettings
from servicekit.broker_access import BrokerAccess
from servicekit.identity import TokenVerifier
from servicekit.local_issuer import generate_key
from tests.support.gateway import FakeClients
from tests.support.network_picture import observe


@dataclass
class Site:
    """The gateway with a local signing key, before a stand-in for the observatory."""

    app: FastAPI
    clients: FakeClients
    edge: Edge
    feed: LiveFeed


@pytest.fixture
def site(tmp_path: Path) -> Site:
    key = generate_key()
    (tmp_path / "private.json").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    settings = GatewaySettings(
        issuer="https://issuer.test",
        jwks=str(tmp_path / "jwks.json"),
        signing_key=str(tmp_path / "private.json"),
    )
    clients = FakeClients()
    observe(clients)
    verifier = TokenVerifier(issuer=settings.issuer, audience=settings.audience, jwks=settings.jwks)
    feed = LiveFeed(clients, BrokerAccess("nats://127.0.0.1:1"), timeout=1)
    edge = Edge(settings, clients, verifier, feed)
    return Site(create_app(edge), clients, edge, feed)


@pytest.fixture
async def local(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the machine of the gateway, that reads Persian."""
    transport = httpx.ASGITransport(site.app, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost:8080", headers={"Accept-Language": "fa"}
    ) as client:
        yield client
