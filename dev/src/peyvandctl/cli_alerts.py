"""``peyvand alerts``: what the headquarters has to look at."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import quote

import typer

from peyvandctl.client import Api
from peyvandctl.terminal import (
    JsonOption,
    LanguageOption,
    Terminal,
    TokenOption,
    UrlOption,
    session,
    with_session,
)

app = typer.Typer(name="alerts", help="What the headquarters has to look at.")

_KIND = "observatory.v1.AlertKind"
_STATE = "observatory.v1.AlertState"


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    escalated: Annotated[
        bool, typer.Option("--escalated", help="Only those that nobody had seen in time.")
    ] = False,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """List the alerts that are not closed, the latest first."""
    if context.invoked_subcommand is not None:
        return
    with session(url, token, lang, as_json=as_json) as (api, terminal):
        found = api.pages("/v1/alerts", "alerts", escalated="true" if escalated else None)
        if not everything:
            found = [alert for alert in found if alert["state"] != "closed"]
        if as_json:
            terminal.json(found)
            return
        if not found:
            terminal.line(terminal.word("There is nothing to look at."))
            return
        rows = [
            (
                alert["id"],
                terminal.label(_KIND, alert["kind"]),
                terminal.label(_STATE, alert["state"]),
                terminal.text(alert["summary"]),
                (alert["opened_at"] or "")[:16],
                (alert["escalated_at"] or "—")[:16],
            )
            for alert in found
        ]
        terminal.table(("Alert", "Kind", "State", "What is the matter", "Since", "Escalated"), rows)


@app.command()
@with_session
def ack(
    api: Api,
    terminal: Terminal,
    alert: Annotated[str, typer.Argument(help="Id of the alert.")],
    *,
    comment: Annotated[str, typer.Option(help="What is done about it.")] = "",
) -> None:
    """Say that you have seen an alert."""
    body = json.dumps({"comment": comment} if comment else {}).encode()
    seen = api.post(f"/v1/alerts/{quote(alert)}:acknowledge", content=body)
    if terminal.as_json:
        terminal.json(seen)
    else:
        terminal.line(f"{terminal.text(seen['summary'])}: {terminal.label(_STATE, seen['state'])}")
