"""``peyvand doctor`` on a running network whose decisions somebody has written past the service."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from peyvandctl.cluster import Cluster
from tests.support.decided import decided

Json = dict[str, Any]
# A project goes through its gate first, and doctor looks at all of the network each time.
pytestmark = pytest.mark.timeout(600)


def records_found(network: Cluster) -> Json:
    """What doctor says of the records."""
    surroundings = {
        **os.environ,
        "PEYVAND_HOME": str(network.home.root),
        "PEYVAND_URL": network.gateway_url,
        "PEYVAND_TOKEN": network.token("hq_admin", "sara"),
        "LANG": "C",
    }
    command = [sys.executable, "-m", "peyvandctl", "doctor", "--json"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, env=surroundings, timeout=300
    )
    assert said.stdout, said.stderr
    (found,) = (
        item for item in json.loads(said.stdout) if item["subject"] == "records of projects"
    )
    # Other tests may have left what is to be mended; a damaged record is never well.
    assert said.returncode == 1 or found["verdict"] == "ok"
    return found


async def test_doctor_names_a_decision_that_was_changed_past_the_service(
    network: Cluster, tmp_path: Path
) -> None:
    project, _ = await decided(network, tmp_path)
    whole = records_found(network)
    assert whole["verdict"] == "ok", whole
    connection = await network.postgres.connect("projects")
    try:
        # Past the triggers, as only who owns the database can.
        await connection.execute("SET session_replication_role = replica")
        ((id, before),) = await connection.fetch(
            "SELECT id, decision::text FROM decision WHERE project_id = $1", project
        )
        after = before.replace("As the panel voted.", "As I wished.")
        assert after != before
        change = "UPDATE decision SET decision = $2::jsonb WHERE id = $1"
        await connection.execute(change, id, after)
        try:
            damaged = records_found(network)
        finally:
            await connection.execute(change, id, before)
    finally:
        await connection.close()
    assert damaged["verdict"] == "bad", damaged
    assert f"{id} of {project} is changed" in damaged["message"]
    assert "docs/dossier.md" in damaged["mend"]
    assert records_found(network)["verdict"] == "ok"


async def test_doctor_names_evidence_whose_file_is_not_what_it_was(
    network: Cluster, tmp_path: Path
) -> None:
    project, _ = await decided(network, tmp_path)
    content = next(tmp_path.glob("*.txt")).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    stored = network.home.objects / "sha256" / digest[:2] / digest
    assert stored.read_bytes() == content
    stored.write_bytes(content[::-1])
    try:
        damaged = records_found(network)
    finally:
        stored.write_bytes(content)
    assert damaged["verdict"] == "bad", damaged
    assert f"of {project} has a changed file" in damaged["message"]
    assert "POST /v1/files" in damaged["mend"]
    assert records_found(network)["verdict"] == "ok"
