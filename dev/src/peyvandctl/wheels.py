"""Wheels of what is installed here, made without any index.

A package of this repository is built; any other is packed again from its installed
files, each of which has to be as its record says.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from peyvandctl.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

# What an installer adds by itself, beside the files of the wheel.
_ADDED = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
_OLDEST = (1980, 1, 1, 0, 0, 0)
_BUILD_SECONDS = 300


def closure(name: str) -> list[metadata.Distribution]:
    """A package and all that it needs here, in the order of names. Raises `ClusterError`."""
    found: dict[str, metadata.Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted, extras = waiting.pop()
        if (wanted, extras) in seen:
            continue
        seen.add((wanted, extras))
        try:
            distribution = metadata.distribution(wanted)
        except metadata.PackageNotFoundError as error:
            raise ClusterError(f"{wanted} is not installed here.", "Run: make install") from error
        found[canonicalize_name(wanted)] = distribution
        for text in distribution.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in (*extras, "")
            ):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return [found[key] for key in sorted(found)]


def make_wheels(distributions: Iterable[metadata.Distribution], folder: Path) -> None:
    """Write the wheel of each of them to a folder. Raises `ClusterError`."""
    own: list[str] = []
    for distribution in distributions:
        source = _source(distribution)
        if source is not None:
            own.append(source)
        else:
            _pack(distribution, folder)
    if own:
        _build(own, folder)


def _source(distribution: metadata.Distribution) -> str | None:
    """The folder that a package of this repository is built from."""
    text = distribution.read_text("direct_url.json")
    if text is None:
        return None
    known = json.loads(text)
    if not known.get("dir_info", {}).get("editable"):
        return None
    return unquote(urlsplit(known["url"]).path)


def _build(sources: list[str], folder: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"),
            *("--wheel-dir", str(folder)),
            *sources,
        ],
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ClusterError("The packages of this repository cannot be built.", done.stderr.strip())


def _pack(distribution: metadata.Distribution, folder: Path) -> None:
    """Make a wheel of the installed files."""
    name, version = _escaped(distribution.metadata["Name"]), distribution.version
    tags = re.findall(r"^Tag: *(\S+)", distribution.read_text("WHEEL") or "", re.MULTILINE)
    if not tags:
        raise ClusterError(f"{name} was not installed from a wheel.", "Run: make install")
    parts = zip(*(tag.split("-") for tag in tags), strict=True)
    tag = "-".join(".".join(dict.fromkeys(part)) for part in parts)
    scripts = _entry_points(distribution)
    record: list[tuple[str, str, int | str]] = []
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for file in sorted(distribution.files or (), key=str):
            if file.suffix == ".pyc" or (_is_info(file) and file.name in _ADDED):
                continue
            arcname = file.as_posix()
            if file.parts[0] == "..":
                if file.name in scripts:
                    continue  # made anew for where it is installed
                arcname = f"{name}-{version}.data/scripts/{file.name}"
            content = Path(str(file.locate())).read_bytes()
            _check(distribution, file, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            record.append((arcname, f"sha256={digest.decode()}", len(content)))
            _add(wheel, arcname, content)
        info = f"{_info_folder(distribution)}/RECORD"
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*record, (info, "", "")])
        _add(wheel, info, text.getvalue().encode())


def _add(wheel: zipfile.ZipFile, name: str, content: bytes) -> None:
    # The same bytes give the same wheel, whenever it is made.
    entry = zipfile.ZipInfo(name, _OLDEST)
    entry.external_attr = 0o100644 << 16
    wheel.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _check(distribution: metadata.Distribution, file: metadata.PackagePath, content: bytes) -> None:
    """See that a file is as it was installed. Raises `ClusterError`."""
    if file.hash is None:
        return
    digest = hashlib.new(file.hash.mode, content).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
        raise ClusterError(
            f"{file} of {distribution.metadata['Name']} was changed since it was installed.",
            "Make the environment anew: make distclean install",
        )


def _entry_points(distribution: metadata.Distribution) -> set[str]:
    groups = ("console_scripts", "gui_scripts")
    return {point.name for point in distribution.entry_points if point.group in groups}


def _is_info(file: metadata.PackagePath) -> bool:
    return len(file.parts) == 2 and file.parts[0].endswith(".dist-info")


def _info_folder(distribution: metadata.Distribution) -> str:
    for file in distribution.files or ():
        if _is_info(file):
            return file.parts[0]
    raise ClusterError(f"{distribution.metadata['Name']} has no record of its files.")


def _escaped(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name)
