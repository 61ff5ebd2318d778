"""``peyvand reports``: what centers did in a month, handed over and approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape

from peyvandctl.cli_centers import center_codes, find_center
from peyvandctl.client import Api, ApiError
from peyvandctl.errors import ClusterError
from peyvandctl.terminal import (
    LimitOption,
    Terminal,
    with_session,
)

app = typer.Typer(
    name="reports",
    help="Period reports: what centers did in a month, handed over and approved.",
    no_args_is_help=True,
)

_STATE = "centers.v1.PeriodReportState"
_FIGURES = ("samples_processed", "products_released", "procedures", "trainees", "articles")
_UNKNOWN = "—"

ReportArgument = Annotated[str, typer.Argument(help="Id of the report, or its external key.")]
CenterOption = Annotated[
    str | None, typer.Option("--center", help="Only those of this center: code or id.")
]
SamplesOption = Annotated[int | None, typer.Option("--samples-processed", min=0)]
ProductsOption = Annotated[int | None, typer.Option("--products-released", min=0)]
ProceduresOption = Annotated[int | None, typer.Option("--procedures", min=0)]
TraineesOption = Annotated[int | None, typer.Option("--trainees", min=0)]
ArticlesOption = Annotated[int | None, typer.Option("--articles", min=0)]


@app.command("list")
@with_session
def list_reports(
    api: Api,
    terminal: Terminal,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    center: CenterOption = None,
    period: Annotated[str | None, typer.Option(help="Only of this month, e.g. 1405-08.")] = None,
    limit: LimitOption = None,
) -> None:
    """List the reports."""
    center_id = find_center(api, center)["id"] if center else None
    found = api.pages(
        "/v1/period-reports",
        "period_reports",
        limit,
        state=state,
        center_id=center_id,
        period=period,
    )
    if terminal.as_json:
        terminal.json(found)
        return
    codes = center_codes(api) if found else {}
    rows = [
        (
            report["id"],
            codes.get(str(report["center_id"]), "") + _sample(terminal, report),
            report["period"],
            str(report["revision"]),
            terminal.label(_STATE, report["state"]),
            (report["state_since"] or "")[:16],
        )
        for report in found
    ]
    terminal.table(("Report", "Center", "Month", "Revision", "State", "Since"), rows)


@app.command()
@with_session
def show(api: Api, terminal: Terminal, report: ReportArgument) -> None:
    """Show one report, its figures and the steps that it has taken."""
    found = _report(api, report)
    steps = api.pages(f"/v1/period-reports/{quote(found['id'])}/steps", "steps")
    if terminal.as_json:
        terminal.json(found | {"steps": steps})
        return
    _show(terminal, found, _code(api, found))
    for step in steps:
        reason = f": {escape(step['reason'])}" if step["reason"] else ""
        line = f"{step['at'][:16]} {step['action']} {escape(step['actor'])}{reason}"
        terminal.line(f"  [dim]{line}[/]")


@app.command()
@with_session
def approve(api: Api, terminal: Terminal, report: ReportArgument) -> None:
    """Accept a submitted report: its figures count from now on, and it is locked."""
    _told(api, terminal, _step(api, report, "approve"))


@app.command("return")
@with_session
def give_back(
    api: Api,
    terminal: Terminal,
    report: ReportArgument,
    *,
    comment: Annotated[str, typer.Option("--comment", help="What the center has to mend.")],
) -> None:
    """Give a submitted report back to its center, with a comment."""
    _told(api, terminal, _step(api, report, "return", comment))


@app.command()
@with_session
def draft(
    api: Api,
    terminal: Terminal,
    *,
    center: Annotated[str, typer.Option(help="The center: code or id.")],
    period: Annotated[str, typer.Option(help="The month, 1405-08 or 2026-11.")],
    samples_processed: SamplesOption = None,
    products_released: ProductsOption = None,
    procedures: ProceduresOption = None,
    trainees: TraineesOption = None,
    articles: ArticlesOption = None,
    external_key: Annotated[str, typer.Option(help="A key of your own for it.")] = "",
) -> None:
    """Record a report of a center that has no node; what is left out stays unknown.

    Where a report of the month is approved, it is the next revision of it.
    """
    figures = (samples_processed, products_released, procedures, trainees, articles)
    wanted: dict[str, Any] = {
        "center_id": find_center(api, center)["id"],
        "period": period,
        "figures": _given(figures),
    }
    if external_key:
        wanted["external_key"] = external_key
    _told(api, terminal, api.post("/v1/period-reports", content=json.dumps(wanted).encode()))


@app.command()
@with_session
def change(
    api: Api,
    terminal: Terminal,
    report: ReportArgument,
    *,
    samples_processed: SamplesOption = None,
    products_released: ProductsOption = None,
    procedures: ProceduresOption = None,
    trainees: TraineesOption = None,
    articles: ArticlesOption = None,
    unknown: Annotated[
        list[str] | None, typer.Option(help="A figure that is not known after all; repeatable.")
    ] = None,
) -> None:
    """Change figures of a draft or returned report; the others stay as they are."""
    figures = (samples_processed, products_released, procedures, trainees, articles)
    found = _report(api, report)
    known = {name: value for name, value in found["figures"].items() if value is not None}
    left_out = {name.replace("-", "_") for name in unknown or ()}
    if strange := sorted(left_out - set(_FIGURES)):
        raise ClusterError(
            f"There is no figure {', '.join(strange)}.", f"Figures: {', '.join(_FIGURES)}"
        )
    values = {
        name: value for name, value in (known | _given(figures)).items() if name not in left_out
    }
    wanted = {
        "center_id": found["center_id"],
        "period": found["period"],
        "figures": values,
        "sample": found["sample"],
    }
    body = json.dumps(wanted).encode()
    path = f"/v1/period-reports/{quote(found['id'])}"
    _told(api, terminal, api.put(path, body, etag=found["etag"]))


@app.command()
@with_session
def submit(api: Api, terminal: Terminal, report: ReportArgument) -> None:
    """Hand a draft or returned report to the headquarters."""
    _told(api, terminal, _step(api, report, "submit"))


@app.command()
@with_session
def months(
    api: Api,
    terminal: Terminal,
    *,
    center: CenterOption = None,
    number: Annotated[int, typer.Option("--months", min=1, max=36, help="How many.")] = 12,
    until: Annotated[str | None, typer.Option(help="The last month, e.g. 1405-08.")] = None,
) -> None:
    """Show the approved figures month by month, of all centers together or of one."""
    center_id = find_center(api, center)["id"] if center else None
    found = api.get("/v1/network/periods", months=number, until=until, center_id=center_id)
    if terminal.as_json:
        terminal.json(found)
        return
    terminal.table(
        ("Month", "Approved", *(name.replace("_", " ") for name in _FIGURES)),
        [_month(period) for period in found["periods"]],
    )


def _month(period: Mapping[str, Any]) -> tuple[str, ...]:
    """A line of the table: the sums where the reader may see them, else the only center."""
    totals = period["totals"]
    if totals is not None:
        sums = [_shown(totals[name]["value"]) for name in _FIGURES]
        return (period["period"], f"{totals['known']}/{totals['of']}", *sums)
    approved = [one for one in period["centers"] if one["figures"] is not None]
    coverage = f"{len(approved)}/{len(period['centers'])}"
    if len(period["centers"]) != 1 or not approved:
        return (period["period"], coverage, *([_UNKNOWN] * len(_FIGURES)))
    figures = approved[0]["figures"]
    return (period["period"], coverage, *(_shown(figures[name]) for name in _FIGURES))


def _shown(value: str | int | None) -> str:
    return _UNKNOWN if value is None else str(value)


def _given(figures: tuple[int | None, ...]) -> dict[str, int]:
    named = zip(_FIGURES, figures, strict=True)
    return {name: value for name, value in named if value is not None}


def _report(api: Api, name: str) -> dict[str, Any]:
    """Find a report by id or external key. Raises `ClusterError`."""
    if name.startswith("rep_"):
        return api.get(f"/v1/period-reports/{quote(name)}")
    found = api.pages("/v1/period-reports", "period_reports", external_key=name)
    if not found:
        raise ClusterError(f"There is no report {name}.", "See: peyvand reports list")
    if len({report["center_id"] for report in found}) > 1:
        # A key is a center's own: that of another may be the same.
        codes = center_codes(api)
        ids = {
            codes.get(report["center_id"], report["center_id"]): report["id"]
            for report in sorted(found, key=lambda report: report["revision"])
        }
        listed = ", ".join(f"{id} ({code})" for code, id in sorted(ids.items()))
        raise ClusterError(
            f"Reports of several centers have the key {name}.",
            f"Say which one is meant by its id: {listed}",
        )
    # The center's own key names its month in all revisions; the last one is meant.
    return max(found, key=lambda report: report["revision"])


def _step(api: Api, name: str, verb: str, reason: str = "") -> dict[str, Any]:
    found = _report(api, name)
    body = json.dumps({"reason": reason} if reason else {}).encode()
    try:
        path = f"/v1/period-reports/{quote(found['id'])}:{verb}"
        return api.post(path, content=body, etag=found["etag"])
    except ApiError as error:
        allowed = error.problem.get("allowed")
        if allowed and not error.mend:
            error.mend = f"Now it can be: {', '.join(allowed)}"
        raise


def _told(api: Api, terminal: Terminal, report: Mapping[str, Any]) -> None:
    if terminal.as_json:
        terminal.json(report)
    else:
        _show(terminal, report, _code(api, report))


def _code(api: Api, report: Mapping[str, Any]) -> str:
    """The code of a report's center. What was done is told also where nobody knows it."""
    try:
        return str(find_center(api, report["center_id"])["code"])
    except ApiError:
        return str(report["center_id"])


def _show(terminal: Terminal, report: Mapping[str, Any], center: str) -> None:
    terminal.line(
        f"[bold]{report['id']}[/]  {escape(center)}  {report['period']} ({report['revision']})"
        f"{_sample(terminal, report)}  "
        f"{terminal.label(_STATE, report['state'])} [dim]{report['state_since'] or ''}[/]"
    )
    if report["state_reason"]:
        terminal.line(f"  {escape(report['state_reason'])}")
    for name in _FIGURES:
        terminal.line(f"  {name.replace('_', ' '):<20} {_shown(report['figures'][name])}")
    if report["allowed_actions"]:
        terminal.line(f"  [dim]{', '.join(report['allowed_actions'])}[/]")


def _sample(terminal: Terminal, report: Mapping[str, Any]) -> str:
    return f" ({terminal.word('sample data')})" if report["sample"] else ""
