"""The data that a network starts with: what the reports say, and samples when asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peyvandctl import imports
from peyvandctl.client import Access, Api
from peyvandctl.errors import ClusterError
from peyvandctl.terminal import broken_rule

if TYPE_CHECKING:
    from peyvandctl.cluster import Cluster

FOLDER = Path(__file__).resolve().parents[2] / "data"
NETWORK = FOLDER / "network.yaml"
SAMPLE = FOLDER / "sample.yaml"
AT_START_SECONDS = 120.0
"""How long calls are made again that a part of a network cannot answer yet which starts."""


def wants_sample() -> bool:
    """Whether ``PEYVAND_SAMPLE`` asks for the sample data."""
    return os.environ.get("PEYVAND_SAMPLE", "").strip().lower() in ("1", "true", "yes")


async def load(cluster: Cluster, progress: Callable[[str], None]) -> None:
    """Bring a running network to what the data files say, through its public API.

    Rows that were applied before change nothing, also when people have changed the
    resources since.

    Raises:
        ClusterError: a file was refused, or not applied whole.
    """
    files = [NETWORK, SAMPLE] if wants_sample() else [NETWORK]
    for file in files:
        access = Access(cluster.gateway_url, cluster.token("hq_admin"))
        await asyncio.to_thread(load_file, file, access, progress, patience=AT_START_SECONDS)


def load_file(
    file: Path, access: Access, progress: Callable[[str], None], *, patience: float = 0.0
) -> None:
    """Bring a network to what one file says; see `Api` for `patience`.

    Raises `ClusterError` as `load` does.
    """

    def tell(result: dict[str, Any]) -> None:
        doing = "Checking" if result["state"] == "checking" else "Loading"
        progress(f"{doing} {file.name}: {result['done']} of {result['rows']} rows")

    progress(f"Checking {file.name}")
    with Api(access, patience=patience) as api:
        try:
            result = imports.send(api, file, progress=tell)
        except ClusterError as error:
            broken = getattr(error, "problem", {}).get("errors", ())
            lines = "\n".join(broken_rule(item) for item in broken)
            raise ClusterError(f"{file.name} was not loaded: {error.message}", lines) from error
    if result["state"] != "done":
        refused = [broken_rule(item) for item in result["refusals"]]
        why = "\n".join(refused) or f"The import was interrupted: {result['interruption']}."
        what = "was not loaded" if result["state"] == "rejected" else "was not loaded whole"
        raise ClusterError(f"{file.name} {what}.", why)
