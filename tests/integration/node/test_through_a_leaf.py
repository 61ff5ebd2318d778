"""A node behind the broker of its province: it joins, reports and hears as at the hub."""

import asyncio
import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from nodekit.leaves import Leaf
from tests.integration.node.conftest import command, joined, running
from tests.support.fault_proxy import FaultProxy
from tests.support.leaf_server import LeafServer, leaf_server
from tests.support.small_hub import NODE, SmallHub, small_hub

FARS = Leaf("fars", [NODE])


@pytest.fixture
async def hub() -> AsyncGenerator[SmallHub]:
    async with small_hub(leaves=True) as found:
        yield found


@pytest.fixture
async def line(hub: SmallHub) -> AsyncGenerator[FaultProxy]:
    host, port = hub.server.leaves.rsplit(":", 1)
    async with FaultProxy.start((host, int(port))) as found:
        yield found


@pytest.fixture
async def leaf(hub: SmallHub, line: FaultProxy) -> AsyncGenerator[LeafServer]:
    async with leaf_server(hub.server, FARS, line) as found:
        await found.connected()
        yield found


async def test_reports_arrive_once_and_in_order_though_the_line_of_the_leaf_is_cut(
    hub: SmallHub, line: FaultProxy, leaf: LeafServer, tmp_path: Path
) -> None:
    chance = random.Random(7)
    home, findings = await joined(tmp_path / "node", hub.token(), through=leaf.address)
    assert "through" in {finding.check for finding in findings}
    assert home.identity().hub == leaf.address
    async with running(home) as node:
        await node.online()
        await node.hand_in(20)
        await node.settled()
        for fault in ("reset", "black_hole", "refuse", "killed"):
            if fault == "killed":
                await leaf.end(kill=True)
            elif fault == "refuse":
                await line.refuse()
                await line.reset()
            else:
                await getattr(line, fault)()
            await node.hand_in(20)
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if fault == "killed":
                await leaf.start()
            await line.mend(forget=True)
            await node.hand_in(5)
            await node.settled()
        await node.has_receipts(120)
    assert hub.keys_taken() == node.keys
    assert hub.numbers() == list(range(1, 121))


async def test_what_is_handed_in_while_the_line_of_the_leaf_is_cut_waits_for_it(
    hub: SmallHub, line: FaultProxy, leaf: LeafServer, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token(), through=leaf.address)
    async with running(home) as node:
        await node.online()
        await line.refuse()
        await line.reset()
        await node.hand_in()
        await asyncio.sleep(3)
        status = await node.agent.status()
        assert (status.queued, hub.keys_taken()) == (1, [])
        await line.mend(forget=True)
        await node.settled()
    assert hub.keys_taken() == node.keys


async def test_the_command_joins_through_a_leaf_and_says_so(
    hub: SmallHub, leaf: LeafServer, tmp_path: Path
) -> None:
    folder = str(tmp_path / "node")
    through = ("--through", leaf.address)
    status, out = await command("join", hub.token(), *through, "--no-start", "--home", folder)
    assert status == 0, out
    assert f"the leaf at {leaf.address}" in out
    other = str(tmp_path / "other")
    status, out = await command(
        "join", hub.token(), "--through", "nowhere", "--no-start", "--home", other
    )
    assert status == 1
    assert "host:port" in out
    assert not Path(other).exists()


async def test_a_stranger_in_place_of_the_leaf_is_told_nothing(
    hub: SmallHub, leaf: LeafServer, tmp_path: Path
) -> None:
    async with small_hub() as stranger:
        status, out = await command(
            "join",
            hub.token(),
            "--through",
            stranger.server.hub,
            "--no-start",
            "--home",
            str(tmp_path / "node"),
        )
        assert status == 1
        assert "fingerprint" in out
        assert not stranger.joins
    assert not hub.joins
