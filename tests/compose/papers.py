"""Files of evidence, the dossier and the export, as the network in containers gives them.

Nothing can be written in the gateway's container but its memory and the store of files; fonts
and the setter of documents are those of its image.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import pypdfium2
from pypdfium2 import raw as pdfium

from servicekit.local_issuer import read_key, sign_token
from tests.compose.podman import say
from tests.support.cerif_profile import faults, records
from tests.support.compose_file import services
from tests.support.decided import decided
from tests.support.people import Json, Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.compose.network import Network

# That of the gateway for words, that of Typst for hashes; whatever was missing would be another.
FONTS = {"Vazirmatn", "DejaVuSansMono"}
_LARGE = 20_000_000
_PATIENCE_SECONDS = 240.0
# A word of the cover in each language.
_WORDS = {"fa": "وضعیت", "en": "Project dossier"}


@dataclass(frozen=True)
class Callers:
    """People of the installation's own issuer, each with a name, a role and centers."""

    network: Network

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers on this machine."""
        return self.network.url

    def token(self, role: str, sub: str | None = None, *, center_ids: Sequence[str] = ()) -> str:
        """Sign a token with the key that the setup has made."""
        key = (self.network.setup / "signing-key.json").read_text(encoding="utf-8")
        issuer: dict[str, str] = services()["gateway"]["environment"]
        return sign_token(
            read_key(key),
            issuer=issuer["PEYVAND_ISSUER"],
            audience=issuer["PEYVAND_AUDIENCE"],
            role=role,
            subject=sub or "",
            center_ids=center_ids,
        )


@dataclass(frozen=True)
class Papers:
    """What was given once, and has to be given again by whoever restores the network.

    Attributes:
        project: id of a project that went through its first gate.
        center: id of its center.
        evidence: id of a piece of its evidence that is a large file.
        large: SHA-256 of that file.
        folder: holds `dossier.json` and, in `files`, all of its evidence.
    """

    project: str
    center: str
    evidence: str
    large: str
    folder: Path

    @property
    def dossier(self) -> bytes:
        """The dossier as it was given first."""
        return (self.folder / "dossier.json").read_bytes()


async def make(network: Network) -> Papers:
    """Take a project through a gate, with its files, and look at all that is given of it."""
    folder = network.podman.folder / "papers"
    shutil.rmtree(folder, ignore_errors=True)
    files = folder / "files"
    files.mkdir(parents=True)
    callers = Callers(network)
    project, center = await decided(callers, files)
    evidence, large = await _hand_in_a_large_file(callers, project, center, files)
    papers = Papers(project, center, evidence, large, folder)
    with _analyst(callers) as http:
        given = _get(http, f"/v1/projects/{project}/dossier").content
    (folder / "dossier.json").write_bytes(given)
    look(network, papers)
    return papers


def look(network: Network, papers: Papers) -> None:
    """See that all of it is given, and is what it was when it was given first."""
    callers = Callers(network)
    place = f"/v1/projects/{papers.project}/dossier"
    with _analyst(callers) as http:
        file = _get(http, f"/v1/evidence/{papers.evidence}/file").content
        assert hashlib.sha256(file).hexdigest() == papers.large, "a file is another one"
        assert _get(http, place).content == papers.dossier, "the dossier is another one"
        documents = {lang: _get(http, f"{place}.pdf", lang=lang).content for lang in ("fa", "en")}
        cerif = _get(http, "/v1/exports/cerif", sample="true").content
    kept = list(network.podman.volume("objects").rglob(papers.large))
    assert len(kept) == 1, kept
    say(f"a file of {len(file) // 1_000_000} MB: in the store under its SHA-256, given as it came")
    families = " and ".join(sorted(FONTS))
    for lang, document in documents.items():
        pages = _look_at_document(document, papers.dossier, lang)
        say(f"dossier.pdf ({lang}): {len(document)} bytes, {pages} pages in {families}")
    _verify(network, papers)
    _look_at_export(cerif, papers)


async def _hand_in_a_large_file(
    callers: Callers, project: str, center: str, files: Path
) -> tuple[str, str]:
    """Hand in a file as evidence for the next gate; gives the ids of the evidence and the file."""
    content = os.urandom(_LARGE)
    digest = hashlib.sha256(content)
    (files / "large.bin").write_bytes(content)
    leila = Person(callers, "center_operator", "leila", [center])
    sent = await leila.http.post(
        "/v1/files",
        content=content,
        headers={
            "Content-Type": "application/octet-stream",
            "Repr-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
        },
    )
    assert sent.status_code == HTTPStatus.CREATED, sent.text
    criterion = (await leila.get(f"/v1/projects/{project}/next-gate"))["missing"][0]
    piece = await leila.post(
        "/v1/evidence",
        {
            "project_id": project,
            "criterion": criterion,
            "kind": "report",
            "title": {"fa": "دادهٔ خام", "en": "Raw data"},
            "file": {"name": "large.bin", **sent.json()},
        },
    )
    await leila.http.aclose()
    return piece["id"], digest.hexdigest()


def _analyst(callers: Callers) -> httpx.Client:
    headers = {"Authorization": f"Bearer {callers.token('hq_analyst', 'ava')}"}
    return httpx.Client(
        base_url=callers.gateway_url, headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False
    )


def _get(http: httpx.Client, path: str, **query: str) -> httpx.Response:
    answer = http.get(path, params=query)
    assert answer.status_code == HTTPStatus.OK, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer


def _look_at_document(document: bytes, dossier: bytes, lang: str) -> int:
    """See that a PDF holds the dossier and is set in the font of the image; gives its pages."""
    sha256: str = json.loads(dossier)["manifest"]["sha256"]
    with pypdfium2.PdfDocument(document) as found:
        attached = found.get_attachment(0)
        assert attached.get_name() == "dossier.json"
        assert bytes(attached.get_data()) == dossier, "another dossier is attached"
        cover = found[0].get_textpage().get_text_bounded()
        groups = [sha256[place : place + 8] for place in range(0, len(sha256), 8)]
        # What reads a line from right to left gives the digits in another order.
        assert lang == "fa" or all(group in cover for group in groups), cover
        assert _WORDS[lang] in cover, cover
        fonts = [
            item.get_font()
            for page in found
            for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])
            if isinstance(item, pypdfium2.PdfTextObj)
        ]
        assert all(font.is_embedded for font in fonts)
        # As in ABCDEF+Vazirmatn-Bold: of which characters it is, the family, the weight.
        names = {font.get_base_name().partition("+")[2].partition("-")[0] for font in fonts}
        assert names == FONTS, names
        return len(found)


def _verify(network: Network, papers: Papers) -> None:
    """Check the dossier where there is no network, with what the image of the tools has."""
    manifest: Json = json.loads(papers.dossier)["manifest"]
    image = services()["first-data"]["image"]
    said = network.podman.run(
        "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL",
        f"--volume={papers.folder}:/papers:ro", f"localhost/{image}",
        "dossier", "--verify", "/papers/dossier.json", "--evidence-folder", "/papers/files",
        "--expect", manifest["sha256"], "--expect-decision", manifest["chain_head"],
    )  # fmt: skip
    assert manifest["sha256"] in said, said
    files = len(list((papers.folder / "files").iterdir()))
    say(
        f"dossier.json: {len(papers.dossier)} bytes, as it was made, with {files} files of evidence"
    )


def _look_at_export(document: bytes, papers: Papers) -> None:
    wrong = faults(document)
    assert not wrong, wrong[:10]
    given = [item.element.get("id") for item in records(document)]
    wanted = {f"Projects/{papers.project}", f"OrgUnits/{papers.center}", "Services/peyvand"}
    assert wanted <= set(given), wanted - set(given)
    say(f"CERIF: {len(given)} records, {len(document)} bytes, nothing against the profile")
