"""A schema beside versions of the code that are older and newer than it."""

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import centers
from peyvandctl.processes import http_status
from servicekit import migrations
from tests.support.cluster import Infra, free_port

REVISIONS = Path(centers.__file__).parent / "migrations"


async def set_revision(url: str, revision: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
    await engine.dispose()


async def run(url: str, *command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "centers", *command),
        env=os.environ | {"PEYVAND_DATABASE_URL": url},
    )


async def test_a_pod_waits_for_its_schema_and_goes_on_when_it_is_there(infra: Infra) -> None:
    url = await infra.fresh_database("centers")
    waiting = await run(url, "wait-for-schema")
    try:
        await asyncio.sleep(3)
        assert waiting.returncode is None
        migrating = await run(url, "migrate")
        assert await asyncio.wait_for(migrating.wait(), 240) == 0
        assert await asyncio.wait_for(waiting.wait(), 60) == 0
    finally:
        if waiting.returncode is None:
            waiting.kill()
            await waiting.wait()


async def test_code_that_was_rolled_back_works_with_a_newer_schema(infra: Infra) -> None:
    url = await infra.fresh_database("centers", migrated=True)
    await set_revision(url, "9999")
    assert await migrations.suffices(url, REVISIONS)
    # Its Job, which runs again, finds nothing to do.
    assert not await migrations.upgrade(url, REVISIONS)
    assert await (await run(url, "wait-for-schema")).wait() == 0


async def test_a_schema_that_lacks_a_revision_does_not_suffice(infra: Infra) -> None:
    url = await infra.fresh_database("centers", migrated=True)
    assert await migrations.suffices(url, REVISIONS)
    await set_revision(url, "0001")
    assert not await migrations.suffices(url, REVISIONS)


async def test_a_process_lives_without_its_database_and_takes_its_password_apart(
    infra: Infra,
) -> None:
    url = await infra.fresh_database("centers", migrated=True)
    address = sa.make_url(url)
    bare = address.set(password=None).render_as_string(hide_password=False)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "centers"),
        env=os.environ
        | {
            "PEYVAND_DATABASE_URL": bare,
            "PGPASSWORD": str(address.password),
            "PEYVAND_METRICS_LISTEN": f"127.0.0.1:{port}",
            "PEYVAND_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        },
    )
    try:
        await becomes(port, "/readyz", 200)
        await infra.drop_database(url)
        await becomes(port, "/readyz", 503)
        assert await http_status("127.0.0.1", port, "/livez", wait=60) == 200
    finally:
        process.terminate()
        await process.wait()


async def becomes(port: int, path: str, status: int) -> None:
    for _ in range(600):
        if await http_status("127.0.0.1", port, path) == status:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} does not become {status}")
