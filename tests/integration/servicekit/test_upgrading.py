"""An upgrade of several revisions: each is kept as soon as it is done."""

import asyncio
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from servicekit import migrations
from tests.support.cluster import Infra
from tests.support.revisions import written

# Holds until somebody takes the row away, however long that is.
WHILE_HELD = (
    "DO $$ BEGIN WHILE EXISTS (SELECT FROM held) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$"
)
UPGRADE = """
import asyncio, pathlib, sys
from servicekit import migrations
asyncio.run(migrations.upgrade(sys.argv[1], pathlib.Path(sys.argv[2])))
"""
LOCKS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)
BOUND = 60  # seconds: more than anything here takes


async def ask(engine: AsyncEngine, query: str) -> list[object]:
    async with engine.begin() as connection:
        result = await connection.execute(sa.text(query))
        return [*result.scalars()] if result.returns_rows else []


async def becomes(engine: AsyncEngine, query: str, wanted: list[object]) -> None:
    for _ in range(BOUND * 10):
        if await ask(engine, query) == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{query} does not become {wanted}")


async def test_one_that_is_killed_keeps_what_it_has_done_and_goes_on_there(
    infra: Infra, tmp_path: Path
) -> None:
    url = await infra.fresh_database("centers")
    engine = create_async_engine(url)
    revisions = written(
        tmp_path,
        ["CREATE TABLE done (what text)", "INSERT INTO done VALUES ('first')"],
        ["INSERT INTO done VALUES ('second')"],
        ["INSERT INTO done VALUES ('third')", WHILE_HELD],
        ["INSERT INTO done VALUES ('fourth')"],
    )
    await ask(engine, "CREATE TABLE held AS SELECT 1")
    command = (sys.executable, "-c", UPGRADE, url, str(revisions))
    upgrading = await asyncio.create_subprocess_exec(*command)
    try:
        # In the third, which is not to be seen, while the first two are.
        within = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND pid IN"
        await becomes(engine, f"{within} (SELECT pid {LOCKS})", [1])
        assert await ask(engine, "SELECT version_num FROM alembic_version") == ["0002"]
        assert await ask(engine, "SELECT what FROM done") == ["first", "second"]
    finally:
        upgrading.kill()
        await upgrading.wait()
    again = await asyncio.create_subprocess_exec(*command)
    # The killed one is still at work in the database: it is waited for.
    await becomes(engine, f"SELECT count(*) {LOCKS} AND NOT granted", [1])
    assert await ask(engine, "SELECT what FROM done") == ["first", "second"]
    await ask(engine, "DELETE FROM held")
    assert await asyncio.wait_for(again.wait(), BOUND) == 0
    assert await ask(engine, "SELECT version_num FROM alembic_version") == ["0004"]
    # Nothing was done twice.
    assert await ask(engine, "SELECT what FROM done") == ["first", "second", "third", "fourth"]
    await engine.dispose()
    await infra.drop_database(url)


async def test_one_that_gets_no_lock_gives_up_and_keeps_what_came_before(
    infra: Infra, tmp_path: Path
) -> None:
    url = await infra.fresh_database("centers")
    engine = create_async_engine(url)
    revisions = written(
        tmp_path,
        ["CREATE TABLE one (n int)"],
        ["CREATE TABLE two (n int)", "ALTER TABLE busy ADD COLUMN m int"],
    )
    await ask(engine, "CREATE TABLE busy (n int)")
    async with engine.begin() as working:
        await working.execute(sa.text("LOCK TABLE busy"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrations.upgrade(url, revisions)
        assert await ask(engine, "SELECT version_num FROM alembic_version") == ["0001"]
        assert await ask(engine, "SELECT to_regclass('two')::text") == [None]
    assert await migrations.upgrade(url, revisions)
    assert await migrations.suffices(url, revisions)
    await engine.dispose()
    await infra.drop_database(url)


async def test_several_at_once_do_each_revision_once(infra: Infra, tmp_path: Path) -> None:
    url = await infra.fresh_database("centers")
    engine = create_async_engine(url)
    revisions = written(
        tmp_path,
        ["CREATE TABLE done (n int)"],
        *(["INSERT INTO done SELECT count(*) FROM done"] for _ in range(6)),
    )
    await asyncio.gather(*(migrations.upgrade(url, revisions) for _ in range(4)))
    assert await ask(engine, "SELECT n FROM done") == [*range(6)]
    assert not await migrations.upgrade(url, revisions)
    await engine.dispose()
    await infra.drop_database(url)
