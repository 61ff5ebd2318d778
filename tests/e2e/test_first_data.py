"""An installation that is up gets its first facts, and its first node a token, once."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from hubkit.private_files import write_private
from peyvandctl import first_data, seed
from peyvandctl.client import Access, Api
from peyvandctl.cluster import Cluster
from tests.support.cluster import PATIENT, fresh_home, remove_abandoned_homes


def arguments(cluster: Cluster, token_file: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell the job what the compose file tells it."""
    monkeypatch.setenv("PEYVAND_URL", cluster.gateway_url)
    monkeypatch.setenv("PEYVAND_SIGNING_KEY", str(cluster.issuer.private_key))
    monkeypatch.setenv("PEYVAND_ISSUER", cluster.issuer.issuer)
    monkeypatch.setenv("PEYVAND_AUDIENCE", "peyvand")
    monkeypatch.setenv("PEYVAND_NODE_TOKEN_FILE", str(token_file))
    return [str(seed.NETWORK)]


async def test_facts_are_loaded_and_the_node_joins_with_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remove_abandoned_homes()
    token = tmp_path / "token"
    with fresh_home() as home:
        async with Cluster(home.root, port=0, env=PATIENT) as cluster:
            given = arguments(cluster, token, monkeypatch)
            assert await asyncio.to_thread(first_data.main, given) == 0
            node = home.root / "node"
            joining = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "node_agent", "join", "-", "--no-start", "--home", str(node),
                stdin=asyncio.subprocess.PIPE, env=os.environ,
            )  # fmt: skip
            await joining.communicate(token.read_bytes())
            assert joining.returncode == 0
            # Once it has joined there is no need of another token.
            write_private(token, "the one before")
            assert await asyncio.to_thread(first_data.main, given) == 0
            assert token.read_text() == "the one before"
            with Api(Access(cluster.gateway_url, cluster.token("hq_admin"))) as api:
                assert len(api.pages("/v1/centers", "centers")) == 5
                (known,) = api.pages("/v1/nodes", "nodes")
                assert known["state"] in ("enrolled", "active")


def test_it_says_what_keeps_it_from_being_done(
    tmp_path: Path, network: Cluster, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given = arguments(network, tmp_path / "token", monkeypatch)
    monkeypatch.setenv("PEYVAND_AUDIENCE", "another")
    assert first_data.main(given) == 1
    assert capsys.readouterr().err
    assert not (tmp_path / "token").exists()
