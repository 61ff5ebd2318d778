"""Sets the document of a dossier in a process of its own.

``python -m gateway.dossier.typeset fa``

The dossier comes on standard input, as its message; the PDF goes to standard output. The
same dossier gives the same bytes: nothing in it depends on the day or the machine. What is
read comes from a folder of its own and the font from this package; nothing is fetched.
"""

import resource
import sys
import tempfile
from importlib import resources
from pathlib import Path

import orjson
import typst

from gateway.codec import to_json
from gateway.dossier.view import document
from gateway.languages import Language
from peyvand.projects.v1 import dossier_pb2

# Bytes of its own that a process may take; more is a fault, not a longer history. A pod has as
# much beside what the gateway takes, which would else be ended with it.
MEMORY = 1024**3


def typeset(dossier: dossier_pb2.ProjectDossier, language: Language) -> bytes:
    """The document of a dossier, with the dossier attached to it as the API gives it."""
    room = resources.files("gateway.dossier")
    with (
        tempfile.TemporaryDirectory(prefix="dossier-") as folder,
        resources.as_file(room.joinpath("fonts")) as fonts,
    ):
        place = Path(folder)
        (place / "view.json").write_bytes(orjson.dumps(document(dossier, language)))
        (place / "dossier.json").write_bytes(to_json(dossier))
        (place / "dossier.typ").write_bytes(room.joinpath("dossier.typ").read_bytes())
        made = typst.compile(
            place / "dossier.typ",
            root=place,
            font_paths=[fonts],
            ignore_system_fonts=True,
            format="pdf",
            timestamp=dossier.manifest.as_of.seconds,
        )
    assert isinstance(made, bytes)
    return made


def main() -> None:
    """Read a dossier, write its document."""
    # Not the address space: that grows with the threads, so with the machine's cores.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    language: Language = "fa" if sys.argv[1:] == ["fa"] else "en"
    dossier = dossier_pb2.ProjectDossier.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(typeset(dossier, language))


if __name__ == "__main__":
    main()
