"""``peyvand backup`` and ``peyvand restore``, run to their end or killed on the way."""

from __future__ import annotations

import asyncio
import os
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
