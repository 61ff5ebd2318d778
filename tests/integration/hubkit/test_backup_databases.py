"""Backups of real databases: one cut, every kind of value, and all of it or nothing."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import make_url

from hubkit.backup.archive import Archive, ArchiveWriter
from hubkit.backup.commands import summary
from hubkit.backup.making import Source, make_backup
from hubkit.backup.restoring import check, restore_databases, restore_files
from hubkit.backup.tables import connect, hashes
from hubkit.errors import HubError
from servicekit import migrations
from servicekit.object_store import ObjectStore, spool
from tests.support.backups import EVENT, NAMES, Hub, put_back, taken

if TYPE_CHECKING:
    from tests.support.cluster import Infra

# One with every kind of value that a table of ours may have.
_KINDS = """
CREATE TABLE kinds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    twice bigint GENERATED ALWAYS AS (id * 2) STORED,
    words text, many text[], bytes bytea, json jsonb, at timestamptz, day date, span daterange,
    exact numeric, rough float8, flag boolean, uid uuid, before interval,
    parent bigint REFERENCES kinds (id)
)
"""
_ROWS = [
    ("tab\there\nline\\N backslash", ["a,b", 'quo"te', None], b"\x00\xff\\", '{"گره": 1}'),
    ("", [], b"", "null"),
    (None, None, None, None),
    ("پیوند ‌نیم‌فاصله 🧬", ["{}"], b"\n\t", '[1.10, {"b": "\\u0001"}]'),
]


async def test_what_is_put_back_has_the_hashes_of_what_was_taken(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    was = await hub.all_hashes()
    made = await taken(hub, tmp_path)
    assert {name: it.tables for name, it in made.manifest.databases.items()} == was
    assert await put_back(hub, made.path, target) == []
    assert {name: await hashes(url) for name, url in target.items()} == was
    assert await hub.databases("_restoring") == []
    # Numbers go on where they were, and what a revision guards is guarded again.
    restored = replace(hub, urls=target)
    await restored.execute("centers", EVENT, "it_new", 9, b"")
    connection = await connect(target["centers"])
    numbers = [row[0] for row in await connection.fetch("SELECT seq FROM outbox ORDER BY seq")]
    assert numbers == [1, 2]
    disabled = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'"
    assert await connection.fetchval(disabled) == 0
    await connection.close()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(
            target["centers"].replace("+asyncpg", "").replace("_to_", "_of_nobody_")
        )


async def test_every_kind_of_value_keeps_its_hash(
    hub: Hub, target: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill(url: str) -> None:
        connection = await connect(url)
        await connection.execute(_KINDS)
        for words, many, data, document in _ROWS:
            await connection.execute(
                "INSERT INTO kinds (words, many, bytes, json, at, day, span, exact, rough, flag,"
                " uid, before, parent) VALUES ($1, $2, $3, $4, '2026-03-21 00:00:00.123456+03:30',"
                " '1404-01-01', '[2026-01-01,)', 1.10, 'NaN', true, gen_random_uuid(),"
                " '1 mon 2 days 03:04:05.6', (SELECT max(id) FROM kinds))",
                words,
                many,
                data,
                document,
            )
        await connection.execute("UPDATE kinds SET parent = 4 WHERE id = 1")
        await connection.close()

    await fill(hub.urls["centers"])
    made = await taken(hub, tmp_path)
    told = made.manifest.databases["centers"].tables["kinds"]
    assert told.rows == len(_ROWS)
    assert "twice" not in told.columns
    # The schema here has no such table, so that it is refused by name.
    with pytest.raises(HubError, match="The table kinds has other columns"):
        await put_back(hub, made.path, target)
    assert await hub.databases("_restoring") == []

    bring_to = migrations.bring_to

    async def with_kinds(connection: Any, directory: Path, revision: str) -> None:
        await bring_to(connection, directory, revision)
        if directory.parent.name == "centers":
            await connection.exec_driver_sql(_KINDS)

    monkeypatch.setattr(migrations, "bring_to", with_kinds)
    await put_back(hub, made.path, target)
    assert (await hashes(target["centers"]))["kinds"] == told


async def test_nobody_has_heard_of_what_its_owner_has_not(hub: Hub, tmp_path: Path) -> None:
    """A consumer notes in its own database what the owner has committed before."""
    over = asyncio.Event()

    async def write() -> int:
        owner, hearer = await connect(hub.urls["centers"]), await connect(hub.urls["projects"])
        number = 0
        while not over.is_set():
            number += 1
            await owner.execute(EVENT, "it_x", number, b"")
            await hearer.execute(
                "INSERT INTO inbox (consumer, event_id) VALUES ($1, gen_random_uuid())", str(number)
            )
        await owner.close()
        await hearer.close()
        return number

    writing = asyncio.create_task(write())
    made = [await taken(hub, tmp_path) for _ in range(6)]
    over.set()
    assert await writing > len(made)
    for one in made:
        centers, projects = (one.manifest.databases[name] for name in ("centers", "projects"))
        # The owner has one event from before.
        announced, heard = centers.tables["outbox"].rows - 1, projects.tables["inbox"].rows
        assert 0 <= announced - heard <= 1


async def test_a_long_transaction_is_waited_for_and_holds_up_nobody(
    hub: Hub, tmp_path: Path
) -> None:
    long = await connect(hub.urls["partners"])
    await long.execute("BEGIN")
    await long.execute(EVENT, "it_long", 1, b"")
    said: list[str] = []

    async def end_when_told(text: str) -> None:
        said.append(text)
        # Only once, though it may be told again before the transaction has ended.
        if "long transaction" in text and "long transaction" not in "".join(said[:-1]):
            # Others write meanwhile, also where the long one is.
            await hub.execute("partners", EVENT, "it_beside", 1, b"")
            await hub.execute("centers", EVENT, "it_beside", 1, b"")
            await long.execute("COMMIT")

    tasks: list[asyncio.Task[None]] = []
    source = Source(hub.urls, None, None, None)
    made = await make_backup(
        source,
        tmp_path / "long.backup",
        lambda text: tasks.append(asyncio.ensure_future(end_when_told(text))),
    )
    await asyncio.gather(*tasks)
    await long.close()
    assert any("long transaction" in text for text in said)
    assert made.manifest.databases["partners"].tables["outbox"].rows == 3


async def test_a_database_that_goes_away_leaves_no_backup(hub: Hub, tmp_path: Path) -> None:
    async def end_sessions() -> None:
        connection = await hub.infra.cluster.postgres.connect()
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        await connection.fetch(query, hub.urls["partners"].rpartition("/")[2])
        await connection.close()

    def heard(text: str) -> None:
        if text == "centers: center":
            # In a thread of its own, so that it has happened when this returns.
            with ThreadPoolExecutor() as pool:
                pool.submit(asyncio.run, end_sessions()).result()

    with pytest.raises(HubError, match="went away while it was read"):
        await make_backup(Source(hub.urls, None, None, None), tmp_path / "a.backup", heard)
    assert list(tmp_path.iterdir()) == []


async def test_what_does_not_fit_changes_no_database(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    with Archive.open(made.path) as archive:
        # The last of the services has one row fewer than the manifest says.
        entry = archive.manifest.databases["observatory"]
        outbox = entry.tables["outbox"]
        entry.tables["outbox"] = replace(outbox, rows=outbox.rows + 1)
        admin = hub.infra.cluster.postgres.connect
        with pytest.raises(HubError, match="The table outbox has 1 rows"):
            await restore_databases(archive, admin, target, lambda _: None)
    stamp = target["centers"].rpartition("_")[2]
    assert await hub.databases(stamp) == []
    await put_back(hub, made.path, target)
    assert await hub.databases(stamp) == sorted(url.rpartition("/")[2] for url in target.values())


async def test_references_between_rows_are_checked(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    await hub.execute(
        "centers",
        "ALTER TABLE join_token DROP CONSTRAINT fk_join_token_node_id_node;"
        " INSERT INTO join_token (digest, node_id, created_at, expires_at)"
        " VALUES ('\\x00', 'nod_of_nobody', now(), now())",
    )
    made = await taken(hub, tmp_path)
    with pytest.raises(HubError, match="PostgreSQL does not take the backup"):
        await put_back(hub, made.path, target)


async def test_what_is_filled_is_refused_or_kept_aside(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    await put_back(hub, made.path, target)
    restored = replace(hub, urls=target)
    await restored.execute("projects", EVENT, "it_later", 1, b"")
    later = await hashes(target["projects"])
    with pytest.raises(HubError, match=r"not empty: .*projects"):
        await put_back(hub, made.path, target)
    assert await hashes(target["projects"]) == later
    kept = await put_back(hub, made.path, target, replace=True)
    assert len(kept) == len(NAMES)
    assert await restored.all_hashes() == await hub.all_hashes()
    (aside,) = (name for name in kept if name.startswith("projects"))
    assert await hashes(hub.infra.cluster.postgres.dsn("projects", aside)) == later


async def test_services_that_work_are_in_the_way(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    await put_back(hub, made.path, target)
    busy = await connect(target["partners"])
    was = {name: await hashes(url) for name, url in target.items()}
    with pytest.raises(HubError, match="Somebody works with a database"):
        await put_back(hub, made.path, target, replace=True)
    await busy.close()
    assert {name: await hashes(url) for name, url in target.items()} == was


async def test_files_are_taken_and_a_damaged_one_is_told(hub: Hub, tmp_path: Path) -> None:
    store = ObjectStore.in_folder(tmp_path / "objects")
    kept: list[str] = []
    for content in (b"minutes", b"", b"x" * 3_000_000):
        with spool() as file:
            await file.write(content)
            kept.append(await file.finish())
            await store.put(file, kept[-1])
    damaged = kept[0]
    place = tmp_path / "objects" / "sha256" / damaged[:2] / damaged
    place.write_bytes(b"minutez")
    made = await taken(hub, tmp_path, store)
    assert made.manifest.damaged == [damaged]
    assert made.manifest.files == {kept[1]: 0, kept[2]: 3_000_000}
    other = ObjectStore.in_folder(tmp_path / "other")
    with Archive.open(made.path) as archive:
        assert await restore_files(archive, other, lambda _: None) == 2
        with pytest.raises(HubError, match="no place for files"):
            await restore_files(archive, None, lambda _: None)
    assert await other.find(damaged) is None
    found = await other.read(kept[2])
    assert found is not None
    assert b"".join([piece async for piece in found]) == b"x" * 3_000_000


async def test_a_file_that_evidence_names_and_the_store_lacks_is_told(
    hub: Hub, tmp_path: Path
) -> None:
    store = ObjectStore.in_folder(tmp_path / "objects")
    with spool() as file:
        await file.write(b"minutes")
        kept = await file.finish()
        await store.put(file, kept)
    lost = "ab" * 32
    await hub.execute("projects", "DROP TABLE evidence CASCADE")
    await hub.execute("projects", "CREATE TABLE evidence (id text PRIMARY KEY, file jsonb)")
    add = "INSERT INTO evidence VALUES ($1, $2::text::jsonb)"
    name = 'a "quoted"\tname\\ \n of "sha256": "صورت‌جلسه"'
    await hub.execute("projects", add, "1", json.dumps({"name": name, "sha256": kept}))
    await hub.execute("projects", add, "2", None)

    whole = await taken(hub, tmp_path / "whole", store)
    assert whole.manifest.missing == []
    await hub.execute("projects", add, "3", json.dumps({"sha256": lost}))
    made = await taken(hub, tmp_path / "lacking", store)
    assert (made.manifest.missing, list(made.manifest.files or {})) == ([lost], [kept])
    assert any("MISSING" in line and lost in line for line in summary(made.manifest))
    for path in (whole.path, made.path):
        with Archive.open(path) as archive:
            await check(archive, lambda _: None)

    other = ObjectStore.in_folder(tmp_path / "other")
    with pytest.raises(HubError, match="none of the 2 files") as refused:
        await taken(hub, tmp_path / "refused", other)
    assert "PEYVAND_OBJECTS_URL" in refused.value.mend
    left_out = await taken(hub, tmp_path / "left_out", None)
    # As one that was made before anybody looked: its manifest says nothing of what lacks.
    untold = tmp_path / "untold.backup"
    told = left_out.manifest
    copied = ArchiveWriter(untold)
    with Archive.open(left_out.path) as archive:
        for part in told.parts:
            with copied.part(part) as writer:
                async for piece in archive.read(part):
                    writer.write(piece)
    copied.finish(replace(told, files={}))
    copied.publish()
    with Archive.open(untold) as archive, pytest.raises(HubError, match="names 2 files"):
        await check(archive, lambda _: None)
    with Archive.open(left_out.path) as archive:
        await check(archive, lambda _: None)


async def test_a_database_out_of_reach_or_without_schema_is_told(
    hub: Hub, infra: Infra, tmp_path: Path
) -> None:
    password = make_url(hub.urls["centers"]).set(password="of somebody else")
    others = password.render_as_string(hide_password=False)
    for url, told in ((others, "cannot be entered"), ("centers", "cannot be read")):
        with pytest.raises(HubError, match=told) as raised:
            await taken(replace(hub, urls=hub.urls | {"centers": url}), tmp_path)
        assert "somebody" not in str(raised.value)
    bare = await infra.fresh_database("centers")
    with pytest.raises(HubError, match="no schema yet"):
        await taken(replace(hub, urls=hub.urls | {"centers": bare}), tmp_path)
    await infra.drop_database(bare)
    assert list(tmp_path.iterdir()) == []
