"""The ``peyvand`` command."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from peyvandctl import (
    cli_alerts,
    cli_backup,
    cli_centers,
    cli_doctor,
    cli_dossier,
    cli_export,
    cli_gates,
    cli_import,
    cli_leaf,
    cli_network,
    cli_node,
    cli_portfolio,
    cli_projects,
    cli_reports,
)

app = typer.Typer(
    name="peyvand",
    help="Runs Peyvand on this machine, and asks it.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def main() -> None:
    """Peyvand: the national network of advanced-therapy centers."""


@app.command()
def up() -> None:
    """Start the whole network in the foreground; Ctrl-C stops it.

    It begins with what the public reports say of the network, and with the node of Razavi
    Khorasan, which joins as any center does; PEYVAND_NODE=0 leaves it out. PEYVAND_SAMPLE=1
    adds sample projects and companies, which are labelled as such wherever they are shown.
    PEYVAND_HOME is the folder of its data (.peyvand), PEYVAND_PORT the port of the
    gateway (8080; 0 takes any free one), PEYVAND_HOST the address it listens on.
    """
    # Imported here: the other commands need none of it and answer sooner.
    from peyvandctl import up as foreground

    raise typer.Exit(foreground.run(Console(stderr=False), after_start=foreground.begin))


@app.command()
def token(
    role: Annotated[str, typer.Option(help="What the bearer may do, e.g. hq_admin.")],
    sub: Annotated[str | None, typer.Option(help="Who the bearer is.")] = None,
    center: Annotated[
        list[str] | None, typer.Option(help="Id of a center the bearer acts for; repeatable.")
    ] = None,
    institution: Annotated[
        list[str] | None,
        typer.Option(help="Id of an institution the bearer acts for; repeatable."),
    ] = None,
    ttl: Annotated[int, typer.Option(help="Seconds until it expires.", min=1)] = 12 * 3600,
) -> None:
    """Print a token of the local issuer, and nothing else."""
    from peyvandctl.errors import ClusterError
    from peyvandctl.issuer import LocalIssuer
    from peyvandctl.paths import Home
    from peyvandctl.state import State

    home = Home.locate()
    try:
        issuer = LocalIssuer(home, State(home).cluster_id)
        minted = issuer.mint(
            role, sub, center_ids=center or (), institution_ids=institution or (), ttl=ttl
        )
    except ClusterError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(minted)


app.command()(cli_network.status)
app.add_typer(cli_centers.app)
app.command()(cli_network.agreements)
app.command()(cli_network.events)
app.command()(cli_portfolio.portfolio)
app.command("import")(cli_import.import_file)
app.command()(cli_dossier.dossier)
app.command()(cli_doctor.doctor)
app.command()(cli_network.rebuild)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.add_typer(cli_projects.app)
app.add_typer(cli_gates.app)
app.add_typer(cli_node.app)
app.add_typer(cli_leaf.app)
app.add_typer(cli_reports.app)
app.add_typer(cli_alerts.app)
app.add_typer(cli_export.app)
