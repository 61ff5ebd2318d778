"""What the hub said of reports, for a person: through the agent that runs, or from its store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from node_agent.home import Home
from node_agent.local_api import receipt_form
from node_agent.local_client import ask, find_agent
from node_agent.store import Store

_PAGE = 500


@dataclass(frozen=True)
class Silent(Exception):
    """The agent runs and does not answer; the store is its own then."""

    says: str


def receipts(home: Home, *, everything: bool) -> list[dict[str, Any]]:
    """Give the refusals that nobody has seen yet; with `everything` all receipts.

    Raises `Silent`, and `StorageFull`.
    """
    return list(_all(home, everything=everything))


def _all(home: Home, *, everything: bool) -> Iterator[dict[str, Any]]:
    agent = find_agent(home)
    if agent is None:
        yield from _of_store(home, everything=everything)
        return
    if agent.status is None:
        raise Silent(agent.silence())
    after = "0" if everything else agent.status["refusals_seen_up_to"]
    while True:
        query = f"/receipts?after={after}&limit={_PAGE}&refused={str(not everything).lower()}"
        page = ask(agent.url, query)
        if page is None:
            raise Silent(agent.silence())
        yield from page["receipts"]
        if len(page["receipts"]) < _PAGE:
            return
        after = page["next_after"]


def _of_store(home: Home, *, everything: bool) -> Iterator[dict[str, Any]]:
    if not home.store_file.exists():
        return
    store = Store(home.store_file)
    try:
        after = 0 if everything else store.receipt_counts().seen_up_to
        while found := store.receipts(after, _PAGE, refused_only=not everything):
            yield from ({"position": str(at), **receipt_form(said)} for at, said in found)
            after = found[-1][0]
    finally:
        store.close()


def see(home: Home, up_to: int) -> None:
    """Note that the refusals up to a position were seen. Raises `Silent` and `StorageFull`."""
    agent = find_agent(home)
    if agent is not None:
        if ask(agent.url, f"/receipts/seen?up_to={up_to}", "POST") is None:
            raise Silent(agent.silence())
        return
    store = Store(home.store_file)
    try:
        store.see_refusals(up_to)
    finally:
        store.close()
