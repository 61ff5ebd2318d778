"""Looks after alerts: escalates those that nobody has seen for too long.

Every process of the service looks, at its start and then each minute. What it finds is
looked at again under the lock of the alert, where a row of the service's own says whether
it was escalated before, so that it does not matter how many look, or which one dies.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from observatory.use_cases.alerts import escalate_alert, unseen_before
from servicekit.database import Database
from servicekit.watch import Watch

log = structlog.get_logger(__name__)

_INTERVAL = 60.0  # seconds


class EscalationWatch(Watch):
    """Looks every `interval` seconds which alerts were not seen within `after`."""

    OF = "alerts"

    def __init__(
        self, database: Database, after: timedelta, *, interval: float = _INTERVAL
    ) -> None:
        self._database = database
        self._after = after
        super().__init__(interval)

    async def look(self, now: datetime) -> None:
        """Escalate what nobody has seen in time."""
        async with self._database.read() as session:
            found = await unseen_before(session, now - self._after)
        for alert_id in found:
            if await self._database.write(partial(escalate_alert, alert_id=alert_id, now=now)):
                log.warning("alert_escalated", alert_id=alert_id)
