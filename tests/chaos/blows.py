"""Kills processes of a running network and starts them again, in an order that a seed fixes."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

from peyvandctl.cluster import Cluster

LONGEST_CALM = 1.0
LONGEST_ABSENCE = 1.5
_SECOND_BLOW = 0.25


class Blows:
    """What was killed, how often. `dice` decides the order, the pauses and the doubles."""

    def __init__(self, cluster: Cluster, dice: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self._cluster = cluster
        self._dice = dice
        self._order = self._endless()

    async def strike(self, seconds: float) -> None:
        """Kill for `seconds`, and in any case until every process was killed once.

        Raises `peyvandctl.errors.ClusterError` if a process does not come back.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while clock() < until or len(self.kills) < len(self._cluster.processes):
            await asyncio.sleep(self._dice.uniform(0, LONGEST_CALM))
            victims = {next(self._order)}
            if self._dice.random() < _SECOND_BLOW:
                victims.add(next(self._order))
            await asyncio.gather(*map(self._kill, sorted(victims)))
            await asyncio.sleep(self._dice.uniform(0, LONGEST_ABSENCE))
            # Side by side: a service becomes ready only when its database is there.
            await asyncio.gather(*(self._cluster.process(name).start() for name in sorted(victims)))

    async def _kill(self, name: str) -> None:
        process = self._cluster.process(name)
        # A process may have ended by itself meanwhile; then it comes back as well.
        if process.running:
            await process.kill()
        self.kills[name] += 1

    def _endless(self) -> Iterator[str]:
        while True:
            names = list(self._cluster.processes)
            self._dice.shuffle(names)
            yield from names
