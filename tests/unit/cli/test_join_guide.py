"""The guides say of each finding what it means, and of no command that is not there."""

import re
from pathlib import Path

from typer.main import get_command

from peyvandctl.cli import app

ROOT = Path(__file__).parents[3]
GUIDE = "".join(
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("join.md", "leaves.md")
)
_FINDING = re.compile(r'(?:Finding|halt)\(\s*"(\w+)"')
_COMMAND = re.compile(r"peyvand node (\w+)")


def test_every_finding_of_the_agent_is_explained() -> None:
    found: set[str] = set()
    for file in (ROOT / "services" / "node" / "src" / "node_agent").glob("*.py"):
        found |= set(_FINDING.findall(file.read_text(encoding="utf-8")))
    assert {"fingerprint", "clock", "token", "credentials"} <= found
    assert {name for name in found if f"`{name}`" not in GUIDE} == set()


def test_the_commands_of_the_guide_are_there() -> None:
    node = getattr(get_command(app), "commands", {})["node"]
    named = set(_COMMAND.findall(GUIDE))
    assert {"apply", "approve", "token", "join", "bundle", "leave"} <= named
    assert named <= set(node.commands)
