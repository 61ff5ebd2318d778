"""``make try-compose``: the network in containers, on this machine, for real.

Builds the images, brings the network of docker-compose.yml up, lets the node join from its
own network, takes a project with its files through a gate and looks at what is given of it,
writes from both ends while processes are killed, asks the oracles of `tests.chaos` and
`tests.line` whether anything was lost, backs the network up, loses it, restores it and asks
again, and takes all down.

Needs root on Debian, with: podman runc netavark aardvark-dns debootstrap prometheus
iptables. ``--keep`` leaves the network running, ``--once`` builds the image of the hub once
and not twice, ``--built`` takes the images that are there.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

from tests.compose import papers, recovery, stand_ins
from tests.compose.network import Network
from tests.compose.podman import PROJECT, ROOT, CommandError, Podman, say
from tests.compose.storm import storm

_PROGRAMS = ("podman", "runc", "debootstrap", "prometheus", "promtool", "nsenter", "iptables")
_FOLDER = ROOT / ".cache" / "compose"
_VERSION = "0.1.0"
_CENTERS_OF_THE_FACTS = 5


def main(arguments: list[str]) -> int:
    """Try it. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose")
    parser.add_argument("--keep", action="store_true", help="leave the network running")
    parser.add_argument("--once", action="store_true", help="build the hub's image once")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="for what is kept")
    parser.add_argument("--built", action="store_true", help="the images are those of before")
    chosen = parser.parse_args(arguments)
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        sys.stderr.write(f"{__doc__}\nRoot: {os.geteuid() == 0}. Missing: {missing}\n")
        return 2
    began = time.monotonic()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    podman = Podman(
        chosen.folder,
        {
            "PEYVAND_PORT": "18080",
            "PEYVAND_NODES_PORT": "14222",
            "PEYVAND_RATE_LIMIT": "100000000",
            "PEYVAND_BACKUPS": str(recovery.folder_for_backups(chosen.folder)),
        },
    )
    podman.prepare()
    network = Network(podman, 18080, 14222)
    try:
        network.take_down()
        if not chosen.built:
            _build(podman, twice=not chosen.once)
        codes = network.bring_up()
        assert len(codes) == _CENTERS_OF_THE_FACTS, codes
        network.look_over()
        asyncio.run(_try(network))
    except (CommandError, AssertionError) as error:
        say(f"FAILED: {error}")
        say(network.logs())
        return 1
    finally:
        if not chosen.keep:
            network.take_down()
            say(f"left of {PROJECT}: {podman.left() or 'nothing'}")
    say(f"All of it holds ({time.monotonic() - began:.0f} s).")
    return 0


async def _try(network: Network) -> None:
    given = await papers.make(network)
    written = await storm(network)
    network.look_at_metrics()
    await recovery.lose_and_restore(network, written, given)


def _build(podman: Podman, *, twice: bool) -> None:
    began = time.monotonic()
    volumes = stand_ins.make(podman)
    say(f"stand-ins: {', '.join(stand_ins.tags().values())} ({time.monotonic() - began:.0f} s)")
    hub = ROOT / "deploy" / "Dockerfile"
    images = {
        "hub": (hub, "hub"),
        "tools": (hub, "tools"),
        "node": (ROOT / "deploy" / "node" / "Dockerfile", ""),
    }
    base = podman.inspect(stand_ins.tags()["python"], "image")
    for name, (file, target) in images.items():
        began = time.monotonic()
        tag = f"localhost/peyvand-{name}:{_VERSION}"
        podman.build(file, tag, target=target, volumes=volumes)
        image = podman.inspect(tag, "image")
        added = (image["Size"] - base["Size"]) / 1_000_000
        say(f"image {name}: {added:.0f} MB on its base ({time.monotonic() - began:.0f} s)")
    if twice:
        tag = f"localhost/peyvand-hub:{_VERSION}"
        first = podman.inspect(tag, "image")
        podman.build(hub, f"{tag}-again", target="hub", volumes=volumes, fresh=True)
        again = podman.inspect(f"{tag}-again", "image")
        assert first["RootFS"] == again["RootFS"], "two builds of the hub differ"
        say(f"image hub, built again without a cache: the same layers, {first['Digest'][:19]}…")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
