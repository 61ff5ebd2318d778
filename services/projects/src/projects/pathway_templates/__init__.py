"""The versions of the pathway template, one file each: ``1.toml``, ``2.toml``.

A published version is never edited, because projects keep to it; a change is a new file.
"""

import functools
from importlib import resources

from projects.domain.pathways import Template, read_template

NEWEST = "3"
"""Version that new projects begin with."""


@functools.cache
def versions() -> tuple[str, ...]:
    """All versions that there are, the newest first."""
    names = [file.name for file in resources.files(__name__).iterdir()]
    numbers = [int(name.removesuffix(".toml")) for name in names if name.endswith(".toml")]
    return tuple(str(number) for number in sorted(numbers, reverse=True))


@functools.cache
def template(version: str) -> Template:
    """The template of a version. Raises `FileNotFoundError` for one that never was."""
    file = resources.files(__name__).joinpath(f"{version}.toml")
    return read_template(file.read_text(encoding="utf-8"))
