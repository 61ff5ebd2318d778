"""Rules, their tests, runbooks and dashboards belong together and are right."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import ROOT
from tests.support.metrics import DASHBOARDS, OBSERVABILITY, RULES, alerts, queries, selectors
from tests.support.watch_tools import promtool

CASES = sorted((Path(__file__).parent / "alerts").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"
NAMES = sorted({alert["alert"] for alert in alerts()})
SECTIONS = ("## What it means", "## Look", "## Do", "## Afterwards")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool(), *arguments], capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_prometheus_takes_the_rules(path: Path) -> None:
    checked = run("check", "rules", path)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_the_rules_tell_what_they_should(path: Path) -> None:
    tried = run("test", "rules", path)
    assert tried.returncode == 0, tried.stdout + tried.stderr


@pytest.mark.timeout(600)
def test_a_rule_that_is_changed_fails_its_test(tmp_path: Path) -> None:
    rules = (OBSERVABILITY / "rules" / "platform.yml").read_text(encoding="utf-8")
    assert "> 93600" in rules
    (tmp_path / "platform.yml").write_text(rules.replace("> 93600", "> 936000"), encoding="utf-8")
    (case,) = (path for path in CASES if path.name == "platform.yml")
    document: dict[str, Any] = yaml.safe_load(case.read_text(encoding="utf-8"))
    document["rule_files"] = ["platform.yml"]
    (tmp_path / "case.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    tried = run("test", "rules", tmp_path / "case.yml")
    assert tried.returncode != 0
    assert "BackupTooOld" in tried.stdout + tried.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_seen_to_be_told_and_not_to_be_told(name: str) -> None:
    expected = [
        bool(check["exp_alerts"])
        for path in CASES
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for check in case["alert_rule_test"]
        if check["alertname"] == name
    ]
    assert set(expected) == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_says_what_it_is_in_both_languages_and_what_to_do(name: str) -> None:
    for alert in alerts():
        if alert["alert"] != name:
            continue
        notes = alert["annotations"]
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert notes["summary"]
        assert re.search("[آ-ی]", notes["summary_fa"])
        assert notes["runbook_url"].rsplit("/", 1)[1] == name
    runbook = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert runbook.startswith(f"# {name}\n")
    places = [runbook.find(section) for section in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)


def test_every_runbook_is_of_an_alert_and_in_the_list() -> None:
    written = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert written == set(NAMES)
    listed = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.md\)", listed)) == written


def test_what_is_slow_by_design_is_a_route_of_the_gateway() -> None:
    (left_out,) = {
        pattern
        for query in queries().values()
        for pattern in re.findall(r'route!~"([^"]+)"', query)
        if "dossier" in pattern
    }
    contract = json.loads((ROOT / "services" / "gateway" / "openapi.json").read_text("utf-8"))
    known = {*contract["paths"], "/v1/events:stream", "/pages/live"}
    for pattern in left_out.split("|"):
        assert any(re.fullmatch(pattern, route) for route in known), pattern


@pytest.mark.parametrize("place", queries())
def test_every_query_is_one(place: str) -> None:
    assert selectors(queries()[place])


def test_what_is_handed_to_the_cluster_is_everything() -> None:
    kustomization = yaml.safe_load((OBSERVABILITY / "kustomization.yaml").read_text())
    listed = {
        OBSERVABILITY / file
        for generated in kustomization["configMapGenerator"]
        for file in generated["files"]
    }
    assert listed == {*RULES, *DASHBOARDS}
