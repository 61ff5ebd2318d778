"""The network in containers is backed up, lost with its volumes, and restored, as docs say.

A node is its center's and is not lost with the hub: what it keeps is kept here too.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from tests.compose import papers, storm
from tests.compose.podman import PROJECT, CommandError, say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compose.network import Network
    from tests.compose.papers import Papers
    from tests.compose.storm import Written

SEEN_AT = "/var/lib/peyvand/backups"
REPORTS_AFTERWARDS = 200
# Podman-compose knows no setting without its value.
_KEY = "PEYVAND_BACKUP_PASSPHRASE=five dry stones in a river"
# The user of the images.
_OWNER = 10001


def folder_for_backups(folder: Path) -> Path:
    """Make an empty folder as `PEYVAND_BACKUPS` asks for it."""
    place = folder / "backups"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    os.chown(place, _OWNER, _OWNER)
    return place


async def lose_and_restore(network: Network, written: Written, given: Papers) -> None:
    """Back up, lose all volumes of the hub, restore, and ask the oracles again."""
    codes = network.codes()
    backup = _back_up(network)
    _lose(network)
    _restore(network, backup)
    again = network.bring_up()
    assert again == codes, f"centers were {codes}, are {again}"
    _make_the_picture_anew(network)
    papers.look(network, given)
    await storm.hand_in_more(network, written, REPORTS_AFTERWARDS)
    await storm.judge(network, written)


def _back_up(network: Network) -> Path:
    began = time.monotonic()
    folder = network.podman.folder / "backups"
    network.run_job("backup", settings=[_KEY])
    (backup,) = folder.glob("*.backup")
    keys = backup.with_suffix(".keys")
    for file in (backup, keys):
        found = file.stat()
        assert (found.st_uid, found.st_mode & 0o777) == (_OWNER, 0o600), found
    network.run_job("backup", "hubkit", "verify", f"{SEEN_AT}/{backup.name}")
    say(
        f"backup: {backup.stat().st_size} bytes and sealed keys, made and verified in containers "
        f"({time.monotonic() - began:.0f} s)"
    )
    return backup


def _lose(network: Network) -> None:
    podman = network.podman
    kept = podman.folder / "node.tar"
    podman.run("stop", "--time=20", podman.container("node"))
    podman.run("volume", "export", "--output", kept, f"{PROJECT}_node")
    network.take_down()
    podman.run("volume", "create", f"{PROJECT}_node")
    podman.run("volume", "import", f"{PROJECT}_node", kept)
    say("lost: every container and volume but the node's own")


def _restore(network: Network, backup: Path) -> None:
    began = time.monotonic()
    file = f"{SEEN_AT}/{backup.name}"
    network.run_job("backup", "hubkit", "restore-keys", file, settings=[_KEY])
    network.bring_up_databases()
    network.run_job("backup", "hubkit", "restore", file)
    say(f"restored: keys, databases, files ({time.monotonic() - began:.0f} s)")


def _make_the_picture_anew(network: Network) -> None:
    token = network.token()

    def the_same() -> bool:
        # Events that arrive in between make it another one.
        try:
            return "The same picture came out." in network.peyvand("rebuild", token=token)
        except CommandError as error:
            # One whose answer came too late for whoever asked goes on.
            if "is being rebuilt since" not in str(error):
                raise
            return False

    network.until("the picture made anew is the same", the_same)
    say("the picture, made anew by `peyvand` in its container: the same")
