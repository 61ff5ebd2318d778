"""A broker with its registrar, shared by the tests that leave it as it was, or alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.hub_line import HubLine, hub_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.cluster import Infra


@pytest.fixture(scope="session")
async def shared_line(infra: Infra) -> AsyncGenerator[HubLine]:
    async with hub_line(infra) as shared:
        yield shared


@pytest.fixture
async def line(shared_line: HubLine) -> AsyncGenerator[HubLine]:
    yield shared_line
    await shared_line.end_connections()


@pytest.fixture
async def own_line(infra: Infra) -> AsyncGenerator[HubLine]:
    async with hub_line(infra) as own:
        yield own
