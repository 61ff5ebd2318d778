"""One network with two of each, for all tests here."""

from collections.abc import AsyncGenerator

import pytest

from tests.replicas.pair import Pair, two_of_each


@pytest.fixture(scope="session")
async def pair() -> AsyncGenerator[Pair]:
    """Two processes of every service and two gateways; a test that ends one starts it again."""
    async with two_of_each() as running:
        yield running
