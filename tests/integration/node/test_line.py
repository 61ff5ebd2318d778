"""The line to the hub, with what befalls lines: a real broker, a proxy that fails."""

import asyncio
import sqlite3
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node_agent.home import Home, NodeCredentials
from node_agent.store import Store
from nodekit.keys import KeyKind, NKey
from tests.integration.node.conftest import PATIENT, eventually, refused, running
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import until
from tests.support.small_hub import SmallHub


def everything_once_and_in_order(hub: SmallHub, keys: list[str]) -> None:
    assert hub.keys_taken() == keys


async def test_reports_arrive_and_their_receipts_come_back(hub: SmallHub, home: Home) -> None:
    hub.bad_total = 13.0
    async with running(home) as node:
        await node.online()
        (good,) = await node.hand_in()
        (bad,) = await node.hand_in(total=13.0)
        await node.settled()
        receipts = await node.receipts()
        assert [(r.key, bool(r.refusals)) for r in receipts] == [(good, False), (bad, True)]
        everything_once_and_in_order(hub, [good, bad])


async def test_what_was_taken_while_the_line_was_away_goes_out_when_it_is_back(
    hub: SmallHub, home: Home, proxy: FaultProxy
) -> None:
    await proxy.refuse()
    async with running(home) as node:
        await node.in_state("offline")
        keys = await node.hand_in(700)
        assert (await node.agent.status()).queued == 700
        await proxy.mend()
        await node.settled()
        everything_once_and_in_order(hub, keys)


async def test_cuts_lose_nothing_and_double_nothing(
    hub: SmallHub, home: Home, proxy: FaultProxy
) -> None:
    async with running(home) as node:
        await node.online()
        for fault in ("reset", "black_hole", "half_open", "refuse", "reset"):
            await node.hand_in(150)
            match fault:
                case "black_hole":
                    await proxy.black_hole()
                case "half_open":
                    await proxy.half_open("target")
                case "refuse":
                    await proxy.refuse()
                case _:
                    await proxy.reset()
            await node.hand_in(150)
            await asyncio.sleep(0.3)
            await proxy.mend(forget=True)
        await node.settled()
        everything_once_and_in_order(hub, node.keys)


async def test_a_line_that_is_dead_but_looks_open_is_found_out(
    hub: SmallHub, home: Home, proxy: FaultProxy
) -> None:
    async with running(home) as node:
        await node.online()
        await proxy.half_open("target")  # the node still believes in its connection
        await node.in_state("offline")
        await node.online()
        await node.hand_in()
        await node.settled()


async def test_lost_answers_double_nothing(hub: SmallHub, home: Home) -> None:
    hub.loses_answers = 3
    async with running(home) as node:
        await node.online()
        await node.hand_in(20)
        await node.settled()
        everything_once_and_in_order(hub, node.keys)
        # Whoever did not get a receipt with the answer gets it with the next greeting.
        await node.has_receipts(20)
        assert [receipt.key for receipt in await node.receipts()] == node.keys


async def test_a_hub_that_refuses_is_asked_again_and_all_is_kept(hub: SmallHub, home: Home) -> None:
    hub.refuses = "NODE_NOT_SERVED"
    async with running(home, timing=PATIENT) as node:
        await node.in_state("refused")
        await node.hand_in(10)
        status = await node.agent.status()
        assert (status.line.trouble, status.queued) == ("NODE_NOT_SERVED", 10)
        hub.refuses = ""
        await node.settled()
        assert node.agent.line.state == "online"


async def test_a_barred_node_keeps_collecting_and_says_so(hub: SmallHub, home: Home) -> None:
    key = home.identity().credentials.public_key
    async with running(home) as node:
        await node.online()
        await hub.bar(key)
        await node.in_state("rejected")
        assert node.agent.line.trouble in ("revoked", "rejected")
        keys = await node.hand_in(5)
        assert (await node.agent.status()).queued == 5
        await hub.let_in()
        await node.settled()
        assert hub.keys_taken() == keys


async def test_credentials_are_renewed_with_a_new_key_that_greets_before_the_old_goes(
    hub: SmallHub, home: Home
) -> None:
    old = home.identity().credentials
    hub.credentials_life, hub.renew_before = timedelta(seconds=60), 59
    async with running(home, timing=PATIENT) as node:
        await until(lambda: home.identity().credentials != old)
        await node.hand_in(3)
        await node.settled()
    now = home.identity()
    assert now.next_credentials is None
    assert now.credentials.seed != old.seed
    greeted = [hello.public_key for hello in hub.hellos]
    assert greeted[0] == old.public_key
    assert greeted[-1] == now.credentials.public_key
    everything_once_and_in_order(hub, node.keys)


async def test_when_the_new_credentials_are_not_let_in_the_old_ones_serve(
    hub: SmallHub, home: Home
) -> None:
    identity = home.identity()
    stranger = hub.issue(NKey.new(KeyKind.USER).public)  # made for another key than the node has
    bad = NodeCredentials(
        stranger.jwt, NKey.new(KeyKind.USER).seed, identity.credentials.expires_at
    )
    home.keep(identity.with_renewed(bad))
    async with running(home) as node:
        await node.online()
    assert home.identity().next_credentials is None
    assert home.identity().credentials == identity.credentials


async def test_a_node_barred_while_it_renews_comes_back_with_the_key_that_is_let_in(
    hub: SmallHub, home: Home
) -> None:
    # The hub has heard the new key and barred the old one, its answer was lost, and the
    # node was suspended: both are refused for a time, and only the new one comes back.
    identity, key = home.identity(), NKey.new(KeyKind.USER)
    given = hub.issue(key.public)
    expires_at = given.expires_at.ToDatetime(tzinfo=UTC)
    fresh = NodeCredentials(given.jwt, key.seed, expires_at)
    home.keep(identity.with_renewed(fresh))
    await hub.bar(identity.credentials.public_key)
    await hub.bar(key.public)
    async with running(home) as node:
        await node.in_state("rejected")
        keys = await node.hand_in(3)
        await asyncio.sleep(1)
        del hub.barred[key.public]
        await hub.tell_accounts()
        await node.settled()
        everything_once_and_in_order(hub, keys)
    now = home.identity()
    assert (now.credentials.seed, now.next_credentials) == (key.seed, None)


async def test_a_hub_that_has_lost_its_last_reports_gets_them_again(
    hub: SmallHub, home: Home
) -> None:
    async with running(home) as node:
        await node.hand_in(50)
        await node.settled()
        (journal,) = hub.taken
        del hub.taken[journal][20:]
        del hub.receipts[20:]
        await hub.wake()
        await until(lambda: len(hub.taken[journal]) == 50)
        everything_once_and_in_order(hub, node.keys)


async def test_a_hub_that_has_lost_more_than_the_node_keeps_gets_what_there_is(
    hub: SmallHub, home: Home
) -> None:
    async with running(home) as node:
        keys = await node.hand_in(30)
        await node.settled()
        (journal,) = list(hub.taken)
        await node.agent.ask(lambda store: store.live(8 * 86400.0))
        await node.agent.ask(lambda store: store.prune())
        keys += await node.hand_in(5)
        await node.settled()
        hub.taken[journal].clear()
        hub.receipts.clear()
        await hub.wake()
        await until(lambda: hub.keys_taken() == keys[30:])
        assert (await node.agent.status()).reports_lost_by_hub


async def test_a_store_that_was_set_back_doubles_nothing_and_loses_nothing_new(
    hub: SmallHub, home: Home
) -> None:
    async with running(home) as node:
        await node.hand_in(10)
        await node.settled()
    copy = home.store_file.with_name("copy.db")
    with sqlite3.connect(home.store_file) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    async with running(home) as node:
        node.counter = 100
        await node.hand_in(10)
        await node.settled()
    had = hub.keys_taken()
    for path in home.path.glob("reports.db*"):
        path.unlink()
    copy.rename(home.store_file)
    async with running(home) as node:
        node.counter = 200
        fresh = await node.hand_in(4)
        await node.settled()
    assert hub.keys_taken() == had + fresh


async def test_what_the_headquarters_decides_later_reaches_the_node(
    hub: SmallHub, home: Home
) -> None:
    async with running(home) as node:
        (key,) = await node.hand_in()
        await node.settled()
        ((journal, (report,)),) = hub.taken.items()
        hub.decide(report, journal, "returned", "Trainees are missing.")
        await hub.wake()
        await node.has_receipts(2)
        kept = await node.agent.ask(lambda store: store.report(key))
        assert kept is not None
        assert [r.decision for r in kept.receipts] == ["", "returned"]
        assert kept.receipts[1].comment == "Trainees are missing."


@pytest.mark.parametrize("reports_lost", [0, 2])
async def test_what_a_hub_decides_after_it_was_set_back_reaches_the_node(
    hub: SmallHub, home: Home, reports_lost: int
) -> None:
    async with running(home) as node:
        keys = await node.hand_in(10)
        await node.settled()
        ((journal, reports),) = hub.taken.items()
        for report in list(reports[:3]):
            hub.decide(report, journal, "returned", "This the hub will forget.")
        await hub.wake()
        await node.has_receipts(13)
    # Restored from a backup of before, the hub gives the same numbers to other decisions:
    # as many as it has lost, so that no number tells that they are others.
    del hub.receipts[10 - reports_lost :]
    del hub.taken[journal][10 - reports_lost :]
    for report in list(reports[3 : 6 + reports_lost]):
        hub.decide(report, journal, "approved", "It is well.")
    async with running(home) as node:
        await node.online()
        decided = [(key, "approved") for key in keys[3 : 6 + reports_lost]]

        async def heard() -> bool:
            receipts = await node.receipts()
            return decided == [(r.key, r.decision) for r in receipts if r.decision == "approved"]

        await eventually(heard)
        # From here on they follow each other as before.
        node.counter = 100
        keys += await node.hand_in(5)
        await node.settled()
        assert hub.keys_taken() == keys
        standing = await node.agent.ask(Store.standing)
        assert standing.receipts_after == hub.receipts[-1].number
        assert standing.receipts_mark == hub.receipts[-1].mark


async def test_many_receipts_come_in_parts(hub: SmallHub, home: Home) -> None:
    hub.loses_answers = 1
    hub.batch_reports = 350
    async with running(home) as node:
        await node.hand_in(350)
        await node.settled(60)
        await node.has_receipts(350)


async def test_heartbeats_tell_how_the_node_is(
    hub: SmallHub, home: Home, proxy: FaultProxy
) -> None:
    hub.silent.add("reports")
    async with running(home) as node:
        await node.hand_in(7)
        await until(lambda: any(beat.queued_reports == 7 for beat in hub.heartbeats))
    last = hub.heartbeats[-1]
    assert last.disk_free_bytes > 0
    assert last.software_version
    assert [beat.number for beat in hub.heartbeats] == sorted(b.number for b in hub.heartbeats)


async def test_a_node_that_is_to_beat_more_often_does_so_at_once(hub: SmallHub, home: Home) -> None:
    hub.heartbeat_seconds = 60
    async with running(home, timing=replace(PATIENT, heartbeat=60.0)) as node:
        await node.online()
        await until(lambda: len(hub.heartbeats) == 1)
        hub.heartbeat_seconds = 1
        await hub.wake()
        await until(lambda: len(hub.heartbeats) >= 3)


@pytest.mark.parametrize("jump", [timedelta(days=-4000), timedelta(days=4000)])
async def test_a_clock_that_jumps_stops_nothing(hub: SmallHub, home: Home, jump: timedelta) -> None:
    shift = timedelta()

    def clock() -> datetime:
        return datetime.now(UTC) + shift

    async with running(home, clock=clock, timing=PATIENT) as node:
        await node.online()
        first = await node.hand_in(5)
        await node.settled()
        shift = jump
        second = await node.hand_in(5)
        await node.settled()
        await hub.wake()

        async def seen() -> bool:
            return abs((await node.agent.status()).hub_clock_ahead_seconds or 0) > 1e6

        await eventually(seen)
        assert node.agent.line.state == "online"
        assert home.identity().next_credentials is None
        assert home.identity().credentials == node.agent.identity.credentials
    assert hub.keys_taken() == first + second


async def has_another_certificate(hub: SmallHub, now: datetime) -> None:
    """Have the broker show a certificate made at that time to whoever connects from now on."""
    hub.server.authority.server_chain.unlink()
    assert hub.server.renew_certificate(now)
    shown = hub.server.authority.server_chain.read_text().partition("-----END")[0]
    hub.process.reload()
    host, _, port = hub.server.hub.rpartition(":")
    await until(lambda: ssl.get_server_certificate((host, int(port))).startswith(shown))


@pytest.mark.parametrize("days", [-4000, 400])
async def test_a_machine_whose_clock_is_outside_the_certificate_keeps_its_line(
    hub: SmallHub, home: Home, tmp_path: Path, days: int
) -> None:
    # To a machine whose clock is right, a certificate of another time is what one of now is
    # to a machine whose clock is wrong.
    await has_another_certificate(hub, datetime.now(UTC) + timedelta(days=days))
    async with running(home, timing=PATIENT) as node:
        keys = await node.hand_in(3)
        await node.settled()
        assert node.agent.line.state == "online"
    assert hub.keys_taken() == keys
    # Who joins finds it out, and is told that it is the clock.
    finding = await refused(tmp_path / "other", hub.token())
    assert (finding.check, "certificate" in finding.says) == ("clock", True)


async def test_another_authority_is_trusted_by_no_clock(hub: SmallHub, home: Home) -> None:
    hub.server.authority.certificate.unlink()
    await has_another_certificate(hub, datetime.now(UTC))
    async with running(home) as node:
        await node.in_state("rejected")
        assert node.agent.line.trouble == "untrusted"


async def test_a_broker_that_is_killed_and_comes_back_is_found_again(
    hub: SmallHub, home: Home
) -> None:
    async with running(home) as node:
        await node.hand_in(20)
        await hub.process.kill()
        await node.hand_in(20)
        await hub.process.start()
        await hub.tell_accounts()
        await node.settled()
        everything_once_and_in_order(hub, node.keys)


async def test_the_store_knows_again_what_it_has_sent(hub: SmallHub, home: Home) -> None:
    async with running(home) as node:
        await node.hand_in(3)
        await node.settled()
    store = Store(home.store_file)
    assert (store.standing().acked, store.standing().receipts_after) == (3, 3)
    store.close()
