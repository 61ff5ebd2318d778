"""Many projects with all that the portfolio counts, written straight into the tables.

They are drawn by a seed, so that the same number gives the same projects, and kept as
plain values beside what is written: a test works its expectation out from these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from projects import tables
from projects.domain.decisions import KillCode
from projects.domain.pathways import Pathway, Stage
from projects.pathway_templates import NEWEST, template
from servicekit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from servicekit.database import Database

PROVINCES = ("IR-03", "IR-07", "IR-08", "IR-09", "IR-23")
CURRENCIES = ("IRR", "EUR", "USD")
PANEL = ("dana", "mina", "omid")
CONTRIBUTOR = "kian"
_ROWS_AT_ONCE = 1_000


@dataclass
class ManyProjects:
    """Rows by table, and the centers: their provinces by id, empty where nobody heard of one."""

    now: datetime
    centers: dict[str, str]
    rows: dict[sa.Table, list[dict[str, Any]]] = field(
        default_factory=dict[sa.Table, list[dict[str, Any]]]
    )

    @property
    def projects(self) -> list[dict[str, Any]]:
        """The rows of the projects."""
        return self.rows[tables.project]

    def of(self, table: sa.Table, project_id: str) -> list[dict[str, Any]]:
        """The rows of a table that belong to one project."""
        return [row for row in self.rows.get(table, []) if row["project_id"] == project_id]

    def add(self, table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
        """Put a row beside the others."""
        self.rows.setdefault(table, []).append(row)
        return row


def draw(count: int, *, seed: int, now: datetime, centers: int = 20) -> ManyProjects:
    """Draw so many projects as they would be at `now`."""
    random = Random(seed)
    known = {new_id("ctr"): random.choice(PROVINCES) for _ in range(centers)}
    # Word of two of them has not arrived.
    unheard = dict.fromkeys((new_id("ctr") for _ in range(2)), "")
    made = ManyProjects(now, {**known, **unheard})
    for id, province in known.items():
        names = {"fa": "مرکز", "en": f"Center {id[-4:]}"}
        row = {"id": id, "external_key": "", "version": 1, "code": id[-4:], "names": names}
        made.add(
            tables.known_center,
            row | {"province": province, "state": "operational", "state_since": now},
        )
    for number in range(count):
        _project(made, random, number)
    return made


async def write(database: Database, made: ManyProjects) -> None:
    """Write all rows, and let the database look at what it has."""
    async with database.engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            rows = made.rows.get(table, [])
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                await connection.execute(sa.insert(table), rows[start : start + _ROWS_AT_ONCE])
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(sa.text("ANALYZE"))


def aggregate(id: str, at: datetime, *, sample: bool) -> dict[str, Any]:
    """What the rows of all aggregates with a state have, as it is in the beginning."""
    return {
        "id": id,
        "external_key": None,
        "version": 1,
        "created_at": at,
        "updated_at": at,
        "deleted_at": None,
        "citations": [],
        "sample": sample,
        "state_reason": "",
        "state_since": at,
    }


def _project(made: ManyProjects, random: Random, number: int) -> None:
    way = template(NEWEST)
    pathway = random.choice(list(Pathway))
    stages = way.stages(pathway)
    at = made.now - timedelta(days=random.uniform(1, 1500))
    stage = random.choice(stages) if random.random() < 0.15 else Stage.S0
    id, sample = new_id("prj"), random.random() < 0.12
    row = aggregate(id, at, sample=sample) | {
        "titles": {"fa": f"طرح {number}", "en": f"Project {number}"},
        "summary": None,
        "lead_center_id": random.choice(list(made.centers)),
        "pathway": pathway.value,
        "participants": [],
        "people": [],
        "initial_stage": stage.value,
        "initial_stage_reason": "" if stage == Stage.S0 else "Under way before.",
        "revival_of_id": None,
        "template_version": way.version,
        "resume_date": "",
        "hold_cause": None,
        "latest_decision_id": "",
        "open_gate_id": "",
        "flags": [],
        "acknowledged": [],
        "state": "active",
    }
    if random.random() < 0.3:
        other = random.choice(
            [center for center in made.centers if center != row["lead_center_id"]]
        )
        row["participants"] = [
            {"center_id": other, "institution_id": "", "agreement_id": "", "role": None}
        ]
    if random.random() < 0.2:
        row["people"] = [_person(random.choice(PANEL))]
    made.add(tables.project, row)
    visits = _walk(made, random, row, stages)
    row["stage"], row["stage_visits"] = visits[-1]["stage"], visits
    if row["state"] == "active":
        _stand_still(made, random, row)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        _award(made, random, row)


def _person(subject: str) -> dict[str, Any]:
    return {
        "name": {"fa": "", "en": "A member of the team"},
        "role": "other",
        "orcid": "",
        "subject": subject,
        "since_date": None,
        "until_date": None,
    }


def _walk(
    made: ManyProjects,
    random: Random,
    row: dict[str, Any],
    stages: Sequence[Stage],
) -> list[dict[str, Any]]:
    visits: list[dict[str, Any]] = []
    stage, at = Stage(row["initial_stage"]), row["created_at"]
    decision_id = ""
    while True:
        visit = {
            "stage": stage.value,
            "entered_at": at.isoformat(),
            "left_at": None,
            "decision_id": decision_id,
        }
        visits.append(visit)
        leaves = at + timedelta(days=random.lognormvariate(4.6 + 0.2 * stages.index(stage), 0.8))
        if leaves >= made.now:
            return visits
        at, visit["left_at"] = leaves, leaves.isoformat()
        kind = random.choices(("go", "conditional_go", "recycle", "kill"), (70, 12, 8, 10))[0]
        if kind == "recycle" and stage == stages[0]:
            kind = "go"
        following = _following(random, kind, stages, stage)
        code = random.choice(list(KillCode)) if kind == "kill" else None
        decision_id = _decision(made, row, visit, kind, code)
        row["latest_decision_id"] = decision_id
        row["version"] += 1
        if following is None:
            row["state"], row["state_since"] = ("killed" if kind == "kill" else "completed"), at
            return visits
        stage = following


def _following(random: Random, kind: str, stages: Sequence[Stage], stage: Stage) -> Stage | None:
    place = stages.index(stage)
    if kind == "kill":
        return None
    if kind == "recycle":
        return random.choice(stages[:place])
    return stages[place + 1] if place + 1 < len(stages) else None


def _decision(
    made: ManyProjects,
    row: dict[str, Any],
    visit: dict[str, Any],
    kind: str,
    code: KillCode | None,
) -> str:
    kill = None
    if code:
        kill = {"code": code.value, "narrative": "It did not hold.", "lessons": "Look earlier."}
    at = datetime.fromisoformat(visit["left_at"])
    id = new_id("dec")
    made.add(
        tables.decision,
        {
            "id": id,
            "project_id": row["id"],
            "project_version": row["version"] + 1,
            "kind": kind,
            "from_stage": visit["stage"],
            "to_stage": visit["stage"],
            "created_at": at,
            "decision": {
                "id": id,
                "project_id": row["id"],
                "kind": kind,
                "from_stage": visit["stage"],
                "to_stage": visit["stage"],
                "reason": "As the panel sees it.",
                "kill": kill,
                "recorded_by": "hq",
                "created_at": at.isoformat(),
                "template_version": row["template_version"],
            },
        },
    )
    return id


def _stand_still(made: ManyProjects, random: Random, row: dict[str, Any]) -> None:
    """Let some of those that are under way be stuck, with one thing or with several."""
    entered = datetime.fromisoformat(row["stage_visits"][-1]["entered_at"])
    since = entered + (made.now - entered) * random.random()
    if random.random() < 0.15:
        row |= {"state": "on_hold", "state_since": since, "hold_cause": "decision"}
        row["resume_date"] = (since.date() + timedelta(days=90)).isoformat()
    if random.random() < 0.1:
        row["flags"] = [
            {
                "kind": random.choice(("center_unavailable", "regulation_changed")),
                "resource_id": new_id("ctr"),
                "state": "suspended",
                "since": random.choice((since.isoformat(), None)),
                "version": 0,
            }
        ]
    if row["latest_decision_id"] and random.random() < 0.3:
        _condition(made, random, row, since)
    if random.random() < 0.25:
        _gate(made, random, row, since)
    for _ in range(random.choice((0, 0, 0, 1, 3))):
        _evidence(made, random, row, since)


def _condition(made: ManyProjects, random: Random, row: dict[str, Any], at: datetime) -> None:
    due = made.now.date() + timedelta(days=random.randint(-200, 100))
    condition = aggregate(new_id("cnd"), at, sample=row["sample"]) | {
        "state": random.choice(("open", "open", "met", "cancelled")),
        "project_id": row["id"],
        "decision_id": row["latest_decision_id"],
        "criterion": "",
        "text": {"fa": "", "en": "Repeat the assay"},
        "owner": "Quality assurance",
        "due_date": due.isoformat(),
        "report": None,
        "confirmed_by": "",
    }
    if condition["state"] == "met" or random.random() < 0.4:
        condition["report"] = {
            "reported_by": "kian",
            "reported_at": at.isoformat(),
            "evidence_id": "",
            "note": "Done.",
        }
    if condition["state"] == "met":
        condition["confirmed_by"] = "verifier"
    made.add(tables.project_condition, condition)


def _gate(made: ManyProjects, random: Random, row: dict[str, Any], at: datetime) -> None:
    """A gate whose votes count, or do not, for each of the reasons that there are."""
    at = made.now - (made.now - at) * random.choice((1.0, 0.1))
    declarations: list[dict[str, Any]] = []
    votes: list[dict[str, Any]] = []
    gate = aggregate(new_id("gat"), at, sample=row["sample"] or random.random() < 0.1) | {
        "state": "open",
        "project_id": row["id"],
        "stage": row["stage_visits"][-1]["stage"],
        "visit": len(row["stage_visits"]),
        "supersedes_id": None,
        "panel": [{"subject": subject, "role": "science"} for subject in PANEL],
        "quorum": random.randint(1, 3),
        "declarations": declarations,
        "votes": votes,
        "decision_id": "",
    }
    for subject in (*PANEL, CONTRIBUTOR):
        centers = random.choice(([], [], [random.choice(list(made.centers))]))
        if random.random() < 0.8:
            declarations.append(
                {
                    "subject": subject,
                    "conflict": random.choice(("none", "none", "none", "financial")),
                    "note": "",
                    "declared_at": at.isoformat(),
                    "center_ids": random.choice(([], centers)),
                }
            )
        if random.random() < 0.6:
            votes.append(
                {
                    "subject": subject,
                    "kind": "go",
                    "reason": "As the evidence stands.",
                    "voted_at": at.isoformat(),
                    "center_ids": centers,
                }
            )
    row["open_gate_id"] = gate["id"]
    made.add(tables.gate, gate)


def _evidence(made: ManyProjects, random: Random, row: dict[str, Any], at: datetime) -> None:
    at = made.now - (made.now - at) * random.choice((1.0, 0.1))
    present = row["stage_visits"][-1]["stage"]
    submitter = random.choice((CONTRIBUTOR, CONTRIBUTOR, *PANEL))
    state = random.choice(("submitted", "submitted", "verified", "rejected"))
    confirmed = {
        "visit": len(row["stage_visits"]),
        "confirmed_by": "verifier",
        "confirmed_at": at.isoformat(),
    }
    sample = row["sample"] or random.random() < 0.1
    made.add(
        tables.evidence,
        aggregate(new_id("evd"), at, sample=sample)
        | {
            "state": state,
            "project_id": row["id"],
            "criterion": "potency-assay-draft",
            "stage": random.choice((present, present, present, row["initial_stage"])),
            "visit": len(row["stage_visits"]),
            "kind": "report",
            "title": {"fa": "", "en": "Report"},
            "description": "",
            "file": None,
            "reference": {"uri": "https://example.org/report", "sha256": "a" * 64},
            "submitted_by": submitter,
            "confirmations": [confirmed] if state == "verified" else [],
            "supersedes_id": None,
            "superseded_by_id": "",
        },
    )


def _award(made: ManyProjects, random: Random, row: dict[str, Any]) -> None:
    currency = random.choice(CURRENCIES)
    amount = Decimal(random.randint(1, 10**9)) / 100
    released = (amount * random.choice((0, 0, 1, 3, 10)) / 10).quantize(Decimal("0.0001"))
    at = row["created_at"]
    done = {"reported_by": "kian", "confirmed_by": "verifier"}
    milestone = {
        "code": "m1",
        "text": {"fa": "", "en": "Three runs"},
        "due_date": "",
        "state": "met" if released else "open",
        "evidence_ids": [],
        "note": "",
        "reported_at": None,
        "confirmed_at": None,
        **(done if released else dict.fromkeys(done, "")),
    }
    tranche = {
        "code": "t1",
        "amount": {"amount": f"{amount:f}", "currency": currency},
        "milestone_code": "m1",
        "released": {"amount": f"{released:f}", "currency": currency} if released else None,
        "released_at": None,
        "released_by": "",
        "payment_reference": "",
    }
    award = aggregate(new_id("awd"), at, sample=row["sample"] or random.random() < 0.05) | {
        "state": random.choice(("active", "active", "active", "closed", "cancelled")),
        "project_id": row["id"],
        "titles": {"fa": "", "en": "Seed grant"},
        "funder": {"names": {"fa": "", "en": "Funder"}, "institution_id": "", "ror_id": ""},
        "grant_number": "",
        "amount": {"amount": f"{amount:f}", "currency": currency},
        "awarded_date": None,
        "milestones": [milestone],
        "tranches": [tranche],
        "released": {"amount": f"{released:f}", "currency": currency},
        "currency": currency,
        "awarded_value": amount,
        "released_value": released,
    }
    made.add(tables.award, award)
    if released:
        made.add(
            tables.disbursement,
            {
                "award_id": award["id"],
                "tranche_code": "t1",
                "milestone_code": "m1",
                "amount": released,
                "currency": currency,
                "award_version": 1,
                "released_at": at,
            },
        )
