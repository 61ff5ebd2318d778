"""``peyvand export``: what the network has, in forms that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from peyvandctl.client import Api
from peyvandctl.terminal import (
    Terminal,
    with_session,
)

app = typer.Typer(
    name="export", help="What the network has, in forms that others read.", no_args_is_help=True
)


@app.callback()
def exports() -> None:
    """Forms of export; each is a command of its own."""


@app.command()
@with_session
def cerif(
    api: Api,
    terminal: Terminal,
    *,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; standard output when not given.")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Sample data as well.")] = False,
) -> None:
    """Write organisations, persons, projects, funding and outputs as CERIF XML (OpenAIRE 1.2)."""
    query = {"sample": "true"} if sample else {}
    with api.download("/v1/exports/cerif", **query) as pieces:
        if output is None:
            for piece in pieces:
                typer.echo(piece, nl=False)
            return
        # Beside it first: what breaks off leaves an older export as it was.
        beside = output.with_name(f"{output.name}.part")
        size = 0
        try:
            with beside.open("wb") as opened:
                for piece in pieces:
                    size += opened.write(piece)
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)
    terminal.err.print(escape(f"{output} ({size} bytes)"))
