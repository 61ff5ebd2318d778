"""Every rule is tried by the API, by a race and by a crash; what the document names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "rules-of-projects.md"
EVERY_STEP = ROOT / "tests" / "integration" / "projects" / "test_every_step.py"
NAMED = re.compile(r"`(test_\w+)::(test_\w+)`")
CASES = re.compile(r"(?:cut off|at once): ((?:`[a-z ]+`(?:, )?)+)")
WAYS = ("by the API", "by a race", "by a crash")
# Why a rule is not tried in one of the ways.
WHY_NOT = re.compile(r"none: \w.+")


def rules() -> list[list[str]]:
    """The cells of each row: the rule, where it is held, and who tries to break it."""
    lines = DOCUMENT.read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| Rule ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def existing_tests() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for place in ("unit", "integration"):
        for path in (ROOT / "tests" / place / "projects").glob("test_*.py"):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add((path.stem, node.name))
    return found


def existing_cases() -> set[str]:
    for node in ast.parse(EVERY_STEP.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            keys = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
            return {str(key) for key in keys} | {"import"}
    raise AssertionError("the cases are not where they were")


def named_cases(text: str) -> set[str]:
    return {name for found in CASES.findall(text) for name in re.findall(r"`([a-z ]+)`", found)}


def test_every_test_that_the_rules_name_is_there() -> None:
    named = set(NAMED.findall(DOCUMENT.read_text("utf-8")))
    assert len(named) > 50
    assert named - existing_tests() == set()


def test_every_step_that_the_rules_name_is_tried_and_each_is_named() -> None:
    assert named_cases(DOCUMENT.read_text("utf-8")) == existing_cases()


def test_every_rule_is_tried_in_each_way_or_the_row_says_why_not() -> None:
    found = rules()
    assert len(found) > 50
    untried = [
        (rule, way)
        for rule, _, *tried in found
        for way, by in zip(WAYS, tried, strict=True)
        if not (NAMED.search(by) or CASES.search(by) or WHY_NOT.fullmatch(by))
    ]
    assert untried == []
    # Of no rule is all left out.
    assert [row[0] for row in found if not NAMED.search(" ".join(row[2:]))] == []
