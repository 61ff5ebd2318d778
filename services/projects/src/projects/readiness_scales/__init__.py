"""The versions of the readiness scale, one file each: ``1.toml``, ``2.toml``.

A published version is never edited, because claims keep to it; a change is a new file.
"""

import functools
from importlib import resources

from projects.domain.readiness import Scale, read_scale

NEWEST = "1"
"""Version that new claims are made by."""

VERSIONS = tuple(str(number) for number in range(1, int(NEWEST) + 1))
"""All versions."""


@functools.cache
def scale(version: str) -> Scale:
    """The scale of a version. Raises `FileNotFoundError` for one that never was."""
    file = resources.files(__name__).joinpath(f"{version}.toml")
    return read_scale(file.read_text(encoding="utf-8"))
