"""``peyvand doctor``: the findings, each with its mend."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from peyvandctl.terminal import (
    JsonOption,
    LanguageOption,
    Terminal,
    TokenOption,
    UrlOption,
    session,
)

if TYPE_CHECKING:
    from peyvandctl.doctor import Doctor, Finding

_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "bad": "[red]bad[/]    "}


def doctor(
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Look for what keeps the network from running well; exit status 1 if something does."""
    # It knows the servers that are looked at; the other commands answer sooner without.
    from peyvandctl.doctor import Doctor
    from peyvandctl.paths import Home

    with session(url, token, lang, as_json=as_json) as (api, terminal):
        found = asyncio.run(_look(Doctor(Home.locate(), api.access), terminal))
        if as_json:
            terminal.json([finding.as_dict() for finding in found])
        bad = sum(finding.verdict == "bad" for finding in found)
        if not as_json:
            terminal.line(f"\n[red]{bad} to mend.[/]" if bad else "\n[green]All is well.[/]")
        if bad:
            raise typer.Exit(1)


async def _look(doctor: Doctor, terminal: Terminal) -> list[Finding]:
    found: list[Finding] = []
    async for finding in doctor.findings():
        found.append(finding)
        if not terminal.as_json:
            mark = _MARKS[finding.verdict]
            terminal.line(f"{mark}  [bold]{finding.subject}[/]  {escape(finding.message)}")
            if finding.mend:
                terminal.line(f"         → {escape(finding.mend)}")
    return found
