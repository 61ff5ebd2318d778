"""The browser, the callers and the networks that tests from end to end share."""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, expect

from peyvandctl import seed
from peyvandctl.cluster import Cluster
from tests.support.browser import browser
from tests.support.cluster import PATIENT, fresh_home
from tests.support.http import client, headquarters

# Milliseconds that something may take to be seen on a machine that is busy.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser; each reader has a context of their own in it."""
    async with browser() as started:
        yield started


@pytest.fixture(scope="module")
async def cluster() -> AsyncGenerator[Cluster]:
    """A network with the facts of the reports and nothing that tests of another file made."""
    with fresh_home() as home:
        async with Cluster(home.root, port=0, env=PATIENT) as own:
            await seed.load(own, lambda _: None)
            yield own


@pytest.fixture
async def http(network: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """The headquarters."""
    async with headquarters(network) as caller:
        yield caller


@pytest.fixture
async def anyone(network: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token."""
    async with client(network.gateway_url) as caller:
        yield caller
