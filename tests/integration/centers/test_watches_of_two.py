"""Two processes of the service look after credentials: each is warned of once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.joining import LIFE
from tests.support.messaging import eventually
from tests.support.watchers import two_watchers

if TYPE_CHECKING:
    from tests.support.joining import JoiningBench


async def test_the_end_of_credentials_is_warned_of_by_one_of_them(hub: JoiningBench) -> None:
    ids: list[str] = []

    async def warnings() -> list[int]:
        return [(await hub.events(id)).count("credentials_expiring") for id in ids]

    async def all_are_warned_of() -> bool:
        return all(await warnings())

    at = datetime.now(UTC) + LIFE - timedelta(days=6)
    async with two_watchers("credentials", hub.database, at) as (one, other):
        for _ in range(4):
            joined, _ = await hub.joined()
            ids.append(joined.node_id)
        await eventually(all_are_warned_of, within=60)
        ids.append((await hub.joined())[0].node_id)
        await one.kill()
        ids.append((await hub.joined())[0].node_id)
        await eventually(all_are_warned_of, within=60)
        await other.looks_again()
        looks = one.looks + other.looks
    assert await warnings() == [1] * len(ids)
    assert set(looks) == {"0"}
