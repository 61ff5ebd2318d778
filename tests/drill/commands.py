"""``peyvand backup`` and ``peyvand restore``, run to their end or killed on the way."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

PASSPHRASE = "five dry stones in a river"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and what it said."""

    status: int
    output: str


async def peyvand(*arguments: str, home: Path, kill_at: str = "", **settings: str) -> Ended:
    """Run ``peyvand`` on a home.

    Args:
        arguments: of the command.
        home: ``PEYVAND_HOME``.
        kill_at: send ``SIGKILL`` when a line of what it says begins so.
        settings: more of the environment.
    """
    environment = {name: value for name, value in os.environ.items() if "PEYVAND" not in name}
    given = {"PEYVAND_HOME": str(home), "PEYVAND_BACKUP_PASSPHRASE": PASSPHRASE} | settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "peyvandctl", *arguments),
        env=environment | given,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async for line in process.stdout:
            said.append(line.decode())
            if kill_at and said[-1].startswith(kill_at):
                process.send_signal(signal.SIGKILL)
    finally:
        if process.returncode is None and not process.stdout.at_eof():
            process.kill()
        await process.wait()
    return Ended(process.returncode or 0, "".join(said))


async def killed_on_the_way(*arguments: str, home: Path, at: str, makes: Path) -> Ended:
    """Run a command as `peyvand` does, and kill it before it has done what it is for.

    One that was faster than its killer is undone and run again, a few times at most.

    Args:
        arguments: of the command.
        home: ``PEYVAND_HOME``.
        at: what the line begins with at which it is killed.
        makes: the file or folder that it makes when it comes to its end.
    """
    ended = await peyvand(*arguments, home=home, kill_at=at)
    for _ in range(4):
        # It may have been killed between making it and its own end.
        if not is_made(makes):
            break
        if makes.is_dir():
            shutil.rmtree(makes)
        else:
            makes.unlink()
        _remove_keys(makes)
        ended = await peyvand(*arguments, home=home, kill_at=at)
    if not is_made(makes):
        _remove_keys(makes)
    return ended


def _remove_keys(backup: Path) -> None:
    """Remove the keys of a backup, which are there before it; without it they are of no use."""
    backup.with_suffix(".keys").unlink(missing_ok=True)


def is_made(place: Path) -> bool:
    """Whether there is a file, or a folder with more in it than a lock."""
    if place.is_dir():
        return any(path.name != "lock" for path in place.iterdir())
    return place.exists()
