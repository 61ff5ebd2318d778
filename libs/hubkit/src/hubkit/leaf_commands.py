"""``python -m hubkit leaf``: brokers of provinces, from an installation."""

import argparse
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from hubkit.errors import HubError
from hubkit.installation import Installation
from hubkit.leaf import KEPT_AT, READER, SEEN_AT, Place, Written, write_leaf
from nodekit.leaves import BadLeaf, Leaf

NAME = "leaf"
HELP = "write what a broker of a province runs with"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", help="its name, e.g. that of the province")
    parser.add_argument("--node", action="append", required=True, help="id of a node; repeatable")
    parser.add_argument(
        "--center",
        action="append",
        default=[],
        help="id of a center of which its store keeps what is said; repeatable",
    )
    parser.add_argument("--hub", required=True, help="the hub's port for leaves, host:port")
    parser.add_argument(
        "--host",
        action="append",
        required=True,
        help="name or address of it; repeatable, readers use the first",
    )
    parser.add_argument("--listen", default=Place.listen, help="where nodes connect")
    parser.add_argument("--monitor", default=Place.monitor, help="/healthz and /leafz")
    parser.add_argument("--seen-at", type=PurePosixPath, default=SEEN_AT, help="its folder")
    parser.add_argument("--kept-at", type=PurePosixPath, default=KEPT_AT, help="its store")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")


def run(installation: Installation, chosen: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Do what the command says. Raises `HubError`."""
    place = Place(
        hub=chosen.hub,
        hosts=tuple(chosen.host),
        listen=chosen.listen,
        monitor=chosen.monitor,
        seen_at=chosen.seen_at,
        kept_at=chosen.kept_at,
    )
    written = write_leaf(
        chosen.out,
        leaf_of(chosen.name, chosen.node, chosen.center),
        place,
        installation.broker_keys,
        installation.authority,
    )
    for line in told_of(written, chosen.out):
        say(line)


def leaf_of(name: str, node_ids: list[str], center_ids: list[str]) -> Leaf:
    """A leaf as it was described. Raises `HubError` that names what is wrong."""
    try:
        return Leaf(name, tuple(dict.fromkeys(node_ids)), tuple(dict.fromkeys(center_ids)))
    except BadLeaf as error:
        raise HubError(
            f"--{error.field}: {error}" if error.field != "name" else str(error)
        ) from error


def told_of(written: Written, folder: Path) -> list[str]:
    """What is said of a leaf that was written."""
    return [
        f"The leaf stands in {folder}. It holds private keys: take it there by a safe way.",
        f"Its store is read with {folder / READER}: peyvand-node events {READER}.",
        f"It is good until {written.expires_at:%Y-%m-%d}; write it anew before.",
        f"To bar it, set for the registrar: PEYVAND_BARRED_LEAVES='[\"{written.public_key}\"]'",
    ]
