"""Node by subject: each may publish and hear its own, and nothing else, whatever it tries."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from nats.errors import Error as NatsError

from centers.line.responder import Exchange, Request, Responder
from nodekit import nats_jwt, subjects
from nodekit.accounts import JOIN_PAYLOAD, NODE, NODE_PAYLOAD, HubKeys
from nodekit.keys import KeyKind, NKey, UserCredentials
from nodekit.nats_jwt import Permissions
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from tests.support.hub_line import until

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from tests.support.hub_line import HubLine, Party

NODES = ("nod_a", "nod_b", "nod_c")
EXCHANGES = ("hello", "reports", "renew", "leave", "hb")
# What nobody but the services may say, and much of what they may not hear.
OTHERS = (
    "join",
    "net.news",
    "evt.centers.center.created.ctr_1",
    "live.presence",
    "dlq.timeline",
    "node",
    "cmd.node",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.DELETE.EVT_CENTERS",
    "$JS.API.DIRECT.GET.EVT_CENTERS",
    "$KV.imports.key",
    "$SYS.REQ.USER.INFO",
    "$SYS.REQ.CLAIMS.UPDATE",
    "_INBOX.someone.1",
    "_INBOX_join.someone.1",
    "_R_.someone.1",
)
WIDE = (
    ">",
    "*",
    "*.>",
    "node.>",
    "node.*.hello",
    "cmd.>",
    "cmd.node.>",
    "cmd.node.*.wake",
    "cmd.*.nod_a.wake",
    "evt.>",
    "live.>",
    "_INBOX.>",
    "_INBOX_join.>",
    "$SYS.>",
    "$JS.>",
    "$KV.>",
)


def _of(node: str) -> list[str]:
    return [
        *(f"node.{node}.{exchange}" for exchange in EXCHANGES),
        f"cmd.node.{node}.wake",
        f"_INBOX_node_{node}.1.2",
    ]


ALL = [subject for node in NODES for subject in _of(node)] + list(OTHERS)


async def _published(line: HubLine, party: Party) -> tuple[set[str], set[str]]:
    """Try to publish on each subject; return what the services heard, and what was refused."""
    service = await line.platform()
    await service.client.subscribe(">", cb=service.hear)
    await service.settle()
    mark = f"{party.name} {datetime.now(UTC)}".encode()
    for subject in ALL:
        await party.client.publish(subject, mark)
    await party.settle()
    await service.settle()
    # The client tells what the server said in small letters.
    named = {error.split('"')[1] for error in party.errors if "publish" in error}
    refused = {subject for subject in ALL if subject.lower() in named}
    heard = {subject for subject, data in service.heard if data == mark}
    await service.client.close()
    party.errors.clear()
    return heard, refused


@pytest.mark.parametrize("node", NODES)
async def test_a_node_is_heard_on_its_own_subjects_alone(line: HubLine, node: str) -> None:
    party = await line.node(node)
    heard, refused = await _published(line, party)
    own = {f"node.{node}.{exchange}" for exchange in EXCHANGES}
    assert heard == own
    assert refused == set(ALL) - own
    assert party.client.is_connected, "a refusal is no end of the line"


async def _may_subscribe(party: Party, subject: str, queue: str = "") -> bool:
    party.errors.clear()
    subscription = await party.client.subscribe(subject, queue=queue, cb=party.hear)
    await party.settle()
    if party.errors:
        assert f'subscription to "{subject.lower()}"' in party.errors[0]
        return False
    await subscription.unsubscribe()
    return True


@pytest.mark.parametrize("node", NODES)
async def test_a_node_may_listen_to_its_own_and_to_what_is_for_all(
    line: HubLine, node: str
) -> None:
    party = await line.node(node)
    inbox = subjects.inbox_prefix(node)
    allowed = {
        subjects.commands(node),
        subjects.wake(node),
        subjects.NETWORK,
        "net.news",
        f"{inbox}.>",
        f"{inbox}.1.2",
    }
    others = {other for other in NODES if other != node}
    asked = {*ALL, *WIDE, *allowed}
    asked |= {wide for other in others for wide in (f"cmd.node.{other}.>", f"node.{other}.>")}
    asked |= {f"node.{node}.>", *(f"{subjects.inbox_prefix(other)}.>" for other in others)}
    assert {subject for subject in asked if await _may_subscribe(party, subject)} == allowed
    assert not await _may_subscribe(party, "node.*.reports", queue=subjects.HUB_QUEUE)


async def test_what_is_for_one_node_reaches_no_other(line: HubLine) -> None:
    parties = [await line.node(node) for node in NODES]
    for party in parties:
        await party.client.subscribe(subjects.commands(party.name), cb=party.hear)
        await party.client.subscribe(subjects.NETWORK, cb=party.hear)
        await party.settle()
    service = await line.platform()
    for node in NODES:
        await service.client.publish(subjects.wake(node), b"")
    await service.client.publish("net.news", b"")
    await service.settle()
    for party in parties:
        await until(lambda party=party: len(party.heard) >= 2)
        assert [subject for subject, _ in party.heard] == [subjects.wake(party.name), "net.news"]


async def test_the_hub_answers_a_node_in_its_own_inbox(line: HubLine) -> None:
    service, party = await line.platform(), await line.node("nod_a")

    async def answer(message: Msg) -> None:
        await message.respond(b"to " + message.reply.encode())

    await service.client.subscribe(subjects.from_any_node("hello"), cb=answer)
    await service.settle()
    said = await party.client.request(subjects.to_hub("nod_a", "hello"), b"", timeout=60)
    assert said.data.startswith(b"to _INBOX_node_nod_a.")


async def test_a_node_cannot_have_the_hub_speak_where_it_may_not_itself(line: HubLine) -> None:
    service, party = await line.platform(), await line.node("nod_a")
    await service.client.subscribe(">", cb=service.hear)
    await service.settle()
    broker = await Broker.connect(line.server.access, name="responder")
    handled: list[str] = []

    async def handler(request: Request) -> pb.HelloReply:
        handled.append(request.subject)
        return pb.HelloReply(standing=pb.Standing(last_number=7))

    subject = subjects.to_hub("nod_a", "hello")
    responder = Responder(
        broker, {subjects.from_any_node("hello"): Exchange(handler, pb.HelloReply)}
    )
    await responder.start()
    await broker.client.flush()
    for reply in ("evt.centers.center.created.ctr_1", "$JS.API.STREAM.PURGE.EVT_CENTERS"):
        await party.client.publish(subject, b"", reply=reply)
    # The broker keeps the order, so that this one is answered last.
    said = await party.client.request(subject, b"", timeout=60)
    assert pb.HelloReply.FromString(said.data).standing.last_number == 7
    await service.settle()
    assert {s for s, _ in service.heard if not s.startswith("_INBOX")} == {subject}
    assert handled == [subject]
    await responder.stop()
    await broker.close()


async def test_who_has_no_credentials_can_ask_to_join_and_nothing_else(line: HubLine) -> None:
    joiner = await line.joiner()
    heard, refused = await _published(line, joiner)
    assert (heard, refused) == ({"join"}, set(ALL) - {"join"})
    own = f"{subjects.JOIN_INBOX}.>"
    asked = {*ALL, *WIDE, own}
    allowed = {subject for subject in asked if await _may_subscribe(joiner, subject)}
    assert allowed == {own, "_INBOX_join.someone.1"}

    service = await line.platform()

    async def answer(message: Msg) -> None:
        await message.respond(b"welcome")

    await service.client.subscribe(subjects.JOIN, queue=subjects.HUB_QUEUE, cb=answer)
    await service.settle()
    assert (await joiner.client.request(subjects.JOIN, b"", timeout=60)).data == b"welcome"


async def test_two_who_join_do_not_hear_what_the_other_asks(line: HubLine) -> None:
    one, other = await line.joiner(), await line.joiner()
    await other.client.subscribe(f"{subjects.JOIN_INBOX}.>", cb=other.hear)
    await other.settle()
    await one.client.publish(subjects.JOIN, b"the secret of a token")
    await one.settle()
    await other.settle()
    assert other.heard == []


@pytest.mark.parametrize("limit", [JOIN_PAYLOAD, NODE_PAYLOAD])
async def test_a_message_that_is_too_long_is_not_taken(line: HubLine, limit: int) -> None:
    joins = limit == JOIN_PAYLOAD
    party = await (line.joiner() if joins else line.node("nod_a"))
    subject = subjects.JOIN if joins else subjects.to_hub("nod_a", "reports")
    service = await line.platform()
    await service.client.subscribe(subject, cb=service.hear)
    await service.settle()
    # A client of ours keeps to what the server tells; another would not.
    party.client._max_payload = 2 * NODE_PAYLOAD
    await party.client.publish(subject, b"x" * limit)
    await party.settle()
    with contextlib.suppress(Exception):
        await party.client.publish(subject, b"y" * (limit + 1))
        await party.client.flush(timeout=2)
    await until(lambda: not party.client.is_connected)
    await service.settle()
    assert [len(data) for _, data in service.heard] == [limit]


async def test_a_node_has_few_subscriptions(line: HubLine) -> None:
    party = await line.node("nod_a")
    for number in range(NODE.subscriptions):
        await party.client.subscribe(f"net.{number}", cb=party.hear)
    await party.settle()
    with contextlib.suppress(Exception):
        await party.client.subscribe("net.more", cb=party.hear)
        await party.client.flush(timeout=2)
    await until(lambda: not party.client.is_connected)


async def test_nobody_can_make_credentials_but_the_hub(line: HubLine) -> None:
    keys, node = line.keys, NKey.new(KeyKind.USER)
    genuine = line.credentials("nod_a", key=node)
    everything = Permissions([">"], [">"])
    platform, month = keys.platform.public, datetime.now(UTC) + timedelta(days=30)
    stranger = HubKeys.new()
    forged = {
        "the JWT of a node without its key": UserCredentials(genuine.jwt, NKey.new(KeyKind.USER)),
        "signed by the node itself": UserCredentials(
            nats_jwt.scoped_user(node, node.public, "nod_b", account=platform, expires_at=month),
            node,
        ),
        "signed by the scoped key with permissions of its own": UserCredentials(
            nats_jwt.user(
                keys.nodes, node.public, "nod_a", account=platform, permissions=everything
            ),
            node,
        ),
        "signed by the lobby for the platform": UserCredentials(
            nats_jwt.user(keys.lobby, node.public, "nod_a", account=platform), node
        ),
        "of another hub": UserCredentials(
            stranger.node_signer().issue(node.public, "nod_a", month), node
        ),
        "a bearer's, signed by the scoped key": UserCredentials(
            nats_jwt.user(keys.nodes, node.public, "nod_a", account=platform, bearer=True)
        ),
    }
    assert not await line.refused("nod_a", genuine)
    taken = {how for how, shown in forged.items() if not await line.refused("nod_a", shown)}
    # What is no user's JWT at all counts as none: who shows it may ask to join.
    assert taken == {"signed by the node itself"}
    party = await line.node("nod_b", forged["signed by the node itself"])
    heard, refused = await _published(line, party)
    assert (heard, refused) == ({"join"}, set(ALL) - {"join"})


async def test_credentials_end_at_their_time_also_for_who_is_connected(line: HubLine) -> None:
    other = await line.node("nod_b")
    for seconds in (3, 15, 60):  # on a slow machine they may be over before they are shown
        shown = line.credentials("nod_a", valid=timedelta(seconds=seconds))
        with contextlib.suppress(NatsError):
            party = await line.node("nod_a", shown)
            break
    else:
        raise AssertionError("good credentials are not let in")
    await until(lambda: not party.client.is_connected, 120)
    await asyncio.sleep(1)  # they are good to the end of their second
    assert await line.refused("nod_a", shown)
    assert (other.client.is_connected, other.disconnected) == (True, 0)


@pytest.mark.parametrize(
    "name", ["*", ">", "nod_a.>", "nod_*", "", "nod_A", "ctr_1", "nod_a nod_b"]
)
async def test_no_credentials_are_issued_for_a_name_that_is_no_id(line: HubLine, name: str) -> None:
    with pytest.raises(ValueError, match="no id of a node"):
        line.credentials(name)
