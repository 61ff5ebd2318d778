"""What the routes of imports do, apart from HTTP."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.auth import Caller
from gateway.closing import Closing
from gateway.imports.checking import Backend
from gateway.imports.documents import read_json, read_yaml
from gateway.imports.outcome import new_progress
from gateway.imports.rows import RowFile, read_rows
from gateway.imports.runner import HEARTBEAT, Run
from gateway.imports.sections import sections
from gateway.imports.store import Claim, ImportStore, KeyName, Stored
from gateway.imports.tables import read_table
from peyvand.api.v1 import imports_pb2 as pb
from servicekit.errors import Fault
from servicekit.ids import is_id, new_id

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
    """The imports that this gateway begins, and all that are known.

    `wait` is for how many seconds whoever sends a file waits for its check. When the process
    is to end, what runs has the time that `closing` leaves it.
    """

    def __init__(
        self,
        store: ImportStore,
        backend: Backend,
        closing: Closing,
        wait: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._backend = backend
        self._closing = closing
        self._wait = wait
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._breaking_off = asyncio.Event()

    async def begin(
        self, upload: Upload, caller: Caller, key: str, language: str, *, dry_run: bool
    ) -> pb.Import:
        """Check a file and begin to apply it, unless it is a dry run.

        The answer comes when the file is checked, or else after some seconds, while the
        check goes on. A dry run that is checked by then has no id: nothing is kept of it.
        The same key gives the import that it began before; one that broke off goes on
        under its id. Raises `ProblemError` and `Fault`.
        """
        name = KeyName(caller.principal.subject, key, dry_run)
        known = await self._known(await self._store.claimed(name), upload)
        if known is not None and known.progress.state != pb.IMPORT_STATE_INTERRUPTED:
            return known.progress
        # A large file takes a while to read, in which others want to be answered.
        file = await asyncio.to_thread(upload.read)
        progress = new_progress(file)
        progress.state = pb.IMPORT_STATE_CHECKING
        progress.dry_run = dry_run
        progress.id = known.progress.id if known else new_id(ID_PREFIX)
        progress.actor = name.subject
        progress.started_at.FromDatetime(self._clock())
        progress.updated_at.CopyFrom(progress.started_at)
        run = Run(
            file,
            progress,
            store=self._store,
            backend=self._backend,
            token=caller.token,
            language=language,
            closing=self._breaking_off,
        )
        try:
            if await run.checked(self._wait) and dry_run:
                for kept in ("id", "actor", "started_at", "updated_at"):
                    progress.ClearField(kept)
                return progress
            answer, revision = await self._keep(name, progress, known, upload)
        except BaseException:
            run.drop()
            raise
        if revision is None:
            run.drop()
            return answer
        task = asyncio.create_task(run.run(revision), name=f"import {progress.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return answer

    async def _keep(
        self, name: KeyName, progress: pb.Import, known: Stored | None, upload: Upload
    ) -> tuple[pb.Import, int | None]:
        """Keep a new import, or one that goes on, where all can see it.

        Gives it as it is kept and its revision; `None` if somebody else was first, whose
        import it then is.
        """
        answer = pb.Import()
        answer.CopyFrom(progress)
        revision = await self._store.put(answer, known.revision if known else 0)
        if known is None:
            mine = Claim(answer.id, upload.digest)
            winner = await self._store.claim(name, mine)
            if winner != mine:
                known = await self._known(winner, upload)
                return (known.progress if known else answer), None
        if revision is None:
            return (await self.find(answer.id)).progress, None
        return answer, revision

    async def find(self, import_id: str) -> Stored:
        """Give an import as it is now. Raises `Fault` ``NOT_FOUND``."""
        stored = await self._store.get(import_id) if is_id(import_id, ID_PREFIX) else None
        if stored is None:
            raise Fault.not_found("import", import_id)
        progress = stored.progress
        if progress.state in (pb.IMPORT_STATE_CHECKING, pb.IMPORT_STATE_RUNNING):
            heard = progress.updated_at.ToDatetime(tzinfo=UTC)
            if self._clock() - heard > _SILENCE:
                progress.state = pb.IMPORT_STATE_INTERRUPTED
                progress.interruption = "UNAVAILABLE"
        return stored

    async def close(self) -> None:
        """Wait for what runs, break off what lasts too long, and disconnect.

        What was broken off is known as interrupted.
        """
        if self._running:
            await asyncio.wait(self._running, timeout=self._closing.seconds_left)
        self._breaking_off.set()
        # What was begun a moment ago has to begin, or it could not tell that it was ended.
        await asyncio.sleep(0)
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
