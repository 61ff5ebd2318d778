"""Whoever runs the hub is told when what leaves copy from falls behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from centers import copies
from nodekit.leaves import COPY, SOURCE
from servicekit.broker import event_stream
from tests.support.hub_line import hub_line
from tests.support.leaf_server import copying
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from tests.support.cluster import Infra

_SILENT_AFTER = timedelta(seconds=5)


async def test_it_is_told_whether_the_copy_follows(
    infra: Infra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(copies, "_SILENT_AFTER", _SILENT_AFTER)
    async with hub_line(infra, leaves=True) as hub:
        service = await hub.platform()
        events = service.client.jetstream()
        async with copying(hub):
            # There is nothing to copy from.
            await eventually(lambda: tells(0))
            await events.add_stream(event_stream("centers").config())
            await eventually(lambda: tells(1))
            # That nothing happens is no silence, however long it lasts. What was not heard
            # while the machine stood still is.
            await asyncio.sleep(2 * _SILENT_AFTER.total_seconds())
            await eventually(lambda: tells(1))
            await events.delete_stream(SOURCE)
            await eventually(lambda: tells(0))
            await events.add_stream(event_stream("centers").config())
            await eventually(lambda: tells(1))
            await hub.process.kill()
            await eventually(lambda: tells(0))


async def tells(follows: int) -> bool:
    return REGISTRY.get_sample_value("leaf_copy_follows", {"stream": COPY}) == follows
