"""A small disk of its own, that can be filled: a tmpfs in a mount namespace.

Root makes the namespace as it is; others make it inside a user namespace, where the kernel
allows that. Where it allows neither, `small_disk` says so and gives none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_CHUNK = bytes(1024**2)


@dataclass(frozen=True)
class SmallDisk:
    """A disk that only the processes in its namespace have mounted.

    Attributes:
        holder: id of the process that keeps the namespace.
        mount: where it is mounted, for processes inside.
    """

    holder: int
    mount: Path
    own_users: bool

    @property
    def seen_from_here(self) -> Path:
        """The same folder, for who is not inside."""
        return Path(f"/proc/{self.holder}/root{self.mount}")

    @property
    def launcher(self) -> tuple[str, ...]:
        """What to put before a command so that it runs inside, with the same process id."""
        users = ("--user", "--preserve-credentials") if self.own_users else ()
        return ("nsenter", f"--target={self.holder}", "--mount", *users, "--")

    @property
    def free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self.seen_from_here).free

    def fill(self) -> None:
        """Have others take all that is free."""
        with (self.seen_from_here / "of others").open("ab", buffering=0) as file:
            for chunk in (_CHUNK, _CHUNK[:4096]):
                with contextlib.suppress(OSError):
                    while file.write(chunk) == len(chunk):
                        pass

    def clear(self) -> None:
        """Have others give it back."""
        (self.seen_from_here / "of others").unlink()


@contextlib.asynccontextmanager
async def small_disk(mount: Path, size: int) -> AsyncGenerator[SmallDisk | None]:
    """Mount a small disk on a folder, for who is inside; `None` where that is not allowed."""
    own_users = os.geteuid() != 0
    unshare = ("unshare", "--mount", *(("--user", "--map-root-user") if own_users else ()))
    script = f"mount -t tmpfs -o size={size},mode=0777 tmpfs '{mount}' && echo mounted && exec cat"
    process = await asyncio.create_subprocess_exec(
        *(*unshare, "sh", "-c", script),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if await process.stdout.readline() == b"mounted\n":
            yield SmallDisk(process.pid, mount, own_users)
        else:
            said = (await process.stderr.read()).decode().strip()
            sys.stdout.write(f"\nno small disk: {said}; the size of files is limited instead\n")
            yield None
    finally:
        process.stdin.close()
        await process.wait()
