"""``python -m tests.bench`` (or ``make bench``): run the comparisons and print their tables.

``--short`` measures for seconds only, to see that all works; ``--write`` keeps the tables
in ``docs/benchmarks.md`` as well.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import psutil

from tests.bench.comparison import TRACED_SHARE, Figures, Plan, compare
from tests.bench.gates import PAGE_SIZE, GatePlan, costs, costs_table
from tests.bench.load import REPOSITORY
from tests.bench.nodes import (
    A_DAYS_REPORTS,
    CAPACITY_EVERY_MINUTES,
    SYSTEMS_OF_A_CENTER,
    NodePlan,
    carried_table,
    carry,
    heartbeats,
    heartbeats_table,
    memory_table,
)
from tests.bench.propagation import Delays, follow
from tests.support.cluster import remove_abandoned_homes

PAGE = REPOSITORY / "docs" / "benchmarks.md"
SHORT_NODES = NodePlan(backlog=200, posted=50, nodes=20, seconds=10.0)
SHORT_GATES = GatePlan(much=100, decisions=3, questions=10, projects=300, portfolios=2)
SHORT = Plan(rounds=1, seconds=1.0, warm_up=0.3, connections=8, centers=20)

_COMPARISON = """\
## A center through gateway and service, beside a plain monolith

`peyvand` is gateway and centers, with the relay that publishes; `monolith` is
`tests/bench/peer_monolith`: FastAPI and SQLAlchemy's ORM in one process, with an outbox
and a task that publishes it, on the same PostgreSQL server. It answers with the same
content, but knows no idempotency keys and keeps no history of steps. CPU is what the
servers' own processes use for one request, all together; PostgreSQL's is apart. `of peer`
is the ratio to the monolith; `traced` records {share:.0%} of the requests.
"""
_PROPAGATION = """\
## From commit to being seen

From PostgreSQL's time of the commit until a subscriber of the broker has the event, until
a client of `GET /v1/events:stream` has it. The status is asked for by `GET
/v1/network/status`, one question after the other, until an answer shows the change; that
is measured apart, with one write at a time. So is the flag: a center is suspended, and its
project is asked for until it is flagged. The peer looks into its outbox every 500 ms.
"""
_NODES = """\
## Reports through the agent, beside one POST for each

The agent keeps {backlog} reports while its line is cut, and the seconds are from the mending
of the line until the agent knows that the hub has all: the catching up. A day's reports are
{day}: {systems} systems of one center, each of which tells its capacity every {minutes}
minutes; heartbeats are not kept. The peer posts each report straight to the public API
(`POST /v1/capacity-snapshots`), over one connection that stays open. Both go through a
proxy, which counts the bytes that TCP carries, of one report, up to the hub and down; the
agent's are encrypted, the peer's are not. `of peer` is the ratio to the peer on the same
line: of the reports in a second, then of all the bytes.
"""
_AGENT = """\
The memory is what the agent's process has for itself alone, in that same run:
"""
_HEARTBEATS = """\
## Many nodes at one hub

Each is the real agent with a connection and credentials of its own, all in one process;
each heartbeats every ten seconds. Memory is what a process has for itself alone: that which
has come with the nodes, from before they joined until they had been online for a while,
divided by their number; and all of it. The hub's own count of who is online is asked for
node by node at the end.
"""
_GATES = """\
## Gates and the portfolio, as records grow

What a project still needs for its next gate, and a decision at it, for projects that stand
there alike: the evidence of the present visit is the same, what is more is of earlier visits.
Then the portfolio over {projects} projects, beside a program that lists them, {page} at a time,
and counts for itself, and learns less by it. All run the use cases as the service does, without
the line to a client; CPU is that of this process and of PostgreSQL, for one call.
"""


def main() -> int:
    """Measure, print, and keep if asked to. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="measure for seconds only")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    arguments = parser.parse_args()
    text = asyncio.run(_measure(short=arguments.short))
    sys.stdout.write(text)
    if arguments.write:
        PAGE.write_text(_page(text), encoding="utf-8")
    return 0


async def _measure(*, short: bool) -> str:
    await remove_abandoned_homes()
    delays = await follow(20, 20.0) if short else await follow(300, 20.0)
    figures = await compare(SHORT if short else Plan())
    plan = SHORT_NODES if short else NodePlan()
    gates = SHORT_GATES if short else GatePlan()
    cost = await costs(gates)
    (carried, memory), beats = await carry(plan), await heartbeats(plan)
    return "\n".join(
        [
            _COMPARISON.format(share=TRACED_SHARE),
            comparison_table(figures),
            _PROPAGATION,
            propagation_table(delays),
            _NODES.format(
                backlog=plan.backlog,
                day=A_DAYS_REPORTS,
                systems=SYSTEMS_OF_A_CENTER,
                minutes=CAPACITY_EVERY_MINUTES,
            ),
            carried_table(carried),
            _AGENT,
            memory_table(memory),
            _HEARTBEATS,
            heartbeats_table(beats),
            _GATES.format(projects=gates.projects, page=PAGE_SIZE),
            costs_table(cost),
        ]
    )


def comparison_table(figures: Sequence[Figures]) -> str:
    """Return the figures as a Markdown table."""
    head = (
        "| | | requests/s | of peer | p50 ms | p99 ms | CPU ms/request | of peer "
        "| PostgreSQL ms/request | failed |"
    )
    lines = [head, "|---|---|" + "--:|" * 8]
    peers = {figure.work: figure for figure in figures if figure.contender == "monolith"}
    for one in figures:
        peer = peers[one.work]
        cells = [
            one.work,
            one.contender,
            f"{one.rate:.0f}",
            f"{one.rate / peer.rate:.2f}",
            f"{one.p50:.1f}",
            f"{one.p99:.1f}",
            f"{one.cpu:.2f}",
            f"{one.cpu / peer.cpu:.2f}",
            f"{one.postgres_cpu:.2f}",
            str(one.failed),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def propagation_table(delays: Sequence[Delays]) -> str:
    """Return the delays as a Markdown table."""
    lines = ["| | seen | writes | p50 ms | p99 ms |", "|---|---|--:|--:|--:|"]
    lines += [
        f"| {one.contender} | {one.seen} | {one.writes} | {one.p50:.1f} | {one.p99:.1f} |"
        for one in delays
    ]
    return "\n".join(lines) + "\n"


def _page(text: str) -> str:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{psutil.cpu_count()} cores"
    )
    return (
        "# Benchmarks\n\n"
        "Generated by `make bench BENCH_ARGS=--write`; not edited by hand. Only ratios within\n"
        "one run mean something: machines differ, and this one may have had other work.\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, load average at the end {load}.\n\n{text}"
    )


if __name__ == "__main__":
    sys.exit(main())
