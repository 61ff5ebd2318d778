"""What the routes of imports do, apart from HTTP."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.auth import Caller
from gateway.imports.documents import read_json, read_yaml
from gateway.imports.rows import RowFile, read_rows
from gateway.imports.runner import HEARTBEAT, Backend, Run, check, new_progress
from gateway.imports.sections import sections
from gateway.imports.store import Claim, ImportStore, Stored
from gateway.imports.tables import read_table
from peyvand.api.v1 import imports_pb2 as pb
from servicekit.errors import Fault
from servicekit.ids import is_id, new_id
from servicekit.rpc_client import CallContext

ID_PREFIX = "imp"
YAML = "application/yaml"
JSON = "application/json"
CSV = "text/csv"
MEDIA_TYPES = (YAML, JSON, CSV)
# The kinds that a table can hold: flat enough to be kept in a spreadsheet.
TABLE_KINDS = ("centers", "institutions", "projects")

# After so long without a heartbeat the gateway that ran an import is taken to be gone.
_SILENCE = timedelta(seconds=4 * HEARTBEAT)


@dataclass(frozen=True)
class Upload:
    """A file as it came. `kind` is of the rows of a table."""

    raw: bytes
    media_type: str
    kind: str = ""

    @property
    def digest(self) -> str:
        """Digest of everything that decides what the file says."""
        head = f"{self.media_type}\x1f{self.kind}\x1f".encode()
        return hashlib.sha256(head + self.raw).hexdigest()

    def read(self) -> RowFile:
        """Read the rows. Raises `Fault` ``MALFORMED_FILE`` and ``NOT_UTF_8``."""
        if self.media_type == CSV:
            node, faults = read_table(self.raw, self.kind, sections()[self.kind].resource)
            return read_rows(node, faults, is_table=True)
        return read_rows((read_json if self.media_type == JSON else read_yaml)(self.raw))


class Imports:
    """The imports that this gateway begins, and all that are known."""

    def __init__(
        self,
        store: ImportStore,
        backend: Backend,
        closing: asyncio.Event,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._backend = backend
        self._closing = closing
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    async def rehearse(self, upload: Upload, caller: Caller, language: str) -> pb.Import:
        """Check a file and write nothing. Raises `ProblemError` and `Fault`."""
        _, progress = await self._check(upload, caller, language)
        return progress

    async def begin(self, upload: Upload, caller: Caller, key: str, language: str) -> pb.Import:
        """Check a file and begin to apply it; the same key gives the import it began before.

        An import that broke off goes on under its id. Raises `ProblemError` and `Fault`.
        """
        subject = caller.principal.subject
        known = await self._known(await self._store.claimed(subject, key), upload)
        if known is not None and known.progress.state != pb.IMPORT_STATE_INTERRUPTED:
            return known.progress
        file, _ = await self._check(upload, caller, language)
        progress = new_progress(file)
        progress.id = known.progress.id if known else new_id(ID_PREFIX)
        progress.state = pb.IMPORT_STATE_RUNNING
        progress.actor = subject
        progress.started_at.FromDatetime(self._clock())
        progress.updated_at.CopyFrom(progress.started_at)
        revision = await self._store.put(progress, known.revision if known else 0)
        if known is None:
            mine = Claim(progress.id, upload.digest)
            winner = await self._store.claim(subject, key, mine)
            if winner != mine:
                known = await self._known(winner, upload)
                return known.progress if known else progress
        if revision is None:
            return (await self.find(progress.id)).progress
        run = Run(
            file,
            progress,
            revision,
            store=self._store,
            backend=self._backend,
            token=caller.token,
            closing=self._closing,
        )
        answer = pb.Import()
        answer.CopyFrom(progress)
        task = asyncio.create_task(run.run(), name=f"import {progress.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return answer

    async def find(self, import_id: str) -> Stored:
        """Give an import as it is now. Raises `Fault` ``NOT_FOUND``."""
        stored = await self._store.get(import_id) if is_id(import_id, ID_PREFIX) else None
        if stored is None:
            raise Fault.not_found("import", import_id)
        progress = stored.progress
        if progress.state == pb.IMPORT_STATE_RUNNING:
            heard = progress.updated_at.ToDatetime(tzinfo=UTC)
            if self._clock() - heard > _SILENCE:
                progress.state = pb.IMPORT_STATE_INTERRUPTED
                progress.interruption = "UNAVAILABLE"
        return stored

    async def close(self) -> None:
        """Break off what runs, so that it is known as interrupted, and disconnect."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._store.close()

    async def _known(self, claim: Claim | None, upload: Upload) -> Stored | None:
        if claim is None:
            return None
        if claim.request_digest != upload.digest:
            raise Fault("IDEMPOTENCY_KEY_REUSED")
        try:
            return await self.find(claim.import_id)
        except Fault as fault:
            if fault.reason != "NOT_FOUND":
                raise
            return None

    async def _check(
        self, upload: Upload, caller: Caller, language: str
    ) -> tuple[RowFile, pb.Import]:
        # A large file takes a while to read, in which others want to be answered.
        file = await asyncio.to_thread(upload.read)
        context = CallContext(caller.token, language)
        return file, await check(file, self._backend, context)
