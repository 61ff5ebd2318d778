"""Writes a revision of a service's schema: ``python -m peyvandctl.draft_migration SERVICE TEXT``.

What differs between the tables in code and the last revision is found against a database
that is made for it, brought to that revision, and removed again.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from hubkit.topology import SERVICES
from peyvandctl.cluster import Cluster
from peyvandctl.processes import ManagedProcess, ProcessSpec

_REVISIONS = "migrations/versions/*.py"


async def draft(service: str, text: str) -> list[Path]:
    """Draft a revision of `service`, called `text`, next to those that it has; return its file."""
    before = set(_revisions(service))
    (spec,) = (spec for spec in SERVICES if spec.name == service)
    with tempfile.TemporaryDirectory(prefix="peyvand-draft-") as folder:
        async with Cluster(
            Path(folder), services=[], port=0, nodes_port=0, leaves_port=0
        ) as cluster:
            await cluster.postgres.make_databases([service])
            environment = os.environ | {"PEYVAND_DATABASE_URL": cluster.postgres.dsn(service)}
            for command in (["migrate"], ["draft-migration", text]):
                arguments = (sys.executable, "-m", spec.module, *command)
                step = ProcessSpec(f"{service}-{command[0]}", arguments, environment, Path(folder))
                await ManagedProcess(cluster.home, step).run_to_end()
    return [path for path in _revisions(service) if path not in before]


def _revisions(service: str) -> list[Path]:
    package = importlib.util.find_spec(service)
    folders = package.submodule_search_locations if package else None
    return [path for folder in folders or () for path in Path(folder).glob(_REVISIONS)]


def main() -> None:
    """Draft what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m peyvandctl.draft_migration")
    parser.add_argument("service", choices=[spec.name for spec in SERVICES if spec.has_database])
    parser.add_argument("text", help="what changes, in a few words")
    arguments = parser.parse_args()
    for path in asyncio.run(draft(arguments.service, arguments.text)):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
