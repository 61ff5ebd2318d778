"""The file of a backup: a ZIP whose last part is the manifest.

It has its name only when it is whole and on the disk. Whoever reads it compares every part
with the manifest, by size and SHA-256, and the names too.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import lzma
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import IO, Self

from hubkit.backup.manifest import Manifest, PartEntry
from hubkit.errors import HubError
from hubkit.private_files import OWNER_ONLY

MANIFEST = "manifest.json"
_DRAFT = ".backup-draft"
_CHUNK = 1 << 20
# What `zipfile` raises over bytes that are not what was written: of its own accord, by the
# decoder that a changed byte names, for a name that is not there, a number that cannot be, or a
# way to pack or encrypt that it does not know. `OSError` is looked at in `_reading`.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
)


class PartWriter:
    """One part, while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Write the next piece."""
        self._file.write(piece)
        self._hash.update(piece)
        self._size += len(piece)

    @property
    def entry(self) -> PartEntry:
        """What the manifest is to say of it."""
        return PartEntry(self._size, self._hash.hexdigest())


class ArchiveWriter:
    """A backup that is being written, under another name beside its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: dict[str, PartEntry] = {}
        _sweep(path.parent)
        self._draft = path.with_name(f".{path.name}.{os.getpid()}{_DRAFT}")
        descriptor = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        # Held for as long as this process lives and writes.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)

    @contextlib.contextmanager
    def part(self, name: str) -> Generator[PartWriter]:
        """Write one part, and nothing beside it meanwhile."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            writer = PartWriter(file)
            yield writer
        self.parts[name] = writer.entry

    def finish(self, manifest: Manifest) -> str:
        """Write the manifest and have the disk keep all; returns the manifest's SHA-256."""
        text = manifest.text().encode()
        self._zip.writestr(MANIFEST, text)
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return hashlib.sha256(text).hexdigest()

    def publish(self) -> None:
        """Give the file its name."""
        self._draft.replace(self.path)
        sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Remove what was written; does nothing to a backup that has its name."""
        with contextlib.suppress(ValueError, OSError):
            self._zip.close()
        self._file.close()
        self._draft.unlink(missing_ok=True)


class Archive:
    """A backup that is read."""

    def __init__(self, path: Path, zipped: zipfile.ZipFile, manifest: bytes) -> None:
        self.path = path
        self.manifest = Manifest.parse(manifest)
        self.manifest_sha256 = hashlib.sha256(manifest).hexdigest()
        self._zip = zipped

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Generator[Self]:
        """Open a backup and read its manifest.

        Raises:
            HubError: there is none, it is cut off, or its manifest is unfit.
        """
        if not path.is_file():
            raise HubError(f"There is no backup {path}.", "Name the file that peyvand backup made.")
        with contextlib.ExitStack() as stack:
            no_backup = HubError(
                f"{path} is cut off or no backup: it has no table of contents.",
                "Copy it again from where it was kept, or take another backup.",
            )
            with _reading(path, no_backup):
                zipped = stack.enter_context(zipfile.ZipFile(path))
            with _reading(path, _damaged(path, MANIFEST, "cannot be read")):
                manifest = zipped.read(MANIFEST)
            yield cls(path, zipped, manifest)

    async def verify(self) -> None:
        """Read all parts. Raises `HubError`, naming the part, for what is not as it was written."""
        names = [info.filename for info in self._zip.infolist()]
        told = {*self.manifest.parts, MANIFEST}
        for name in sorted(told.symmetric_difference(names)):
            raise _damaged(
                self.path, name, "is missing" if name in told else "does not belong there"
            )
        if len(names) != len(told):
            raise _damaged(self.path, "a name", "stands twice in the table of contents")
        for name in self.manifest.parts:
            async for _ in self.read(name):
                pass

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """The pieces of a part.

        Raises:
            HubError: it is not what was written; told at its end, at the latest.
        """
        told = self.manifest.parts.get(name)
        if told is None:
            raise _damaged(self.path, name, "is missing")
        unread = _damaged(self.path, name, "cannot be read")
        with _reading(self.path, unread):
            file = self._zip.open(name)

        def next_piece() -> bytes:
            with _reading(self.path, unread):
                return file.read(_CHUNK)

        digest, size = hashlib.sha256(), 0
        with file:
            while piece := await asyncio.to_thread(next_piece):
                digest.update(piece)
                size += len(piece)
                yield piece
        if (size, digest.hexdigest()) != (told.size, told.sha256):
            raise _damaged(self.path, name, "is not what was written")


def _sweep(folder: Path) -> None:
    """Remove what backups have left that were killed: drafts that nobody writes any more."""
    for draft in folder.glob(f".*{_DRAFT}"):
        with draft.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _reading(path: Path, broken: HubError) -> Generator[None]:
    """Raise `broken` where the bytes are not what was written, and tell of a failing disk."""
    try:
        yield
    except OSError as error:
        # Without a number it is of a decoder whose bytes are unfit; EINVAL is of a place
        # before the file, that only a changed table of contents names.
        if error.errno in (None, errno.EINVAL):
            raise broken from error
        raise HubError(
            f"{path} cannot be read: {error.strerror}.",
            "See to the disk and to who may read the file; the backup itself may be whole.",
        ) from error
    except _BROKEN as error:
        raise broken from error


def _damaged(path: Path, part: str, what: str) -> HubError:
    return HubError(
        f"The backup {path} is damaged: its part {part} {what}.",
        "Copy it again from where it was kept, or take another backup. Nothing was changed.",
    )
