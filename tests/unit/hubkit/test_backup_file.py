"""The file of a backup, its manifest and its keys: what was changed is found and named."""

import errno
import json
import os
import stat
import zipfile
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubkit.backup.archive import MANIFEST, Archive, ArchiveWriter
from hubkit.backup.keys import (
    VARIABLE,
    HubIdentity,
    are_sealed,
    given_passphrase,
    keys_beside,
    read_keys,
    write_keys,
)
from hubkit.backup.making import place_for
from hubkit.backup.manifest import FORMAT, DatabaseEntry, Manifest, TableEntry
from hubkit.backup.restoring import check, identity_of, revisions_of
from hubkit.backup.tables import RowHash
from hubkit.errors import HubError
from hubkit.topology import SERVICES
from servicekit import migrations

SERVICES_WITH_DATABASE = [service.name for service in SERVICES if service.has_database]
PARTS = {
    "databases/centers/center.copy": b"ctr_1\tv1\n" * 5000,
    "databases/centers/outbox.copy": b"",
    "files/" + "ab" * 32: bytes(range(256)) * 300,
}


def manifest(**changed: object) -> Manifest:
    entries = {
        service: DatabaseEntry(migrations.revisions(revisions_of(service))[-1], {}, {})
        for service in SERVICES_WITH_DATABASE
    }
    plain = Manifest(FORMAT, "2026-11-22T10:00:00.000Z", "0.1.0", "18.0", entries, {}, [], "none")
    return replace(plain, **changed)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "a.backup"
    write(path, manifest())
    return path


def write(path: Path, told: Manifest) -> str:
    archive = ArchiveWriter(path)
    for name, content in PARTS.items():
        with archive.part(name) as part:
            for start in range(0, len(content), 1000):
                part.write(content[start : start + 1000])
    digest = archive.finish(replace(told, parts=archive.parts))
    archive.publish()
    archive.abandon()
    return digest


async def fault(path: Path) -> str:
    with pytest.raises(HubError) as raised, Archive.open(path) as archive:
        await check(archive, lambda _: None)
    assert raised.value.mend
    return raised.value.message


def rewritten(path: Path, **changed: bytes | None) -> Path:
    """The same ZIP, sound in itself, with other contents; `None` leaves a part out."""
    planted = path.with_name("planted.backup")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(planted, "w") as new:
        contents: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
        for name, content in (contents | changed).items():
            if content is not None:
                new.writestr(name, content)
    return planted


async def test_what_was_written_is_read(backup: Path) -> None:
    with Archive.open(backup) as archive:
        await check(archive, lambda _: None)
        for name, content in PARTS.items():
            assert b"".join([piece async for piece in archive.read(name)]) == content
        assert asdict(archive.manifest)["parts"].keys() == PARTS.keys()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir()] == ["a.backup"]


def test_a_backup_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    archive = ArchiveWriter(tmp_path / "b.backup")
    with archive.part("one") as part:
        part.write(b"text")
    archive.abandon()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_backup_left_goes_with_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / ".killed.backup.1.backup-draft"
    left.write_bytes(b"PK")
    running = ArchiveWriter(tmp_path / "running.backup")
    (written,) = {*tmp_path.iterdir()} - {left}
    other = ArchiveWriter(tmp_path / "other.backup")
    assert not left.exists()
    assert written.exists()
    other.abandon()
    running.abandon()


async def test_what_is_cut_off_at_any_place_is_refused(backup: Path) -> None:
    whole = backup.read_bytes()
    for end in (0, 100, len(whole) // 3, len(whole) - 30, len(whole) - 1):
        backup.write_bytes(whole[:end])
        assert "cut off" in await fault(backup)
    backup.unlink()
    assert "There is no backup" in await fault(backup)


@pytest.mark.parametrize("name", [*(name for name in PARTS if PARTS[name]), MANIFEST])
async def test_a_changed_byte_is_found_in_its_part(backup: Path, name: str) -> None:
    whole = bytearray(backup.read_bytes())
    with zipfile.ZipFile(backup) as zipped:
        info = zipped.getinfo(name)
    # Extra fields may come between the name of a part and its content.
    header = info.header_offset + 30 + len(name)
    header += int.from_bytes(whole[info.header_offset + 28 : info.header_offset + 30], "little")
    whole[header + info.compress_size // 2] ^= 0xFF
    backup.write_bytes(whole)
    assert name in await fault(backup)


async def test_whatever_byte_is_changed_it_is_told_or_of_no_matter(backup: Path) -> None:
    """Each byte that tells how the file is made up, and some of each part's."""
    whole = backup.read_bytes()
    with zipfile.ZipFile(backup) as zipped:
        starts = [info.header_offset for info in zipped.infolist()]
        places = {at for start in starts for at in range(start, start + 120)}
        places |= {*range(zipped.start_dir, len(whole)), *range(0, len(whole), 37)}
    places -= {at for at in places if at >= len(whole)}
    mends: list[str | None] = []
    for at in sorted(places):
        for flipped in (0x01, 0x08, 0x80, 0xFF):
            backup.write_bytes(whole[:at] + bytes([whole[at] ^ flipped]) + whole[at + 1 :])
            try:
                with Archive.open(backup) as archive:
                    await archive.verify()
                    for name, content in PARTS.items():
                        assert b"".join([piece async for piece in archive.read(name)]) == content
            except HubError as error:
                mends.append(error.mend)
    assert len(mends) > len(places)
    assert not [mend for mend in mends if not mend or "disk" in mend]


async def test_a_disk_that_fails_is_not_taken_for_a_damaged_backup(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Archive.open(backup) as archive:
        monkeypatch.setattr(zipfile.ZipExtFile, "read", fail)
        with pytest.raises(HubError, match=r"cannot be read: Input/output error") as raised:
            await archive.verify()
    assert "disk" in (raised.value.mend or "")
    assert "Input/output error" in await fault(backup)


async def test_what_was_tampered_with_and_is_a_sound_zip_is_found(backup: Path) -> None:
    name = "databases/centers/center.copy"
    other = PARTS[name].replace(b"v1", b"v2")
    assert f"{name} is not what was written" in await fault(rewritten(backup, **{name: other}))
    assert f"{name} is not what was written" in await fault(rewritten(backup, **{name: b""}))
    assert f"{name} is missing" in await fault(rewritten(backup, **{name: None}))
    added = await fault(rewritten(backup, **{"databases/centers/more.copy": b"x"}))
    assert "more.copy does not belong there" in added
    assert MANIFEST in await fault(rewritten(backup, **{MANIFEST: None}))
    assert "manifest" in await fault(rewritten(backup, **{MANIFEST: b"[]"}))
    broken = json.loads(manifest().text()) | {"databases": {"centers": {"revision": 7}}}
    told = await fault(rewritten(backup, **{MANIFEST: json.dumps(broken).encode()}))
    assert "damaged at databases.centers" in told


async def test_later_versions_are_refused_by_name(tmp_path: Path) -> None:
    known = manifest().databases
    path = tmp_path / "later.backup"

    async def said(**changed: object) -> str:
        path.unlink(missing_ok=True)
        write(path, manifest(**changed))
        return await fault(path)

    assert f"this version knows format {FORMAT}" in await said(format=FORMAT + 1)
    later = known | {"partners": DatabaseEntry("9999", {}, {})}
    assert "revision 9999 of partners" in await said(databases=later)
    more = known | {"atlas": DatabaseEntry("0001", {}, {})}
    assert "the service atlas" in await said(databases=more)
    fewer = {name: entry for name, entry in known.items() if name != "projects"}
    assert "no database of projects" in await said(databases=fewer)
    table = {"center": TableEntry(["id"], 0, "0" * 64)}
    lacking = known | {"projects": replace(known["projects"], tables=table)}
    assert "no part databases/projects/center.copy" in await said(databases=lacking)


def test_the_hash_of_rows_knows_no_order_and_misses_nothing() -> None:
    def of(*pieces: bytes) -> tuple[int, str]:
        rows = RowHash()
        for piece in pieces:
            rows.take(piece)
        return rows.rows, rows.value

    assert of() == (0, "0" * 64)
    plain = of(b"a\t1\nb\t2\nc\t3\n")
    assert plain == of(b"c\t3\na\t", b"1\nb", b"\t2\n") == of(b"b\t2\n", b"c\t3\n", b"a\t1\n")
    others = {
        of(b"a\t1\nb\t2\n"),
        of(b"a\t1\nb\t2\nc\t3\nc\t3\n"),
        of(b"a\t1\nb\t3\nc\t2\n"),
        of(b"a\t1\nb\t2\nc\t4\n"),
        of(b"a\t1\nb\t2\n\nc\t3\n"),
    }
    assert plain not in others
    assert len(others) == 5


def test_a_place_is_a_folder_or_a_file_and_nothing_is_written_over(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 10, 20, 30, tzinfo=UTC)
    assert place_for(tmp_path / "new", now) == tmp_path / "new/peyvand-20261122T102030Z.backup"
    named = tmp_path / "mine.backup"
    assert place_for(named, now) == named
    keys_beside(named).write_text("{}")
    with pytest.raises(HubError, match="is there already"):
        place_for(named, now)
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="cannot be used"):
        place_for(tmp_path / "file" / "x.backup", now)


IDENTITY = HubIdentity({"tls/ca.key": "secret key\n", "cluster-id": "c0ffee"}, "ab" * 32)


def test_sealed_keys_show_nothing_and_open_with_their_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "a.keys"
    write_keys(path, IDENTITY, "a long passphrase")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert are_sealed(path)
    assert "secret" not in path.read_text()
    assert "c0ffee" not in path.read_text()
    assert read_keys(path, "a long passphrase") == IDENTITY
    with pytest.raises(HubError, match="does not open"):
        read_keys(path, "another passphrase")
    with pytest.raises(HubError, match="are sealed"):
        read_keys(path, None)


@pytest.mark.parametrize("field", ["data", "nonce", "salt"])
def test_sealed_keys_that_were_changed_do_not_open(tmp_path: Path, field: str) -> None:
    path = tmp_path / "a.keys"
    write_keys(path, IDENTITY, "a long passphrase")
    document = json.loads(path.read_text())
    text = document["sealed"][field]
    document["sealed"][field] = ("B" if text[0] == "A" else "A") + text[1:]
    path.write_text(json.dumps(document))
    with pytest.raises(HubError, match="does not open"):
        read_keys(path, "a long passphrase")


def test_what_is_no_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.keys"
    with pytest.raises(HubError, match="There are no keys"):
        read_keys(path, None)
    for text in ("", "[]", '{"format": 1}', '{"format": 1, "keys": {"files": []}}', "\x00"):
        path.write_text(text)
        with pytest.raises(HubError, match="damaged"):
            read_keys(path, None)
    path.write_text('{"format": 2}')
    with pytest.raises(HubError, match="format 2"):
        read_keys(path, None)
    document = {"format": 1, "sealed": {"n": 1 << 40, "r": 8, "p": 1}}
    path.write_text(json.dumps(document))
    with pytest.raises(HubError, match="damaged"):
        read_keys(path, "a long passphrase")


def test_plain_keys_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.keys"
    write_keys(path, IDENTITY, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "IN PLAIN TEXT" in path.read_text()
    assert not are_sealed(path)
    assert read_keys(path, None) == IDENTITY


def test_keys_of_another_backup_or_a_changed_manifest_are_refused(backup: Path) -> None:
    keys = keys_beside(backup)
    with Archive.open(backup) as archive:
        write_keys(keys, replace(IDENTITY, manifest_sha256=archive.manifest_sha256), None)
        assert identity_of(archive, keys, None).files == IDENTITY.files
    # Changed together with its hashes, the manifest is sound in itself.
    planted = rewritten(backup, **{MANIFEST: manifest(version="0.1.1").text().encode()})
    with Archive.open(planted) as archive, pytest.raises(HubError, match=r"manifest\.json"):
        identity_of(archive, keys, None)


def test_the_passphrase_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert given_passphrase(None) is None
    monkeypatch.setenv(VARIABLE, "from the environment")
    assert given_passphrase(None) == "from the environment"
    file = tmp_path / "passphrase"
    file.write_text("from the file\n")
    assert given_passphrase(file) == "from the file"
    file.write_text("short\n")
    with pytest.raises(HubError, match="fewer than 12"):
        given_passphrase(file)
    with pytest.raises(HubError, match="cannot be read"):
        given_passphrase(tmp_path / "none")
