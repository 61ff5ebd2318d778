"""Has documents set by processes of their own: so many at once, and within a time limit.

Setting a long history keeps a processor busy for seconds, and what is set was written by
many people. A process of its own keeps neither the event loop nor another document from
going on, and is ended when it takes too long.
"""

import asyncio
import contextlib
import sys

import structlog

from gateway.languages import Language
from peyvand.projects.v1 import dossier_pb2
from servicekit.errors import Fault

log = structlog.get_logger()

# A document of as many items takes about 700 MiB while it is set: one at a time.
MAX_ITEMS = 6000
MAX_BYTES = 8 * 1024 * 1024
AT_ONCE = 1
WAITING = 8
SECONDS = 60.0


class Press:
    """Sets documents. `command` is what is run for each; the language is put after it."""

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "gateway.dossier.typeset"),
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._command = command
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked = 0

    async def set(self, dossier: dossier_pb2.ProjectDossier, language: Language) -> bytes:
        """The document of a dossier.

        Raises `Fault` ``DOSSIER_TOO_LARGE``, ``DOSSIER_NOT_SET``, ``UNAVAILABLE``.
        """
        if (size := dossier.ByteSize()) > MAX_BYTES or _items(dossier) > MAX_ITEMS:
            log.info("a dossier is too long for a document", bytes=size)
            room = {"items": str(MAX_ITEMS), "mebibytes": str(MAX_BYTES // 1024 // 1024)}
            raise Fault("DOSSIER_TOO_LARGE", room)
        if self._asked >= AT_ONCE + WAITING:
            raise Fault("UNAVAILABLE")
        self._asked += 1
        try:
            async with asyncio.timeout(self._seconds):
                async with self._places:
                    return await self._run(dossier.SerializeToString(), language)
        except TimeoutError:
            log.warning("a dossier was not set in time", project=dossier.project.id)
            raise Fault("DOSSIER_NOT_SET", {"seconds": f"{self._seconds:g}"}) from None
        finally:
            self._asked -= 1

    async def _run(self, given: bytes, language: Language) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            language,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            made, complaint = await process.communicate(given)
        finally:
            # Also when whoever asked has gone, or the time is over.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            told = complaint.decode(errors="replace")[-2000:]
            log.error("a dossier cannot be set", status=process.returncode, complaint=told)
            raise Fault("INTERNAL")
        return made


def _items(dossier: dossier_pb2.ProjectDossier) -> int:
    """How many records and steps there are."""
    count = 0
    for field, value in dossier.ListFields():
        if field.is_repeated:
            count += len(value) + sum(len(getattr(item, "steps", ())) for item in value)
    return count
