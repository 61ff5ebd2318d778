"""Secrets are made once, handed out to their processes alone, and stay what they are."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubkit.errors import HubError
from hubkit.installation import Addresses, Installation
from hubkit.topology import SERVICES

ADDRESSES = Addresses(["broker", "127.0.0.1"], 4222, "postgres:5432")
FOLDERS = (*(service.name for service in SERVICES), "broker", "postgres", "keycloak", "first-data")
# What only one process may have, and who that is.
_OWNERS = {
    "operator.nk": {"registrar"},
    "node-keys.json": {"centers"},
    "signing-key.json": {"first-data"},
    "server.key": {"broker"},
}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in FOLDERS:
        (tmp_path / "for" / name).mkdir(parents=True)
    return tmp_path / "for"


def installation(folders: Path) -> Installation:
    return Installation(folders.parent / "setup")


def contents(folders: Path) -> dict[str, bytes]:
    files = (path for path in folders.rglob("*") if path.is_file())
    return {str(path.relative_to(folders)): path.read_bytes() for path in files}


def test_handing_out_again_changes_nothing_but_the_configuration(folders: Path) -> None:
    assert installation(folders).hand_out(folders, ADDRESSES)
    before = contents(folders)
    assert not installation(folders).hand_out(folders, ADDRESSES)
    after = contents(folders)
    # The tokens in it say when they were signed; the keys are the same.
    del before["broker/server.conf"], after["broker/server.conf"]
    assert after == before


def test_each_secret_has_one_reader(folders: Path) -> None:
    installation(folders).hand_out(folders, ADDRESSES)
    for file, owners in _OWNERS.items():
        assert {path.parent.name for path in folders.rglob(file)} == owners
    urls = {path.parent.name: path.read_text() for path in folders.rglob("PEYVAND_DATABASE_URL")}
    assert set(urls) == {service.name for service in SERVICES if service.database}
    # The registrar looks into the database of centers; all others have their own.
    assert urls.pop("registrar") == urls["centers"]
    assert len(set(urls.values())) == len(urls)
    for name in ("ca.key", "passwords.json", "signing-key.json"):
        assert not list((folders / "gateway").rglob(name))
    assert not list(folders.rglob("ca.key"))


def test_our_own_files_are_for_our_user_and_those_of_others_can_be_read_by_them(
    folders: Path,
) -> None:
    installation(folders).hand_out(folders, ADDRESSES)
    for path in folders.rglob("*"):
        if path.is_file():
            foreign = path.parent.name in ("broker", "postgres", "keycloak")
            assert stat.S_IMODE(path.stat().st_mode) == (0o444 if foreign else 0o600), path
    kept = [path for path in (folders.parent / "setup").rglob("*") if path.is_file()]
    assert kept
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)


def test_a_process_that_is_not_there_gets_nothing(folders: Path) -> None:
    (folders / "keycloak").rmdir()
    installation(folders).hand_out(folders, ADDRESSES)
    assert not (folders / "keycloak").exists()


def test_a_new_name_of_the_broker_gives_a_new_certificate_of_the_same_authority(
    folders: Path,
) -> None:
    installation(folders).hand_out(folders, ADDRESSES)
    before = contents(folders)
    moved = Addresses(["hub.example.ir", "broker"], 4222, "postgres:5432")
    assert installation(folders).hand_out(folders, moved)
    after = contents(folders)
    assert after["broker/server.pem"] != before["broker/server.pem"]
    assert after["centers/ca.pem"] == before["centers/ca.pem"]


def test_a_certificate_near_its_end_is_renewed(folders: Path) -> None:
    now = datetime.now(UTC)
    assert installation(folders).hand_out(folders, ADDRESSES, now)
    assert not installation(folders).hand_out(folders, ADDRESSES, now + timedelta(days=300))
    assert installation(folders).hand_out(folders, ADDRESSES, now + timedelta(days=340))


def test_keys_that_have_gone_are_told_and_not_made_anew(folders: Path) -> None:
    installation(folders).hand_out(folders, ADDRESSES)
    (folders.parent / "setup" / "broker-keys" / "operator.nk").unlink()
    with pytest.raises(HubError, match=r"operator\.nk") as refusal:
        installation(folders).hand_out(folders, ADDRESSES)
    assert "backup" in refusal.value.mend


def test_damaged_passwords_are_told_and_not_replaced(folders: Path) -> None:
    installation(folders).hand_out(folders, ADDRESSES)
    file = folders.parent / "setup" / "passwords.json"
    known = json.loads(file.read_text())
    assert {"postgres", "centers", "keycloak"} <= known.keys()
    file.write_text(file.read_text()[:-10])
    with pytest.raises(HubError, match="damaged"):
        installation(folders).hand_out(folders, ADDRESSES)
