"""Nodes join over a real broker: once for each token, with keys that are good until barred."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from centers.line.credential_watch import CredentialWatch
from centers.line.joining import Joining
from centers.line.responder import Request, Responder
from centers.use_cases.joining import Issuing, join, renew
from nodekit import subjects
from nodekit.join_token import new_secret
from nodekit.keys import KeyKind, NKey, UserCredentials
from peyvand.centers.v1 import nodes_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from servicekit.mapping import to_datetime, to_timestamp
from tests.support.hub_line import until
from tests.support.joining import LIFE, joining_bench, told_standing

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.support.cluster import Infra
    from tests.support.joining import JoiningBench


async def test_a_node_joins_says_hello_and_is_active(hub: JoiningBench) -> None:
    center = await hub.center()
    node = await hub.approved(center.id)
    joined, key = await hub.joined(node.id)
    assert (joined.node_id, joined.center_id) == (node.id, center.id)
    assert (joined.center_code, joined.center_names.en) == (center.code, "Mashhad")
    left = to_datetime(joined.credentials.expires_at) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    assert joined.settings.heartbeat_seconds == 10
    assert joined.settings.renew_before_seconds == 45 * 24 * 3600
    enrolled = await hub.node(node.id)
    assert enrolled.state == nodes_pb2.NODE_STATE_ENROLLED
    assert (enrolled.public_key, enrolled.software_version) == (key.public, "0.1.0")
    assert enrolled.credentials_expire_at == joined.credentials.expires_at

    party, before = await hub.connected(joined, key), datetime.now(UTC)
    reply = await hub.hello(party)
    assert reply.standing.last_number == 41
    assert reply.standing.more_receipts
    assert [(r.number, r.journal, r.key) for r in reply.standing.receipts] == [(7, "j1", node.id)]
    assert reply.standing.settings == joined.settings
    assert reply.standing.credentials_expire_at == joined.credentials.expires_at
    assert before <= to_datetime(reply.standing.time) <= datetime.now(UTC)
    assert (await hub.node(node.id)).state == nodes_pb2.NODE_STATE_ACTIVE
    await hub.hello(party)
    assert await hub.events(node.id) == [
        "created",
        "approved",
        "token_issued",
        "joined",
        "activated",
    ]


async def test_of_twenty_with_one_token_one_joins_and_each_other_is_told_of(
    hub: JoiningBench,
) -> None:
    node = await hub.approved()
    token = await hub.token(node.id)
    joiners = [await hub.line.joiner() for _ in range(20)]
    replies = await asyncio.gather(*(hub.ask_to_join(party, token.secret) for party in joiners))
    outcomes = Counter(reply.refusal.reason or "joined" for reply in replies)
    assert outcomes == {"joined": 1, "JOIN_TOKEN_USED": 19}
    assert Counter(await hub.events(node.id))["token_reused"] == 19
    assert len(await hub.keys(node.id)) == 1
    refused = next(reply.refusal for reply in replies if reply.HasField("refusal"))
    assert "used already" in refused.en
    assert "به‌کار رفته" in refused.fa
    assert (await hub.last_event(node.id)).node.state == nodes_pb2.NODE_STATE_ENROLLED
    for party in joiners:
        await party.client.close()


async def test_who_lost_the_answer_asks_again_and_gets_the_same(hub: JoiningBench) -> None:
    node = await hub.approved()
    token, key, joiner = await hub.token(node.id), NKey.new(KeyKind.USER), await hub.line.joiner()
    first = await hub.ask_to_join(joiner, token.secret, key)
    again = await asyncio.gather(*(hub.ask_to_join(joiner, token.secret, key) for _ in range(5)))
    for reply in again:
        assert reply.joined.node_id == first.joined.node_id
        assert reply.joined.credentials.expires_at == first.joined.credentials.expires_at
    assert (await hub.events(node.id))[-1] == "joined"
    party = await hub.connected(again[-1].joined, key)
    assert (await hub.hello(party)).HasField("standing")
    # Once the node was heard of, its answer cannot have been lost.
    late = await hub.ask_to_join(joiner, token.secret, key)
    assert late.refusal.reason == "JOIN_TOKEN_USED"
    assert (await hub.events(node.id))[-1] == "token_reused"
    await joiner.client.close()


async def test_a_newer_token_takes_the_place_of_an_older_one(hub: JoiningBench) -> None:
    node = await hub.approved()
    old, new = await hub.token(node.id), await hub.token(node.id)
    joiner = await hub.line.joiner()
    refused = await hub.ask_to_join(joiner, old.secret)
    assert refused.refusal.reason == "JOIN_TOKEN_UNKNOWN"
    assert (await hub.ask_to_join(joiner, new.secret)).HasField("joined")
    await joiner.client.close()


async def test_what_is_wrong_is_told_and_leaves_no_trace(hub: JoiningBench) -> None:
    node = await hub.approved()
    token, joiner = await hub.token(node.id), await hub.line.joiner()
    before = await hub.events(node.id)
    other, key = await hub.joined()

    async def refusal(secret: str = token.secret, **values: Any) -> str:
        return (await hub.ask_to_join(joiner, secret, **values)).refusal.reason

    # More than five minutes, also when it is under way for long.
    now, off = datetime.now(UTC), timedelta(hours=1)
    ahead, behind = now + off, now - off
    assert await refusal(time=to_timestamp(ahead)) == "CLOCK_TOO_FAR_OFF"
    assert await refusal(time=to_timestamp(behind)) == "CLOCK_TOO_FAR_OFF"
    assert await refusal(protocol_version=2) == "PROTOCOL_NOT_SPOKEN"
    assert await refusal(public_key="UABC") == "PUBLIC_KEY_INVALID"
    account = NKey.new(KeyKind.ACCOUNT).public
    assert await refusal(public_key=account) == "PUBLIC_KEY_INVALID"
    assert await refusal(public_key=key.public) == "PUBLIC_KEY_TAKEN"
    assert await refusal(secret=new_secret()) == "JOIN_TOKEN_UNKNOWN"
    assert await refusal(secret="") == "JOIN_TOKEN_UNKNOWN"
    reply = await hub.join_reply(joiner, b"\xff\xff")
    assert reply.refusal.reason == "MESSAGE_UNREADABLE"
    far = pb.JoinRequest(secret="x", public_key=NKey.new(KeyKind.USER).public, protocol_version=1)
    far.time.seconds = 1 << 60
    reply = await hub.join_reply(joiner, far.SerializeToString())
    assert reply.refusal.reason == "MESSAGE_UNREADABLE"
    assert await hub.events(node.id) == before
    assert await hub.keys(node.id) == {}
    assert await hub.keys(other.node_id) == {key.public: False}
    # A clock that is off by less, and the token is still good.
    near = to_timestamp(datetime.now(UTC) - timedelta(seconds=200))
    assert await refusal(time=near) == ""
    await joiner.client.close()


async def test_who_joins_anew_with_the_token_of_another_node_puts_nobody_out(
    hub: JoiningBench,
) -> None:
    other, key = await hub.joined()
    at_work = await hub.connected(other, key)
    await hub.hello(at_work)
    token, mine = await hub.token(other.node_id), await hub.approved()
    before, joiner = await hub.events(other.node_id), await hub.line.joiner()
    refused = await hub.ask_to_join(joiner, token.secret, expected_node_id=mine.id)
    assert refused.refusal.reason == "JOIN_TOKEN_OF_ANOTHER_NODE"
    assert mine.id in refused.refusal.fa
    assert await hub.events(other.node_id) == before
    assert await hub.keys(other.node_id) == {key.public: False}
    assert (await hub.hello(at_work)).HasField("standing")
    again = await hub.ask_to_join(joiner, token.secret, expected_node_id=other.node_id)
    assert again.HasField("joined")
    await joiner.client.close()


async def test_a_token_that_was_not_used_in_time_is_no_longer_good(hub: JoiningBench) -> None:
    node = await hub.approved()
    token, joiner = await hub.token(node.id, valid_seconds=1), await hub.line.joiner()
    await asyncio.sleep(1.05)
    refused = await hub.ask_to_join(joiner, token.secret)
    assert refused.refusal.reason == "JOIN_TOKEN_EXPIRED"
    await joiner.client.close()


@pytest.mark.parametrize("verb", ["Withdraw", "Revoke"])
async def test_a_token_of_a_node_that_is_out_is_none(hub: JoiningBench, verb: str) -> None:
    node = await hub.approved()
    token, joiner = await hub.token(node.id), await hub.line.joiner()
    await hub.step(verb, node, "No longer wanted.")
    refused = await hub.ask_to_join(joiner, token.secret)
    assert refused.refusal.reason == "JOIN_TOKEN_UNKNOWN"
    await joiner.client.close()


async def test_a_token_made_before_a_suspension_is_none_after_it(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    token, joiner = await hub.token(joined.node_id), await hub.line.joiner()
    await hub.step("Suspend", await hub.node(joined.node_id), "Looked into.")
    await hub.step("Resume", await hub.node(joined.node_id))
    # A change of what is barred may cost an answer to who joins meanwhile: it is over then.
    shown = UserCredentials(joined.credentials.jwt, key)
    assert await _admitted(hub, joined.node_id, shown)
    refused = await hub.ask_to_join(joiner, token.secret)
    assert refused.refusal.reason == "JOIN_TOKEN_UNKNOWN"
    await joiner.client.close()


async def test_who_joins_anew_puts_the_old_machine_out(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    old = await hub.connected(joined, key)
    await hub.hello(old)
    again, new_key = await hub.joined(joined.node_id)
    assert again.node_id == joined.node_id
    await until(lambda: old.disconnected == 1)
    assert await hub.keys(joined.node_id) == {key.public: True, new_key.public: False}
    assert await hub.line.refused(joined.node_id, UserCredentials(joined.credentials.jwt, key))
    new = await hub.connected(again, new_key)
    assert (await hub.hello(new, key)).refusal.reason == "KEY_REPLACED"
    assert (await hub.hello(new)).HasField("standing")


async def test_who_joins_anew_is_told_so_before_the_old_keys_are_barred(infra: Infra) -> None:
    async with joining_bench(infra, processes=0) as hub:
        issuing = Issuing(hub.line.keys.node_signer(), LIFE)
        exchange = Joining(hub.database, issuing, told_standing).exchanges()[subjects.JOIN]

        async def slowly(request: Request) -> Message:
            answer = await exchange.handler(request)
            # Long enough for the broker to be told of all that is committed by now.
            await asyncio.sleep(1)
            return answer

        broker = await Broker.connect(hub.line.server.access, name="centers")
        responder = Responder(broker, {subjects.JOIN: replace(exchange, handler=slowly)})
        await responder.start()
        joined, key = await hub.joined()
        old = await hub.connected(joined, key)
        await hub.joined(joined.node_id)
        await until(lambda: old.disconnected == 1)
        await responder.stop()
        await broker.close()


async def test_a_key_renewed_after_the_clock_was_set_back_is_not_taken_for_an_older_one(
    hub: JoiningBench,
) -> None:
    joined, key = await hub.joined()
    old, fresh = await hub.connected(joined, key), NKey.new(KeyKind.USER)
    await hub.hello(old)
    issuing = Issuing(hub.line.keys.node_signer(), LIFE)
    asked = pb.RenewRequest(public_key=fresh.public)
    behind = datetime.now(UTC) - timedelta(seconds=60)
    given = await hub.database.write(
        lambda session: renew(session, joined.node_id, asked, issuing, behind)
    )
    await CredentialWatch(hub.database).look(datetime.now(UTC))
    assert await hub.keys(joined.node_id) == {key.public: False, fresh.public: False}
    new = await hub.connected(joined, fresh, given.jwt)
    assert (await hub.hello(new)).HasField("standing")
    assert await hub.keys(joined.node_id) == {key.public: True, fresh.public: False}


async def test_the_old_keys_are_barred_though_a_process_died_before_it_could(
    hub: JoiningBench,
) -> None:
    joined, key = await hub.joined()
    old, token, new_key = (
        await hub.connected(joined, key),
        await hub.token(joined.node_id),
        NKey.new(KeyKind.USER),
    )
    now = datetime.now(UTC)
    asked = pb.JoinRequest(secret=token.secret, public_key=new_key.public, protocol_version=1)
    asked.time.FromDatetime(now)
    issuing = Issuing(hub.line.keys.node_signer(), LIFE)
    # A clock that is behind makes the keys of before no newer than the one it joins with.
    behind = now - timedelta(seconds=60)
    await hub.database.write(lambda session: join(session, asked, issuing, behind))
    assert await hub.keys(joined.node_id) == {key.public: False, new_key.public: False}
    assert (await hub.hello(old, key)).refusal.reason == "KEY_REPLACED"
    stolen = pb.RenewRequest(public_key=NKey.new(KeyKind.USER).public)
    refused = await hub.ask(old, "renew", stolen, pb.RenewReply)
    assert refused.refusal.reason == "UNAVAILABLE"
    await CredentialWatch(hub.database).look(now)
    assert await hub.keys(joined.node_id) == {key.public: True, new_key.public: False}
    await until(lambda: old.disconnected == 1)


@pytest.mark.parametrize("verb", ["Suspend", "Revoke", "Withdraw"])
async def test_cutting_a_node_off_cuts_its_line(hub: JoiningBench, verb: str) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)
    await hub.hello(party)
    await hub.step(verb, await hub.node(joined.node_id), "A machine was stolen.")
    await until(lambda: party.disconnected == 1)
    assert await hub.keys(joined.node_id) == {key.public: True}
    assert await hub.line.refused(joined.node_id, UserCredentials(joined.credentials.jwt, key))


async def test_a_suspended_node_comes_back_with_the_keys_that_it_had(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    again, current = await hub.joined(joined.node_id)
    party = await hub.connected(again, current)
    await hub.hello(party)
    waiting = NKey.new(KeyKind.USER)
    request = pb.RenewRequest(public_key=waiting.public)
    renewed = await hub.ask(party, "renew", request, pb.RenewReply)
    await hub.step("Suspend", await hub.node(joined.node_id), "Looked into.")
    assert set((await hub.keys(joined.node_id)).values()) == {True}
    # The broker is told of what is so when it is looked at: not before that it may be over.
    await until(lambda: party.disconnected == 1)
    resumed = await hub.step("Resume", await hub.node(joined.node_id))
    assert resumed.state == nodes_pb2.NODE_STATE_ACTIVE
    assert await hub.keys(joined.node_id) == {
        key.public: True,
        current.public: False,
        waiting.public: False,
    }
    shown = UserCredentials(renewed.credentials.jwt, waiting)
    assert await _admitted(hub, joined.node_id, shown)
    back = await hub.connected(joined, waiting, renewed.credentials.jwt)
    assert (await hub.hello(back)).HasField("standing")


async def _admitted(hub: JoiningBench, node_id: str, shown: UserCredentials) -> bool:
    """Tell whether the broker takes credentials within a minute."""
    for _ in range(600):
        if not await hub.line.refused(node_id, shown):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_the_hub_takes_nothing_of_a_node_that_is_not_served(hub: JoiningBench) -> None:
    joined, _ = await hub.joined()
    await hub.step("Suspend", await hub.node(joined.node_id), "Looked into.")
    # What the registrar would cut in a moment, asked by who may say anything.
    service = await hub.line.platform()
    service.name = joined.node_id
    key = NKey.new(KeyKind.USER)
    assert (await hub.hello(service, key)).refusal.reason == "NODE_NOT_SERVED"
    request = pb.RenewRequest(public_key=key.public)
    renewed = await hub.ask(service, "renew", request, pb.RenewReply)
    assert renewed.refusal.reason == "NODE_NOT_SERVED"
    assert "suspended" in renewed.refusal.en
    left = await hub.ask(service, "leave", pb.LeaveRequest(), pb.LeaveReply)
    assert left.refusal.reason == "NODE_NOT_SERVED"
    service.name = "nod_01k00000000000000000000000"
    assert (await hub.hello(service, key)).refusal.reason == "NODE_NOT_SERVED"
    await service.client.close()


async def test_renewed_credentials_count_when_they_are_used(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)
    await hub.hello(party)
    before = await hub.node(joined.node_id)
    new = NKey.new(KeyKind.USER)
    request = pb.RenewRequest(public_key=new.public, software_version="0.2.0")
    first = await hub.ask(party, "renew", request, pb.RenewReply)
    second = await hub.ask(party, "renew", request, pb.RenewReply)
    assert second.credentials.expires_at == first.credentials.expires_at
    assert (await hub.node(joined.node_id)).public_key == key.public
    assert await hub.keys(joined.node_id) == {key.public: False, new.public: False}

    renewed = await hub.connected(joined, new, second.credentials.jwt)
    assert (await hub.hello(renewed)).HasField("standing")
    after = await hub.node(joined.node_id)
    assert (after.public_key, after.software_version) == (new.public, "0.2.0")
    assert after.credentials_expire_at == first.credentials.expires_at
    assert after.joined_at == before.joined_at
    assert after.state == nodes_pb2.NODE_STATE_ACTIVE
    assert await hub.keys(joined.node_id) == {key.public: True, new.public: False}
    assert (await hub.events(joined.node_id))[-1] == "renewed"
    await until(lambda: party.disconnected == 1)


async def test_the_version_shown_is_the_one_that_runs(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)

    async def shown_after(said: pb.Hello | pb.RenewRequest) -> str:
        if isinstance(said, pb.Hello):
            assert (await hub.ask(party, "hello", said, pb.HelloReply)).HasField("standing")
        else:
            assert (await hub.ask(party, "renew", said, pb.RenewReply)).HasField("credentials")
        return (await hub.node(joined.node_id)).software_version

    def hello(version: str) -> pb.Hello:
        return pb.Hello(journal="j1", public_key=key.public, software_version=version)

    assert await shown_after(hello("0.2.0")) == "0.2.0"
    assert await shown_after(hello("0.3.0")) == "0.3.0"
    assert await shown_after(hello("")) == "0.3.0"
    assert await shown_after(hello("0499370899")) == "0.3.0"
    new = NKey.new(KeyKind.USER).public
    assert await shown_after(pb.RenewRequest(public_key=new, software_version="0.4.0")) == "0.4.0"
    assert (await hub.events(joined.node_id))[-1] == "activated"


async def test_a_renewal_that_was_lost_leaves_the_old_key_good(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)
    lost, new = NKey.new(KeyKind.USER), NKey.new(KeyKind.USER)
    await hub.ask(party, "renew", pb.RenewRequest(public_key=lost.public), pb.RenewReply)
    assert (await hub.hello(party)).HasField("standing")
    await hub.ask(party, "renew", pb.RenewRequest(public_key=new.public), pb.RenewReply)
    assert await hub.keys(joined.node_id) == {
        key.public: False,
        lost.public: True,
        new.public: False,
    }
    assert (await hub.hello(party, lost)).refusal.reason == "KEY_REPLACED"
    taken = pb.RenewRequest(public_key=key.public)
    refused = await hub.ask(party, "renew", taken, pb.RenewReply)
    assert refused.refusal.reason == "PUBLIC_KEY_TAKEN"


async def test_no_node_gets_at_the_keys_of_another(hub: JoiningBench) -> None:
    mine, foreign = await hub.joined(), await hub.joined()
    party, other = await hub.connected(*mine), await hub.connected(*foreign)
    waiting = NKey.new(KeyKind.USER)
    request = pb.RenewRequest(public_key=waiting.public)
    assert (await hub.ask(other, "renew", request, pb.RenewReply)).HasField("credentials")
    refused = await hub.ask(party, "renew", request, pb.RenewReply)
    assert refused.refusal.reason == "PUBLIC_KEY_TAKEN"
    assert (await hub.hello(party, waiting)).refusal.reason == "KEY_REPLACED"
    assert (await hub.hello(party, foreign[1])).refusal.reason == "KEY_REPLACED"
    assert await hub.keys(mine[0].node_id) == {mine[1].public: False}
    assert (await hub.hello(other, waiting)).HasField("standing")


async def test_who_renews_without_end_is_slowed_down(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)
    reasons: list[str] = []
    for _ in range(22):
        request = pb.RenewRequest(public_key=NKey.new(KeyKind.USER).public)
        reasons.append((await hub.ask(party, "renew", request, pb.RenewReply)).refusal.reason)
    assert reasons == [""] * 19 + ["RATE_LIMITED"] * 3
    assert (await hub.hello(party)).HasField("standing")


async def test_a_node_leaves_is_told_so_and_is_then_cut_off(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    party = await hub.connected(joined, key)
    await hub.hello(party)
    said = pb.LeaveRequest(reason="The server\x00 room is closed.")
    reply = await hub.ask(party, "leave", said, pb.LeaveReply)
    assert not reply.HasField("refusal")
    left = await hub.node(joined.node_id)
    assert left.state == nodes_pb2.NODE_STATE_WITHDRAWN
    assert left.state_reason == "The server room is closed."
    assert (await hub.last_event(left.id)).change.step.actor == left.id
    await until(lambda: party.disconnected == 1)
    assert await hub.keys(left.id) == {key.public: True}


async def test_who_left_and_was_not_seen_off_is_cut_off_later(hub: JoiningBench) -> None:
    joined, key = await hub.joined()
    await hub.step("Withdraw", await hub.node(joined.node_id))
    async with hub.database.engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE node_key SET barred_since = NULL WHERE node_id = :id"),
            {"id": joined.node_id},
        )
    await CredentialWatch(hub.database).look(datetime.now(UTC))
    assert await hub.keys(joined.node_id) == {key.public: True}


async def test_the_end_of_credentials_is_warned_of_once_each_time(hub: JoiningBench) -> None:
    joined, _ = await hub.joined()
    end = to_datetime(joined.credentials.expires_at)
    watches = [CredentialWatch(hub.database) for _ in range(3)]
    warned = list[int]()
    for hours in (31 * 24, 30 * 24, 8 * 24, 7 * 24, 2 * 24, 24):
        for _ in range(2):
            await asyncio.gather(*(watch.look(end - timedelta(hours=hours)) for watch in watches))
        events = await hub.events(joined.node_id)
        if events.count("credentials_expiring") > len(warned):
            warned.append((await hub.last_event(joined.node_id)).days_left)
            assert events.count("credentials_expiring") == len(warned), hours
    assert warned == [30, 7, 1]
