"""``peyvand leaf``: brokers of provinces, between their nodes and the hub of this machine."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hubkit import leaf_commands
from hubkit.authority import Authority
from hubkit.broker import read_keys
from hubkit.errors import HubError
from hubkit.leaf import KEPT_AT, SEEN_AT, Place, write_leaf
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from peyvandctl.state import LOOPBACK
from peyvandctl.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from nodekit.accounts import HubKeys

app = typer.Typer(
    name="leaf",
    help="Gives a province a broker of its own: docs/leaves.md.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(help="Its name, e.g. that of the province.")]
NodeOption = Annotated[
    list[str], typer.Option("--node", help="Id of a node that connects to it; repeatable.")
]
CenterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--center", help="Id of a center of which its store keeps what is said; repeatable."
    ),
]


@app.command()
def write(
    name: NameArgument,
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    host: Annotated[
        list[str], typer.Option("--host", help="Name or address of it; the first is its name.")
    ],
    node: NodeOption,
    center: CenterOption = None,
    hub: Annotated[
        str, typer.Option("--hub", help="host:port; else by PEYVAND_NODES_HOST and _LEAVES_PORT.")
    ] = "",
    listen: Annotated[str, typer.Option(help="Where its nodes connect.")] = Place.listen,
    monitor: Annotated[str, typer.Option(help="Where /leafz and /healthz are.")] = Place.monitor,
    seen_at: Annotated[str, typer.Option(help="The folder, where it runs.")] = str(SEEN_AT),
    kept_at: Annotated[str, typer.Option(help="Its store, where it runs.")] = str(KEPT_AT),
) -> None:
    """Write what a leaf runs with: configuration, certificate, credentials. It holds keys."""
    with _at_the_terminal() as terminal:
        keys, authority = _hub()
        place = Place(
            hub=hub or _leaves_of_this_hub(),
            hosts=tuple(host),
            listen=listen,
            monitor=monitor,
            seen_at=PurePosixPath(seen_at),
            kept_at=PurePosixPath(kept_at),
        )
        leaf = leaf_commands.leaf_of(name, node, center or [])
        for line in leaf_commands.told_of(write_leaf(out, leaf, place, keys, authority), out):
            terminal.line(escape(line))


def _hub() -> tuple[HubKeys, Authority]:
    folder = Home.locate().nats
    return read_keys(folder / "keys"), Authority(folder / "tls")


def _leaves_of_this_hub() -> str:
    port = os.environ.get("PEYVAND_LEAVES_PORT", "")
    if not port:
        raise HubError(
            "This hub has no port for leaves.",
            "Start it with PEYVAND_LEAVES_PORT, or say by --hub where leaves connect.",
        )
    return f"{os.environ.get('PEYVAND_NODES_HOST') or LOOPBACK}:{port}"


@contextmanager
def _at_the_terminal() -> Generator[Terminal]:
    terminal = Terminal("en")
    try:
        yield terminal
    except (ClusterError, HubError) as error:
        terminal.fail(ClusterError(error.message, error.mend))
        raise typer.Exit(1) from error
