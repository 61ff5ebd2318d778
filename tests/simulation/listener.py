"""What one process of a simulated hub knows of who is heard of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centers.domain.centers import Expectations
from centers.domain.nodes import NodeState
from centers.domain.presence import (
    HEARTBEAT,
    ListeningClock,
    Liveness,
    PresenceWatch,
    thresholds,
)
from centers.line.presence_keeper import _LISTENED_TO
from servicekit.ids import new_id
from tests.simulation.world import moment

if TYPE_CHECKING:
    from tests.simulation.hub import Hub

CENTER = new_id("ctr")
EXPECTATIONS = Expectations(late_seconds=30, stale_seconds=60, offline_seconds=150)
_TICK_SECONDS = 1.0
_WAKE_SECONDS = 30.0
_SWEEP_SECONDS = 60.0
_LIMITS = {HEARTBEAT: thresholds(EXPECTATIONS)[HEARTBEAT]}


@dataclass(frozen=True)
class Told:
    """A change of presence that was announced, and how long the node was silent then."""

    node: str
    liveness: Liveness
    at: float
    silence: float
    ended: bool


class Listener:
    """What one process knows of who is heard of.

    It does with the watch what `centers.line.presence_keeper` does.
    """

    def __init__(self, hub: Hub) -> None:
        self.listening_since = moment()
        self._hub = hub
        self._clock = ListeningClock(moment())
        self._watch = PresenceWatch()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def hear(self, node: str) -> None:
        """Take a heartbeat."""
        self._watch.hear(node, HEARTBEAT, self._clock.seconds, self._hub.clock.now())

    def end(self) -> None:
        """Die."""
        self._task.cancel()

    def failed(self) -> BaseException | None:
        """What has ended it by itself, if something has."""
        done = self._task.done() and not self._task.cancelled()
        return self._task.exception() if done else None

    async def _run(self) -> None:
        for node, standing in self._hub.database.presence.items():
            self._watch.known(node, HEARTBEAT, standing)
        woken = swept = moment()
        while True:
            hub = self._hub
            self._clock.advance(moment(), listening=hub.broker_up)
            if not hub.broker_up:
                self.listening_since = moment()
            await asyncio.sleep(_TICK_SECONDS)
            if self._hub.database_up:
                self._refresh()
                if moment() >= swept + _SWEEP_SECONDS:
                    swept = moment()
                    hub.sweep()
                if self._hub.leader is self:
                    self._judge()
                    if moment() >= woken + _WAKE_SECONDS:
                        woken = moment()
                        self._hub.wake_those_with_receipts()

    def _refresh(self) -> None:
        """Learn who is expected, and what others have told meanwhile."""
        listened = self._clock.seconds
        for id, node in self._hub.nodes.items():
            if node.state in _LISTENED_TO:
                self._watch.expect(id, CENTER, _LIMITS, listened)
            else:
                self._watch.dismiss(id, CENTER, ended=node.state is not NodeState.SUSPENDED)
        if self._hub.leader is not self:
            for id, standing in self._hub.database.presence.items():
                self._watch.known(id, HEARTBEAT, standing)

    def _judge(self) -> None:
        hub = self._hub
        for change in self._watch.changes(self._clock.seconds, hub.clock.now()):
            self._watch.told(change)
            hub.database.presence[change.node_id] = change.after
            silence = moment() - hub.heard.get(change.node_id, -1e9)
            hub.database.told.append(
                Told(change.node_id, change.after.liveness, moment(), silence, ended=change.ended)
            )
