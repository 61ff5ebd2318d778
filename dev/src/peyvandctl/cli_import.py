"""``peyvand import``: a file of rows, with its progress and what is wrong with it."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from peyvandctl import imports
from peyvandctl.client import Api
from peyvandctl.terminal import (
    Terminal,
    broken_rule,
    with_session,
)


@with_session
def import_file(
    api: Api,
    terminal: Terminal,
    file: Annotated[Path, typer.Argument(help="YAML, JSON, or a CSV table of one kind.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, and write nothing.")] = False,
    kind: Annotated[
        str | None, typer.Option(help="Rows of a table: centers, institutions or projects.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key; the same key gives the same import.")
    ] = None,
) -> None:
    """Bring the network to what a file says; a file with a broken row changes nothing.

    Exit status: 0 when every row is applied (or could be), 1 when the import broke off
    or a row was refused while it ran, 2 when the file was refused, 3 when nobody
    answers, 4 when the token does not allow it. Ctrl-C ends the watching alone: the
    network goes on with what it has begun.
    """
    key = key or secrets.token_hex(16)
    with _progress(terminal) as shown:
        task = shown.add_task("Checking", total=None)

        def tell(result: dict[str, Any]) -> None:
            checking = result["state"] in ("checking", "checked", "rejected")
            shown.update(
                task,
                description="Checking" if checking else "Applying",
                total=result["rows"],
                completed=result["done"],
            )

        try:
            result = imports.send(api, file, kind=kind, dry_run=dry_run, key=key, progress=tell)
        except KeyboardInterrupt:
            # It may have been begun although nothing of it has been heard yet.
            again = f"peyvand import {shlex.quote(str(file))} --key {key}"
            again += f" --kind {kind}" if kind else ""
            again += " --dry-run" if dry_run else ""
            terminal.err.print(
                f"The network goes on with what it has begun. To watch it again: {again}"
            )
            raise
    if terminal.as_json:
        terminal.json(result)
    else:
        _show(terminal, result)
    if result["state"] not in ("done", "checked"):
        raise typer.Exit(2 if result["state"] == "rejected" else 1)


def _progress(terminal: Terminal) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=terminal.err,
        transient=True,
        disable=terminal.as_json or not terminal.err.is_terminal,
    )


_ENDS = {
    "checked": ("green", "Every row can be applied; nothing was written."),
    "done": ("green", "Done."),
    "incomplete": ("yellow", "Some rows were refused; all others are applied."),
    "rejected": ("red", "Rows break rules; nothing was written."),
    "interrupted": ("red", "It broke off. Send the same file again: what is applied stays."),
}


def _show(terminal: Terminal, result: dict[str, Any]) -> None:
    columns = ("Rows of", "Rows", "Created", "Updated", "Unchanged", "Refused")
    names = ("rows", "created", "updated", "unchanged", "refused")
    rows = [
        (section["name"], *(str(section[name]) for name in names)) for section in result["sections"]
    ]
    terminal.table(columns, rows)
    for item in result["refusals"]:
        terminal.line(f"  {escape(broken_rule(item, terminal.word('line')))}")
    colour, end = _ENDS[result["state"]] if result["rows"] else ("yellow", "There is no row in it.")
    terminal.line(f"[{colour}]{terminal.word(end)}[/]")
