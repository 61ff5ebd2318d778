"""The same `Idempotency-Key` never acts twice.

The key, a digest of the request and the answer are kept in the transaction of the
effect itself: either all of it is there or nothing. A call that arrives while the
first one runs is told so at once instead of waiting.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message

from servicekit.database import WriteSession
from servicekit.errors import Fault
from servicekit.rpc_server import Call

M = TypeVar("M", bound=Message)

KEPT = timedelta(hours=48)


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """Table of the keys that were used, with their answers."""
    return sa.Table(
        "idempotency_key",
        metadata,
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("rpc", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_digest", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
            index=True,
        ),
    )


_TABLE = idempotency_table(sa.MetaData())


async def once(
    session: WriteSession, call: Call, request: Any, work: Callable[[], Awaitable[M]]
) -> M:
    """Run `work` unless this caller's key has its answer already; return the answer.

    Raises `Fault` ``IDEMPOTENCY_KEY_REQUIRED``, ``IDEMPOTENCY_KEY_IN_USE`` while the
    first call runs, ``IDEMPOTENCY_KEY_REUSED`` if it came with another request.
    """
    key: str = request.idempotency_key
    if not key:
        raise Fault("IDEMPOTENCY_KEY_REQUIRED")
    columns = _TABLE.c
    owner = {"subject": call.principal.subject, "rpc": call.rpc.path, "key": key}
    lock = sa.func.hashtextextended("\x1f".join(owner.values()), 0)
    if not await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(lock))):
        raise Fault("IDEMPOTENCY_KEY_IN_USE")
    digest = _digest(request)
    known = await session.row(
        sa.select(columns.request_digest, columns.answer).where(
            *(columns[name] == value for name, value in owner.items())
        )
    )
    if known is not None:
        if known.request_digest != digest:
            raise Fault("IDEMPOTENCY_KEY_REUSED")
        answer: Any = call.rpc.response_class.FromString(known.answer)
        return answer
    result = await work()
    row = {**owner, "request_digest": digest, "answer": result.SerializeToString()}
    await session.execute(sa.insert(_TABLE), [row])
    return result


async def forget_old(session: WriteSession) -> None:
    """Delete keys that are older than they have to be kept."""
    await session.execute(sa.delete(_TABLE).where(_TABLE.c.created_at < sa.func.now() - KEPT))


def _digest(request: Message) -> bytes:
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("idempotency_key")
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).digest()
