"""``peyvand portfolio``: all projects together, and what is stuck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from peyvandctl.client import Api
from peyvandctl.terminal import (
    Terminal,
    with_session,
)

_STAGE = "projects.v1.Stage"
_PATHWAY = "projects.v1.Pathway"
_REASON = "projects.v1.StuckReason"
_STATES = ("active", "on_hold", "completed", "killed")

Rows = list[tuple[str, ...]]


@with_session
def portfolio(
    api: Api,
    terminal: Terminal,
    *,
    pathway: Annotated[str | None, typer.Option(help="Only this one, e.g. gene_therapy.")] = None,
    province: Annotated[str | None, typer.Option(help="ISO 3166-2, e.g. IR-07.")] = None,
    center: Annotated[str | None, typer.Option(help="Id of a center that takes part.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="The sample data instead.")] = False,
    stuck: Annotated[int, typer.Option(min=1, max=200, help="Stuck projects to show.")] = 10,
) -> None:
    """Show the portfolio: where projects are, how long gates take, the money, what is stuck."""
    found = api.get(
        "/v1/portfolio",
        pathway=pathway,
        province=province,
        center_id=center,
        sample="true" if sample else None,
        stuck_limit=stuck,
    )
    if terminal.as_json:
        terminal.json(found)
        return
    for title, columns, rows in (
        ("Projects", ("Pathway", *_stage_codes(found), *_STATES), _matrix(terminal, found)),
        (
            "Times",
            ("Stage", "decided", "median", "waiting", "expected"),
            _times(terminal, found),
        ),
        ("Killed", ("Stage", "killed", "of", "Reasons"), _kills(terminal, found)),
        (
            "Money",
            ("Currency", "awarded", "released", "committed", "to killed", "lapsed"),
            _money(found),
        ),
        ("Stuck", ("Project", "Stage", "Reasons", "Since"), _stuck(terminal, found)),
    ):
        if rows:
            terminal.line(f"\n[bold]{terminal.word(title)}[/]")
            terminal.table(columns, rows)
    _foot(terminal, found)


def _stage_codes(found: Mapping[str, Any]) -> list[str]:
    return [str(item["stage"]) for item in found["cycle_times"]]


def _matrix(terminal: Terminal, found: Mapping[str, Any]) -> Rows:
    """Projects under way by pathway and stage, and each pathway by state."""
    rows: Rows = []
    cells: Sequence[Mapping[str, Any]] = found["counts"]["cells"]
    for pathway in dict.fromkeys(cell["pathway"] for cell in cells):
        here = [cell for cell in cells if cell["pathway"] == pathway]
        by_stage = [_sum(here, ("active", "on_hold"), stage=stage) for stage in _stage_codes(found)]
        by_state = [_sum(here, (state,)) for state in _STATES]
        rows.append((terminal.label(_PATHWAY, pathway), *map(str, [*by_stage, *by_state])))
    return rows


def _sum(cells: Iterable[Mapping[str, Any]], states: Sequence[str], stage: str = "") -> int:
    return sum(
        cell["projects"][state]
        for cell in cells
        if not stage or cell["stage"] == stage
        for state in states
    )


def _times(terminal: Terminal, found: Mapping[str, Any]) -> Rows:
    return [
        (
            terminal.label(_STAGE, item["stage"]),
            str(item["decided"]["count"]),
            _days(terminal, item["decided"]["median"]),
            str(item["waiting"]["count"]),
            _days(terminal, item["expected_median"]),
        )
        for item in found["cycle_times"]
        if item["decided"]["count"] or item["waiting"]["count"]
    ]


def _days(terminal: Terminal, days: float | None) -> str:
    return terminal.word("unknown") if days is None else f"{days:.0f} {terminal.word('days')}"


def _kills(terminal: Terminal, found: Mapping[str, Any]) -> Rows:
    return [
        (
            terminal.label(_STAGE, item["stage"]),
            str(item["killed"]),
            str(item["ended"]),
            ", ".join(
                f"{terminal.label('projects.v1.KillCode', each['code'] or 'unknown')}"
                f" {each['projects']}"
                for each in item["reasons"]
            ),
        )
        for item in found["kills"]
        if item["ended"]
    ]


def _money(found: Mapping[str, Any]) -> Rows:
    fields = ("currency", "awarded", "released", "committed", "committed_to_killed", "lapsed")
    return [tuple(str(item[name]) for name in fields) for item in found["money"]]


def _stuck(terminal: Terminal, found: Mapping[str, Any]) -> Rows:
    return [
        (
            terminal.text(item["titles"]),
            terminal.label(_STAGE, item["stage"]),
            ", ".join(
                dict.fromkeys(terminal.label(_REASON, cause["reason"]) for cause in item["causes"])
            ),
            (item["since"] or terminal.word("unknown"))[:10],
        )
        for item in found["stuck"]["projects"]
    ]


def _foot(terminal: Terminal, found: Mapping[str, Any]) -> None:
    """What the figures rest on."""
    counts, stuck = found["counts"], found["stuck"]
    under_way = counts["total"]["active"] + counts["total"]["on_hold"]
    terminal.line(
        f"\n{terminal.word('stuck')}: [bold]{stuck['total']}[/] {terminal.word('of')} {under_way}"
    )
    known = f"{counts['coverage']['known']} {terminal.word('of')} {counts['coverage']['of']}"
    terminal.line(f"[dim]{terminal.word('Province')}: {known}[/]")
    if found["sample"]:
        terminal.line(f"[yellow]{terminal.word('sample data')}[/]")
    elif counts["left_out"]:
        terminal.line(f"[yellow](+{counts['left_out']}): {terminal.word('sample data')}[/]")
    terminal.line(f"[dim]{terminal.word('as of')} {found['as_of']}[/]")
