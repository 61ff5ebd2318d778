"""One life of a simulated world: some minutes of faults, then calm, then the judgement."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from centers.domain.presence import Liveness
from domainkit.rules import IllegalStep, Refused
from node_agent.findings import Halted
from node_agent.home import NodeCredentials
from node_agent.line import LineError, Trouble
from tests.simulation.connection import Connection
from tests.simulation.door import Door
from tests.simulation.hub import PROCESSES, Hub
from tests.simulation.listener import EXPECTATIONS
from tests.simulation.machine import Machine, Stranger
from tests.simulation.node import FEEDS, Node
from tests.simulation.rules import Rules
from tests.simulation.tables import OutOfReach, in_place_of_the_database
from tests.simulation.world import SimulatedLoop, moment

NODES = 2
REPORTS = 50
STORM_SECONDS = 420.0
CALM_SECONDS = 200.0
# Whoever could not join by then never will.
_GIVE_UP_SECONDS = STORM_SECONDS + 400.0
# The broker has heard by then who is barred.
_TOLD_SECONDS = 5.0
_SILENT_AFTER: dict[Liveness, float] = {
    Liveness.LATE: EXPECTATIONS.late_seconds,
    Liveness.STALE: EXPECTATIONS.stale_seconds,
    Liveness.OFFLINE: EXPECTATIONS.offline_seconds,
}
# A leader that begins lets nodes connect again before their silence counts.
_SETTLING_SECONDS = 20.0
# A beat of the clock that counts what was listened, at either end.
_ROUNDING_SECONDS = 2.0


@dataclass
class Verdict:
    """What a life came to.

    Attributes:
        wrong: one sentence for each thing that is wrong.
        happened: how often each fault struck, and how much was carried.
        diary: what befell it, with the time.
        trace: a digest of what happened when; the same for the same seed.
    """

    seed: int
    wrong: list[str] = field(default_factory=list[str])
    happened: Counter[str] = field(default_factory=Counter[str])
    diary: list[str] = field(default_factory=list[str])
    trace: str = ""


def live(
    seed: int,
    rules: Rules | None = None,
    fault: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
) -> Verdict:
    """Let a world live through what its seed holds, and judge it.

    `fault` puts a fault into the code of a node or of the hub for as long as that takes.
    """
    with (
        tempfile.TemporaryDirectory(prefix="peyvand-simulation-") as folder,
        _without_logs(),
        # Nobody pulls a plug here: what is written need not be waited for.
        patch("os.fsync"),
        in_place_of_the_database(),
        fault(),
        contextlib.closing(SimulatedLoop()) as loop,
    ):
        return loop.run_until_complete(_Life(seed, rules or Rules(), Path(folder)).live())


@contextlib.contextmanager
def _without_logs() -> Generator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


class _Life:
    def __init__(self, seed: int, rules: Rules, folder: Path) -> None:
        self._dice = random.Random(seed)
        self._hub = Hub(self._dice, rules, Door(self._wrong, self._count))
        self._nodes: list[Node] = []
        self._thieves: dict[str, Machine] = {}
        self._folder = folder
        self._verdict = Verdict(seed)
        self._revoked: dict[str, float] = {}

    async def live(self) -> Verdict:
        """Have the storm, the calm and the judgement."""
        for number in range(NODES):
            id = f"nod_{number}"
            self._nodes.append(Node(id, self._hub, self._machine(id), self._dice))
            self._thieves[id] = self._machine(f"thief of {id}")
        self._hub.start([node.id for node in self._nodes])
        tasks = [asyncio.ensure_future(work) for work in self._storm()]
        looking = asyncio.ensure_future(self._look())
        await asyncio.gather(*tasks)
        await self._calm()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        self._judge()
        if error := self._hub.failed():
            self._wrong(f"the watch over nodes has ended: {error!r}")
        for node in self._nodes:
            if error := node.failed():
                self._verdict.wrong.append(f"{node.id}: the agent has ended: {error!r}")
            await node.kill()
            node.store.close()
        await self._knock()
        await self._hub.stop()
        return self._verdict

    def _machine(self, name: str) -> Machine:
        return Machine(name, self._hub, self._dice, self._folder / name, self._wrong)

    # The storm

    def _storm(self) -> list[Coroutine[Any, Any, None]]:
        faults: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._process_dies,
            self._broker_dies,
            self._database_dies,
            self._hub_clock_jumps,
            self._hub_is_set_back,
        ]
        of_nodes: list[Callable[[Node], Coroutine[Any, Any, None]]] = [
            *[self._line_is_cut] * 3,
            *[self._line_is_bad] * 3,
            *[self._agent_dies] * 2,
            self._node_clock_jumps,
            *[self._headquarters_decide] * 2,
            self._cut_off,
            self._joins_anew,
            self._token_is_stolen,
            self._token_of_another,
        ]

        async def of_hub() -> None:
            while moment() < STORM_SECONDS:
                await asyncio.sleep(self._dice.expovariate(1 / 40))
                await self._dice.choice(faults)()

        async def of_node(node: Node) -> None:
            while moment() < STORM_SECONDS:
                await asyncio.sleep(self._dice.expovariate(1 / 25))
                await self._dice.choice(of_nodes)(node)

        async def of_producer(node: Node) -> None:
            left = REPORTS
            while left:
                # Some by itself, some in a burst.
                await asyncio.sleep(self._dice.expovariate(1 / 35))
                for _ in range(min(left, self._dice.choice((1, 2, 20)))):
                    left -= 1
                    await node.hand_in(until=_GIVE_UP_SECONDS)

        async def of_person(node: Node) -> None:
            await asyncio.sleep(self._dice.uniform(0.0, 20.0))
            if self._dice.random() < 0.15:
                node.machine.stranger = Stranger()
            await self._join(node)

        return [
            of_hub(),
            *(of_person(node) for node in self._nodes),
            *(of_node(node) for node in self._nodes),
            *(of_producer(node) for node in self._nodes),
        ]

    async def _line_is_cut(self, node: Node) -> None:
        self._count("line cut")
        node.cut(told=self._dice.random() < 0.5)
        await asyncio.sleep(self._dice.choice((0.5, 5.0, 40.0, 200.0)))
        node.mend()

    async def _line_is_bad(self, node: Node) -> None:
        self._count("line bad")
        line = node.line
        line.lost, line.doubled = self._dice.choice((0.0, 0.1, 0.4)), self._dice.choice((0.0, 0.3))
        line.slowest = self._dice.choice((0.1, 2.0, 20.0))
        await asyncio.sleep(self._dice.uniform(1.0, 60.0))
        line.lost, line.doubled, line.slowest = 0.0, 0.0, 0.1

    async def _agent_dies(self, node: Node) -> None:
        self._count("agent killed")
        await node.kill()
        await asyncio.sleep(self._dice.choice((0.0, 2.0, 30.0)))
        node.start()

    async def _node_clock_jumps(self, node: Node) -> None:
        self._count("node's clock jumped")
        node.clock.ahead = self._dice.choice((-86_400.0, -90.0, 0.0, 45.0, 7_200.0))

    async def _headquarters_decide(self, node: Node) -> None:
        self._count("decision")
        self._hub.decide(node.id)

    async def _cut_off(self, node: Node) -> None:
        if not self._is_at_work(node):
            return
        if self._dice.random() < 0.2:
            await self._headquarters(lambda: self._hub.cut_off(node.id, "revoke"))
            self._revoked[node.id] = moment()
            self._count("revoked")
            return
        laid_up = await self._invited(node) if self._dice.random() < 0.3 else ""
        await self._headquarters(lambda: self._hub.cut_off(node.id, "suspend"))
        began = moment()
        self._count("suspended")
        await asyncio.sleep(self._dice.uniform(1.0, 60.0))
        if self._dice.random() < 0.3 and (token := await self._invited(node)):
            # Nobody should have got this one.
            await self._tries(node, token)
        self._none_taken(node.id, began, moment())
        await self._headquarters(lambda: self._hub.resume(node.id))
        self._count("resumed")
        if laid_up:
            await self._tries(node, laid_up)

    # Joining

    def _is_at_work(self, node: Node) -> bool:
        return node.has_joined and node.id not in self._revoked

    async def _headquarters(self, act: Callable[[], None]) -> None:
        """Have the headquarters do something, as soon as it can be done."""
        while True:
            try:
                act()
            except OutOfReach:
                await asyncio.sleep(0.5)
                continue
            except IllegalStep as error:
                self._wrong(f"the headquarters cannot act: {error}")
            return

    async def _invited(self, node: Node) -> str:
        """Have a token made and carried to the center; empty where none is made now."""
        try:
            token = self._hub.invite(node.id, self._dice.choice((30, 3600)))
        except (OutOfReach, Refused):
            return ""
        await asyncio.sleep(self._dice.choice((0.0, 3.0, 60.0)))
        return token

    async def _join(self, node: Node, token: str = "") -> None:
        """Join, with new tokens where one is not good, until it is done."""
        while node.id not in self._revoked and moment() < _GIVE_UP_SECONDS:
            token = token or await self._invited(node)
            if not token:
                await asyncio.sleep(5.0)
                continue
            try:
                if await self._typed(node, token):
                    break
            except Halted as halted:
                match halted.finding.check:
                    case "token":
                        token = ""
                    case "clock":
                        # It is set at both ends: whose was wrong is not said.
                        node.clock.ahead = self._hub.clock.ahead = 0.0
                    case "fingerprint":
                        self._count("stranger found out")
                        node.machine.stranger = None
                    case _:
                        await asyncio.sleep(5.0)
        node.start()

    async def _typed(self, node: Node, token: str) -> bool:
        """Type the command; its answer may be lost, or somebody end it. Raises `Halted`."""
        losing = asyncio.ensure_future(self._answer_is_lost(node))
        try:
            return await self._typed_on(node, token)
        finally:
            losing.cancel()
            await asyncio.gather(losing, return_exceptions=True)

    async def _answer_is_lost(self, node: Node) -> None:
        if self._dice.random() < 0.3:
            await asyncio.sleep(self._dice.uniform(0.1, 1.5))
            if node.line.up:
                self._count("line torn at the joining")
                node.line.cut()
                node.line.up = True

    async def _typed_on(self, node: Node, token: str) -> bool:
        task = asyncio.ensure_future(node.join(token))
        if self._dice.random() < 0.2:
            await asyncio.wait({task}, timeout=self._dice.uniform(0.05, 3.0))
            if not task.done():
                self._count("join killed")
                task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return False
        return True

    async def _tries(self, node: Node, token: str) -> None:
        """Try to join with a token that is not good, and go on with what there was."""
        await node.kill()
        with contextlib.suppress(Halted):
            await node.join(token)
        node.start()

    async def _joins_anew(self, node: Node) -> None:
        if self._is_at_work(node):
            self._count("joins anew")
            await node.kill()
            await self._join(node)

    async def _token_is_stolen(self, node: Node) -> None:
        """Somebody tries a token that was used; or is the first to use one."""
        if not self._is_at_work(node):
            return
        thief = self._thieves[node.id]
        if self._dice.random() < 0.5:
            self._count("spent token stolen")
            with contextlib.suppress(Halted):
                await thief.join(node.spent)
        elif token := await self._invited(node):
            self._count("token stolen")
            with contextlib.suppress(Halted):
                node.left_behind.append((await thief.join(token)).credentials)
            await asyncio.sleep(self._dice.uniform(0.0, 30.0))
            await node.kill()
            await self._join(node, token)

    async def _token_of_another(self, node: Node) -> None:
        other = next(one for one in self._nodes if one is not node)
        if self._is_at_work(node) and (token := await self._invited(other)):
            self._count("token of another")
            await self._tries(node, token)

    async def _process_dies(self) -> None:
        self._count("process killed")
        process = self._dice.randrange(PROCESSES)
        self._hub.kill(process)
        await asyncio.sleep(self._dice.choice((0.5, 5.0)))
        if self._dice.random() < 0.3:
            self._hub.kill(1 - process)
            await asyncio.sleep(self._dice.choice((0.5, 60.0)))
        for number in range(PROCESSES):
            self._hub.revive(number)

    async def _broker_dies(self) -> None:
        self._count("broker killed")
        self._hub.stop_broker()
        await asyncio.sleep(self._dice.choice((0.5, 5.0, 60.0)))
        self._hub.broker_up = True

    async def _database_dies(self) -> None:
        self._count("database killed")
        self._hub.database_up = False
        await asyncio.sleep(self._dice.choice((0.5, 5.0, 30.0)))
        self._hub.database_up = True

    async def _hub_clock_jumps(self) -> None:
        self._count("hub's clock jumped")
        self._hub.clock.ahead = self._dice.choice((-86_400.0, -300.0, 0.0, 200.0, 7_200.0))

    async def _hub_is_set_back(self) -> None:
        self._hub.back_up()
        await asyncio.sleep(self._dice.uniform(1.0, 60.0))
        if self._dice.random() < 0.8:
            self._count("hub set back")
            self._hub.set_back()

    def _count(self, what: str) -> None:
        self._verdict.happened[what] += 1
        self._verdict.diary.append(f"{moment():7.1f} s  {what}")

    # The calm

    async def _calm(self) -> None:
        for node in self._nodes:
            node.mend()
        until = moment() + CALM_SECONDS
        while moment() < until:
            await asyncio.sleep(1.0)
            for node in self._nodes:
                node.line.slowest = 0.1

    # The judgement

    async def _look(self) -> None:
        """Look again and again whether silence is shown as green."""
        silent_since: dict[str, float] = {}
        while True:
            await asyncio.sleep(2.0)
            leader = self._hub.leader
            listened = 0.0 if leader is None else moment() - leader.listening_since
            listened = min(listened, moment() - self._hub.leading_since)
            for node in self._nodes:
                silence = moment() - self._hub.heard.get(node.id, 0.0)
                due = _SILENT_AFTER[Liveness.LATE] + _SETTLING_SECONDS
                standing = self._hub.database.presence.get(node.id)
                green = standing is not None and standing.liveness is Liveness.ONLINE
                if min(silence, listened) <= due or not green or not self._hub.steady():
                    silent_since.pop(node.id, None)
                elif moment() - silent_since.setdefault(node.id, moment()) > 5.0:
                    self._wrong(f"{node.id}: silent for {silence:.0f} s and shown as online")
                    silent_since[node.id] = moment()

    def _judge(self) -> None:
        for node in self._nodes:
            self._judge_reports(node)
            self._judge_receipts(node)
            self._judge_presence(node)
        for id, since in self._revoked.items():
            self._none_taken(id, since, moment())
        taken = self._hub.database.taken
        self._verdict.happened["reports taken"] = len(taken)
        told = [(one.node, one.feed, one.index, round(one.at, 6)) for one in taken]
        self._verdict.diary += [
            f"{one.at:7.1f} s  {one.node} told to be {one.liveness}"
            for one in self._hub.database.told
        ]
        self._verdict.diary.sort()
        changes = [(one.node, one.liveness, round(one.at, 6)) for one in self._hub.database.told]
        self._verdict.trace = hashlib.sha256(repr((told, changes)).encode()).hexdigest()

    def _judge_reports(self, node: Node) -> None:
        taken = [one for one in self._hub.database.taken if one.node == node.id]
        for one in taken:
            if one.refused != node.hands_in_bad(one.feed, one.index):
                became = "refused" if one.refused else "accepted"
                self._wrong(f"{node.id}: {one.feed} {one.index} was {became}")
        counts = Counter(one.key for one in taken)
        for key, count in counts.items():
            if count > 1:
                self._wrong(f"{node.id}: {key} is there {count} times")
        if node.id not in self._revoked:
            for report in node.accepted:
                if report.key not in counts:
                    self._wrong(f"{node.id}: {report.key} is lost")
        for feed in FEEDS:
            order = [one.index for one in taken if one.feed == feed]
            if order != sorted(order):
                self._wrong(f"{node.id}: feed {feed} is out of order: {order}")

    def _judge_receipts(self, node: Node) -> None:
        if node.id in self._revoked:
            return
        known = {
            (receipt.key, receipt.decision, receipt.comment, bool(receipt.refusals))
            for _, receipt in node.store.receipts(0, 100_000)
        }
        for receipt in self._hub.database.said[node.id]:
            said = (receipt.key, receipt.decision, receipt.comment, bool(receipt.refusals))
            if said not in known:
                self._wrong(f"{node.id}: never heard receipt {receipt.number} of {receipt.key}")

    def _judge_presence(self, node: Node) -> None:
        last: Liveness | None = None
        for told in self._hub.database.told:
            if told.node != node.id:
                continue
            if told.liveness is last and not told.ended:
                self._wrong(f"{node.id}: told to be {last} twice, at {told.at:.0f} s")
            last = told.liveness
            due = _SILENT_AFTER.get(told.liveness)
            if due is not None and told.silence < due - _ROUNDING_SECONDS:
                self._wrong(
                    f"{node.id}: told to be {told.liveness} after {told.silence:.1f} s of silence"
                )
            green = told.liveness is Liveness.ONLINE
            if green and told.silence > _SILENT_AFTER[Liveness.LATE] + _ROUNDING_SECONDS:
                self._wrong(f"{node.id}: told to be online {told.silence:.1f} s after its word")
        online = node.id not in self._revoked
        if online and last is not Liveness.ONLINE:
            self._wrong(f"{node.id}: not online in the end, but {last}")

    def _none_taken(self, id: str, since: float, until: float) -> None:
        for one in self._hub.database.taken:
            if one.node == id and since < one.at <= until:
                self._wrong(f"{id}: {one.key} was taken while it was cut off")

    async def _knock(self) -> None:
        """Try all credentials that must open nothing any longer."""
        await asyncio.sleep(_TOLD_SECONDS)
        for node in self._nodes:
            self._verdict.happened["renewed"] += node.renewals
            closed = list(node.left_behind)
            if node.id in self._revoked:
                closed.append(node.machine.home.identity().credentials)
            for credentials in closed:
                if not await self._is_kept_out(node, credentials):
                    self._wrong(f"{node.id}: what was left behind still opens the line")

    async def _is_kept_out(self, node: Node, credentials: NodeCredentials) -> bool:
        try:
            line = await Connection.connect(
                self._hub, node.line, node.id, credentials.shown(), lambda: None
            )
        except LineError as error:
            return error.trouble is Trouble.REJECTED
        await line.close()
        return False

    def _wrong(self, sentence: str) -> None:
        self._verdict.wrong.append(sentence)
