"""Check the contracts: do they keep the house style, and do they break a caller?

``python proto/check.py`` lints with buf, then compares the contracts with
``proto/baseline.binpb``, the contract that callers were last promised. The
baseline is a file in the repository, so that the check gives the same answer in a
fresh or shallow clone and without a network. ``--against REF`` compares with the
contracts at a commit, branch or tag instead; ``--accept`` moves the baseline to
the present contracts, and refuses when that breaks a caller unless ``--breaking``
says that it is meant. The exit status is 1 when something is found.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf import descriptor_pb2
from promises import broken_promises

PROTO = Path(__file__).resolve().parent
BASELINE = PROTO / "baseline.binpb"


class CannotCheckError(Exception):
    """The check itself could not run; the text says why and what mends it."""


def main() -> int:
    """Run what the arguments ask for. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REF", help="compare with this commit, branch or tag")
    parser.add_argument("--accept", action="store_true", help="move the baseline to the contracts")
    parser.add_argument("--breaking", action="store_true", help="with --accept: also if it breaks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return _check(Path(scratch), arguments.against, arguments.accept, arguments.breaking)
        except CannotCheckError as error:
            sys.stderr.write(f"{error}\n")
            return 1


def _check(scratch: Path, against: str | None, accept: bool, breaking: bool) -> int:
    present = scratch / "present"
    shutil.copytree(PROTO / "peyvand", present / "peyvand")
    _furnish(present)
    findings = _buf(present, "lint").splitlines()
    present_image = scratch / "present.binpb"
    _build(present, present_image)

    base_image: Path | None = BASELINE
    if against is not None:
        base_image = scratch / "base.binpb"
        _build(_at_commit(against, scratch / "base"), base_image)
    elif not BASELINE.exists():
        if not accept:
            raise CannotCheckError(
                "proto/baseline.binpb is missing, so there is nothing to compare with; "
                "restore it, or make it with: python proto/check.py --accept"
            )
        base_image = None

    breaks: list[str] = []
    if base_image is not None:
        breaks = _buf(present, "breaking", "--against", str(base_image)).splitlines()
        breaks += broken_promises(_read(base_image), _read(present_image))
    if accept and breaking:
        breaks = []
    for finding in [*findings, *breaks]:
        sys.stderr.write(f"{finding}\n")
    if findings or breaks:
        sys.stderr.write(f"{len(findings)} of style, {len(breaks)} that break callers\n")
        return 1
    if accept:
        shutil.copyfile(present_image, BASELINE)
        sys.stdout.write("proto/baseline.binpb now is what the contracts say\n")
    elif present_image.read_bytes() != BASELINE.read_bytes():
        sys.stdout.write("contracts hold; they say more than the baseline: check.py --accept\n")
    else:
        sys.stdout.write("contracts hold\n")
    return 0


def _furnish(folder: Path) -> None:
    """Put the settings of buf and Google's annotations beside the contracts."""
    shutil.copyfile(PROTO / "buf.yaml", folder / "buf.yaml")
    (folder / "google" / "api").mkdir(parents=True)
    for name in ("annotations", "field_behavior", "http"):
        source = resources.files("google.api") / f"{name}.proto"
        (folder / "google" / "api" / f"{name}.proto").write_bytes(source.read_bytes())


def _at_commit(ref: str, folder: Path) -> Path:
    """Write the contracts as they were at ``ref`` below ``folder``."""
    git = shutil.which("git")
    if git is None:
        raise CannotCheckError("--against needs git, which is not installed")
    # In the folder itself, so that paths in the archive begin with peyvand/ also
    # where the repository lies within a larger one.
    archive = subprocess.run(
        [git, "archive", "--format=tar", ref, "peyvand"],
        cwd=PROTO,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise CannotCheckError(
            f"git cannot give the contracts at {ref}: {archive.stderr.decode().strip()}\n"
            "In a shallow clone fetch it first, or leave --against out."
        )
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    _furnish(folder)
    return folder


def _build(folder: Path, image: Path) -> None:
    arguments = ("--as-file-descriptor-set", "--exclude-source-info", "-o", str(image))
    errors = _buf(folder, "build", *arguments)
    if errors:
        raise CannotCheckError(errors)


def _buf(folder: Path, *arguments: str) -> str:
    """Run buf in ``folder``. Returns what it found; nothing when all is well."""
    beside = Path(sys.executable).parent / "buf"
    buf = str(beside) if beside.exists() else shutil.which("buf")
    if buf is None:
        raise CannotCheckError("buf is not installed; run: make install")
    result = subprocess.run(
        [buf, *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        # Its cache goes where nothing is left behind, also without a home folder.
        env={**os.environ, "BUF_CACHE_DIR": str(folder.parent / "cache")},
    )
    if result.returncode and not result.stdout.strip():
        raise CannotCheckError(f"buf {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def _read(image: Path) -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
