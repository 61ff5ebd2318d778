"""Asks the agent that runs on this machine."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from node_agent.home import Home

_SECONDS = 5.0


@dataclass(frozen=True)
class FoundAgent:
    """An agent that runs.

    Attributes:
        pid: its process; `None` when it is not known.
        url: where its local API listens; empty when that is not known.
        status: what it says of itself; `None` when it does not answer in time.
    """

    pid: int | None
    url: str
    status: dict[str, Any] | None

    def silence(self) -> str:
        """Sentence part about one that does not answer."""
        who = "process id unknown" if self.pid is None else f"pid {self.pid}"
        where = f" at {self.url}" if self.url else ""
        return f"the agent runs ({who}) but does not answer{where}"


def find_agent(home: Home) -> FoundAgent | None:
    """Find the agent of a folder, and ask it how it is; `None` when none runs."""
    running = home.running()
    if running is None:
        return None
    return FoundAgent(
        running.pid, running.url, ask(running.url, "/status") if running.url else None
    )


def agent_status(home: Home) -> dict[str, Any] | None:
    """What the running agent says of itself; `None` when none runs or answers."""
    found = find_agent(home)
    return None if found is None else found.status


def ask(url: str, path: str, method: str = "GET") -> dict[str, Any] | None:
    """Ask an agent; `None` when it does not answer in time, or not as it should."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
