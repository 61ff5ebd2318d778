"""Forgets files that were sent and that no evidence names after a day.

Every process of the service looks. A file is taken away under a lock of its own, which
evidence that is to name it holds too, so that no evidence names what is not there.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from projects.repository.criteria import named_files
from projects.use_cases.evidence import sweep_file
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.object_store import ObjectStore
from servicekit.watch import Watch

log = structlog.get_logger(__name__)

_INTERVAL = 3600.0  # seconds
KEPT = timedelta(days=1)
"""How long a file is kept that no evidence names."""


class FileSweep(Watch):
    """Looks every `interval` seconds which files nobody needs."""

    OF = "files"
    PASSING = (Fault,)

    def __init__(
        self, database: Database, objects: ObjectStore, *, interval: float = _INTERVAL
    ) -> None:
        self._database = database
        self._objects = objects
        super().__init__(interval)

    async def look(self, now: datetime) -> int:
        """Forget what is due; give the number of files that are gone."""
        before = now - KEPT
        gone = 0
        async for page in self._objects.stored_before(before):
            digests = [stored.sha256 for stored in page]
            async with self._database.read() as session:
                named = await named_files(session, digests)
            for sha256 in digests:
                if sha256 not in named:
                    sweep = partial(sweep_file, sha256=sha256, objects=self._objects, before=before)
                    gone += await self._database.write(sweep)
        await self._objects.sweep_halves(before)
        if gone:
            log.info("files that no evidence names are gone", files=gone)
        return gone
