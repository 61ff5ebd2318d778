"""Generate Python code and the descriptor set from the contracts.

Run as ``python proto/generate.py`` to write ``proto/gen``; with ``--check`` it
writes to a temporary folder instead and exits with 1 when the committed files
differ. The descriptor set carries comments (``source_info``), because the
gateway turns them into the published documentation.
"""

import argparse
import filecmp
import re
import sys
import tempfile
from importlib import resources
from pathlib import Path

import google.api
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
GENERATED = PROTO / "gen"


def generate(target: Path) -> None:
    """Write modules, stubs and ``peyvand/descriptors.binpb`` below ``target``."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("peyvand/**/*.proto"))
    includes = [
        f"-I{PROTO}",
        f"-I{resources.files('grpc_tools') / '_proto'}",
        f"-I{_googleapis_root()}",
    ]
    descriptors = target / "peyvand" / "descriptors.binpb"
    descriptors.parent.mkdir(parents=True, exist_ok=True)
    status = protoc.main(
        [
            "protoc",
            *includes,
            f"--python_out={target}",
            f"--pyi_out={target}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={descriptors}",
            *sources,
        ]
    )
    if status:
        sys.exit(status)
    _drop_foreign_comments(descriptors)
    (target / "peyvand" / "py.typed").touch()


def _googleapis_root() -> Path:
    return Path(next(iter(google.api.__path__))).parents[1]


def _drop_foreign_comments(path: Path) -> None:
    """Keep source info of our own files only; Google's triple the size."""
    files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    for file in files.file:
        if not file.name.startswith("peyvand/"):
            file.ClearField("source_code_info")
        else:
            for location in list(file.source_code_info.location):
                if not location.leading_comments:
                    file.source_code_info.location.remove(location)
    path.write_bytes(files.SerializeToString(deterministic=True))


def _generated_files(root: Path) -> set[Path]:
    wanted = re.compile(r"(_pb2\.pyi?|descriptors\.binpb|py\.typed)$")
    return {path.relative_to(root) for path in root.rglob("*") if wanted.search(path.name)}


def main() -> int:
    """Generate, or check that what is committed is fresh. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if not parser.parse_args().check:
        generate(GENERATED)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        files = _generated_files(fresh) | _generated_files(GENERATED)
        stale = [
            name
            for name in sorted(files)
            if not (fresh / name).exists()
            or not (GENERATED / name).exists()
            or not filecmp.cmp(fresh / name, GENERATED / name, shallow=False)
        ]
    for name in stale:
        sys.stderr.write(f"proto/gen/{name} is not what the contracts give; run: make gen\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
