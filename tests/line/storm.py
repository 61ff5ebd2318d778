"""What befalls a line and both its ends, in an order that a seed fixes."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.line.joined import Joined

LONGEST_CALM = 1.0
_OFTEN = 3
# A line that swallows everything and stays open longer than the agent believes in it:
# 10 s to the next ping, 5 s for its answer, 15 s for that of a request.
SILENT_LINE = "a line silent for long"
_FOUND_OUT_WITHIN = 120.0
_RARELY = 6


class Storm:
    """Strikes the line, and kills the agent and the hub's processes with ``SIGKILL``."""

    def __init__(self, joined: Joined, dice: random.Random) -> None:
        self.struck: Counter[str] = Counter()
        self._joined = joined
        self._dice = dice
        proxy = joined.proxy
        self._faults: dict[str, Callable[[], Awaitable[None]]] = {
            "reset": proxy.reset,
            "refused": proxy.refuse,
            "black hole": proxy.black_hole,
            "answers lost": lambda: proxy.black_hole("down"),
            "requests lost": lambda: proxy.black_hole("up"),
            "half open, node forgets": lambda: proxy.half_open("client"),
            "half open, hub forgets": lambda: proxy.half_open("target"),
            "delay": lambda: proxy.shape(delay=0.4, jitter=0.2),
            "narrow": lambda: proxy.shape(bytes_per_second=4_000),
        }
        if joined.place.pair is not None:
            self._faults["unplugged"] = joined.place.pair.unplug
        killed = ("agent", "nats", "centers", "postgres", "registrar")
        self.kinds = (*self._faults, *killed, SILENT_LINE)

    async def rage(self, until: asyncio.Event) -> None:
        """Strike until told to stop, and in any case with each kind once."""
        order: list[str] = []
        while not until.is_set() or len(self.struck) < len(self.kinds):
            if not order:
                order = list(self.kinds)
                self._dice.shuffle(order)
                # It takes as long as many others: once in the beginning, and now and then.
                if self.struck[SILENT_LINE] and self._dice.randrange(_RARELY):
                    order.remove(SILENT_LINE)
            await asyncio.sleep(self._dice.uniform(0, LONGEST_CALM))
            await self._strike(order.pop())

    async def _strike(self, kind: str) -> None:
        self.struck[kind] += 1
        if kind == SILENT_LINE:
            await self._be_silent_for_long()
            return
        absence = self._dice.choice((0.1, 0.3, 1.0, 3.0))
        if kind in self._faults:
            await self._faults[kind]()
            # Now and then somebody dies while the line is bad.
            if self._dice.randrange(_OFTEN) == 0:
                await self._kill(self._dice.choice(("agent", "centers", "nats")), absence)
            await asyncio.sleep(absence)
            pair = self._joined.place.pair
            if pair is not None and kind == "unplugged":
                await pair.plug()
            await self._joined.proxy.mend(forget=self._dice.random() < 0.5)
        else:
            await self._kill(kind, absence)

    async def _be_silent_for_long(self) -> None:
        """Swallow everything until the agent says by itself that its line is dead."""
        proxy = self._joined.proxy
        await self._joined.until_line_is(up=True, within=_FOUND_OUT_WITHIN)
        await proxy.black_hole()
        await self._joined.until_line_is(up=False, within=_FOUND_OUT_WITHIN)
        # The connection that died is not brought back to life: it has to make a new one.
        await proxy.mend(forget=True)

    async def _kill(self, name: str, absence: float) -> None:
        joined = self._joined
        process = joined.agent if name == "agent" else joined.cluster.process(name)
        if process.running:
            await process.kill()
        await asyncio.sleep(absence / 4)
        await process.start()
