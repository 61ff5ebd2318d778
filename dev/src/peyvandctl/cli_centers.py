"""``peyvand centers``: the centers, and when their silence counts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

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

app = typer.Typer(name="centers", help="The centers, and when their silence counts.")

_STATE = "centers.v1.CenterState"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
# What can be set of each feed: the field of a center, the seconds of its unit, what holds
# where it is not set. Figures are stale after twice the time after which they are late.
_FIELDS = {
    "heartbeat": {
        "late": ("late_seconds", 1, 30),
        "stale": ("stale_seconds", 1, 120),
        "offline": ("offline_seconds", 1, 600),
    },
    "capacity": {"late": ("capacity_hours", 3600, 24)},
    "report": {"late": ("report_days", 86400, 45)},
}

Feed = Literal["heartbeat", "capacity", "report"]


@app.callback(invoke_without_command=True)
def centers(
    context: typer.Context,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    province: Annotated[str | None, typer.Option(help="ISO 3166-2, e.g. IR-07.")] = None,
    limit: LimitOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """List the centers."""
    if context.invoked_subcommand is not None:
        return
    with session(url, token, lang, as_json=as_json) as (api, terminal):
        found = api.pages("/v1/centers", "centers", limit, state=state, province=province)
        if as_json:
            terminal.json(found)
            return
        rows = [
            (
                item["code"],
                terminal.labelled(item, "names"),
                item["province"],
                terminal.label(_STATE, item["state"]),
            )
            for item in found
        ]
        terminal.table(("Code", "Center", "Province", "State"), rows)


@app.command()
@with_session
def thresholds(
    api: Api,
    terminal: Terminal,
    center: Annotated[str, typer.Argument(help="The center: code or id.")],
    *,
    feed: Annotated[Feed | None, typer.Option(help="Which feed to set.")] = None,
    late: Annotated[str | None, typer.Option(help="Late after so long: 30s, 5m, 2h, 1d.")] = None,
    stale: Annotated[
        str | None, typer.Option(help="Stale after so long; figures are after twice --late.")
    ] = None,
    offline: Annotated[
        str | None, typer.Option(help="Taken as cut off after so long; of a heartbeat alone.")
    ] = None,
    usual: Annotated[bool, typer.Option("--usual", help="As the network has it again.")] = False,
) -> None:
    """Show after how long a silence of a center counts, or set it for one feed."""
    given = {"late": late, "stale": stale, "offline": offline}
    asked = {name: text for name, text in given.items() if text is not None}
    found = find_center(api, center)
    if asked or usual:
        found = _set(api, found, feed, asked, usual=usual)
    if terminal.as_json:
        terminal.json(found["expectations"] or {})
    else:
        _show(terminal, found["expectations"] or {})


def find_center(api: Api, name: str) -> dict[str, Any]:
    """Find a center by id or code. Raises `ClusterError`."""
    if name.startswith("ctr_"):
        return api.get(f"/v1/centers/{quote(name)}")
    for center in api.pages("/v1/centers", "centers"):
        if center["code"].casefold() == name.casefold():
            return center
    raise ClusterError(f"There is no center {name}.", "See: peyvand centers")


def center_codes(api: Api) -> dict[str, str]:
    """The codes of all centers by their ids."""
    listed = api.pages("/v1/centers", "centers")
    return {str(center["id"]): str(center["code"]) for center in listed}


def seconds_of(text: str) -> int:
    """Read a duration, ``30s``, ``5m``, ``2h``, ``1d``, in seconds. Raises `ClusterError`."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ClusterError(f"{text} is no duration.", "Write a number and a unit: 30s, 5m, 2h, 1d")
    return int(match[1]) * _UNITS[match[2]]


def _set(
    api: Api, center: Mapping[str, Any], feed: Feed | None, asked: Mapping[str, str], *, usual: bool
) -> dict[str, Any]:
    """Set the thresholds of a feed, or let those of the network hold again."""
    if feed is None or (usual and asked):
        raise ClusterError(
            "Say which feed, and either its times or --usual.",
            "For example: --feed heartbeat --late 1m --stale 5m; feeds: " + ", ".join(_FIELDS),
        )
    fields = _FIELDS[feed]
    # All of them are sent: what is left out would be as the network has it.
    values = {name: value for name, value in (center["expectations"] or {}).items() if value}
    if usual:
        for name, *_ in fields.values():
            values.pop(name, None)
    for option, text in asked.items():
        if option not in fields:
            raise ClusterError(
                f"--{option} cannot be set of {feed}.",
                "Figures are stale after twice the time after which they are late, and never"
                " offline: it is the node that is cut off.",
            )
        name, unit, _ = fields[option]
        values[name] = _in_units(text, unit)
    body = json.dumps({"expectations": values}).encode()
    return api.patch(f"/v1/centers/{quote(center['id'])}", body, etag=center["etag"])


def _in_units(text: str, unit: int) -> int:
    number, rest = divmod(seconds_of(text), unit)
    if rest or not number:
        name = next(letter for letter, seconds in _UNITS.items() if seconds == unit)
        raise ClusterError(
            f"{text} is no whole number of units.", f"Give it in {name}, as 2{name}."
        )
    return number


def _show(terminal: Terminal, expectations: Mapping[str, Any]) -> None:
    def told(feed: str, option: str) -> str:
        if option not in _FIELDS[feed]:
            late, unit, usual = _FIELDS[feed]["late"]
            twice = 2 * (expectations.get(late) or usual) * unit
            return _duration(twice) if option == "stale" else "—"
        name, unit, usual = _FIELDS[feed][option]
        own = expectations.get(name)
        shown = _duration((own or usual) * unit)
        return shown if own else f"{shown} ({terminal.word('usual')})"

    rows = [
        (feed, *(told(feed, option) for option in ("late", "stale", "offline"))) for feed in _FIELDS
    ]
    terminal.table(("Feed", "Late after", "Stale after", "Offline after"), rows)


def _duration(seconds: int) -> str:
    """Write seconds in the largest unit that leaves no rest."""
    for letter, unit in reversed(_UNITS.items()):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    raise AssertionError
