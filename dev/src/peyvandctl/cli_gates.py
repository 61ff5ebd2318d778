"""``peyvand gates``: the gates of projects, and each step that is taken at one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape

from peyvandctl.client import Api
from peyvandctl.errors import ClusterError
from peyvandctl.terminal import (
    JsonOption,
    LanguageOption,
    LimitOption,
    Terminal,
    TokenOption,
    UrlOption,
    session,
    with_session,
)

app = typer.Typer(name="gates", help="The gates of projects, and the steps at them.")

_STATE = "projects.v1.GateState"
_STAGE = "projects.v1.Stage"
_DECISION = "projects.v1.DecisionKind"
_ROLE = "projects.v1.PanelRole"
_CONFLICT = "projects.v1.Conflict"
_PERSIAN = re.compile("[\u0600-\u06ff]")
# A condition is its text, who sees to it, its last day and, if one is left open, a criterion.
_PARTS_OF_CONDITION = (3, 4)

GateArgument = Annotated[str, typer.Argument(help="Id of the gate.")]
DecisionArgument = Annotated[str, typer.Argument(help="go, conditional_go, hold, recycle or kill.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]


@app.callback(invoke_without_command=True)
def gates(
    context: typer.Context,
    *,
    project: Annotated[str | None, typer.Option(help="Only those of this project.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only those on whose panel you are.")
    ] = False,
    limit: LimitOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """List the gates."""
    if context.invoked_subcommand is not None:
        return
    with session(url, token, lang, as_json=as_json) as (api, terminal):
        panel = "true" if mine else None
        found = api.pages(
            "/v1/gates", "gates", limit, project_id=project, state=state, on_panel=panel
        )
        if as_json:
            terminal.json(found)
            return
        rows = [
            (
                gate["id"],
                gate["project_id"],
                terminal.label(_STAGE, gate["stage"]),
                terminal.label(_STATE, gate["state"]),
                (gate["created_at"] or "")[:16],
                gate["opened_by"],
            )
            for gate in found
        ]
        terminal.table(("Gate", "Project", "Stage", "State", "Since", "Opened by"), rows)


@app.command()
@with_session
def show(api: Api, terminal: Terminal, gate: GateArgument) -> None:
    """Show a gate: its panel, what was declared, the terms that stand, the votes."""
    _tell(terminal, _read(api, gate))


@app.command("open")
@with_session
def open_gate(
    api: Api,
    terminal: Terminal,
    project: Annotated[str, typer.Argument(help="Id of the project.")],
    *,
    member: Annotated[
        list[str], typer.Option(help="SUBJECT:ROLE of a member of the panel; repeatable.")
    ],
    quorum: Annotated[
        int | None, typer.Option(help="Least number of votes; when absent, most of the members.")
    ] = None,
    corrects: Annotated[
        str | None, typer.Option(help="Id of the decision that it is to correct.")
    ] = None,
) -> None:
    """Open a gate over the stage that a project is in, with its panel."""
    seats = [_split(one, ":", (2,), "SUBJECT:ROLE") for one in member]
    body: dict[str, Any] = {
        "project_id": project,
        "panel": [{"subject": subject, "role": role} for subject, role in seats],
    }
    body |= _given(quorum=quorum, supersedes_id=corrects)
    _tell(terminal, api.post("/v1/gates", content=json.dumps(body).encode()))


@app.command()
@with_session
def declare(
    api: Api,
    terminal: Terminal,
    gate: GateArgument,
    *,
    conflict: Annotated[
        str, typer.Option(help="none, financial, employment, scientific, family or other.")
    ],
    note: Annotated[str | None, typer.Option(help="What it is about.")] = None,
) -> None:
    """Declare your own interests, as a member of the panel."""
    _tell(terminal, _step(api, gate, "declare", conflict=conflict, note=note))


@app.command()
@with_session
def propose(
    api: Api,
    terminal: Terminal,
    gate: GateArgument,
    decision: DecisionArgument,
    *,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="For a conditional go: 'TEXT|OWNER|DUE' or 'TEXT|OWNER|DUE|CRITERION'; repeatable."
        ),
    ] = None,
    resume_date: Annotated[
        str | None, typer.Option(help="To hold: the day on which it is looked at again.")
    ] = None,
    to_stage: Annotated[str | None, typer.Option(help="To recycle: the stage, e.g. s1.")] = None,
    kill_code: Annotated[str | None, typer.Option(help="To kill: the cause, e.g. safety.")] = None,
    narrative: Annotated[str | None, typer.Option(help="To kill: what happened.")] = None,
    lessons: Annotated[str | None, typer.Option(help="To kill: what others learn from it.")] = None,
) -> None:
    """Put the terms of a decision to the panel, in place of those before for its kind."""
    kill = _given(code=kill_code, narrative=narrative, lessons=lessons)
    terms = _given(
        resume_date=resume_date,
        to_stage=to_stage,
        kill=kill or None,
        conditions=[_condition(one) for one in condition or ()] or None,
    )
    _tell(terminal, _step(api, gate, "propose", decision=decision, **terms))


@app.command()
@with_session
def vote(
    api: Api,
    terminal: Terminal,
    gate: GateArgument,
    decision: DecisionArgument,
    *,
    reason: ReasonOption,
    reviewed: Annotated[
        str | None,
        typer.Option(help="Hash of what you have reviewed, as `show` tells it; else what stands."),
    ] = None,
) -> None:
    """Give your vote, in place of an earlier one."""
    given = _given(decision=decision, reason=reason, assessment_hash=reviewed)
    _tell(terminal, _step(api, gate, "vote", **given))


@app.command()
@with_session
def decide(
    api: Api,
    terminal: Terminal,
    gate: GateArgument,
    decision: DecisionArgument,
    *,
    reason: ReasonOption,
) -> None:
    """Record what the panel has voted for, with the terms that it has voted for."""
    project = quote(str(_read(api, gate)["project_id"]))
    now = api.get(f"/v1/projects/{project}")
    body = json.dumps({"decision": decision, "reason": reason}).encode()
    after = api.post(f"/v1/projects/{project}:decide", content=body, etag=str(now["etag"]))
    if terminal.as_json:
        terminal.json(after)
        return
    state = terminal.label("projects.v1.ProjectState", after["state"])
    stage = terminal.label(_STAGE, after["stage"])
    terminal.line(escape(f"{terminal.text(after['titles'])}: {stage}, {state}"))


@app.command()
@with_session
def withdraw(api: Api, terminal: Terminal, gate: GateArgument, *, reason: ReasonOption) -> None:
    """End a gate without a decision."""
    _tell(terminal, _step(api, gate, "withdraw", reason=reason))


def _read(api: Api, gate: str) -> dict[str, Any]:
    return api.get(f"/v1/gates/{quote(gate)}")


def _step(api: Api, gate: str, verb: str, **values: Any) -> dict[str, Any]:
    """Take a step from where the gate is now."""
    body = json.dumps(_given(**values)).encode()
    etag = str(_read(api, gate)["etag"])
    return api.post(f"/v1/gates/{quote(gate)}:{verb}", content=body, etag=etag)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _condition(text: str) -> dict[str, Any]:
    what, owner, due, *criterion = _split(
        text, "|", _PARTS_OF_CONDITION, "TEXT|OWNER|DUE or TEXT|OWNER|DUE|CRITERION"
    )
    language = "fa" if _PERSIAN.search(what) else "en"
    left_open = {"criterion": criterion[0]} if criterion else {}
    return {"text": {language: what}, "owner": owner, "due_date": due, **left_open}


def _split(text: str, mark: str, sizes: tuple[int, ...], form: str) -> list[str]:
    parts = [part.strip() for part in text.split(mark)]
    if len(parts) not in sizes or not all(parts):
        raise ClusterError(f"{text} cannot be read.", f"Write it as {form}")
    return parts


def _tell(terminal: Terminal, gate: Mapping[str, Any]) -> None:
    if terminal.as_json:
        terminal.json(gate)
        return
    stage, state = terminal.label(_STAGE, gate["stage"]), terminal.label(_STATE, gate["state"])
    terminal.line(f"[bold]{escape(gate['id'])}[/] {escape(stage)}, {escape(state)}")
    _fact(terminal, "Opened by", gate["opened_by"])
    _fact(terminal, "Quorum", str(gate["quorum"]))
    _fact(terminal, "Hash of what is reviewed", gate["assessment_hash"])
    declared = {item["subject"]: item for item in gate["declarations"]}
    votes = {item["subject"]: item for item in gate["votes"]}
    rows: list[tuple[str, ...]] = []
    for seat in gate["panel"]:
        own, vote = declared.get(seat["subject"]), votes.get(seat["subject"])
        rows.append(
            (
                seat["subject"],
                terminal.label(_ROLE, seat["role"]),
                terminal.label(_CONFLICT, own["conflict"]) if own else "—",
                terminal.label(_DECISION, vote["kind"]) if vote else "—",
                vote["reason"] if vote else "",
            )
        )
    terminal.table(("Member", "Role", "Interests", "Vote", "Why"), rows)
    for item in gate["proposals"]:
        kind = terminal.label(_DECISION, item["terms"]["kind"])
        by = f"{terminal.word('proposed by')} {item['proposed_by']}"
        terminal.line(f"[bold]{escape(kind)}[/] ({escape(by)}): {escape(_terms(terminal, item))}")


def _fact(terminal: Terminal, name: str, value: str | None) -> None:
    if value:
        terminal.line(f"{terminal.word(name)}: {escape(value)}")


def _terms(terminal: Terminal, proposal: Mapping[str, Any]) -> str:
    """The terms of a kind of decision, in one line."""
    terms = proposal["terms"]
    if terms["resume_date"]:
        return str(terms["resume_date"])
    if terms["kill"]:
        kill = terms["kill"]
        code = terminal.label("projects.v1.KillCode", kill["code"])
        return f"{code}: {kill['narrative']} {kill['lessons']}"
    if terms["conditions"]:
        return "; ".join(
            f"{terminal.text(item['text'])} ({item['owner']}, {item['due_date']})"
            + (f" [{item['criterion']}]" if item["criterion"] else "")
            for item in terms["conditions"]
        )
    return terminal.label(_STAGE, terms["to_stage"]) if terms["to_stage"] else ""
