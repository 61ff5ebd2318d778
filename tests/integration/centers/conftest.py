"""The centers service over real gRPC and a real database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from centers.api.centers import centers_api
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import Database, Patience
from tests.support.cluster import Infra
from tests.support.joining import JoiningBench, joining_bench
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve


@dataclass
class CentersBench:
    """The service, its database, and short ways to use it."""

    rpc: RpcBench
    database: Database
    _keys: int = 0

    def key(self) -> str:
        """An idempotency key not used before."""
        self._keys += 1
        return f"key-{self._keys}"

    async def create(self, code: str, **values: Any) -> pb.Center:
        """Record a center as the headquarters."""
        request = pb.CreateCenterRequest(center=center(code, **values), idempotency_key=self.key())
        return cast("pb.Center", await self.rpc.call("CreateCenter", request))

    async def step(self, verb: str, at: pb.Center, reason: str = "", **who: Any) -> pb.Center:
        """Take a step as the headquarters, or as `role`."""
        request = self.step_request(at, reason)
        return cast("pb.Center", await self.rpc.call(f"{verb}Center", request, **who))

    def step_request(self, at: pb.Center, reason: str = "") -> pb.CenterStepRequest:
        """A request for a step from a version that was read."""
        return pb.CenterStepRequest(
            center_id=at.id, etag=at.etag, reason=reason, idempotency_key=self.key()
        )


def center(code: str, **values: Any) -> pb.Center:
    """A center as a caller describes it."""
    given: dict[str, Any] = {"province": "IR-03", "names": types_pb2.LocalizedText(en=code)}
    return pb.Center(code=code, **(given | values))


@asynccontextmanager
async def centers_bench(url: str, patience: Patience = PATIENT) -> AsyncGenerator[CentersBench]:
    """The service over a database that is there already."""
    database = Database(url, pool=10, patience=patience)
    service = pb.DESCRIPTOR.services_by_name["Centers"]
    async with serve(service, centers_api(database)) as rpc:
        yield CentersBench(rpc, database)
    await database.close()


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[CentersBench]:
    url = await infra.fresh_database("centers", migrated=True)
    async with centers_bench(url) as made:
        yield made
    await infra.drop_database(url)


@pytest.fixture(scope="session")
async def hub(infra: Infra) -> AsyncGenerator[JoiningBench]:
    """A hub that nodes can join, shared; each test has nodes of its own."""
    async with joining_bench(infra) as shared:
        yield shared
