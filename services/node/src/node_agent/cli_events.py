"""``peyvand-node events``: what the hub said of a province, from the store of its leaf."""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer
from nats.errors import Error as NatsError
from rich.console import Console
from rich.markup import escape

from node_agent.findings import Halted, halt
from node_agent.leaf_store import Folder, Kept, LeafStore, StoredEvent, leaf_store


def events(
    folder: Annotated[
        Path, typer.Argument(help="The folder `reader` that was written with the leaf.")
    ],
    *,
    last: Annotated[int, typer.Option(min=0, help="How many of those that are kept.")] = 20,
    after: Annotated[
        int | None,
        typer.Option(min=0, metavar="NUMBER", help="All after this one; for a program's next run."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as they come.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each as a line of JSON, a CloudEvent.")
    ] = False,
) -> None:
    """Show what the hub said of the centers and nodes of the province, also during a cut."""
    logging.basicConfig(level=logging.CRITICAL)
    # What is not an event goes where it does not mix with them.
    beside = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_show(folder, beside, last, after, follow=follow, as_json=as_json))
    except Halted as halted:
        beside.print(f"[red]✗[/] {halted.finding.check}: {escape(halted.finding.says)}")
        beside.print(f"  {escape(halted.finding.mend)}")
        raise typer.Exit(1) from None


async def _show(
    path: Path, beside: Console, last: int, after: int | None, *, follow: bool, as_json: bool
) -> None:
    def lost() -> None:
        beside.print("The leaf is out of reach; trying again.")

    def print_one(event: StoredEvent) -> None:
        typer.echo(_json(event) if as_json else _line(event))

    async with leaf_store(Folder.read(path), lost) as store:
        await store.make()
        await store.begun()
        kept = await _kept(store)
        beside.print(_standing(kept))
        if after is not None and after > kept.last:
            raise halt(
                "store",
                f"It has no event {after}: it was made anew since.",
                "Begin again with --after 0; what comes twice has the id that it had.",
            )
        number = max(kept.first, kept.last - last + 1) if after is None else after + 1
        while number <= kept.last and (event := await _next(store, number)):
            print_one(event)
            number = event.number + 1
        if follow:
            async for event in store.follow(number):
                print_one(event)


async def _kept(store: LeafStore) -> Kept:
    try:
        return await store.kept()
    except (NatsError, TimeoutError) as error:
        raise _silent(error) from error


async def _next(store: LeafStore, number: int) -> StoredEvent | None:
    try:
        return await store.next(number)
    except (NatsError, TimeoutError) as error:
        raise _silent(error) from error


def _silent(error: Exception) -> Halted:
    return halt("store", f"The leaf does not answer: {error}.", "Look into its log.")


def _standing(kept: Kept) -> str:
    many = max(kept.last - kept.first + 1, 0)
    if kept.heard_seconds_ago is None:
        return f"{many} events are kept; the hub was not heard since the leaf started."
    return f"{many} events are kept; the hub was heard {_ago(kept.heard_seconds_ago)} ago."


def _ago(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _line(event: StoredEvent) -> str:
    told = event.envelope
    kind, _, what = str(told.get("type", "")).split(".v1.")[-1].partition(".")
    return f"{event.number:>7}  {told.get('time', '')}  {kind} {what}  {_name(told, kind)}".rstrip()


def _name(told: dict[str, Any], kind: str) -> str:
    about = (told["data"] or {}).get(kind, {})
    return " ".join(filter(None, (about.get("code"), told.get("subject"))))


def _json(event: StoredEvent) -> str:
    return json.dumps({"number": event.number, **event.envelope}, ensure_ascii=False)
