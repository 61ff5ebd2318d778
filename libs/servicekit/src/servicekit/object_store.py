"""Files, kept under the SHA-256 of what is in them: a local folder, or a store that speaks S3.

A file that is there is whole: it comes under its name at once or not at all, and who reads
it is told when it is damaged. The same file twice is one file; beside it stands who has
sent it, since the name of a file is no secret and gives nobody a right to it. What may be
forgotten is decided by whoever knows what the files are for.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from pydantic import Field, SecretStr

from servicekit.errors import Fault
from servicekit.settings import ServiceSettings

log = structlog.get_logger(__name__)

_CHUNK = 1024 * 1024  # bytes
_PREFIX = "sha256"
_SENDERS = "senders"


class ObjectSettings(ServiceSettings):
    """Where files are kept. Without a URL there is no place for them."""

    objects_url: str = Field(
        default="", description="file:///folder, or s3://bucket/prefix; empty: no files are kept"
    )
    objects_endpoint: str = Field(
        default="", description="address of a store that speaks S3; empty: that of AWS"
    )
    objects_region: str = Field(default="us-east-1", description="region of the bucket")
    objects_key_id: str = Field(
        default="", description="access key of the store; empty: as the machine has it"
    )
    objects_secret: SecretStr = Field(
        default=SecretStr(""), description="secret that belongs to the access key"
    )
    objects_limit: int = Field(
        default=256 * 1024 * 1024, gt=0, description="greatest file that is taken, in bytes"
    )

    def object_store(self) -> "ObjectStore | None":
        """The store; `None` where none is set.

        Raises `ValueError` for a URL of another kind, `OSError` for a folder that cannot be made.
        """
        if not self.objects_url:
            return None
        url = urlsplit(self.objects_url)
        if url.scheme == "file" and not url.netloc and url.path.startswith("/"):
            return ObjectStore.in_folder(Path(unquote(url.path)))
        if url.scheme == "s3" and url.netloc:
            return ObjectStore.in_bucket(url.netloc, url.path.strip("/"), self)
        raise ValueError("PEYVAND_OBJECTS_URL is file:///folder or s3://bucket/prefix")


@dataclass(frozen=True)
class StoredObject:
    """A file as the store has it."""

    sha256: str
    size_bytes: int
    stored_at: datetime


class Spool:
    """What arrives is written to a file of this machine, and hashed, piece by piece.

    So it is known what it is before the store hears of it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.size_bytes = 0

    async def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        self.size_bytes += len(chunk)
        if self._waiting_bytes >= _CHUNK:
            await asyncio.to_thread(self._flush)

    async def finish(self) -> str:
        """Take it as complete; give its SHA-256 in hexadecimal."""
        await asyncio.to_thread(self._flush)
        self._file.seek(0)
        return self._hash.hexdigest()

    @property
    def file(self) -> IO[bytes]:
        """The file, from its beginning once it is complete."""
        return self._file

    def _flush(self) -> None:
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._hash.update(piece)
        self._file.write(piece)


@contextmanager
def spool() -> Generator[Spool]:
    """A place for what arrives; it is gone with the process, however that ends."""
    with tempfile.TemporaryFile() as file:
        yield Spool(file)


class ObjectStore:
    """Keeps files. Where the store is out of reach, all raise `Fault` ``UNAVAILABLE``."""

    def __init__(self, store: "LocalStore | S3Store", folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def in_folder(cls, folder: Path) -> "ObjectStore":
        """Keep them in a folder of this machine, which is made if it is not there."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(LocalStore(folder, mkdir=True, automatic_cleanup=True), folder)

    @classmethod
    def in_bucket(cls, bucket: str, prefix: str, settings: ObjectSettings) -> "ObjectStore":
        """Keep them in a bucket of a store that speaks S3, under a prefix."""
        keys = {}
        if settings.objects_key_id:
            keys["access_key_id"] = settings.objects_key_id
            keys["secret_access_key"] = settings.objects_secret.get_secret_value()
        if settings.objects_endpoint:
            keys["endpoint"] = settings.objects_endpoint
        store = S3Store(
            bucket,
            prefix=prefix or None,
            region=settings.objects_region,
            client_options={
                "allow_http": settings.objects_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=2),
                "timeout": timedelta(seconds=30),
            },
            # A caller waits meanwhile, and can try again.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=3)},
            **keys,
        )
        return cls(store)

    async def put(self, complete: Spool, sha256: str, *, sender: str = "") -> None:
        """Keep a complete spool under its SHA-256, and that `sender` has sent it.

        One that is there is kept as new. Without a sender, as what a backup gives back, it
        is a file that nobody has sent.
        """
        keys = [_key(sha256)]
        with _reaching("put"):
            await obstore.put_async(self._store, keys[0], complete.file)
            if sender:
                keys.append(_sender_key(sha256, sender))
                await obstore.put_async(self._store, keys[1], b"sent")
        if self._folder is not None:
            for key in keys:
                await asyncio.to_thread(_make_durable, self._folder / key)

    async def was_sent_by(self, sha256: str, sender: str) -> bool:
        """Tell whether somebody has sent this file, and not only learnt its name."""
        with _reaching("find"):
            try:
                await obstore.head_async(self._store, _sender_key(sha256, sender))
            except FileNotFoundError:
                return False
        return True

    async def find(self, sha256: str) -> StoredObject | None:
        """What is known of a file, or `None` if it is not there."""
        with _reaching("find"):
            try:
                meta = await obstore.head_async(self._store, _key(sha256))
            except FileNotFoundError:
                return None
        return StoredObject(sha256, meta["size"], meta["last_modified"])

    async def read(self, sha256: str) -> AsyncIterator[bytes] | None:
        """The pieces of a file, or `None` if it is not there.

        The last piece is held back until the whole is known to be what its name says;
        else the iterator raises `DamagedError`.
        """
        with _reaching("read"):
            try:
                found = await obstore.get_async(self._store, _key(sha256))
            except FileNotFoundError:
                return None
        return _checked(found.stream(min_chunk_size=_CHUNK), sha256)

    async def delete(self, sha256: str) -> None:
        """Forget a file, and who sent it; nothing happens if it is not there."""
        with _reaching("delete"):
            keys = [
                meta["path"]
                async for page in obstore.list(self._store, _senders(sha256))
                for meta in page
            ]
            # The file last: what is cut off here is found, and ended, by the next sweep.
            for key in (*keys, _key(sha256)):
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, key)

    async def stored_before(self, moment: datetime) -> AsyncIterator[list[StoredObject]]:
        """The files that were stored before a time, some at a time."""
        with _reaching("list"):
            async for page in obstore.list(self._store, _PREFIX):
                yield [
                    StoredObject(sha256, meta["size"], meta["last_modified"])
                    for meta in page
                    if meta["last_modified"] < moment
                    and (sha256 := meta["path"].rpartition("/")[2])
                ]

    async def sweep_halves(self, before: datetime) -> None:
        """Remove from a folder what processes that were killed left half-written.

        A store that speaks S3 does so by itself, by a rule of the bucket on multipart
        uploads that were not completed.
        """
        if self._folder is not None:
            await asyncio.to_thread(_sweep_halves, self._folder, before)


class DamagedError(Exception):
    """A file is not what its name says."""


async def _checked(pieces: AsyncIterable[bytes], sha256: str) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    held = b""
    with _reaching("read"):
        async for piece in pieces:
            if held:
                yield held
            held = bytes(piece)
            await asyncio.to_thread(digest.update, held)
    if digest.hexdigest() != sha256:
        log.error("a stored file is damaged", sha256=sha256)
        raise DamagedError(sha256)
    yield held


@contextmanager
def _reaching(what: str) -> Generator[None]:
    try:
        yield
    except BaseError as error:
        log.warning("the store of files cannot be reached", doing=what, error=str(error)[:500])
        raise Fault("UNAVAILABLE") from error


def _key(sha256: str) -> str:
    return f"{_PREFIX}/{sha256[:2]}/{sha256}"


def _senders(sha256: str) -> str:
    return f"{_SENDERS}/{sha256[:2]}/{sha256[2:]}"


def _sender_key(sha256: str, sender: str) -> str:
    # A subject may have any characters, and is nothing to be read in a list of files.
    return f"{_senders(sha256)}/{hashlib.sha256(sender.encode()).hexdigest()}"


def _make_durable(path: Path) -> None:
    """Have the disk keep a file and its name, so that no power cut takes back an answer."""
    for place in (path, path.parent, path.parent.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep_halves(folder: Path, before: datetime) -> None:
    # Others store and sweep meanwhile: files, and folders that are empty, come and go.
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names if "#" in name):
            with suppress(FileNotFoundError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()
