"""Files in a folder, and in a store that speaks S3: a process that is not ours."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from servicekit.errors import Fault
from servicekit.object_store import DamagedError, ObjectSettings, ObjectStore, spool
from tests.support.s3 import S3Server, s3_server

# More than one piece of a multipart upload, and no whole number of them.
LARGE = os.urandom(1_000_003) * 13


@pytest.fixture(scope="module")
async def s3() -> AsyncGenerator[S3Server]:
    async with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> ObjectStore:
    settings = s3.settings
    if request.param == "folder":
        settings = ObjectSettings(objects_url=(tmp_path / "files of evidence").as_uri())
    store = settings.object_store()
    assert store is not None
    return store


async def keep(
    objects: ObjectStore, content: bytes, piece: int = 65_537, sender: str = "sara"
) -> str:
    with spool() as arrived:
        for start in range(0, len(content), piece):
            await arrived.write(content[start : start + piece])
        sha256 = await arrived.finish()
        assert arrived.size_bytes == len(content)
        await objects.put(arrived, sha256, sender=sender)
    return sha256


async def read(objects: ObjectStore, sha256: str) -> bytes:
    pieces = await objects.read(sha256)
    assert pieces is not None
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("content", [b"a", b"b" * 65_537, LARGE], ids=["byte", "piece", "large"])
async def test_a_file_is_kept_under_what_is_in_it(objects: ObjectStore, content: bytes) -> None:
    sha256 = await keep(objects, content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    found = await objects.find(sha256)
    assert found is not None
    assert (found.sha256, found.size_bytes) == (sha256, len(content))
    assert abs(found.stored_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert await read(objects, sha256) == content


async def test_the_same_file_twice_at_once_is_one_file(objects: ObjectStore) -> None:
    kept = await asyncio.gather(*(keep(objects, LARGE) for _ in range(4)))
    assert len(set(kept)) == 1
    assert await read(objects, kept[0]) == LARGE


async def test_what_is_not_there_is_not_found_and_can_be_forgotten(objects: ObjectStore) -> None:
    sha256 = "0" * 64
    assert await objects.find(sha256) is None
    assert await objects.read(sha256) is None
    await objects.delete(sha256)
    kept = await keep(objects, b"soon gone")
    await objects.delete(kept)
    assert await objects.find(kept) is None


async def test_who_sent_a_file_is_known_until_it_is_forgotten(objects: ObjectStore) -> None:
    odd = "auth0|../../ \u0633\u0627\u0631\u0627?#%"
    kept = await keep(objects, b"sent by two")
    assert await keep(objects, b"sent by two", sender=odd) == kept
    other = await keep(objects, b"sent by one")
    assert await objects.was_sent_by(kept, "sara")
    assert await objects.was_sent_by(kept, odd)
    assert not await objects.was_sent_by(other, odd)
    for nobody in ("", "sar", "sara "):
        assert not await objects.was_sent_by(kept, nobody)
    await objects.delete(kept)
    for sender in ("sara", odd):
        assert not await objects.was_sent_by(kept, sender)
    assert await objects.was_sent_by(other, "sara")


async def test_what_was_stored_before_a_time_is_listed(objects: ObjectStore) -> None:
    kept = {await keep(objects, f"file {n}".encode()) for n in range(5)}

    async def listed(moment: datetime) -> set[str]:
        pages = [page async for page in objects.stored_before(moment)]
        return {item.sha256 for page in pages for item in page}

    now = datetime.now(UTC)
    assert await listed(now + timedelta(minutes=1)) >= kept
    assert not await listed(now - timedelta(hours=1)) & kept


async def test_a_damaged_file_is_not_given_whole(tmp_path: Path) -> None:
    objects = ObjectStore.in_folder(tmp_path)
    sha256 = await keep(objects, LARGE)
    (path,) = tmp_path.rglob(sha256)
    content = bytearray(LARGE)
    content[-1] ^= 1
    path.write_bytes(content)
    pieces = await objects.read(sha256)
    assert pieces is not None
    given = len(await anext(pieces))

    async def take_the_rest() -> None:
        nonlocal given
        async for piece in pieces:
            given += len(piece)

    with pytest.raises(DamagedError):
        await take_the_rest()
    assert 0 < given < len(LARGE)


async def test_a_store_out_of_reach_is_told_within_seconds() -> None:
    async with s3_server() as server:
        objects = server.settings.object_store()
        assert objects is not None
        sha256 = await keep(objects, b"there")
    with spool() as arrived:
        await arrived.write(b"late")
        late = await arrived.finish()
        async with asyncio.timeout(60):
            for attempt in (
                objects.find(sha256),
                objects.read(sha256),
                objects.put(arrived, late, sender="sara"),
                objects.was_sent_by(sha256, "sara"),
                objects.delete(sha256),
            ):
                with pytest.raises(Fault, match="UNAVAILABLE"):
                    await attempt


async def test_a_folder_is_its_owners_alone_and_has_no_halves(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    objects = ObjectStore.in_folder(folder)
    await keep(objects, LARGE)
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.rglob("*#*")] == []


@pytest.mark.parametrize("url", ["file://host/folder", "file:relative", "http://a/b", "s3://"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="PEYVAND_OBJECTS_URL"):
        ObjectSettings(objects_url=url).object_store()


def test_without_a_url_there_is_no_store_and_no_setting_shows_the_secret() -> None:
    settings = ObjectSettings(objects_secret=SecretStr("hidden"))
    assert settings.object_store() is None
    assert "hidden" not in repr(settings)
