"""How nodes, their join tokens and their keys are stored and found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from centers import tables
from centers.domain.nodes import WARNING_DAYS, Credential, Node, NodeState
from peyvand.centers.v1 import nodes_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore


def owned_by(node: Node, call: Call) -> bool:
    """A node is the own one of those whose token names its center."""
    return node.center_id in call.principal.center_ids


nodes: AggregateStore[Node, pb.Node] = AggregateStore(
    Node,
    table=tables.node,
    steps=tables.service_tables.step,
    resource=pb.Node,
    event=pb.NodeEvent,
    owned_by=owned_by,
)

_token, _key = tables.join_token.c, tables.node_key.c


@dataclass(frozen=True)
class Token:
    """What is kept of a join token."""

    node_id: str
    expires_at: datetime
    used_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True)
class Key:
    """A key that credentials were made for."""

    node_id: str
    credential: Credential
    is_barred: bool


async def nodes_of(session: ReadSession, center_id: str) -> list[str]:
    """Ids of the nodes of a center, in the order in which they were recorded."""
    query = sa.select(tables.node.c.id).where(tables.node.c.center_id == center_id)
    return [row.id for row in await session.rows(query.order_by(tables.node.c.id))]


async def find_token(session: ReadSession, digest: bytes) -> Token | None:
    """The token with this digest of its secret, or `None`."""
    query = sa.select(_token.node_id, _token.expires_at, _token.used_at, _token.replaced_at)
    row = await session.row(query.where(_token.digest == digest))
    return None if row is None else Token(*row)


async def put_token(
    session: WriteSession, node_id: str, digest: bytes, created_at: datetime, expires_at: datetime
) -> None:
    """Keep a new token; those of the node that were not used are no longer good."""
    await replace_tokens(session, node_id, created_at)
    row = {
        "digest": digest,
        "node_id": node_id,
        "created_at": created_at,
        "expires_at": expires_at,
    }
    await session.execute(sa.insert(tables.join_token), [row])


async def replace_tokens(session: WriteSession, node_id: str, at: datetime) -> None:
    """Make those tokens of a node void that were not used."""
    unused = (_token.node_id == node_id, _token.used_at.is_(None), _token.replaced_at.is_(None))
    await session.execute(sa.update(tables.join_token).where(*unused).values(replaced_at=at))


async def use_token(session: WriteSession, digest: bytes, public_key: str, at: datetime) -> None:
    """Note who has used a token, and when."""
    change = sa.update(tables.join_token).where(_token.digest == digest)
    await session.execute(change.values(used_at=at, used_by=public_key))


async def find_key(session: ReadSession, public_key: str) -> Key | None:
    """What is known of a public key, or `None`."""
    query = sa.select(tables.node_key).where(_key.public_key == public_key)
    row = await session.row(query)
    if row is None:
        return None
    credential = Credential(row.public_key, row.issued_at, row.expires_at)
    return Key(row.node_id, credential, row.barred_since is not None)


async def put_key(session: WriteSession, node_id: str, credential: Credential) -> None:
    """Keep a key that credentials are made for."""
    row = {
        "public_key": credential.public_key,
        "node_id": node_id,
        "issued_at": credential.issued_at,
        "expires_at": credential.expires_at,
    }
    await session.execute(sa.insert(tables.node_key), [row])


async def bar_keys(
    session: WriteSession,
    node_id: str,
    since: datetime,
    *,
    but: Sequence[str] = (),
    issued_before: datetime | None = None,
) -> None:
    """Have the broker refuse the keys of a node, but for these, and those made from a time on."""
    good = [_key.node_id == node_id, _key.barred_since.is_(None), _key.public_key.not_in(but)]
    if issued_before is not None:
        good.append(_key.issued_at < issued_before)
    await session.execute(sa.update(tables.node_key).where(*good).values(barred_since=since))


async def unbar_keys(session: WriteSession, node_id: str, barred_since: datetime) -> None:
    """Have the broker take those keys again that were barred at this moment, and no others."""
    barred = (_key.node_id == node_id, _key.barred_since == barred_since)
    await session.execute(sa.update(tables.node_key).where(*barred).values(barred_since=None))


async def keys_since(session: ReadSession, node_id: str, since: datetime) -> int:
    """How many keys a node got after a moment."""
    query = sa.select(sa.func.count()).where(_key.node_id == node_id, _key.issued_at > since)
    return int(await session.scalar(query))


async def has_open_keys(session: ReadSession, node_id: str, *, issued_before: datetime) -> bool:
    """Whether a node has keys made before a time that are not barred."""
    former = (_key.node_id == node_id, _key.barred_since.is_(None), _key.issued_at < issued_before)
    return bool(await session.scalar(sa.select(sa.exists().where(*former))))


async def newest_key(session: ReadSession, node_id: str) -> datetime | None:
    """When the newest key of a node was made; `None` if it never had one."""
    query = sa.select(sa.func.max(_key.issued_at)).where(_key.node_id == node_id)
    return await session.scalar(query)


async def open_keys_of_left(session: ReadSession) -> list[str]:
    """Ids of nodes with keys that they have left behind and that nobody has barred."""
    columns = tables.node.c
    left = sa.or_(columns.state == NodeState.WITHDRAWN, _key.issued_at < columns.joined_at)
    query = sa.select(_key.node_id).distinct().join(tables.node, tables.node.c.id == _key.node_id)
    rows = await session.rows(query.where(left, _key.barred_since.is_(None)))
    return [row.node_id for row in rows]


async def put_version(session: WriteSession, node_id: str, software_version: str) -> None:
    """Note the version of its software that a node tells; its row is locked."""
    values = {"software_version": software_version, "updated_at": sa.func.clock_timestamp()}
    change = sa.update(tables.node).where(tables.node.c.id == node_id)
    await session.execute(change.values(values))


async def near_expiry(session: ReadSession, now: datetime) -> list[str]:
    """Ids of nodes whose credentials end so soon that a warning may be due."""
    columns = tables.node.c
    last = now + timedelta(days=max(WARNING_DAYS))
    listened_to = columns.state.in_([NodeState.ENROLLED, NodeState.ACTIVE])
    query = sa.select(columns.id).where(listened_to, columns.credentials_expire_at <= last)
    return [row.id for row in await session.rows(query.order_by(columns.credentials_expire_at))]
