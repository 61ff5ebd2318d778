"""The node that joins when the network starts on one machine: that of Razavi Khorasan.

It takes the way of any center: it is asked for, approved, given a token, and joins over
the one port that nodes have. It runs as a process of its own, with a folder of its own,
and knows nothing of the network but what the token told it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from peyvandctl.cli_node import make_token
from peyvandctl.client import Access, Api
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from peyvandctl.processes import ProcessSpec, http_status
from peyvandctl.seed import AT_START_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from peyvandctl.cluster import Cluster

PROCESS = "node-razavi-khorasan"
EXTERNAL_KEY = "node-razavi-khorasan-1"
_CENTER = "center-razavi-khorasan"
_NAME = "اتاق سرور"
_TOKEN_SECONDS = 600
_JOIN_SECONDS = 60.0
_ENDED = ("withdrawn", "revoked")
# What a program needs of this machine; nothing of the network's settings.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


def is_wanted() -> bool:
    """Whether a node joins: yes, unless ``PEYVAND_NODE`` is 0."""
    return os.environ.get("PEYVAND_NODE", "").strip().lower() not in ("0", "no", "false")


def folder_of(home: Home) -> Path:
    """The folder that the node keeps its state in."""
    return home.root / "nodes" / "razavi-khorasan"


async def start(cluster: Cluster, progress: Callable[[str], None]) -> None:
    """Let the node join, unless it has, and run its agent.

    Raises:
        ClusterError: it cannot join, or its agent does not start.
    """
    folder = folder_of(cluster.home)
    progress("Joining the node of Razavi Khorasan")
    token = await asyncio.to_thread(_token, cluster, folder)
    if token is None:
        return
    if token:
        await _join(folder, token)
    await cluster.run_beside(_agent(folder))


def _token(cluster: Cluster, folder: Path) -> str | None:
    """A token where one is needed; empty where the node has joined, None where it has left."""
    access = Access(cluster.gateway_url, cluster.token("hq_admin"))
    with Api(access, patience=AT_START_SECONDS) as api:
        node = approved(api)
        if node["state"] in _ENDED:
            return None
        known = _identity(folder)
        if node["state"] == "suspended" or (
            known.get("node_id") == node["id"] and known.get("hub") == cluster.nats.hub
        ):
            # A suspended one goes on trying, and is let in when it is resumed.
            return "" if known else None
        return token_for(api, node)


def token_for(api: Api, node: dict[str, Any]) -> str:
    """A token with which the node can join now."""
    return str(make_token(api, node["id"], _TOKEN_SECONDS)["token"])


def approved(api: Api) -> dict[str, Any]:
    """The first node as the hub has it, asked for and approved unless it was before.

    Raises:
        ClusterError: the network has no center whose node it could be.
        ApiError: a call was refused.
    """
    found = api.pages("/v1/nodes", "nodes", external_key=EXTERNAL_KEY)
    if not found:
        centers = api.pages("/v1/centers", "centers", external_key=_CENTER)
        if not centers:
            raise ClusterError(f"There is no center {_CENTER} whose node could join.", _MEND)
        wanted = {"center_id": centers[0]["id"], "name": _NAME, "external_key": EXTERNAL_KEY}
        found = [api.post("/v1/nodes", content=json.dumps(wanted).encode(), key=EXTERNAL_KEY)]
    node = found[0]
    if node["state"] == "applied":
        node = api.post(f"/v1/nodes/{node['id']}:approve", etag=node["etag"])
    return node


def _identity(folder: Path) -> dict[str, Any]:
    """What the node keeps of itself; nothing before it has joined."""
    try:
        return json.loads((folder / "node.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


async def _join(folder: Path, token: str) -> None:
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    again = ["--again"] if _identity(folder) else []
    process = await asyncio.create_subprocess_exec(
        *_program("join", folder),
        "--no-start",
        *again,
        # By standard input, so that no list of processes shows the token.
        "-",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(_JOIN_SECONDS):
            output, _ = await process.communicate(token.encode())
    except TimeoutError as error:
        raise ClusterError(
            f"The node of Razavi Khorasan has not joined within {_JOIN_SECONDS:.0f} s.", _MEND
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        told = output.decode("utf-8", "replace").strip()
        raise ClusterError("The node of Razavi Khorasan has not joined.", f"{told}\n{_MEND}")


def _agent(folder: Path) -> ProcessSpec:
    async def ready() -> bool:
        try:
            note = json.loads((folder / "agent.json").read_text(encoding="utf-8"))
            address = urlsplit(str(note["url"]))
        except (OSError, ValueError, KeyError):
            return False
        if address.hostname is None or address.port is None:
            return False
        return await http_status(address.hostname, address.port, "/status") == HTTPStatus.OK

    async def make_way() -> None:
        # What an agent that was killed has left says nothing of the one that starts.
        (folder / "agent.json").unlink(missing_ok=True)

    return ProcessSpec(
        PROCESS, _program("run", folder), _environment(), folder, ready, make_way=make_way
    )


def _program(verb: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "node_agent", verb, "--home", str(folder))


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


_MEND = "PEYVAND_NODE=0 starts the network without it."
