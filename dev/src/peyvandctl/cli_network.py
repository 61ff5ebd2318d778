"""Commands that ask the network: status, agreements, events, rebuild."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from peyvandctl.client import Api, ApiError
from peyvandctl.terminal import (
    LimitOption,
    Terminal,
    with_session,
)

_STATE_COLOURS = {
    "operational": "green",
    "establishing": "yellow",
    "planned": "blue",
    "suspended": "red",
}
_CENTER_STATE = "centers.v1.CenterState"
_AGREEMENT_STATE = "partners.v1.AgreementState"
_LIVENESS = "observatory.v1.Liveness"
_STAGE = "projects.v1.Stage"
# What the parts of a total are counted by.
_KINDS = {
    "centers": _CENTER_STATE,
    "fresh_centers": _LIVENESS,
    "projects": _STAGE,
    "agreements": _AGREEMENT_STATE,
    "activities": "partners.v1.ActivityState",
    "open_action_items": "observatory.v1.ActionItemState",
}
_RETRY_SECONDS = 2.0
_REBUILD_SECONDS = 600.0


@with_session
def status(api: Api, terminal: Terminal) -> None:
    """Show the picture of the network: centers, totals, and how fresh they are."""
    picture = api.get("/v1/network/status")
    if terminal.as_json:
        terminal.json(picture)
        return
    rows = [
        (
            center["code"],
            terminal.text(center["names"]),
            center["province"],
            terminal.label(_CENTER_STATE, center["state"]),
            terminal.label(_LIVENESS, center["liveness"] or "unknown"),
            _counts(terminal, center["projects_by_stage"], _STAGE),
        )
        for center in picture["centers"]
    ]
    terminal.table(("Code", "Center", "Province", "State", "Liveness", "Projects"), rows)
    terminal.line("")
    for name, total in picture["totals"].items():
        if total is not None:
            tell = _activity if name == "activity" else _total
            terminal.line(tell(terminal, name, total))
    if picture["sample"]:
        terminal.line(f"[yellow](+n): {terminal.word('sample data')}[/]")
    terminal.line(f"[dim]{terminal.word('as of')} {picture['as_of']}[/]")


@with_session
def agreements(
    api: Api,
    terminal: Terminal,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="treaty, framework, mou, ...")] = None,
    limit: LimitOption = None,
) -> None:
    """List the agreements."""
    found = api.pages("/v1/agreements", "agreements", limit, state=state, kind=kind)
    if terminal.as_json:
        terminal.json(found)
        return
    rows = [
        (
            terminal.label("partners.v1.AgreementKind", item["kind"]),
            terminal.labelled(item, "titles"),
            terminal.label(_AGREEMENT_STATE, item["state"]),
            terminal.date(item["signed_date"]),
            terminal.date(item["expiry_date"]),
        )
        for item in found
    ]
    terminal.table(("Kind", "Agreement", "State", "Signed", "Expires"), rows)


@with_session
def events(
    api: Api,
    terminal: Terminal,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it happens.")] = False,
    after: Annotated[str | None, typer.Option(help="Begin after this cursor.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Latest events to begin with.")] = 20,
) -> None:
    """Show what happened, the latest last; with --json one event a line."""
    cursor = after or ""
    if after is None:
        cursor = api.get("/v1/events", page_size=1)["head_cursor"]
        for event in reversed(_latest(api, limit) if limit else ()):
            _show_event(terminal, event)
    else:
        for event in _events_after(api, after):
            cursor = event["cursor"]
            _show_event(terminal, event)
    if follow:
        _follow(api, terminal, cursor)


@with_session
def rebuild(api: Api, terminal: Terminal) -> None:
    """Build the picture of the network anew from its events, and compare."""
    with terminal.err.status("Building the picture anew from all events"):
        result = api.post("/v1/network:rebuild", timeout=_REBUILD_SECONDS)
    same = result["digest_before"] == result["digest_after"]
    if terminal.as_json:
        terminal.json(result)
    else:
        rows = [
            (table["name"], str(table["rows_before"]), str(table["rows_after"]))
            for table in result["tables"]
        ]
        terminal.table(("Table", "Rows before", "Rows after"), rows)
        terminal.line(f"\nbefore  {result['digest_before']}  {result['events_before']} events")
        terminal.line(f"after   {result['digest_after']}  {result['events_after']} events")
        terminal.line(
            "[green]The same picture came out.[/]" if same else "[yellow]The picture differs.[/]"
        )
    # Events that arrived in between change the picture, and are no fault of it.
    if not same and result["events_before"] == result["events_after"]:
        raise typer.Exit(1)


def _counts(terminal: Terminal, counts: Iterable[Mapping[str, Any]], enum: str = "") -> str:
    named = (
        (terminal.label(enum, count["key"]) if enum else count["key"], count) for count in counts
    )
    return ", ".join(f"{name} {_figure(count)}" for name, count in named)


def _figure(figure: Mapping[str, Any]) -> str:
    """A figure, and beside it what sample data would add to it."""
    return f"{figure['value']} (+{figure['sample']})" if figure["sample"] else str(figure["value"])


def _total(terminal: Terminal, name: str, total: Mapping[str, Any]) -> str:
    coverage = f"{total['known']} {terminal.word('of')} {total['of']}"
    parts = _counts(terminal, total["parts"], _KINDS.get(name, ""))
    tail = f"  {escape(parts)}" if parts else ""
    return f"{terminal.word(name)}: [bold]{_figure(total)}[/] [dim]({coverage})[/]{tail}"


def _activity(terminal: Terminal, name: str, month: Mapping[str, Any]) -> str:
    """What centers did in a month; a figure that none of them gave is unknown."""
    coverage = f"{month['known']} {terminal.word('of')} {month['of']}"
    figures = [
        f"{terminal.word(figure)} {_sum(terminal, total)}"
        for figure, total in month.items()
        if isinstance(total, Mapping)
    ]
    return (
        f"{terminal.word(name)} {month['period']} [dim]({coverage} {terminal.word('approved')})[/]"
        f"  {escape(', '.join(figures))}"
    )


def _sum(terminal: Terminal, total: Mapping[str, Any]) -> str:
    value = terminal.word("unknown") if total["value"] is None else total["value"]
    return f"{value} (+{total['sample']})" if total["sample"] is not None else str(value)


def _latest(api: Api, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        size = min(limit - len(found), 200)
        page = api.get("/v1/events", order="latest_first", page_size=size, before=cursor)
        found += cast("list[dict[str, Any]]", page["events"])
        cursor = page["next_cursor"]
        if not page["more"] or len(found) >= limit:
            return found


def _events_after(api: Api, cursor: str) -> Iterator[dict[str, Any]]:
    more = True
    while more:
        page = api.get("/v1/events", after=cursor, page_size=200)
        yield from page["events"]
        cursor, more = page["next_cursor"] or cursor, page["more"]


def _show_event(terminal: Terminal, event: Mapping[str, Any]) -> None:
    if terminal.as_json:
        typer.echo(json.dumps(event, ensure_ascii=False))
        return
    told = terminal.text({"fa": event.get("summaryfa"), "en": event.get("summaryen")})
    when, subject = str(event["time"])[:19], event["subject"]
    terminal.line(
        f"[dim]{when}[/]  [bold]{escape(told or str(event['type']))}[/]  [dim]{subject}[/]"
    )


def _follow(api: Api, terminal: Terminal, cursor: str) -> None:
    """Show events as they come; a stream that ends is taken up where it ended."""
    while True:
        try:
            with api.stream("/v1/events:stream", after=cursor) as lines:
                for seen, event in sent_events(lines):
                    cursor = seen or cursor
                    if event is not None:
                        _show_event(terminal, event)
        except ApiError as error:
            if 400 <= error.status < 500:
                raise
            terminal.err.print(f"[yellow]{escape(error.message)} Trying again.[/]")
        time.sleep(_RETRY_SECONDS)


def sent_events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Read server-sent events: the id of each, and its data where it has some."""
    seen, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if seen or data:
                yield seen, json.loads("\n".join(data)) if data else None
            data = []
        elif field == "id":
            seen = value
        elif field == "data":
            data.append(value)
