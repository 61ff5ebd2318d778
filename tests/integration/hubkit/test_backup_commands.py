"""``python -m hubkit backup`` and the way back: an installation becomes what another one was."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubkit.__main__ import main
from hubkit.backup.keys import VARIABLE, keys_beside
from hubkit.backup.tables import hashes
from hubkit.installation import Addresses, Installation
from hubkit.topology import CENTERS, REGISTRAR
from peyvandctl.cluster import Cluster
from peyvandctl.state import Secrets
from servicekit.object_store import ObjectStore, spool
from tests.support.backups import NAMES, as_setting, databases_of_a_hub
from tests.support.cluster import fresh_home

if TYPE_CHECKING:
    from tests.support.cluster import Infra

# Three restores of four databases, on a machine that does other things too.
pytestmark = pytest.mark.timeout(600)

ADDRESSES = Addresses(["broker"], 4222, "postgres:5432")


def handed_out(setup: Path) -> dict[str, str]:
    """What an installation gives its processes."""
    folders = setup.with_name(f"{setup.name}-for")
    for process in (CENTERS, REGISTRAR, "broker", "first-data"):
        (folders / process).mkdir(parents=True, exist_ok=True)
    Installation(setup).hand_out(folders, ADDRESSES)
    return {str(file.relative_to(folders)): file.read_text() for file in folders.glob("*/*")}


async def test_another_installation_goes_on_with_it(
    infra: Infra,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def run(*arguments: str) -> tuple[int, str]:
        status = await asyncio.to_thread(main, [*arguments])
        return status, capsys.readouterr().err

    one, two, file = tmp_path / "one", tmp_path / "two", tmp_path / "taken" / "a.backup"
    before = handed_out(one)
    store = ObjectStore.in_folder(tmp_path / "objects")
    with spool() as minutes:
        await minutes.write(b"minutes")
        digest = await minutes.finish()
        await store.put(minutes, digest)
    monkeypatch.setenv("PEYVAND_OBJECTS_URL", (tmp_path / "objects").as_uri())
    monkeypatch.setenv("PEYVAND_SETUP_HOME", str(one))
    monkeypatch.delenv(VARIABLE, raising=False)
    async with databases_of_a_hub(infra) as urls:
        was = {name: await hashes(url) for name, url in urls.items()}
        monkeypatch.setenv("PEYVAND_DATABASE_URLS", as_setting({"centers": urls["centers"]}))
        status, said = await run("backup", "--to", str(file), "--keys", "none")
        assert (status, "has none for projects" in said) == (1, True)
        monkeypatch.setenv("PEYVAND_DATABASE_URLS", as_setting(urls))
        status, said = await run("backup", "--to", str(file))
        assert (status, "no passphrase" in said, file.exists()) == (1, True, False)
        monkeypatch.setenv(VARIABLE, "a passphrase of the drill")
        status, said = await run("backup", "--to", str(file))
        assert status == 0, said
        assert "filled from the 1 events of its outbox" in said
        assert "Files: 1, 7 bytes" in said
    monkeypatch.delenv("PEYVAND_DATABASE_URLS")
    status, said = await run("verify", str(file))
    assert status == 0, said

    monkeypatch.setenv("PEYVAND_SETUP_HOME", str(two))
    monkeypatch.setenv("PEYVAND_OBJECTS_URL", (tmp_path / "others").as_uri())
    status, said = await run("restore-keys", str(file), "--keys", str(file))
    assert (status, two.exists()) == (1, False)
    status, said = await run("restore-keys", str(file))
    assert status == 0, said
    status, said = await run("restore-keys", str(file))
    assert (status, "holds the keys of a hub already" in said) == (1, True)
    with fresh_home() as home:
        async with Cluster(home.root, services=[], port=0) as cluster:
            known = Secrets(home)
            passwords = {name: known.get(f"postgres-{name}") for name in NAMES}
            passwords["postgres"] = known.get("postgres")
            (two / "passwords.json").write_text(json.dumps(passwords))
            monkeypatch.setenv("PEYVAND_POSTGRES", f"127.0.0.1:{cluster.postgres.port}")
            status, said = await run("restore", str(file))
            assert status == 0, said
            found = {name: await hashes(cluster.postgres.dsn(name)) for name in NAMES}
            assert found == was
            status, said = await run("restore", str(file))
            assert (status, "not empty" in said) == (1, True)
            status, said = await run("restore", str(file), "--replace")
            assert (status, said.count("is kept as the database")) == (0, len(NAMES))
            # What was restored can be backed up by the installation's own passwords.
            status, said = await run("backup", "--to", str(tmp_path), "--keys", "plain")
            assert (status, "IN PLAIN TEXT" in said) == (0, True)
    others = ObjectStore.in_folder(tmp_path / "others")
    assert await others.find(digest) is not None
    after = handed_out(two)
    same = {name for name in before if before[name] == after[name]}
    # Nodes and tokens know both hubs as one; passwords and the server's certificate are new.
    assert {"centers/ca.pem", "centers/node-keys.json", "registrar/operator.nk"} <= same
    assert {"first-data/signing-key.json", "centers/jwks.json"} <= same
    assert "centers/PEYVAND_DATABASE_URL" not in same
    assert keys_beside(file).stat().st_mode & 0o077 == 0
