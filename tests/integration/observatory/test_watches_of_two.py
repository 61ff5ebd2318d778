"""Two processes of the service look after alerts: each is escalated once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.integration.observatory.conftest import center, node, presence
from tests.integration.observatory.test_alerts import NOON, alerts
from tests.integration.observatory.test_picture import events
from tests.support.messaging import eventually
from tests.support.watchers import ESCALATE_AFTER, two_watchers

if TYPE_CHECKING:
    from tests.integration.observatory.conftest import ObservatoryBench


async def test_what_nobody_sees_is_escalated_by_one_of_them(bench: ObservatoryBench) -> None:
    told = bench.owners["centers"]
    tabriz = center("TBZ")
    await told.tell(tabriz, "created")
    silent: list[str] = []

    async def falls_silent() -> None:
        one = node(tabriz.id, f"Room {len(silent)}")
        silent.append(one.id)
        await told.tell(one, "activated")
        await told.tell(*presence(one, "STALE", NOON))

    async def all_are_escalated() -> bool:
        return len(await alerts(bench, escalated=True)) == len(silent)

    at = NOON + ESCALATE_AFTER + timedelta(minutes=1)
    async with two_watchers("alerts", bench.database, at) as (one, other):
        for _ in range(6):
            await falls_silent()
        await eventually(all_are_escalated, within=60)
        await falls_silent()
        await one.kill()
        for _ in range(3):
            await falls_silent()
        await eventually(all_are_escalated, within=60)
        await other.looks_again()
        looks = one.looks + other.looks
    await bench.caught_up()
    assert await all_are_escalated()
    happened = Counter(event.subject for event in await events(bench, kinds=["alert"]))
    assert len(happened) == len(silent)
    assert set(happened.values()) == {1}
    assert set(looks) == {"0"}
