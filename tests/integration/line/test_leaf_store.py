"""What a leaf keeps: copied as the hub says it, of its own alone, and a way to nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from nats.errors import Error as NatsError
from nats.js.api import (
    ConsumerConfig,
    ExternalStream,
    StreamConfig,
    StreamSource,
)
from nats.js.errors import NotFoundError

from centers.copies import copy_of_events, keep_copy
from node_agent.findings import Halted
from node_agent.leaf_store import Folder, LeafStore, leaf_store
from nodekit import nats_jwt
from nodekit.keys import KeyKind, NKey, UserCredentials
from nodekit.leaves import COPY, COPY_API, READER_INBOX, SOURCE, STORE, Leaf
from servicekit.broker import Broker, event_stream
from servicekit.tasks import end_tasks
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import HubLine, Party, hub_line
from tests.support.leaf_server import LeafServer, copying, cut, cuttable_leaf
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from servicekit.broker_access import BrokerAccess
    from tests.support.cluster import Infra

FARS = Leaf("fars", ["nod_a"], ["ctr_a"])
OF_ITS_OWN = ("evt.centers.center.updated.ctr_a", "evt.centers.node.joined.nod_a")
OF_OTHERS = (
    "evt.centers.center.updated.ctr_b",
    "evt.centers.node.joined.nod_b",
    "evt.centers.presence.came_online.prs_a",
)

TARGETS = ("node.nod_other.leave", "evt.centers.center.closed.ctr_b", "outbox.centers.refill")


@dataclass
class Network:
    """A hub with its events, a leaf, and the line between them."""

    hub: HubLine
    leaf: LeafServer
    proxy: FaultProxy
    service: Party
    inside: BrokerAccess
    said: int = 0

    async def say(self, *subjects: str, times: int = 1) -> list[str]:
        """Record events at the hub, as its services do, and return their contents."""
        told: list[str] = []
        for _ in range(times):
            for subject in subjects:
                self.said += 1
                told.append(f"{self.said}")
                ids = {"Nats-Msg-Id": told[-1], "ce-id": told[-1]}
                await self.service.client.jetstream(timeout=60).publish(
                    subject, told[-1].encode(), headers=ids
                )
        return told

    @contextlib.asynccontextmanager
    async def within(self) -> AsyncGenerator[Broker]:
        """Connect in COPIES at the hub, with every right."""
        broker = await Broker.connect(self.inside, name="test")
        try:
            yield broker
        finally:
            await broker.close()

    async def cut(self) -> None:
        """Cut the line of the leaf."""
        await cut(self.proxy)

    async def at_leaf(self, name: str, *, inbox: str = READER_INBOX) -> Party:
        """Connect with some credentials of the leaf's folder, within the leaf."""
        return await self.hub.connect(name, self.leaf.credentials(name), inbox, at=self.leaf.url)

    async def lord_of_the_leaf(self) -> Party:
        """Connect within the leaf as its owner could: with every right over its store's account.

        Whoever runs a leaf rules what stands on its machine. What the hub lets through is
        held to its line.
        """
        key = NKey.new(KeyKind.USER)
        made = UserCredentials(nats_jwt.user(self.hub.keys.store(FARS), key.public, "lord"), key)
        return await self.hub.connect("lord", made, "_INBOX_lord", at=self.leaf.url)


@pytest.fixture
async def network(infra: Infra) -> AsyncGenerator[Network]:
    async with hub_line(infra, leaves=True) as hub:
        service = await hub.platform()
        await service.client.jetstream(timeout=60).add_stream(event_stream("centers").config())
        async with (
            copying(hub) as inside,
            cuttable_leaf(hub.server, FARS) as (leaf, proxy),
        ):
            yield Network(hub, leaf, proxy, service, inside)


@contextlib.asynccontextmanager
async def reading(network: Network) -> AsyncGenerator[LeafStore]:
    """Read the store of the leaf, as its readers do."""
    folder = Folder.read(network.leaf.folder / "reader")
    async with leaf_store(folder, lambda: None) as store:
        await store.make()
        yield store


async def kept(store: LeafStore, count: int) -> list[str]:
    """Wait until the store has so many events, and return their ids in order."""

    async def are_there() -> bool:
        return (await store.kept()).last >= count

    # A broker asks again for what it copies only after half a minute, when it got no answer.
    await eventually(are_there, within=240)
    found: list[str] = []
    number = 1
    while event := await store.next(number):
        found.append(str(event.envelope["id"]))
        number = event.number + 1
    return found


async def test_a_leaf_keeps_what_is_said_of_its_own_from_before_and_from_now_on(
    network: Network,
) -> None:
    before = await network.say(*OF_ITS_OWN)
    await network.say(*OF_OTHERS)
    async with reading(network) as store:
        assert sorted(await kept(store, 2)) == before
        since = await network.say(*OF_ITS_OWN)
        assert sorted(await kept(store, 4)) == sorted(before + since)
        assert (await store.kept()).heard_seconds_ago is not None


async def test_what_was_said_during_a_cut_comes_after_it_each_once_and_in_order(
    network: Network,
) -> None:
    async with reading(network) as store:
        before = await network.say(OF_ITS_OWN[0], times=3)
        assert await kept(store, 3) == before
        await network.cut()
        meanwhile = await network.say(OF_ITS_OWN[0], OF_OTHERS[0], times=20)
        # It is read meanwhile as before.
        assert await kept(store, 3) == before
        await network.proxy.mend()
        assert await kept(store, 23) == before + meanwhile[::2]


async def test_a_leaf_and_a_hub_that_are_killed_go_on_where_they_were(network: Network) -> None:
    async with reading(network) as store:
        before = await network.say(OF_ITS_OWN[0], times=5)
        assert await kept(store, 5) == before
    await network.leaf.end(kill=True)
    meanwhile = await network.say(OF_ITS_OWN[0], times=5)
    await network.hub.process.kill()
    await network.hub.process.start()
    await network.leaf.start()
    network.service = await network.hub.platform()
    async with reading(network) as store:
        assert await kept(store, 10) == before + meanwhile
        since = await network.say(OF_ITS_OWN[0], times=5)
        assert await kept(store, 15) == before + meanwhile + since


async def test_a_copy_that_was_lost_is_made_anew_and_the_leaf_goes_on(network: Network) -> None:
    async with reading(network) as store:
        before = await network.say(OF_ITS_OWN[0], times=5)
        assert await kept(store, 5) == before
        async with network.within() as inside:
            await inside.jetstream.delete_stream(COPY)
            await inside.declare(copy_of_events(1), first_sequence=10**15)
        since = await network.say(OF_ITS_OWN[0], times=5)

        async def has_them() -> bool:
            # What was there before may come a second time, with the id that it had.
            return set(since) <= set(await kept(store, 6))

        await eventually(has_them, within=240)
        assert list(dict.fromkeys(await kept(store, 10))) == before + since


async def test_who_keeps_the_copy_makes_it_again_and_leaves_its_numbers(network: Network) -> None:
    async with network.within() as inside:

        async def is_there() -> bool:
            return await inside.stream_info(COPY) is not None

        await eventually(is_there)
        first = await inside.stream_info(COPY)
        assert first is not None
        again = await inside.declare(copy_of_events(1), first_sequence=10**15)
        assert again.config.first_seq == first.config.first_seq
        assert (first.config.first_seq or 0) > 1_700_000_000_000


async def test_a_store_is_changed_to_what_the_leaf_is_written_for(network: Network) -> None:
    await network.say(*OF_ITS_OWN)
    folder = Folder.read(network.leaf.folder / "reader")
    fewer = {**folder.stream, "sources": folder.stream["sources"][:1]}
    async with leaf_store(replace(folder, stream=fewer), lambda: None) as store:
        await store.make()
        assert len(await kept(store, 1)) == 1
    async with reading(network) as store:
        assert len(await kept(store, 2)) == 2


async def test_who_reads_a_store_reaches_nothing_else(network: Network) -> None:
    async with reading(network):
        pass
    reader = await network.at_leaf("reader/reader")
    for subject in (
        f"$JS.API.CONSUMER.CREATE.{STORE}",
        f"$JS.API.STREAM.DELETE.{STORE}",
        f"$JS.API.STREAM.PURGE.{STORE}",
        "$JS.API.STREAM.CREATE.OTHER",
        f"{COPY_API}.CONSUMER.CREATE.{COPY}.x.{OF_OTHERS[0]}",
        OF_ITS_OWN[0],
        "node.nod_a.leave",
    ):
        await reader.client.publish(subject, b"{}")
    await reader.client.subscribe("leaf.>", cb=reader.hear)
    await reader.settle()
    assert len(reader.errors) == 8
    assert all("ermissions violation" in error for error in reader.errors)


async def test_a_reader_is_nobody_at_the_hub(network: Network) -> None:
    with pytest.raises(NatsError):
        await network.hub.connect("reader", network.leaf.credentials("reader/reader"), READER_INBOX)


async def test_who_rules_a_leaf_hears_of_its_own_alone(network: Network) -> None:
    await network.say(*OF_ITS_OWN, *OF_OTHERS)
    lord = await network.lord_of_the_leaf()
    external = ExternalStream(api=COPY_API, deliver="leaf.fars")
    greedy = [
        StreamSource(name=COPY, filter_subject=subject, external=external)
        for subject in ("evt.centers.>", *OF_OTHERS)
    ]
    await lord.client.jetstream(timeout=60).add_stream(StreamConfig(name="ALL", sources=[*greedy]))
    mine = [replace(greedy[0], filter_subject=OF_ITS_OWN[0])]
    await lord.client.jetstream(timeout=60).add_stream(StreamConfig(name="MINE", sources=mine))

    async def has_its_own() -> bool:
        return (await lord.client.jetstream(timeout=60).stream_info("MINE")).state.messages == 1

    await eventually(has_its_own, within=240)
    # The subject of the request is its own, what is asked for in it is not.
    api = f"{COPY_API}.CONSUMER.CREATE.{COPY}.lord.{OF_ITS_OWN[0]}"
    for filters in (
        {"filter_subject": "evt.centers.>"},
        {"filter_subjects": ["evt.centers.>"]},
        {},
    ):
        config = {"name": "lord", "deliver_subject": "leaf.fars.lord", "ack_policy": "none"}
        await told(lord, api, {"stream_name": COPY, "config": config | filters})
    async with network.within() as inside:
        with pytest.raises(NotFoundError):
            await inside.jetstream.consumer_info(COPY, "lord")
    for subject in (f"{COPY_API}.STREAM.INFO.{COPY}", f"$JS.hub.API.STREAM.INFO.{COPY}"):
        with pytest.raises((NatsError, TimeoutError)):
            await lord.client.request(subject, b'{"seq":1}', timeout=1)
    assert (await lord.client.jetstream(timeout=60).stream_info("ALL")).state.messages == 0


async def test_who_rules_a_leaf_says_nothing_at_the_hub(network: Network) -> None:
    """Whoever may make a consumer says where it delivers to: nobody is there to hear it."""
    hub = network.service
    for target in TARGETS:
        await hub.client.subscribe(target, cb=hub.hear)
    await hub.settle()
    lord = await network.lord_of_the_leaf()
    for number, target in enumerate(TARGETS):
        await told(lord, *forged(number, target), reply=target)
        await lord.client.publish(target, b"forged")
    said = await network.say(OF_ITS_OWN[0], times=3)
    async with network.within() as inside:
        # They were made, and deliver where they were told to: where nobody listens.
        for number, target in enumerate(TARGETS):
            await made(inside, number)
            found = await inside.jetstream.consumer_info(COPY, f"forged{number}")
            assert found.config.deliver_subject == target
        await asyncio.sleep(1)
    await hub.settle()
    assert not hub.heard
    info = await hub.client.jetstream(timeout=60).stream_info(SOURCE)
    assert info.state.messages == len(said)


async def test_who_rules_a_leaf_changes_no_consumer_of_the_services(network: Network) -> None:
    jetstream = network.service.client.jetstream(timeout=60)
    durable = ConsumerConfig(durable_name="projector", filter_subject="evt.centers.>")
    await jetstream.add_consumer(SOURCE, durable)
    lord = await network.lord_of_the_leaf()
    config = {"durable_name": "projector", "filter_subject": OF_ITS_OWN[0]}
    for api in (
        f"{COPY_API}.CONSUMER.CREATE.{COPY}.projector.{OF_ITS_OWN[0]}",
        f"$JS.hub.API.CONSUMER.CREATE.{SOURCE}.projector.{OF_ITS_OWN[0]}",
        f"$PLATFORM.API.CONSUMER.CREATE.{SOURCE}.projector.{OF_ITS_OWN[0]}",
    ):
        await told(lord, api, {"stream_name": SOURCE, "config": config})
    found = await jetstream.consumer_info(SOURCE, "projector")
    assert found.config.filter_subject == "evt.centers.>"


async def test_who_keeps_the_copy_removes_at_first_what_was_asked_of_it(network: Network) -> None:
    """So that what a leaf has asked for, which was barred since, is gone with it."""
    lord = await network.lord_of_the_leaf()
    async with reading(network) as store, network.within() as inside:
        before = await network.say(OF_ITS_OWN[0], times=2)
        assert await kept(store, 2) == before
        api, what = forged(0, "leaf.other.S.abcdefgh")
        del what["config"]["name"]
        what["config"]["durable_name"] = "forged0"
        await told(lord, api, what)
        await made(inside, 0)
        again = asyncio.create_task(keep_copy(network.inside, 1))
        try:

            async def is_gone() -> bool:
                with contextlib.suppress(NotFoundError):
                    return not await inside.jetstream.consumer_info(COPY, "forged0")
                return True

            await eventually(is_gone)
            # Those of its own come back by themselves.
            since = await network.say(OF_ITS_OWN[0], times=2)
            assert await kept(store, 4) == before + since
        finally:
            await end_tasks(again)


async def test_a_leaf_that_is_written_anew_lets_earlier_readers_in_no_more(
    network: Network,
) -> None:
    earlier = Folder.read(network.leaf.folder / "reader")
    await network.leaf.end()
    await asyncio.sleep(2)  # times of issue are whole seconds
    network.leaf.write_anew()
    await network.leaf.start()
    async with reading(network) as store:
        before = await network.say(OF_ITS_OWN[0])
        assert await kept(store, 1) == before
    with pytest.raises(Halted) as halted:
        async with leaf_store(earlier, lambda: None):
            pass
    assert halted.value.finding.check == "credentials"


def forged(number: int, target: str) -> tuple[str, dict[str, Any]]:
    """Subject and content of the request for a consumer that speaks for another."""
    config = {
        "name": f"forged{number}",
        "deliver_subject": target,
        "ack_policy": "none",
        "filter_subject": OF_ITS_OWN[0],
        "idle_heartbeat": 100_000_000,
        # In nanoseconds: the broker removes in seconds what delivers where nobody listens.
        "inactive_threshold": 3_600_000_000_000,
    }
    api = f"{COPY_API}.CONSUMER.CREATE.{COPY}.forged{number}.{OF_ITS_OWN[0]}"
    return api, {"stream_name": COPY, "config": config}


async def made(inside: Broker, number: int) -> None:
    """Wait until the hub has made a consumer that was asked for over the line of the leaf."""

    async def is_there() -> bool:
        return bool(await inside.jetstream.consumer_info(COPY, f"forged{number}"))

    await eventually(is_there)


async def told(party: Party, subject: str, what: dict[str, Any], *, reply: str = "") -> None:
    """Send a request whose answer is of no matter, and wait until it was dealt with."""
    inbox = reply or f"leaf.{FARS.name}.answers"
    await party.client.publish(subject, json.dumps(what).encode(), reply=inbox)
    await party.settle()
    await asyncio.sleep(0.5)


async def test_who_rules_a_leaf_does_not_disturb_the_copy(network: Network) -> None:
    lord = await network.lord_of_the_leaf()
    async with network.within() as inside, reading(network) as store:
        for number, do in enumerate(("DELETE", "PURGE")):
            await told(lord, *forged(number, f"$JS.API.STREAM.{do}.{COPY}"))
        await inside.jetstream.delete_stream(COPY)
        await inside.declare(copy_of_events(1), first_sequence=10**15)
        for number, do in enumerate(("DELETE", "PURGE"), start=2):
            await told(lord, *forged(number, f"$JS.API.STREAM.{do}.{COPY}"))
        said = await network.say(OF_ITS_OWN[0], times=3)
        assert await kept(store, 3) == said
        assert (await inside.jetstream.stream_info(COPY)).state.messages == 3
