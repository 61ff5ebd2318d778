"""A province's broker between its nodes and the hub: what goes through it, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from nodekit import subjects
from nodekit.leaves import BadLeaf, Leaf
from tests.support.cluster import Infra
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import HubLine, Party, hub_line, until
from tests.support.leaf_server import LeafServer, cut, cuttable_leaf, leaf_server
from tests.support.messaging import eventually

FARS = Leaf("fars", ["nod_a", "nod_b"])
OTHER_NODE = "nod_other"
RECONNECTS_AFTER = 2  # seconds, in the configuration of a leaf


@dataclass
class Province:
    """A hub with a leaf, and the line between them."""

    hub: HubLine
    leaf: LeafServer
    proxy: FaultProxy
    service: Party

    async def node(self, node_id: str = "nod_a", **options: Any) -> Party:
        """Connect a node at the leaf, once the leaf knows whom to let in."""
        credentials = self.hub.credentials(node_id)

        async def is_let_in() -> bool:
            return not await self.hub.refused(node_id, credentials, at=self.leaf.url)

        await eventually(is_let_in)
        return await self.hub.node(node_id, credentials, at=self.leaf.url, **options)

    async def cut(self) -> None:
        """Cut the line of the leaf."""
        await cut(self.proxy)

    async def heal(self) -> None:
        """Mend it, and wait until it stands."""
        await self.proxy.mend()
        await self.leaf.connected()


@pytest.fixture
async def province(infra: Infra) -> AsyncGenerator[Province]:
    async with (
        hub_line(infra, leaves=True) as hub,
        cuttable_leaf(hub.server, FARS) as (leaf, proxy),
    ):
        service = await hub.platform()

        async def answer(message: Any) -> None:
            await service.hear(message)
            if message.reply:
                await message.respond(b"heard " + message.subject.encode())

        await service.client.subscribe("node.*.>", cb=answer)
        await service.client.subscribe(subjects.JOIN, cb=answer)
        await service.client.flush()
        yield Province(hub, leaf, proxy, service)


async def answered(party: Party, subject: str) -> bytes:
    """What the hub says to a request."""
    return (await party.client.request(subject, b"?", timeout=60)).data


async def test_a_node_asks_the_hub_and_hears_it_through_the_leaf(province: Province) -> None:
    node = await province.node()
    assert await answered(node, "node.nod_a.hello") == b"heard node.nod_a.hello"
    await node.client.subscribe(subjects.commands("nod_a"), cb=node.hear)
    await node.client.subscribe("net.>", cb=node.hear)
    await node.settle()

    async def all_told() -> bool:
        await province.service.client.publish(subjects.wake("nod_a"), b"wake")
        await province.service.client.publish("net.notice", b"all")
        return {data for _, data in node.heard} == {b"wake", b"all"}

    await eventually(all_told)
    assert not node.errors


async def test_who_joins_asks_the_hub_through_the_leaf(province: Province) -> None:
    await province.node()  # the leaf has been told of the accounts
    joiner = await province.hub.joiner(at=province.leaf.url)
    assert await answered(joiner, subjects.JOIN) == b"heard join"


async def test_a_node_uses_its_own_subjects_alone_also_at_a_leaf(province: Province) -> None:
    node = await province.node()
    await node.client.publish("node.nod_b.hello", b"in the name of another")
    await node.client.publish("evt.centers.center.updated.ctr_shiraz", b"an event")
    await node.client.publish("$JS.API.STREAM.NAMES", b"")
    await node.settle()
    assert len(node.errors) == 3
    assert all("ermissions violation" in error for error in node.errors)
    assert await answered(node, "node.nod_a.hello")
    assert {subject for subject, _ in province.service.heard} == {"node.nod_a.hello"}


async def test_what_was_not_named_to_the_leaf_goes_no_further(province: Province) -> None:
    other = await province.node(OTHER_NODE)
    with pytest.raises(NoRespondersError):
        await answered(other, f"node.{OTHER_NODE}.hello")
    await other.client.subscribe(subjects.commands(OTHER_NODE), cb=other.hear)
    await other.settle()
    await province.service.client.publish(subjects.wake(OTHER_NODE), b"wake")
    node = await province.node()
    assert await answered(node, "node.nod_a.hello")
    assert not other.heard
    assert [subject for subject, _ in province.service.heard] == ["node.nod_a.hello"]


async def test_the_credentials_of_a_leaf_are_for_nothing_else(province: Province) -> None:
    for name in ("platform", "provinces", "system", "reader/reader"):
        with pytest.raises(NatsError):
            await province.hub.connect(name, province.leaf.credentials(name), "_INBOX")


async def test_a_barred_node_is_cut_off_at_the_leaf_too(province: Province) -> None:
    node, other = await province.node(), await province.node("nod_b")
    await province.hub.bar(node)
    await until(lambda: not node.client.is_connected, seconds=60)
    assert node.credentials is not None
    assert await province.hub.refused("nod_a", node.credentials, at=province.leaf.url)
    assert await answered(other, "node.nod_b.hello")


async def test_what_was_barred_during_a_cut_says_nothing_to_the_hub(province: Province) -> None:
    node = await province.node()
    assert node.credentials is not None
    shown = node.credentials
    await province.cut()
    await province.hub.bar(node)

    async def is_barred() -> bool:
        return await province.hub.refused("nod_a", shown)

    await eventually(is_barred)
    # The leaf cannot know it yet; what it lets in reaches nobody.
    again = await province.hub.node("nod_a", shown, at=province.leaf.url)
    with pytest.raises((NoRespondersError, TimeoutError, NatsError)):
        await again.client.request("node.nod_a.hello", b"?", timeout=1)
    await province.heal()
    await until(lambda: not again.client.is_connected and not node.client.is_connected)
    assert not province.service.heard


async def test_a_barred_leaf_is_cut_off(province: Province) -> None:
    node = await province.node()
    assert await answered(node, "node.nod_a.hello")
    province.hub.barred_leaves = [province.leaf.written.public_key]
    await province.hub.stop_registrar()
    await province.hub.start_registrar()

    async def is_cut() -> bool:
        return await province.leaf.lines() == 0

    # In every account, and for good.
    await eventually(is_cut)
    await asyncio.sleep(3 * RECONNECTS_AFTER)
    assert await is_cut()
    with pytest.raises((NoRespondersError, TimeoutError, NatsError)):
        await node.client.request("node.nod_a.hello", b"?", timeout=1)


async def test_a_leaf_that_is_killed_lets_in_whom_it_knew_also_while_its_line_is_cut(
    province: Province,
) -> None:
    node = await province.node()
    assert node.credentials is not None
    await province.cut()
    await province.leaf.end(kill=True)
    await province.leaf.start()
    again = await province.hub.node("nod_a", node.credentials, at=province.leaf.url)
    await province.heal()

    async def is_answered() -> bool:
        try:
            return bool(await answered(again, "node.nod_a.hello"))
        except NoRespondersError:
            return False

    await eventually(is_answered)


async def test_a_line_has_no_right_over_streams(province: Province) -> None:
    rights = FARS.platform_rights()
    assert not [subject for subject in rights.publish if subject.startswith(("$", "evt", "_"))]
    await province.service.client.jetstream(timeout=60).add_stream(
        StreamConfig(name="EVT_CENTERS", subjects=["evt.centers.>"])
    )
    # Whoever has the files of a leaf may send anything over its line; the hub takes none of it.
    as_service = await province.hub.connect(
        "within the leaf",
        province.hub.server.access.credentials,
        "_INBOX_node_nod_a",
        at=province.leaf.url,
    )
    for subject in ("evt.centers.center.updated.ctr_a", "node.nod_z.leave", "outbox.x.refill"):
        await as_service.client.publish(subject, b"forged")
    # The leaf has streams of its own; to those of the hub leads no way.
    assert await as_service.client.jetstream(timeout=60).account_info()
    with pytest.raises(NotFoundError):
        await as_service.client.jetstream(timeout=60).stream_info("EVT_CENTERS")
    with pytest.raises((NoRespondersError, TimeoutError, NatsError)):
        await as_service.client.request("$JS.hub.API.STREAM.INFO.EVT_CENTERS", b"", timeout=2)
    await as_service.settle()
    assert await answered(as_service, "node.nod_a.hello")
    info = await province.service.client.jetstream(timeout=60).stream_info("EVT_CENTERS")
    assert info.state.messages == 0
    assert {subject for subject, _ in province.service.heard} == {"node.nod_a.hello"}


async def test_a_leaf_may_have_hundreds_of_nodes(province: Province) -> None:
    many = Leaf("many", [f"nod_{number:026d}" for number in range(400)])
    async with leaf_server(province.hub.server, many) as leaf:
        await leaf.connected()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": "Fars"}),
        ("name", {"name": "a.b"}),
        ("name", {"name": "a>"}),
        ("node", {"node_ids": ["nod_>"]}),
        ("node", {"node_ids": []}),
    ],
)
def test_a_leaf_is_described_by_ids_alone(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(BadLeaf) as told:
        replace(FARS, **values)
    assert told.value.field == field
