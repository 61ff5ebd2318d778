"""The cluster on this machine: PostgreSQL, NATS and processes that stand for services."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg
import nats
import nats.errors
import psutil
import pytest

from hubkit.topology import ServiceSpec
from nodekit.accounts import HubKeys
from peyvandctl.cluster import Cluster, ClusterEvent
from peyvandctl.errors import ClusterError
from peyvandctl.processes import ManagedProcess, ProcessSpec, http_status, tail
from peyvandctl.state import free_port
from tests.support.cluster import fresh_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.cluster import Infra

# A service as the cluster sees one: settings in the environment, a migration, a
# readiness, an orderly end on SIGTERM.
CHILD = """
import http.server, os, pathlib, sys

home = pathlib.Path(os.environ["PEYVAND_HOME"])
if os.environ.get("PEYVAND_MIGRATE") == "true":
    (home / "migrated").write_text(os.environ["PEYVAND_DATABASE_URL"])
if "CHILD_BROKEN" in os.environ:
    sys.exit("the child is broken")
with (home / "starts").open("a") as starts:
    starts.write(f"{os.getpid()}\\n")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

host, port = os.environ["PEYVAND_METRICS_LISTEN"].rsplit(":", 1)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
CHILD_SERVICE = ServiceSpec("centers", "peyvand_test_child", has_database=True)
GATEWAY_CHILD = ServiceSpec("gateway", "peyvand_test_child", has_database=False)


@pytest.fixture
def child_env(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "child modules"
    folder.mkdir()
    (folder / "peyvand_test_child.py").write_text(CHILD)
    return {"PYTHONPATH": str(folder)}


async def rows(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def until(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)


async def test_a_role_reaches_its_own_database_and_no_other(infra: Infra) -> None:
    postgres = infra.cluster.postgres
    assert [tuple(row) for row in await rows(postgres.dsn("centers"), "SELECT current_user")] == [
        ("centers",)
    ]
    for other in ("projects", "partners", "observatory", "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(postgres.dsn("centers", other), "SELECT 1")


async def test_postgres_refuses_a_wrong_password(infra: Infra) -> None:
    url = infra.cluster.postgres.dsn("centers")
    password = infra.cluster.postgres.role_passwords["centers"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await rows(url.replace(password, "wrong"), "SELECT 1")


async def test_postgres_is_durable_and_in_utc(infra: Infra) -> None:
    connection = await infra.cluster.postgres.connect()
    try:
        settings = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in ("fsync", "full_page_writes", "synchronous_commit", "timezone")
        }
        version = await connection.fetchval("SHOW server_version_num")
    finally:
        await connection.close()
    assert settings == {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
    assert str(version).startswith("18")


async def test_nats_knows_the_services_by_their_credentials_alone(infra: Infra) -> None:
    access = infra.cluster.nats.access
    said: list[str] = []

    async def note(error: Exception) -> None:
        said.append(str(error))

    quiet: dict[str, Any] = {"allow_reconnect": False, "connect_timeout": 2, "error_cb": note}
    with pytest.raises((nats.errors.Error, TimeoutError)):
        await nats.connect(f"nats://127.0.0.1:{infra.cluster.nats.port}", **quiet)
    patient: dict[str, Any] = quiet | {"connect_timeout": 60}
    with pytest.raises(ssl.SSLCertVerificationError):
        await nats.connect(**replace(access, ca=None).options(), **patient)
    forged = HubKeys.new().service_credentials("platform")
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await nats.connect(**replace(access, credentials=forged).options(), **patient)

    nobody = await nats.connect(**replace(access, credentials=None).options(), **patient)
    said.clear()
    await nobody.publish("evt.centers.center.created.ctr_1", b"")
    await nobody.subscribe("evt.>")
    await nobody.flush()
    await until(lambda: len(said) == 2)
    assert all("permissions violation" in error for error in said)
    await nobody.close()

    client = await nats.connect(**access.options())
    account = await client.jetstream().account_info()
    assert account.limits is not None
    await client.close()


async def test_fresh_databases_share_nothing(infra: Infra) -> None:
    first = await infra.fresh_database("centers")
    second = await infra.fresh_database("centers")
    await rows(first, "CREATE TABLE only_here (id int)")
    assert await rows(second, "SELECT 1 FROM pg_tables WHERE tablename = 'only_here'") == []
    await infra.drop_database(first)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await rows(first, "SELECT 1")


async def test_a_migrated_database_is_a_copy_with_all_tables(infra: Infra) -> None:
    first, second = [await infra.fresh_database("centers", migrated=True) for _ in range(2)]
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    tables = [row[0] for row in await rows(first, query)]
    assert "alembic_version" in tables
    assert [row[0] for row in await rows(second, query)] == tables
    owner = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert [row[0] for row in await rows(second, owner)] == ["centers"]


async def test_a_killed_broker_keeps_what_it_acknowledged(infra: Infra) -> None:
    async with infra.fresh_nats() as (server, process):
        client = await nats.connect(**server.access.options(), max_reconnect_attempts=-1)
        stream = client.jetstream()
        await stream.add_stream(name="KEPT", subjects=["kept.>"])
        await stream.publish("kept.one", b"1")
        # The server syncs to disk each second; a kill of the process loses nothing
        # that the kernel already has.
        await process.kill()
        assert not process.running
        await process.start()
        again = await nats.connect(**server.access.options())
        info = await again.jetstream().stream_info("KEPT")
        assert info.state.messages == 1
        await again.close()
        await client.close()


async def test_all_secrets_are_closed_to_others(infra: Infra) -> None:
    home = infra.cluster.home
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    infra.cluster.nats.credentials("platform")
    folders = [home.nats / name for name in ("keys", "tls", "credentials")]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    files = [home.secrets, home.issuer / "private.json", *home.nats.glob("*.*")]
    files += [file for folder in folders for file in folder.iterdir()]
    assert {"server.conf", "node-keys.json", "operator.nk", "ca.key"} <= {f.name for f in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not (home.postgres / "initial-password").exists()


async def test_two_clusters_run_side_by_side_under_paths_with_a_space(tmp_path: Path) -> None:
    homes = [tmp_path / "first home", tmp_path / "second home"]
    async with (
        Cluster(homes[0], services=[], port=0) as first,
        Cluster(homes[1], services=[], port=0) as second,
    ):
        await rows(first.postgres.dsn("centers"), "CREATE TABLE here (id int)")
        query = "SELECT 1 FROM pg_tables WHERE tablename = 'here'"
        assert len(await rows(first.postgres.dsn("centers"), query)) == 1
        assert await rows(second.postgres.dsn("centers"), query) == []
        assert first.token("hq_admin") != second.token("hq_admin")
        assert first.issuer.issuer != second.issuer.issuer


async def test_a_second_cluster_on_the_same_home_is_refused(infra: Infra) -> None:
    before = psutil.Process(infra.cluster.process("postgres").pid).create_time()
    with pytest.raises(ClusterError, match="already running") as refusal:
        await Cluster(infra.cluster.home.root, services=[], port=0).start()
    assert "PEYVAND_HOME" in refusal.value.mend
    assert psutil.Process(infra.cluster.process("postgres").pid).create_time() == before


async def test_data_and_keys_stay_and_so_do_ports_unless_they_are_taken(tmp_path: Path) -> None:
    async with Cluster(tmp_path, services=[], port=0) as first:
        await rows(first.postgres.dsn("centers"), "CREATE TABLE kept (id int)")
        url, key = first.nats.url, first.issuer.jwks.read_text()
    assert list((tmp_path / "run").iterdir()) == []
    async with Cluster(tmp_path, services=[], port=0) as second:
        assert await rows(second.postgres.dsn("centers"), "SELECT * FROM kept") == []
        assert (second.nats.url, second.issuer.jwks.read_text()) == (url, key)
        ports = (second.nats.port, second.postgres.port)
    with contextlib.ExitStack() as others:
        for port in ports:
            others.enter_context(socket.create_server(("127.0.0.1", port)))
        async with Cluster(tmp_path, services=[], port=0) as third:
            assert third.nats.port not in ports
            assert third.postgres.port not in ports
            assert await rows(third.postgres.dsn("centers"), "SELECT * FROM kept") == []


async def test_a_taken_gateway_port_names_the_variable_to_set(
    tmp_path: Path, child_env: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = Cluster(tmp_path, services=[GATEWAY_CHILD], port=port, env=child_env)
        with pytest.raises(ClusterError, match=f"Port {port} is taken") as refusal:
            await cluster.start()
    assert "PEYVAND_PORT" in refusal.value.mend
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("value", ["eighty", "70000", "-1"])
def test_a_port_variable_that_is_no_port_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PEYVAND_PORT", value)
    with pytest.raises(ClusterError, match="PEYVAND_PORT"):
        Cluster()


async def test_a_service_is_migrated_started_paused_killed_and_stopped(
    tmp_path: Path, child_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = free_port()
    # Another's issuer is that of containers; here it is always the local one.
    elsewhere = {
        "PEYVAND_ISSUER": "https://issuer.example",
        "PEYVAND_AUDIENCE": "another",
        "PEYVAND_ROLES_CLAIM": "realm_access.roles",
        "PEYVAND_OIDC_CLIENT": "page",
        "PEYVAND_OIDC_SECRET": "secret",
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    async with Cluster(
        tmp_path, services=[CHILD_SERVICE, GATEWAY_CHILD], port=wanted, env=child_env
    ) as cluster:
        assert cluster.gateway_url == f"http://127.0.0.1:{wanted}"
        environment = cluster.service_environment(GATEWAY_CHILD)
        assert not elsewhere.items() & environment.items()
        assert (tmp_path / "migrated").read_text() == cluster.postgres.dsn("centers")
        port = int(cluster.metrics_url("centers").rpartition(":")[2])
        process = cluster.process("centers")
        assert await http_status("127.0.0.1", port, "/readyz", wait=60) == 200
        process.pause()
        assert await http_status("127.0.0.1", port, "/readyz", wait=0.5) is None
        process.resume()
        assert await http_status("127.0.0.1", port, "/readyz", wait=60) == 200
        first = process.pid
        await process.kill()
        assert not process.running
        await asyncio.sleep(0.5)
        assert not process.running, "nobody asked for its return"
        await process.restart()
        assert process.pid != first
        process.pause()
        second = process.pid
    assert not psutil.pid_exists(second), "a paused process is stopped too"


def supervised(
    home: Path, env: dict[str, str], on_event: Callable[[ClusterEvent], None]
) -> Cluster:
    return Cluster(
        home, services=[CHILD_SERVICE], port=0, env=env, supervise=True, on_event=on_event
    )


async def test_a_supervised_service_comes_back(tmp_path: Path, child_env: dict[str, str]) -> None:
    events: list[ClusterEvent] = []
    async with supervised(tmp_path, child_env, events.append) as cluster:
        process = cluster.process("centers")
        first = process.pid
        os.kill(first, 9)
        await until(lambda: process.running and process.pid != first and process.wanted)
        await until(lambda: [event.kind for event in events][-1] == "ready")
        assert "signal 9" in next(event.detail for event in events if event.kind == "died")
    assert len((tmp_path / "starts").read_text().split()) == 2


async def test_a_service_that_fails_to_come_back_is_tried_by_one_at_a_time(
    tmp_path: Path, child_env: dict[str, str]
) -> None:
    kinds: list[str] = []

    def note(event: ClusterEvent) -> None:
        if event.name == "centers":
            kinds.append(event.kind)

    async with supervised(tmp_path, child_env, note) as cluster:
        port = int(cluster.metrics_url("centers").rpartition(":")[2])
        process = cluster.process("centers")
        kinds.clear()
        os.kill(process.pid, 9)
        await until(lambda: not process.running)
        with socket.create_server(("127.0.0.1", port)):
            await until(lambda: kinds.count("retry") >= 2)
        await until(lambda: "ready" in kinds)
        await asyncio.sleep(2)
        tries = kinds.count("retry")
        assert kinds.count("starting") == kinds.count("died") == tries + 1
        assert kinds.count("ready") == 1
        assert process.running


async def test_a_service_that_cannot_start_is_named_and_nothing_stays(
    tmp_path: Path, child_env: dict[str, str]
) -> None:
    broken = child_env | {"CHILD_BROKEN": "1"}
    cluster = Cluster(tmp_path, services=[CHILD_SERVICE], port=0, env=broken)
    with pytest.raises(ClusterError, match="centers"):
        await cluster.start()
    assert list((tmp_path / "run").iterdir()) == []
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()


async def test_postgres_comes_back_from_a_kill_although_busy_sessions_outlive_it(
    tmp_path: Path,
) -> None:
    async with Cluster(tmp_path, services=[], port=0) as cluster:
        process = cluster.process("postgres")
        await rows(cluster.postgres.dsn("centers"), "CREATE TABLE kept AS SELECT 7 AS number")
        endless = "SELECT count(*) FROM generate_series(1, 1000000000)"
        busy = asyncio.create_task(rows(cluster.postgres.dsn("centers"), endless))
        at_work = f"SELECT FROM pg_stat_activity WHERE query = '{endless}' AND state = 'active'"
        while not await rows(cluster.postgres.dsn("centers"), at_work):
            assert not busy.done()
            await asyncio.sleep(0.05)
        await process.kill()
        await process.start()
        kept = await rows(cluster.postgres.dsn("centers"), "TABLE kept")
        assert [tuple(row) for row in kept] == [(7,)]
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        # And when its id has passed to a living program in the meantime.
        lock = cluster.postgres.data / "postmaster.pid"
        stale = lock.read_text().splitlines()
        await process.kill()
        lock.write_text("\n".join([str(os.getpid()), *stale[1:]]))
        await process.start()
        assert len(await rows(cluster.postgres.dsn("centers"), "TABLE kept")) == 1


async def test_logs_of_three_earlier_runs_are_kept() -> None:
    with fresh_home() as home:
        home.prepare()
        for run in range(6):
            spec = ProcessSpec("said", ("/bin/sh", "-c", f"echo run {run}"), {}, home.root)
            await ManagedProcess(home, spec).run_to_end()
        logs = {path.name: tail(path) for path in home.logs.iterdir()}
    assert logs == {
        "said.log": "run 5",
        "said.1.log": "run 4",
        "said.2.log": "run 3",
        "said.3.log": "run 2",
    }
