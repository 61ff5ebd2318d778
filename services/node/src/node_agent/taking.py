"""Takes a report from a center's system, by whatever way it comes, into the store."""

import hashlib
from collections.abc import Sequence
from typing import Any

from node_agent import forms
from node_agent.agent import Agent, Clock, wall_clock
from node_agent.database import StorageFull
from node_agent.ids import report_key
from node_agent.kept import FileReceipt, NewReport, Taken
from node_agent.words import BrokenRule, Refused
from node_agent.writer import Busy
from peyvand.node.v1 import protocol_pb2 as pb

MAX_KEY = 255
_AT_ONCE = 500


class Taker:
    """Reads what is handed in, and gives it to the agent."""

    def __init__(self, agent: Agent, clock: Clock = wall_clock) -> None:
        self._agent = agent
        self._clock = clock

    @property
    def own_center(self) -> str:
        """The center that the node reports for."""
        return self._agent.identity.center_id

    async def capacity(self, value: Any, idempotency_key: str) -> Taken:
        """Take a capacity snapshot. Raises `Refused`."""
        return await self.report(forms.capacity(value, self.own_center), idempotency_key)

    async def period(self, value: Any, idempotency_key: str, *, submit: bool) -> Taken:
        """Take a period report. Raises `Refused`."""
        report = forms.period(value, self.own_center, submit=submit)
        return await self.report(report, idempotency_key)

    async def report(self, report: pb.Report, idempotency_key: str) -> Taken:
        """Take a report that keeps the rules. Raises `Refused`."""
        check_key(idempotency_key)
        digest = hashlib.sha256(report.SerializeToString(deterministic=True)).digest()
        now = self._clock()
        report.key = report_key(now)
        report.taken_at.FromDatetime(now)
        try:
            taken = await self._agent.take(NewReport(report.key, report, idempotency_key, digest))
        except StorageFull as error:
            raise Refused("STORAGE_FULL", {"detail": str(error)}) from error
        except Busy as error:
            raise Refused("AGENT_BUSY") from error
        if taken.differs:
            raise Refused("IDEMPOTENCY_KEY_REUSED")
        return taken

    async def came_in_file(self, file: str, taken: Sequence[tuple[Taken, Sequence[int]]]) -> None:
        """Note which file reports came in, and in which lines. Raises `Refused`."""
        reports = [(item.key, lines) for item, lines in taken]
        try:
            await self._agent.ask(lambda store: store.note_origin(file, reports))
        except StorageFull as error:
            raise Refused("STORAGE_FULL", {"detail": str(error)}) from error
        except Busy as error:
            raise Refused("AGENT_BUSY") from error

    async def untold(self) -> list[FileReceipt]:
        """What the hub has said of files, that who dropped them was not told yet."""
        return await self._agent.ask(lambda store: store.untold(_AT_ONCE))

    async def told(self, said: Sequence[FileReceipt]) -> None:
        """Note that they were told."""
        positions = [item.position for item in said]
        await self._agent.ask(lambda store: store.note_told(positions))


def check_key(key: str) -> None:
    """See that an idempotency key can be one. Raises `Refused`."""
    if not key:
        raise Refused("IDEMPOTENCY_KEY_REQUIRED")
    if len(key) > MAX_KEY:
        too_long = BrokenRule("Idempotency-Key", "TOO_LONG", {"max": str(MAX_KEY)})
        raise Refused("INVALID_ARGUMENT", broken=(too_long,))
