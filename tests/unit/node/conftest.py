"""An agent without a line, for tests of what it takes."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node_agent.agent import Agent
from node_agent.home import Identity, NodeCredentials
from node_agent.line import Line, LineError, Trouble
from node_agent.store import Store, StoreLimits
from node_agent.taking import Taker
from node_agent.writer import InlineStore
from nodekit.keys import KeyKind, NKey, UserCredentials

CENTER = "ctr_01k0000000000000000000000a"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


async def no_line(
    _credentials: UserCredentials | None, _node_id: str, _wake: Callable[[], None]
) -> Line:
    """Be out of reach."""
    raise LineError(Trouble.UNREACHABLE)


async def keep_nothing(_identity: Identity) -> None:
    """Write nothing down."""


def an_identity() -> Identity:
    return Identity(
        node_id="nod_01k0000000000000000000000a",
        center_id=CENTER,
        center_code="RKH",
        center_names={"en": "Razavi Khorasan", "fa": "خراسان رضوی"},
        hub="hub.example:4443",
        fingerprint="ab" * 32,
        authority="",
        joined_at=NOW,
        credentials=NodeCredentials("jwt", NKey.new(KeyKind.USER).seed, NOW + timedelta(days=30)),
    )


@dataclass
class Bench:
    """An agent and its store."""

    agent: Agent
    taker: Taker
    store: Store

    def fill_the_disk(self) -> None:
        """From now on too little is free."""
        self.store.limits = StoreLimits(reserve_bytes=1 << 60)

    def make_room(self) -> None:
        """Take that back."""
        self.store.limits = StoreLimits()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncGenerator[Bench]:
    store = Store(tmp_path / "reports.db")
    access = InlineStore(store)
    agent = Agent(an_identity(), access, no_line, keep=keep_nothing, folder=tmp_path)
    yield Bench(agent, Taker(agent), store)
    await access.close()
