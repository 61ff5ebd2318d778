"""Randomised projects behind the service of the portfolio, and questions that are asked of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from peyvand.projects.v1 import portfolio_pb2 as pb
from peyvand.projects.v1 import stages_pb2
from projects.api.portfolio import portfolio_api
from servicekit.contract import enum_names
from servicekit.database import Database
from tests.support.cluster import Infra
from tests.support.many_projects import ManyProjects, draw, write
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve

Row = dict[str, Any]
STATES = ("active", "on_hold", "completed", "killed")
STAGES = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")
STAGE = enum_names(stages_pb2.Stage.DESCRIPTOR)
PATHWAY = enum_names(stages_pb2.Pathway.DESCRIPTOR)
REASON = enum_names(pb.StuckReason.DESCRIPTOR)
SERVICE = pb.DESCRIPTOR.services_by_name["Portfolios"]


@dataclass
class Drawn:
    """Randomised projects, the service over them, and who asks it."""

    made: ManyProjects
    database: Database
    rpc: RpcBench

    async def ask(self, role: str = "hq_analyst", **values: Any) -> pb.Portfolio:
        """Ask as somebody of a role."""
        centers = values.pop("centers", ())
        request = pb.GetPortfolioRequest(**values)
        answer = await self.rpc.call("GetPortfolio", request, role, center_ids=centers)
        return cast("pb.Portfolio", answer)


@contextlib.asynccontextmanager
async def drawn_projects(infra: Infra, seed: int) -> AsyncGenerator[Drawn]:
    """Draw some hundred projects, write them into a database of their own, and serve it."""
    url = await infra.fresh_database("projects", migrated=True)
    database = Database(url, patience=PATIENT)
    made = draw(400, seed=seed, now=datetime.now(UTC))
    await write(database, made)
    async with serve(SERVICE, portfolio_api(database)) as rpc:
        yield Drawn(made, database, rpc)
    await database.close()
    await infra.drop_database(url)


@dataclass(frozen=True)
class Asked:
    """One question, and which of the drawn projects it is about."""

    values: dict[str, Any]
    fits: Callable[[ManyProjects, Row], bool]
    centers: int = 0

    def part(self, made: ManyProjects) -> list[Row]:
        """The projects that it is about, sample data or not."""
        return [row for row in made.projects if self.fits(made, row)]


def center(made: ManyProjects, place: int = 0) -> str:
    """One of the centers that were drawn."""
    return list(made.centers)[place]


def concerns(row: Row, center_id: str) -> bool:
    """Whether a center leads a project or takes part."""
    takes_part = any(one["center_id"] == center_id for one in row["participants"])
    return row["lead_center_id"] == center_id or takes_part


QUESTIONS = {
    "all": Asked({}, lambda _, __: True),
    "sample": Asked({"sample": True}, lambda _, __: True),
    "pathway": Asked(
        {"pathway": stages_pb2.PATHWAY_GENE_THERAPY},
        lambda _, row: row["pathway"] == "gene_therapy",
    ),
    "province": Asked(
        {"province": "IR-03"},
        lambda made, row: made.centers[row["lead_center_id"]] == "IR-03",
    ),
    "nothing": Asked({"province": "IR-30"}, lambda _, __: False),
    "center": Asked({"center_id": 0}, lambda made, row: concerns(row, center(made))),
    "own": Asked({}, lambda made, row: concerns(row, center(made, 1)), centers=1),
}


async def answer(drawn: Drawn, name: str, **values: Any) -> pb.Portfolio:
    """What the service says to one of the questions."""
    asked = QUESTIONS[name]
    given = asked.values | values
    if "center_id" in given:
        given["center_id"] = center(drawn.made, given["center_id"])
    if asked.centers:
        own = [center(drawn.made, asked.centers)]
        return await drawn.ask("center_operator", centers=own, **given)
    return await drawn.ask(**given)


def kept(name: str, *marks: bool) -> bool:
    """Whether a record is of the kind that a question is about."""
    return any(marks) == bool(QUESTIONS[name].values.get("sample"))


def of_kind(drawn: Drawn, name: str) -> list[Row]:
    """The projects that a question is about."""
    return [row for row in QUESTIONS[name].part(drawn.made) if kept(name, row["sample"])]


def numbers(found: pb.ProjectNumbers) -> tuple[int, ...]:
    """Numbers by state."""
    return tuple(getattr(found, state) for state in STATES)


def counted(rows: Iterable[Row]) -> tuple[int, ...]:
    """The same, of rows."""
    states = Counter(row["state"] for row in rows)
    return tuple(states[state] for state in STATES)


def province_of(drawn: Drawn, row: Row) -> str:
    """The province of a project; empty where it is not known."""
    return drawn.made.centers[row["lead_center_id"]]


@dataclass(frozen=True)
class Visit:
    """A stage visit as plain Python reads it."""

    stage: str
    begin_known: bool
    ended: bool
    killed: bool
    days: float


def visits_of(rows: Sequence[Row], as_of: datetime) -> list[Visit]:
    """All visits of some projects."""
    found: list[Visit] = []
    for row in rows:
        for place, visit in enumerate(row["stage_visits"]):
            left = visit["left_at"] and datetime.fromisoformat(visit["left_at"])
            lasted = (left or as_of) - datetime.fromisoformat(visit["entered_at"])
            last = place == len(row["stage_visits"]) - 1
            found.append(
                Visit(
                    visit["stage"],
                    place > 0 or row["initial_stage"] == "s0",
                    left is not None,
                    last and row["state"] == "killed",
                    lasted.total_seconds() / 86400,
                )
            )
    return found
