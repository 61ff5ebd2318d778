"""Checks the rows of a file by applying them, and takes it all back.

All rows are applied in one transaction that is rolled back, so later rows see what
earlier ones would have made, and what is checked is what would be done. What it changes
it has to lock until then. So that it is in nobody's way:

- a row that changes nothing keeps no lock;
- when somebody else has to wait for it, it gives everything back and begins anew a
  little later. It does so a few times, with longer and longer pauses, so that it also
  comes to an end where people never rest. After that it holds on, and who waits for
  longer than `lock_timeout` is answered ``RESOURCE_IN_USE``.
- only a few are made at once in a process; the others wait for their turn, and say
  meanwhile that they are there. So all others find a connection to the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import exc

from peyvand.api.v1 import types_pb2
from servicekit.contract import contract
from servicekit.database import REHEARSAL, Database, WriteSession, is_deadlock, is_held_up, repeated
from servicekit.errors import as_fault
from servicekit.imports import Plan, RowOutcome, digest_of, known_row, result_of

log = structlog.get_logger(__name__)

# How often it tells how far it is, and looks whether somebody waits; in seconds.
TELL_EVERY = 0.5
# The pauses after which it begins anew, in seconds.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)

# Rehearsals do not make way for each other: two would do so in turn, without an end.
_SOMEBODY_WAITS = sa.text("""
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND application_name <> :rehearsal
        AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
)
""").bindparams(rehearsal=REHEARSAL)


async def rehearse_rows(
    database: Database,
    plan: Plan[Any],
    *,
    tell_every: float = TELL_EVERY,
    pauses: Sequence[float] = PAUSES,
) -> AsyncGenerator[types_pb2.RehearsalProgress]:
    """Check rows and write nothing; tells how far it is, last the results in their order.

    Close it to end the check; its transaction is open between two of its messages.
    """
    turn = asyncio.create_task(database.rehearsals.acquire(), name="turn of a rehearsal")
    try:
        if database.rehearsals.locked():
            while not (await asyncio.wait({turn}, timeout=tell_every))[0]:
                yield types_pb2.RehearsalProgress()
        await turn
        async with aclosing(_rehearse(database, plan, tell_every, pauses)) as progress:
            async for message in progress:
                yield message
    finally:
        # It may have come in the moment in which nobody waited for it any more.
        if not turn.cancel() and not turn.cancelled():
            database.rehearsals.release()


async def _rehearse(
    database: Database, plan: Plan[Any], tell_every: float, pauses: Sequence[float]
) -> AsyncGenerator[types_pb2.RehearsalProgress]:
    places = plan.places()
    for pause in (*pauses, None):
        results: list[types_pb2.RowResult] = []
        try:
            async with database.rehearsal() as session:
                async for result in _attempts(session, plan, places, tell_every):
                    if result is not None:
                        results.append(result)
                    elif pause is not None and await _somebody_waits(session):
                        break
                    else:
                        yield types_pb2.RehearsalProgress(checked=len(results))
        except exc.DBAPIError as error:
            # Two that hold what the other needs: one of them has to give back everything.
            if pause is None or not is_deadlock(error):
                raise
        if len(results) == len(places):
            placed = dict(zip(places, results, strict=True))
            ordered = [placed[place] for place in range(len(places))]
            yield types_pb2.RehearsalProgress(checked=len(results), results=ordered)
            return
        log.info("rehearsal makes way", rows=len(places), checked=len(results), pause=pause)
        yield types_pb2.RehearsalProgress()
        await asyncio.sleep(pause or 0)


async def _somebody_waits(session: WriteSession) -> bool:
    # What a transaction sees of the others stays as it is unless it says so.
    await session.connection.scalar(sa.select(sa.func.pg_stat_clear_snapshot()))
    return bool(await session.connection.scalar(_SOMEBODY_WAITS))


async def rehearsed(database: Database, plan: Plan[Any]) -> list[types_pb2.RowResult]:
    """The results of a check alone."""
    last = types_pb2.RehearsalProgress()
    async for progress in rehearse_rows(database, plan):
        last = progress
    return list(last.results)


async def _attempts(
    session: WriteSession, plan: Plan[Any], places: Sequence[int], tell_every: float
) -> AsyncGenerator[types_pb2.RowResult | None]:
    """The results of the rows one after another, and `None` when it is time to tell."""
    clock = asyncio.get_running_loop().time
    told = clock()
    done = 0
    while done < len(places):
        row = plan.rows[places[done]]
        try:
            result = await result_of(plan.key_of(row), _attempt(session, plan, row))
        except exc.DBAPIError as error:
            # Somebody holds the row; it is tried again, and does not hang meanwhile.
            if not is_held_up(error):
                raise
        else:
            done += 1
            if result.action == types_pb2.ROW_ACTION_CREATED:
                result.id = ""  # the id was made for the check alone
            yield result
        if done < len(places) and clock() - told >= tell_every:
            yield None
            told = clock()


async def _attempt(session: WriteSession, plan: Plan[Any], row: Any) -> RowOutcome:
    async def once() -> RowOutcome:
        kind, key = plan.name(row)
        if (known := await known_row(session, kind, key, digest_of(row))) is not None:
            return known
        try:
            async with session.attempt():
                outcome = await plan.apply(session, row)
                if outcome[0] == types_pb2.ROW_ACTION_UNCHANGED:
                    raise _NothingToKeep(outcome)
        except _NothingToKeep as unchanged:
            return unchanged.outcome
        return outcome

    # While it is checked, the same row may be brought in by another import, between one
    # look at the database and the next; what is taken is then found to be its own.
    try:
        return await repeated(once)
    except Exception as error:
        fault = as_fault(error)
        if fault is None or contract().error(fault.reason).http_status != HTTPStatus.CONFLICT:
            raise
        return await repeated(once)


class _NothingToKeep(Exception):
    """A row has changed nothing: with its savepoint its locks are given back."""

    def __init__(self, outcome: RowOutcome) -> None:
        super().__init__()
        self.outcome = outcome
