"""docker-compose.yml as a composer reads it: merged, and with its variables filled in."""

import functools
import re
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+)(?::-(?P<default>[^}]*))?\}")


def compose(**environment: str) -> dict[str, Any]:
    """Read the file with these variables set."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return environment.get(match["name"]) or match["default"] or ""

    def filled(part: Any) -> Any:
        # After it was read, as composers do: what is empty is a text and not nothing.
        if isinstance(part, str):
            return _VARIABLE.sub(value, part)
        if isinstance(part, list):
            return [filled(item) for item in cast("list[Any]", part)]
        if isinstance(part, dict):
            return {key: filled(item) for key, item in cast("dict[str, Any]", part).items()}
        return part

    return filled(_read())


@functools.cache
def _read() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def services(**environment: str) -> dict[str, dict[str, Any]]:
    """The services by name."""
    return compose(**environment)["services"]


def ranks(known: dict[str, dict[str, Any]]) -> list[list[str]]:
    """The services in the order of their start: each waits for some of the ranks before."""
    left = {name: set(service.get("depends_on", ())) for name, service in known.items()}
    found: list[list[str]] = []
    while left:
        rank = [name for name, waits in left.items() if not waits & left.keys()]
        assert rank, f"these wait for one another: {', '.join(left)}"
        found.append(rank)
        for name in rank:
            del left[name]
    return found


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """What is mounted where: place, then source and whether it can be written."""
    found: dict[str, tuple[str, bool]] = {}
    for volume in cast("list[str]", service.get("volumes", [])):
        source, place, *mode = volume.split(":")
        found[place] = (source, mode != ["ro"])
    return found


def networks(service: dict[str, Any]) -> set[str]:
    """Names of the networks that a service is in."""
    return set(service.get("networks", ()))
