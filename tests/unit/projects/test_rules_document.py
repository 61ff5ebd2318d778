"""The document of the rules names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "rules-of-projects.md"
NAMED = re.compile(r"`(test_\w+)::(test_\w+)`")


def existing_tests() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for place in ("unit", "integration"):
        for path in (ROOT / "tests" / place / "projects").glob("test_*.py"):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add((path.stem, node.name))
    return found


def test_every_test_that_the_rules_name_is_there() -> None:
    text = DOCUMENT.read_text("utf-8")
    named = set(NAMED.findall(text))
    assert len(named) > 50
    assert named - existing_tests() == set()


def test_every_rule_is_tried_by_somebody() -> None:
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    rules = [row for row in rows if not row.startswith("| Rule ")]
    assert rules
    assert [row for row in rules if not NAMED.search(row)] == []
