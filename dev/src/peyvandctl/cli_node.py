"""``peyvand node``: how centers join, seen from the hub; and the agent of a node itself."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape

from peyvandctl.cli_centers import center_codes, find_center
from peyvandctl.client import Api, ApiError
from peyvandctl.errors import ClusterError
from peyvandctl.terminal import (
    Terminal,
    with_session,
)

app = typer.Typer(
    name="node",
    help="Lets centers join: apply, approve, token on the hub; join, run, status at the center.",
    no_args_is_help=True,
)

_STATE = "centers.v1.NodeState"
_LONGEST_SECONDS = 86_400
# What the agent does at the center; `peyvand-node` is the same without the hub's side.
_AT_THE_CENTER = {
    "join": "At the center: join with a token, make keys, get credentials.",
    "run": "At the center: run the agent in the foreground.",
    "install-service": "At the center: have systemd run the agent, also after a reboot.",
    "restart": "At the center: start the agent anew, after an update for example.",
    "status": "At the center: how the node stands.",
    "doctor": "At the center: what keeps the node from working, and how to mend it.",
    "receipts": "At the center: what the hub has refused of its reports, and why.",
    "leave": "At the center: leave the network for good.",
}

NodeArgument = Annotated[str, typer.Argument(help="Id of the node, or its external key.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in its history.")]
RequiredReason = Annotated[str, typer.Option("--reason", help="Why; kept in its history.")]


@app.command("list")
@with_session
def list_nodes(
    api: Api,
    terminal: Terminal,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    center: Annotated[
        str | None, typer.Option(help="Only those of this center: code or id.")
    ] = None,
) -> None:
    """List the nodes."""
    center_id = find_center(api, center)["id"] if center else None
    found = api.pages("/v1/nodes", "nodes", state=state, center_id=center_id)
    if terminal.as_json:
        terminal.json(found)
        return
    codes = center_codes(api) if found else {}
    rows = [
        (
            node["id"],
            codes.get(str(node["center_id"]), ""),
            node["name"],
            terminal.label(_STATE, node["state"]),
            (node["credentials_expire_at"] or "—")[:16],
        )
        for node in found
    ]
    terminal.table(("Node", "Center", "Name", "State", "Credentials until"), rows)


@app.command()
@with_session
def refusals(
    api: Api,
    terminal: Terminal,
    *,
    node: Annotated[
        str | None, typer.Option(help="Only those of this node: id or external key.")
    ] = None,
    center: Annotated[
        str | None, typer.Option(help="Only those of this center: code or id.")
    ] = None,
) -> None:
    """List the reports of nodes that were refused, with field and rule."""
    found = api.pages(
        "/v1/refused-reports",
        "refused_reports",
        node_id=_node(api, node)["id"] if node else None,
        center_id=find_center(api, center)["id"] if center else None,
    )
    if terminal.as_json:
        terminal.json(found)
        return
    codes = center_codes(api) if found else {}
    rows = [
        (
            report["refused_at"][:19],
            codes.get(str(report["center_id"]), ""),
            report["node_id"],
            f"{report['feed']} {report['number']}",
            broken["field"],
            broken["reason"],
        )
        for report in found
        for broken in report["violations"]
    ]
    terminal.table(("Refused", "Center", "Node", "Report", "Field", "Rule"), rows)


@app.command()
@with_session
def show(api: Api, terminal: Terminal, node: NodeArgument) -> None:
    """Show one node, and what is known of it now."""
    found = _node(api, node)
    health = api.get(f"/v1/nodes/{quote(found['id'])}/health")
    if terminal.as_json:
        terminal.json(found | {"health": health})
        return
    _show(terminal, found)
    for feed in health["feeds"]:
        since = feed["since"] or "—"
        terminal.line(f"{feed['feed']:<12} {feed['liveness']} [dim]{since}[/]")
    for name, value in (health["vitals"] or {}).items():
        terminal.line(f"[dim]{name:<24}[/] {escape(str(value))}")


@app.command()
@with_session
def apply(
    api: Api,
    terminal: Terminal,
    *,
    center: Annotated[str, typer.Option(help="The center whose node it is: code or id.")],
    name: Annotated[str, typer.Option(help="A place or a purpose, not a person.")],
    external_key: Annotated[str, typer.Option(help="A key of your own for it.")] = "",
) -> None:
    """Ask for a node of a center."""
    wanted = {"center_id": find_center(api, center)["id"], "name": name}
    if external_key:
        wanted["external_key"] = external_key
    _told(terminal, api.post("/v1/nodes", content=json.dumps(wanted).encode()))


@app.command()
@with_session
def approve(api: Api, terminal: Terminal, node: NodeArgument, *, reason: ReasonOption = "") -> None:
    """Agree that a node may join."""
    _told(terminal, _step(api, node, "approve", reason))


@app.command("token")
@with_session
def join_token(
    api: Api,
    terminal: Terminal,
    node: NodeArgument,
    *,
    valid: Annotated[
        int, typer.Option("--valid", min=1, max=_LONGEST_SECONDS, help="Seconds that it is good.")
    ] = 3600,
) -> None:
    """Make a token that lets the node join, once. It is shown now and kept nowhere."""
    made = make_token(api, _node(api, node)["id"], valid)
    if terminal.as_json:
        terminal.json(made)
        return
    terminal.line("At the center, on the node's machine:\n")
    # Without markup or wrapping, so that it can be copied as it stands.
    typer.echo(f"  peyvand-node join {made['token']}\n")
    terminal.line(f"Good until {made['expires_at']}, for the hub at {escape(made['hub'])}.")
    terminal.line("To be told by phone, the fingerprint of the hub:")
    typer.echo(f"  {in_groups(made['authority_fingerprint'])}")


@app.command()
@with_session
def suspend(api: Api, terminal: Terminal, node: NodeArgument, *, reason: RequiredReason) -> None:
    """Cut a node off for a time."""
    _told(terminal, _step(api, node, "suspend", reason))


@app.command()
@with_session
def resume(api: Api, terminal: Terminal, node: NodeArgument, *, reason: ReasonOption = "") -> None:
    """Let a suspended node in again."""
    _told(terminal, _step(api, node, "resume", reason))


@app.command()
@with_session
def revoke(api: Api, terminal: Terminal, node: NodeArgument, *, reason: RequiredReason) -> None:
    """Cut a node off for good; its history stays."""
    _told(terminal, _step(api, node, "revoke", reason))


@app.command()
@with_session
def withdraw(
    api: Api, terminal: Terminal, node: NodeArgument, *, reason: ReasonOption = ""
) -> None:
    """Take a node out of the network in good order; its history stays."""
    _told(terminal, _step(api, node, "withdraw", reason))


@app.command()
@with_session
def bundle(
    api: Api,
    terminal: Terminal,
    node: NodeArgument,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    valid: Annotated[
        int, typer.Option("--valid", min=1, max=_LONGEST_SECONDS, help="Seconds that it is good.")
    ] = _LONGEST_SECONDS,
) -> None:
    """Write one file with all that a place without internet needs to join, signed."""
    from peyvandctl.bundle import BundleKey, write_bundle
    from peyvandctl.paths import Home

    found = _node(api, node)
    key = BundleKey.of(Home.locate())
    with terminal.err.status("Packing the agent and what it needs"):
        # The packages first: a token that nobody gets is not made.
        written = write_bundle(output, key, lambda: make_token(api, found["id"], valid))
    if terminal.as_json:
        terminal.json(written)
        return
    terminal.line(f"[green]{escape(str(output))}[/] {written['size']:,} bytes")
    terminal.line(f"for Python {written['python']} on {written['platform']}")
    terminal.line(f"SHA-256 of the file:\n  {written['sha256']}")
    terminal.line("To be told by phone, the fingerprint of the key that has signed it:")
    typer.echo(f"  {in_groups(written['fingerprint'])}")
    terminal.line("\nAt the center:\n")
    typer.echo(f"  tar -xzf {output.name} && sh {written['folder']}/install.sh")
    terminal.line(f"\nThe token in it is good until {written['expires_at']}.")


def make_token(api: Api, node_id: str, valid: int) -> dict[str, Any]:
    """Make a join token of a node that is good for so many seconds. Raises `ApiError`."""
    path = f"/v1/nodes/{quote(node_id)}/join-tokens"
    return api.post(path, content=json.dumps({"valid_seconds": valid}).encode())


def in_groups(fingerprint: str) -> str:
    """Write a fingerprint as people read it out: four digits at a time."""
    return " ".join(fingerprint[place : place + 4] for place in range(0, len(fingerprint), 4))


def _hand_over(verb: str) -> None:
    """Add a command that is the agent's own."""

    def run(context: typer.Context) -> None:
        # In this very process, so that signals and the exit status are the agent's.
        sys.argv = ["peyvand-node", verb, *context.args]
        runpy.run_module("node_agent", run_name="__main__")

    app.command(
        verb,
        help=_AT_THE_CENTER[verb],
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(run)


for _verb in _AT_THE_CENTER:
    _hand_over(_verb)


def _node(api: Api, name: str) -> dict[str, Any]:
    """Find a node by id or external key. Raises `ClusterError`."""
    if name.startswith("nod_"):
        return api.get(f"/v1/nodes/{quote(name)}")
    found = api.pages("/v1/nodes", "nodes", external_key=name)
    if not found:
        raise ClusterError(f"There is no node {name}.", "See: peyvand node list")
    return found[0]


def _step(api: Api, name: str, verb: str, reason: str) -> dict[str, Any]:
    found = _node(api, name)
    body = json.dumps({"reason": reason} if reason else {}).encode()
    path = f"/v1/nodes/{quote(found['id'])}:{verb}"
    try:
        return api.post(path, content=body, etag=found["etag"])
    except ApiError as error:
        allowed = error.problem.get("allowed")
        if allowed and not error.mend:
            error.mend = f"Now it can be: {', '.join(allowed)}"
        raise


def _told(terminal: Terminal, node: Mapping[str, Any]) -> None:
    if terminal.as_json:
        terminal.json(node)
    else:
        _show(terminal, node)


def _show(terminal: Terminal, node: Mapping[str, Any]) -> None:
    terminal.line(
        f"[bold]{node['id']}[/]  {escape(node['name'])}  "
        f"{terminal.label(_STATE, node['state'])} [dim]{node['state_since'] or ''}[/]"
    )
    if node["state_reason"]:
        terminal.line(f"  {escape(node['state_reason'])}")
    if node["credentials_expire_at"]:
        terminal.line(
            f"  {escape(node['software_version'] or '')} [dim]"
            f"{terminal.word('Credentials until')} {node['credentials_expire_at']}[/]"
        )
    if node["allowed_actions"]:
        terminal.line(f"  [dim]{', '.join(node['allowed_actions'])}[/]")
