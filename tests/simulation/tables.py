"""What the simulated hub keeps of nodes, their tokens and their keys, in memory.

It stands where `centers.repository.nodes` stands, below the hub's own use cases: the same
names, the same answers, on dictionaries. A transaction works on a copy, which takes the
place of what is kept when it ends well. One follows the other: what two do to each other
that run at the same time is for the tests with a real database.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from centers.domain.centers import Center, Expectations
from centers.domain.nodes import Credential, Node, NodeState
from centers.line import credential_watch
from centers.repository.nodes import Key, Token
from centers.use_cases import joining
from centers.use_cases import nodes as headquarters
from domainkit.values import LocalizedText
from peyvand.centers.v1 import nodes_pb2
from servicekit.errors import Fault
from servicekit.store import etag_of

if TYPE_CHECKING:
    from peyvand.node.v1 import protocol_pb2 as pb
    from servicekit.rpc_server import Call

T = TypeVar("T")

# A node renews when it has used so much of its credentials: there are 90 days of them in
# earnest, and as many seconds here.
RENEW_AFTER_SECONDS = 150


class OutOfReach(ConnectionError):
    """The database does not answer."""


@dataclass(frozen=True)
class BarredKey:
    """A key, and since when the broker must refuse it."""

    node_id: str
    credential: Credential
    barred_since: datetime | None = None


@dataclass
class Tables:
    """What was committed. Rows are replaced, not changed."""

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    centers: dict[str, Center] = field(default_factory=dict[str, Center])
    tokens: dict[bytes, Token] = field(default_factory=dict[bytes, Token])
    keys: dict[str, BarredKey] = field(default_factory=dict[str, BarredKey])
    # What every node has gone through, by the name of its event.
    steps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def copied(self) -> Tables:
        """A copy for one transaction."""
        return Tables(
            dict(self.nodes),
            self.centers,
            dict(self.tokens),
            dict(self.keys),
            list(self.steps),
        )

    def barred(self) -> set[str]:
        """Keys that the broker must refuse."""
        return {key for key, row in self.keys.items() if row.barred_since is not None}


class Session:
    """One transaction, as those who read and write in it see it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables


class NodeDatabase:
    """Commits, as `servicekit.database.Database` does, while the database is up.

    `changed` is told when keys were barred or let in again, as the real one notifies.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.tables = Tables()
        self.up = True
        self._changed = changed

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncGenerator[Session]:
        """Open a session that reads."""
        yield self._session()

    async def write(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run `work` in one transaction, and commit it."""
        session = self._session()
        result = await work(session)
        before, self.tables = self.tables, session.tables
        if before.barred() != self.tables.barred():
            self._changed()
        return result

    def _session(self) -> Session:
        if not self.up:
            raise OutOfReach
        return Session(self.tables.copied())


def center(id: str, expectations: Expectations, now: datetime) -> Center:
    """A center that nodes belong to."""
    return Center(
        id=id,
        code="RKH",
        names=LocalizedText(fa="مشهد", en="Mashhad"),
        province="IR-09",
        expectations=expectations,
        state_since=now,
        created_at=now,
        updated_at=now,
    )


class _Nodes:
    """As `centers.repository.nodes.nodes`, an `AggregateStore`."""

    kind = "node"

    async def find(self, session: Session, id: str) -> Node | None:
        found = session.tables.nodes.get(id)
        return None if found is None else replace(found, pending=[])

    async def get(self, session: Session, id: str) -> Node:
        return await self.lock(session, id)

    async def lock(self, session: Session, id: str, etag: str | None = None) -> Node:
        found = await self.find(session, id)
        if found is None:
            raise Fault.not_found(self.kind, id)
        if etag is not None and etag != etag_of(found):
            raise Fault("STALE_ETAG")
        return found

    async def save(
        self, session: Session, node: Node, *, beside: Mapping[str, Any] | None = None
    ) -> None:
        del beside
        (step,) = node.pending
        before = session.tables.nodes.get(node.id)
        if (0 if before is None else before.version) != step.version - 1:
            raise Fault("STALE_ETAG")
        session.tables.nodes[node.id] = replace(node, pending=[])
        session.tables.steps.append((node.id, step.action))
        node.pending.clear()

    def owned_by(self, node: Node, call: Call) -> bool:
        return node.center_id in call.principal.center_ids

    def present(self, node: Node, call: Call) -> nodes_pb2.Node:
        del call
        return nodes_pb2.Node(id=node.id, etag=etag_of(node))


class _Centers:
    async def get(self, session: Session, id: str) -> Center:
        return session.tables.centers[id]


async def find_token(session: Session, digest: bytes) -> Token | None:
    """As the repository's."""
    return session.tables.tokens.get(digest)


async def put_token(
    session: Session, node_id: str, digest: bytes, created_at: datetime, expires_at: datetime
) -> None:
    """As the repository's."""
    await replace_tokens(session, node_id, created_at)
    session.tables.tokens[digest] = Token(node_id, expires_at, None, None)


async def replace_tokens(session: Session, node_id: str, at: datetime) -> None:
    """As the repository's."""
    for digest, token in session.tables.tokens.items():
        if (token.node_id, token.used_at, token.replaced_at) == (node_id, None, None):
            session.tables.tokens[digest] = replace(token, replaced_at=at)


async def use_token(session: Session, digest: bytes, public_key: str, at: datetime) -> None:
    """As the repository's; by whom is kept for people alone."""
    del public_key
    session.tables.tokens[digest] = replace(session.tables.tokens[digest], used_at=at)


async def find_key(session: Session, public_key: str) -> Key | None:
    """As the repository's."""
    row = session.tables.keys.get(public_key)
    if row is None:
        return None
    return Key(row.node_id, row.credential, row.barred_since is not None)


async def put_key(session: Session, node_id: str, credential: Credential) -> None:
    """As the repository's: no key twice."""
    assert credential.public_key not in session.tables.keys
    session.tables.keys[credential.public_key] = BarredKey(node_id, credential)


async def bar_keys(
    session: Session,
    node_id: str,
    since: datetime,
    *,
    but: Sequence[str] = (),
    issued_before: datetime | None = None,
) -> None:
    """As the repository's."""
    for key, row in _keys(session, node_id).items():
        left_behind = issued_before is None or row.credential.issued_at < issued_before
        if row.barred_since is None and key not in but and left_behind:
            session.tables.keys[key] = replace(row, barred_since=since)


async def unbar_keys(session: Session, node_id: str, barred_since: datetime) -> None:
    """As the repository's."""
    for key, row in _keys(session, node_id).items():
        if row.barred_since == barred_since:
            session.tables.keys[key] = replace(row, barred_since=None)


async def keys_since(session: Session, node_id: str, since: datetime) -> int:
    """As the repository's."""
    rows = _keys(session, node_id).values()
    return sum(row.credential.issued_at > since for row in rows)


async def has_open_keys(session: Session, node_id: str, *, issued_before: datetime) -> bool:
    """As the repository's."""
    return any(
        row.barred_since is None and row.credential.issued_at < issued_before
        for row in _keys(session, node_id).values()
    )


async def newest_key(session: Session, node_id: str) -> datetime | None:
    """As the repository's."""
    made = [row.credential.issued_at for row in _keys(session, node_id).values()]
    return max(made, default=None)


async def open_keys_of_left(session: Session) -> list[str]:
    """As the repository's."""
    left: dict[str, None] = {}
    for row in session.tables.keys.values():
        node = session.tables.nodes[row.node_id]
        former = node.joined_at is not None and row.credential.issued_at < node.joined_at
        if row.barred_since is None and (node.state is NodeState.WITHDRAWN or former):
            left[node.id] = None
    return list(left)


async def near_expiry(session: Session, now: datetime) -> list[str]:
    """Nobody: that credentials end is warned of in days, and a life here has minutes."""
    del session, now
    return []


async def put_version(session: Session, node_id: str, software_version: str) -> None:
    """As the repository's."""
    node = session.tables.nodes[node_id]
    session.tables.nodes[node_id] = replace(node, software_version=software_version, pending=[])


def _keys(session: Session, node_id: str) -> dict[str, BarredKey]:
    return {key: row for key, row in session.tables.keys.items() if row.node_id == node_id}


_IN_PLACE: Mapping[str, object] = {
    "nodes": _Nodes(),
    "centers": _Centers(),
} | {
    work.__name__: work
    for work in (
        *(find_token, put_token, replace_tokens, use_token),
        *(find_key, put_key, bar_keys, unbar_keys, keys_since, has_open_keys, newest_key),
        *(open_keys_of_left, near_expiry, put_version),
    )
}


@contextlib.contextmanager
def in_place_of_the_database() -> Generator[None]:
    """Let the hub's use cases work on what is kept here, and have nodes renew in minutes."""
    genuine = joining.settings_for

    def settings_for(*arguments: Any) -> pb.NodeSettings:
        settings = genuine(*arguments)
        life = round(arguments[1].total_seconds())
        settings.renew_before_seconds = life - RENEW_AFTER_SECONDS
        settings.batch_reports, settings.batch_bytes = 50, 20_000
        return settings

    with contextlib.ExitStack() as stack:
        for module in (joining, headquarters, credential_watch):
            for name in _IN_PLACE.keys() & vars(module).keys():
                stack.enter_context(patch.object(module, name, _IN_PLACE[name]))
        stack.enter_context(patch.object(joining, "settings_for", settings_for))
        yield
