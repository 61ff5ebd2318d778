"""``peyvand-node events``: what a person of the province reads, and what a program does."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from nodekit.leaves import Leaf
from peyvand.centers.v1 import centers_pb2
from servicekit.broker import Broker, event_stream
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import HubLine, hub_line
from tests.support.leaf_server import LeafServer, copying, cut, cuttable_leaf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster import Infra

FARS = Leaf("fars", ["nod_a"], ["ctr_a"])


@dataclass
class Province:
    """A leaf, the line to its hub, and who records events there."""

    leaf: LeafServer
    line: FaultProxy
    service: Broker
    said: int = 0

    @property
    def folder(self) -> Path:
        """What its store is read by."""
        return self.leaf.folder / "reader"

    async def say(
        self,
        what: str,
        *,
        kind: str = "center",
        state: int = centers_pb2.CENTER_STATE_OPERATIONAL,
    ) -> None:
        """Record an event of its center, as the service does."""
        self.said += 1
        center = centers_pb2.Center(id="ctr_a", code="shiraz")
        # Of an open enum, whose numbers may be of a later contract.
        center.state = cast("centers_pb2.CenterState", state)
        event = centers_pb2.CenterEvent(center=center)
        headers = {
            "ce-specversion": "1.0",
            "ce-id": f"id-{self.said}",
            "ce-type": f"peyvand.centers.v1.{kind}.{what}",
            "ce-source": "/services/centers",
            "ce-subject": "ctr_a",
            "ce-time": datetime.now(UTC).isoformat(),
            "content-type": "application/protobuf",
        }
        await self.service.jetstream.publish(
            f"evt.centers.center.{what}.ctr_a", event.SerializeToString(), headers=headers
        )


@pytest.fixture
async def hub(infra: Infra) -> AsyncGenerator[HubLine]:
    async with hub_line(infra, leaves=True) as found:
        yield found


@pytest.fixture
async def province(hub: HubLine) -> AsyncGenerator[Province]:
    service = await Broker.connect(hub.server.access, name="centers")
    await service.declare(event_stream("centers"))
    try:
        async with copying(hub), cuttable_leaf(hub.server, FARS) as (leaf, line):
            yield Province(leaf, line, service)
    finally:
        await service.close()


async def events(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node_agent", "events", str(folder), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said_by(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, beside = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, out.decode(), beside.decode()


async def event_of(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    # A broker asks again for what it copies only after half a minute, when it got no answer.
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 240))


async def next_of(process: asyncio.subprocess.Process) -> str:
    return (await event_of(process))["type"]


async def test_events_are_followed_through_a_cut_and_the_death_of_the_leaf(
    province: Province,
) -> None:
    await province.say("created")
    following = await events(province.folder, "--follow", "--json")
    try:
        assert await next_of(following) == "peyvand.centers.v1.center.created"
        await cut(province.line)
        await province.say("established")
        await province.line.mend()
        assert await next_of(following) == "peyvand.centers.v1.center.established"
        await province.leaf.end(kill=True)
        await province.say("opened")
        await province.leaf.start()
        assert await next_of(following) == "peyvand.centers.v1.center.opened"
        await province.say("suspended")
        assert await next_of(following) == "peyvand.centers.v1.center.suspended"
    finally:
        following.terminate()
        await following.wait()


async def test_a_program_goes_on_after_the_number_that_it_had(province: Province) -> None:
    following = await events(province.folder, "--follow", "--json")
    try:
        for what in ("created", "established", "opened"):
            await province.say(what)
            await next_of(following)
    finally:
        following.terminate()
        await following.wait()
    status, out, beside = await said_by(await events(province.folder, "--json", "--after", "1"))
    assert (status, beside.partition(";")[0]) == (0, "3 events are kept")
    assert "the hub was heard" in beside
    assert "out of reach" not in beside
    assert len(beside.splitlines()) == 1
    found = [json.loads(line) for line in out.splitlines()]
    assert [event["number"] for event in found] == [2, 3]
    assert found[0]["data"]["center"] == {"id": "ctr_a", "code": "shiraz", "state": "operational"}
    assert (found[0]["specversion"], found[0]["id"]) == ("1.0", "id-2")
    status, out, _ = await said_by(await events(province.folder, "--last", "1"))
    assert out.split()[0] == "3"
    assert out.split()[2:] == ["center", "opened", "shiraz", "ctr_a"]


async def test_what_a_younger_hub_says_is_shown_as_far_as_it_is_known(province: Province) -> None:
    await province.say("reopened", state=99)
    await province.say("praised", kind="center_award")
    await province.say("opened")
    following = await events(province.folder, "--follow", "--json")
    try:
        found = [await event_of(following) for _ in range(3)]
    finally:
        following.terminate()
        await following.wait()
    assert [event["type"].rpartition(".v1.")[2] for event in found] == [
        "center.reopened",
        "center_award.praised",
        "center.opened",
    ]
    assert found[0]["data"]["center"]["state"] == "99"
    assert found[1]["data"] is None
    assert found[2]["data"]["center"]["state"] == "operational"
    status, out, _ = await said_by(await events(province.folder))
    assert (status, len(out.splitlines())) == (0, 3)


async def test_who_follows_is_told_when_the_leaf_lets_it_in_no_more(
    hub: HubLine, province: Province, tmp_path: Path
) -> None:
    await province.say("created")
    brief = tmp_path / "reader"
    shutil.copytree(province.folder, brief)
    ends = datetime.now(UTC) + timedelta(seconds=50)
    (brief / "reader.creds").write_text(hub.keys.leaf_credentials(FARS, ends).reader.text())
    following = await events(brief, "--follow", "--json")
    try:
        assert await next_of(following) == "peyvand.centers.v1.center.created"
        status, _, beside = await said_by(following)
    finally:
        if following.returncode is None:
            following.kill()
            await following.wait()
    assert status == 1
    assert "does not let this reader in" in beside


async def test_what_is_wrong_is_said_with_its_mend(province: Province, tmp_path: Path) -> None:
    status, out, beside = await said_by(await events(tmp_path / "nothing"))
    assert (status, out) == (1, "")
    assert "Take the folder `reader`" in beside
    other = tmp_path / "reader"
    shutil.copytree(province.folder, other)
    (other / "reader.creds").write_text((province.leaf.folder / "system.creds").read_text())
    status, _, beside = await said_by(await events(other))
    assert status == 1
    assert "does not let this reader in" in beside
    await province.leaf.end()
    status, _, beside = await said_by(await events(province.folder))
    assert status == 1
    assert "does not answer" in beside
    assert "Look whether it runs" in beside
