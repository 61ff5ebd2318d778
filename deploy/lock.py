"""Write the parts of requirements.lock that the images need, and what builds our packages.

Run as ``python deploy/lock.py`` after `make lock`; with ``--check`` it writes nothing and
exits with 1 when the files are not what they would be.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[0]
HUB = (
    "peyvand-gateway",
    "peyvand-centers",
    "peyvand-projects",
    "peyvand-partners",
    "peyvand-observatory",
    "hubkit",
)
FILES = {
    "hub.lock": HUB,
    "tools.lock": (*HUB, "peyvandctl"),
    "node/requirements.lock": ("peyvand-node",),
    "build.lock": ("hatchling",),
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REQUIREMENT = re.compile(rf"(?P<name>{_NAME.pattern})\s*(?:\[(?P<extras>[^]]*)\])?")
_HEAD = "# Written by deploy/lock.py from requirements.lock; do not change it by hand.\n"


def needed(packages: Iterable[str]) -> set[str]:
    """Names of all that packages need, themselves included."""
    found: set[str] = set()
    waiting = [*packages]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        waiting += _requirements(package)
    return {package.partition("[")[0] for package in found}


def _requirements(package: str) -> Iterable[str]:
    """What a package needs; `name[extra]` is one that is needed with an extra."""
    name, _, extra = package.rstrip("]").partition("[")
    for line in metadata.requires(name) or ():
        requirement, _, condition = line.partition(";")
        match = _REQUIREMENT.match(requirement)
        if match and _applies(condition, extra):
            wanted = _normal(match["name"])
            yield wanted
            for other in filter(None, re.split(r"[\s,]+", match["extras"] or "")):
                yield f"{wanted}[{other}]"


def _applies(condition: str, extra: str) -> bool:
    """Tell whether a condition is of no other extra, system or older Python."""
    if not condition.strip():
        return not extra
    named = re.search(r"extra\s*==\s*[\"']([^\"']+)", condition)
    if (named[1] if named else "") != extra or "win32" in condition or "Windows" in condition:
        return False
    older = re.search(r"python_(?:full_)?version\s*<=?\s*[\"']3\.(\d+)", condition)
    return older is None or int(older[1]) > sys.version_info.minor


def part(names: set[str]) -> str:
    """The blocks of requirements.lock that lock these packages."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text("utf-8"))
    wanted = {block_name(block): block for block in blocks if "==" in block}
    chosen = [wanted[name] for name in sorted(names) if name in wanted]
    missing = names - set(wanted) - ours()
    if missing:
        raise SystemExit(f"not in requirements.lock: {', '.join(sorted(missing))}; run make lock")
    return _HEAD + "".join(_without_comments(block) for block in chosen)


def ours() -> set[str]:
    """Names of the packages of this repository."""
    places = ("proto/gen", "libs/*", "services/*", "dev")
    files = (file for place in places for file in ROOT.glob(f"{place}/pyproject.toml"))
    return {_normal(tomllib.loads(file.read_text("utf-8"))["project"]["name"]) for file in files}


def _without_comments(block: str) -> str:
    lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines) + "\n"


def block_name(block: str) -> str:
    """Name of the package that a block locks."""
    match = _NAME.match(block)
    return _normal(match[0]) if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: list[str]) -> int:
    """Write the files, or compare them."""
    stale = False
    for file, packages in FILES.items():
        text = part(needed(packages))
        path = HERE / file
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            sys.stderr.write(f"deploy/{file} is not fresh: python deploy/lock.py\n")
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
