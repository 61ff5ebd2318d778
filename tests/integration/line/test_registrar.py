"""What the database says of keys is what the broker does, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
import structlog
from prometheus_client import REGISTRY

from centers import registrar
from nodekit import nats_jwt
from tests.support.hub_line import until
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.hub_line import HubLine, Party

LOCKS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)
NEXT_LOOK = 4.0  # seconds in which the registrar has looked again, surely


def agreement() -> float | None:
    """What the registrar says of itself to whoever watches."""
    return REGISTRY.get_sample_value("registrar_agrees")


async def _account(line: HubLine) -> Mapping[str, object]:
    """Return what the broker says of PLATFORM."""
    system = await line.connect("test", line.keys.system_credentials("test"), "_INBOX")
    subject = f"$SYS.REQ.ACCOUNT.{line.keys.platform.public}.CLAIMS.LOOKUP"
    answer = await system.client.request(subject, b"", timeout=60)
    await system.client.close()
    return nats_jwt.decode(answer.data.decode()).nats


async def _tell(line: HubLine, jwt: str) -> None:
    """Change an account behind the registrar's back."""
    system = await line.connect("test", line.keys.system_credentials("test"), "_INBOX")
    answer = await system.client.request("$SYS.REQ.CLAIMS.UPDATE", jwt.encode(), timeout=60)
    assert b'"code":200' in answer.data
    await system.client.close()


async def _let_in(line: HubLine, party: Party) -> None:
    """Wait until a node gets in again."""
    assert party.credentials is not None
    shown = party.credentials

    async def is_let_in() -> bool:
        return not await line.refused(party.name, shown)

    await eventually(is_let_in)


@pytest.mark.parametrize("woken", [True, False])
async def test_a_barred_key_is_cut_off_at_once_and_only_it(
    own_line: HubLine, woken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = own_line
    service = await line.platform()
    parties = {name: await line.node(name) for name in ("nod_a", "nod_b", "nod_c")}
    second = await line.node("nod_a")  # another key of the same node
    barred = parties.pop("nod_a")
    if woken:
        # It will not look by itself any more once it has finished the pause it is in.
        monkeypatch.setattr(registrar, "_INTERVAL", 3600.0)
        await asyncio.sleep(NEXT_LOOK)
    else:
        await line.execute("ALTER TABLE node_key DISABLE TRIGGER ALL")
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    assert barred.credentials is not None
    assert await line.refused("nod_a", barred.credentials)
    for party in (service, second, *parties.values()):
        await party.client.flush()
        assert (party.disconnected, party.errors) == (0, [])

    await line.unbar(barred)
    await _let_in(line, barred)


async def test_it_lasts_when_the_broker_restarts(own_line: HubLine) -> None:
    line = own_line
    barred, free = await line.node("nod_a"), await line.node("nod_b")
    assert barred.credentials is not None
    assert free.credentials is not None
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    await line.stop_registrar()
    await line.process.kill()
    await line.process.start()
    assert await line.refused("nod_a", barred.credentials)
    assert not await line.refused("nod_b", free.credentials), "the broker remembers by itself"


async def test_a_broker_that_lost_its_store_lets_no_node_in_before_it_knows(
    own_line: HubLine,
) -> None:
    line = own_line
    barred, free = await line.node("nod_a"), await line.node("nod_b")
    assert barred.credentials is not None
    assert free.credentials is not None
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    await line.stop_registrar()
    await line.process.kill()
    shutil.rmtree(line.server.store)
    await line.process.start()
    assert await line.refused("nod_a", barred.credentials)
    assert await line.refused("nod_b", free.credentials)
    service = await line.platform()
    assert service.client.is_connected, "services work on meanwhile"
    joiner = await line.joiner()
    assert joiner.client.is_connected

    await line.start_registrar()
    await _let_in(line, free)
    assert await line.refused("nod_a", barred.credentials)


async def test_a_store_lost_under_a_running_registrar_is_filled_again(own_line: HubLine) -> None:
    line = own_line
    barred, free = await line.node("nod_a"), await line.node("nod_b")
    assert barred.credentials is not None
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    await line.process.kill()
    shutil.rmtree(line.server.store)
    await line.process.start()
    await _let_in(line, free)
    assert await line.refused("nod_a", barred.credentials)


async def test_a_broker_that_was_told_otherwise_is_told_again(
    own_line: HubLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = own_line
    barred = await line.node("nod_a")
    assert barred.credentials is not None
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    # It looks when it is woken, so that what was told otherwise is seen before that.
    monkeypatch.setattr(registrar, "_INTERVAL", 3600.0)
    await asyncio.sleep(NEXT_LOOK)
    # As after a backup of the broker was brought back.
    await _tell(line, nats_jwt.account(line.keys.operator, line.keys.platform_account({})))
    assert not await line.refused("nod_a", barred.credentials)
    await line.execute(f"NOTIFY {registrar.CHANNEL}")
    shown = barred.credentials

    async def is_refused() -> bool:
        return await line.refused("nod_a", shown)

    await eventually(is_refused)


async def test_keys_are_forgotten_once_they_have_expired(own_line: HubLine) -> None:
    line = own_line
    long_gone, barred = await line.node("nod_a"), await line.node("nod_b")
    await line.bar(long_gone, expires_in=-timedelta(days=2))
    await line.bar(barred)
    await until(lambda: not barred.client.is_connected)
    revoked = (await _account(line))["revocations"]
    assert isinstance(revoked, dict)
    assert list(revoked) == [barred.public_key]
    # A clock that is wrong somewhere must not let a barred key in.
    assert revoked[barred.public_key] > datetime.now(UTC).timestamp() + 86_400


async def test_five_hundred_barred_keys_are_told_too(own_line: HubLine) -> None:
    line = own_line
    party = await line.node("nod_a")
    keys = [line.credentials(f"nod_x{number}").key for number in range(500)]
    await line.execute(
        "INSERT INTO node_key SELECT key, 'nod_x', now(), now() + interval '20 days', now()"
        " FROM unnest($1::text[]) AS key",
        [key.public for key in keys if key],
    )
    await line.bar(party)
    await until(lambda: not party.client.is_connected)
    revoked = (await _account(line))["revocations"]
    assert isinstance(revoked, dict)
    assert len(revoked) == 501


async def test_it_says_so_as_soon_as_the_broker_is_not_told_and_when_it_is(
    own_line: HubLine,
) -> None:
    line = own_line
    registrar = line.registrar
    assert registrar.agrees
    await until(lambda: agreement() == 1)
    await line.process.kill()
    # Registrars of other tests in this process say theirs in the same place.
    await until(lambda: not registrar.agrees and agreement() == 0)
    await line.process.start()
    await until(lambda: registrar.agrees and agreement() == 1)


async def test_one_that_stands_by_or_has_ended_does_not_say_that_the_broker_agrees(
    own_line: HubLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = own_line
    await until(lambda: agreement() == 1)
    # Registrars of other tests in this process say theirs in the same place.
    own, says = line.registrar._task, [1.0]

    def note(value: float) -> None:
        if asyncio.current_task() is own:
            says.append(value)

    monkeypatch.setattr(registrar.AGREES, "set", note)
    url = line.database_url.replace("+asyncpg", "")
    other, third = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        # It waits for what the registrar leads by, and has it when that one's session ends.
        key = int.from_bytes(hashlib.sha256(b"registrar").digest()[:8], "big", signed=True)
        leading = asyncio.create_task(other.execute("SELECT pg_advisory_lock($1)", key))
        for _ in range(600):
            if await third.fetchval(f"SELECT count(*) {LOCKS} AND NOT granted"):
                break
            await asyncio.sleep(0.05)
        await third.fetch(f"SELECT pg_terminate_backend(pid) {LOCKS} AND granted")
        await asyncio.wait_for(leading, 60)
        await until(lambda: line.registrar.agrees and says[-1] == 0)
        await other.execute("SELECT pg_advisory_unlock($1)", key)
        await until(lambda: says[-1] == 1)
    finally:
        await other.close()
        await third.close()
    await line.stop_registrar()
    assert says[-1] == 0


async def test_more_bars_than_the_broker_takes_are_told_as_an_error_with_its_mend(
    own_line: HubLine,
) -> None:
    line = own_line
    registrar = line.registrar
    with structlog.testing.capture_logs() as logs:
        await line.execute(
            "INSERT INTO node_key (public_key, node_id, issued_at, expires_at, barred_since)"
            " SELECT 'U' || lpad(n::text, 55, 'A'), 'nod_a', now(), now() + interval '1 day', now()"
            " FROM generate_series(1, 12000) n"
        )
        await until(lambda: not registrar.agrees)
        await until(lambda: any(entry["log_level"] == "error" for entry in logs))
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert "12000 barred keys" in told["error"]
    assert "raise max_payload" in told["error"]
    await line.execute("DELETE FROM node_key")
    await until(lambda: registrar.agrees)
