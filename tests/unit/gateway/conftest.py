from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import Edge, create_app
from gateway.live import LiveFeed
from gateway.settings import GatewaySettings
from servicekit.broker_access import BrokerAccess
from tests.support.gateway import FakeClients, FakeVerifier


@pytest.fixture
def clients() -> FakeClients:
    return FakeClients()


@pytest.fixture
def make_app(clients: FakeClients) -> Callable[..., FastAPI]:
    def make(**settings: Any) -> FastAPI:
        feed = LiveFeed(clients, BrokerAccess("nats://127.0.0.1:1"), timeout=1)
        return create_app(Edge(GatewaySettings(**settings), clients, FakeVerifier(), feed))

    return make


@pytest.fixture
async def http(make_app: Callable[..., FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client
