"""Room on the disk that is held until it is needed: a file of nothing.

On a full disk even what brings the queue to the hub cannot be noted, and a store cannot be
opened. A slice of the ballast is then given back to the disk, for that alone; it is made whole
again once there is room.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

SLICES = 16


class Ballast:
    """One file, given back slice by slice."""

    def __init__(self, path: Path | None, size: int) -> None:
        self._path = path
        self._size = size

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it was given back."""
        return self._path is None or self._held() >= self._size

    def fill(self) -> None:
        """Make it whole, if there is room for it twice: it must fill no disk itself."""
        if self._path is None or self.is_whole:
            return
        with suppress(OSError):
            missing = self._size - self._held()
            if shutil.disk_usage(self._path.parent).free < missing + self._size:
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)

    def give_back(self) -> bool:
        """Give a slice of it back to the disk; tells whether there was one."""
        held = self._held()
        if self._path is None or not held:
            return False
        try:
            os.truncate(self._path, max(0, held - self._size // SLICES))
        except OSError:
            return False
        return True

    def _held(self) -> int:
        try:
            return 0 if self._path is None else self._path.stat().st_size
        except OSError:
            return 0
