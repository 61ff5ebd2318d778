"""``peyvand projects``: the projects, and what one of them needs for its next gate."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.markup import escape

from peyvandctl.cli_network import LimitOption
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

app = typer.Typer(name="projects", help="The projects, and what one needs for its next gate.")

_PATHWAY = "projects.v1.Pathway"
_STAGE = "projects.v1.Stage"
_FLAG = "projects.v1.ProjectFlagKind"


@app.callback(invoke_without_command=True)
def projects(
    context: typer.Context,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only those in this stage, e.g. s3.")] = None,
    limit: LimitOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """List the projects."""
    if context.invoked_subcommand is not None:
        return
    with session(url, token, lang, as_json=as_json) as (api, terminal):
        found = api.pages("/v1/projects", "projects", limit, state=state, stage=stage)
        if as_json:
            terminal.json(found)
            return
        names: dict[str, str] = {
            str(item["id"]): terminal.text(item["names"])
            for item in (api.pages("/v1/centers", "centers") if found else ())
        }
        rows = [
            (
                terminal.labelled(item, "titles"),
                names.get(item["lead_center_id"], str(item["lead_center_id"])),
                terminal.label(_PATHWAY, item["pathway"]),
                terminal.label(_STAGE, item["stage"]),
                terminal.label("projects.v1.ProjectState", item["state"]),
            )
            for item in found
        ]
        terminal.table(("Project", "Center", "Pathway", "Stage", "State"), rows)


@app.command("next-gate")
@with_session
def next_gate(
    api: Api, terminal: Terminal, project: Annotated[str, typer.Argument(help="Id of the project.")]
) -> None:
    """Show what a project needs for its next gate: each criterion, and what would satisfy it."""
    found = api.get(f"/v1/projects/{quote(project)}/next-gate")
    if terminal.as_json:
        terminal.json(found)
        return
    stages = [terminal.label(_STAGE, found["stage"])]
    if found["next_stage"]:
        stages.append(terminal.label(_STAGE, found["next_stage"]))
    terminal.line(f"[bold]{' → '.join(stages)}[/]")
    rows = [
        (
            terminal.text(item["criterion"]["text"]),
            terminal.label("projects.v1.CriterionState", item["state"]),
            terminal.text(item["next_step"]) if item["next_step"] else "",
        )
        for item in found["criteria"]
    ]
    terminal.table(("Criterion", "State", "What would satisfy it"), rows)
    for flag in found["flags"]:
        kind = terminal.label(_FLAG, flag["kind"])
        terminal.line(f"[yellow]▲ {escape(kind)} {escape(flag['resource_id'])}[/]")
    if found["on_hold"]:
        state = terminal.label("projects.v1.ProjectState", "on_hold")
        terminal.line(f"[yellow]▲ {escape(state)}[/]")
    for name, ids in (
        ("Left open at an earlier gate", found["unmet_condition_ids"]),
        ("Overdue", found["overdue_condition_ids"]),
    ):
        for id in ids:
            terminal.line(f"[yellow]▲ {escape(terminal.word(name))} {escape(id)}[/]")
    if found["satisfied"]:
        terminal.line(f"[green]{terminal.word('All that is needed is there.')}[/]")
