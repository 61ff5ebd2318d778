"""What the setup makes is what PostgreSQL and the broker run with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from http import HTTPStatus
from pathlib import Path

import asyncpg
import pytest

from hubkit.databases import make_databases
from hubkit.installation import BROKER, BROKER_STORE, SEEN_AT, Addresses, Installation
from hubkit.topology import CENTERS, REGISTRAR, SERVICES
from nodekit.accounts import HubKeys
from peyvandctl.paths import script
from peyvandctl.processes import ManagedProcess, ProcessSpec, http_status
from peyvandctl.state import HomeLock, free_port
from servicekit.broker import DEAD_LETTERS, Broker
from servicekit.broker_access import BrokerAccess
from servicekit.identity import TokenVerifier
from tests.support.cluster import Infra, fresh_home

ISSUER = "https://issuer.test"


@contextlib.asynccontextmanager
async def installed() -> AsyncGenerator[tuple[Path, int]]:
    """A broker that runs with what was handed out; gives the folders and its port."""
    with fresh_home() as home:
        home.prepare()
        folders = home.root / "for"
        for name in (BROKER, *(service.name for service in SERVICES)):
            (folders / name).mkdir(parents=True)
        port = free_port()
        monitor = free_port(taken=[port])
        Installation(home.root / "setup").hand_out(
            folders, Addresses(["127.0.0.1"], port, "postgres:5432")
        )
        # Where things lie in a container, they lie elsewhere here.
        file = folders / BROKER / "server.conf"
        text = file.read_text().replace(str(SEEN_AT), str(folders / BROKER))
        text = text.replace(str(BROKER_STORE), str(home.nats / "store"))
        text = text.replace("127.0.0.1:8222", f"127.0.0.1:{monitor}")
        text = text.replace(f"0.0.0.0:{port}", f"127.0.0.1:{port}")
        configuration = home.nats / "server.conf"
        configuration.write_text(text)

        async def ready() -> bool:
            return await http_status("127.0.0.1", monitor, "/healthz") == HTTPStatus.OK

        lock = HomeLock(home)
        lock.acquire()
        argv = (str(script("nats-server")), "--config", str(configuration))
        process = ManagedProcess(
            home, ProcessSpec("nats", argv, {"PATH": os.defpath}, home.nats, ready)
        )
        try:
            await process.start()
            yield folders, port
        finally:
            await process.stop()
            lock.release()


async def test_the_broker_lets_in_whom_the_setup_has_given_credentials() -> None:
    async with installed() as (folders, port):
        url = f"tls://127.0.0.1:{port}"
        own = folders / CENTERS
        access = BrokerAccess.from_files(url, own / "broker.creds", own / "ca.pem")
        broker = await Broker.connect(access, name="centers")
        await broker.declare(DEAD_LETTERS)
        assert await broker.stream_info(DEAD_LETTERS.name) is not None
        await broker.close()
        keys = HubKeys.read(folders / REGISTRAR)
        system = BrokerAccess(url, keys.system_credentials("registrar"), own / "ca.pem")
        broker = await Broker.connect(system, name="registrar")
        asked = f"$SYS.REQ.ACCOUNT.{keys.platform.public}.CLAIMS.LOOKUP"
        await broker.client.request(asked, b"", timeout=60)
        await broker.close()


async def test_databases_are_made_once_and_are_closed_to_others(infra: Infra) -> None:
    postgres = infra.cluster.postgres
    names = {"setup_one": "secret-one", "setup_two": "secret-two"}
    connection = await postgres.connect()
    try:
        for _ in range(2):
            await make_databases(connection, names)
        own = await asyncpg.connect(
            host="127.0.0.1", port=postgres.port, user="setup_one", password="secret-one",
            database="setup_one",
        )  # fmt: skip
        await own.execute("CREATE TABLE mine (id int)")
        await own.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(
                host="127.0.0.1", port=postgres.port, user="setup_two", password="secret-two",
                database="setup_one",
            )  # fmt: skip
    finally:
        for name in names:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"DROP ROLE IF EXISTS {name}")
        await connection.close()


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "hubkit", *arguments),
        env=os.environ
        | {
            "PEYVAND_SETUP_HOME": str(home / "setup"),
            "PEYVAND_SETUP_FOLDERS": str(home / "for"),
            "PEYVAND_ISSUER": ISSUER,
        },
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_makes_tokens_that_the_services_trust(tmp_path: Path) -> None:
    early = await asyncio.to_thread(run, tmp_path, "token", "hq_admin")
    assert early.returncode == 1
    assert "hubkit secrets" in early.stderr
    (tmp_path / "for" / "gateway").mkdir(parents=True)
    made = await asyncio.to_thread(run, tmp_path, "secrets")
    assert made.returncode == 0, made.stderr
    token = await asyncio.to_thread(run, tmp_path, "token", "hq_analyst")
    verifier = TokenVerifier(
        issuer=ISSUER, audience="peyvand", jwks=str(tmp_path / "for" / "gateway" / "jwks.json")
    )
    principal = await verifier.verify(token.stdout.strip())
    assert principal.has("hq_analyst")
    assert not principal.has("hq_admin")
