"""Looks after conditions: tells of those that are overdue, and puts their projects on hold.

Every process of the service looks, at its start and then each minute. What it finds is
looked at again under the lock of the project's row, so that it does not matter how many
look, or which one dies; a day on which nobody looked is caught up with by the next look.
Nothing depends on the watch alone: resuming, deciding and paying out look for themselves.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import structlog

from domainkit.aggregate import Occasion
from projects.repository.conditions import active_and_overdue, tell_overdue, untold_overdue
from projects.use_cases.projects import hold_if_overdue
from servicekit.database import Database, WriteSession
from servicekit.delivery import is_transient
from servicekit.watch import Watch

log = structlog.get_logger(__name__)

_INTERVAL = 60.0  # seconds
_ACTOR = "projects"


class ConditionWatch(Watch):
    """Looks every `interval` seconds which conditions are overdue, and which projects go on."""

    OF = "conditions"

    def __init__(self, database: Database, *, interval: float = _INTERVAL) -> None:
        self._database = database
        super().__init__(interval)

    async def look(self, now: datetime) -> list[str]:
        """Tell of what is overdue, and put on hold what must not go on.

        Each is looked at by itself: what goes wrong with one keeps no other from its hold.
        Gives the conditions and projects that could not be looked at.
        """
        today = now.astimezone(UTC).date()
        async with self._database.read() as session:
            untold = await untold_overdue(session, today)
            found = await active_and_overdue(session, today)
        when = Occasion(actor=_ACTOR, at=now)
        work: list[tuple[str, Callable[[WriteSession], Awaitable[bool]]]]
        work = [(id, partial(tell_overdue, id=id, occasion=when)) for id in untold]
        work += [(id, partial(hold_if_overdue, project_id=id, now=now)) for id in found]
        failed: list[str] = []
        for id, one in work:
            try:
                await self._database.write(one)
            except Exception as error:
                failed.append(id)
                if is_transient(error):
                    log.info("what is overdue has to wait", id=id, error=repr(error))
                else:
                    log.exception("what is overdue could not be told or held", id=id)
        return failed
