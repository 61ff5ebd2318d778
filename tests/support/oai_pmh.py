"""Answers of OAI-PMH 2.0, and the form that its schema gives them.

Written from the protocol; whatever is not named here is not allowed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from tests.support.cerif_profile import OAI

CORE = "{http://purl.org/dc/elements/1.1/}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_RECORD = "header metadata? about*"
# Children in their order; `?` once at most, `*` any number, `+` one or more.
_CHILDREN: Mapping[str, str] = {
    "Identify": "repositoryName baseURL protocolVersion adminEmail+ earliestDatestamp"
    " deletedRecord granularity compression* description*",
    "ListMetadataFormats": "metadataFormat+",
    "metadataFormat": "metadataPrefix schema metadataNamespace",
    "ListSets": "set+ resumptionToken?",
    "set": "setSpec setName setDescription*",
    "GetRecord": "record",
    "ListRecords": "record+ resumptionToken?",
    "ListIdentifiers": "header+ resumptionToken?",
    "record": _RECORD,
    "header": "identifier datestamp setSpec*",
}
_ERRORS = frozenset(
    {
        "badArgument",
        "badResumptionToken",
        "badVerb",
        "cannotDisseminateFormat",
        "idDoesNotExist",
        "noMetadataFormats",
        "noRecordsMatch",
        "noSetHierarchy",
    }
)


@dataclass(frozen=True)
class Header:
    """What identifies a record."""

    identifier: str
    changed: str
    set: str
    deleted: bool

    @property
    def id(self) -> str:
        """The id within the network."""
        return self.identifier.split(":", 2)[2]


class Answer:
    """An answer in the form of the protocol."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        root = fromstring(document, forbid_dtd=True)
        assert isinstance(root, Element)
        assert list(wrong(root)) == []
        self.root = root
        self.time, self.request, self.content = root[0].text or "", root[1], root[2]

    @property
    def error(self) -> str:
        """The code of the error, empty where there is none."""
        return self.content.get("code", "") if self.content.tag == f"{OAI}error" else ""

    @property
    def headers(self) -> list[Header]:
        """The headers of all records."""
        return [
            Header(
                _text(header, "identifier"),
                _text(header, "datestamp"),
                _text(header, "setSpec"),
                header.get("status") == "deleted",
            )
            for header in self.content.iter(f"{OAI}header")
        ]

    @property
    def token(self) -> str | None:
        """The resumption token; `None` where there is no such element."""
        found = self.content.find(f"{OAI}resumptionToken")
        return None if found is None else found.text or ""

    @property
    def cursor(self) -> int:
        """How many records went before."""
        found = self.content.find(f"{OAI}resumptionToken")
        return 0 if found is None else int(found.get("cursor", "0"))

    def texts(self, name: str) -> list[str]:
        """The texts of elements of the protocol with this name."""
        return [element.text or "" for element in self.content.iter(f"{OAI}{name}")]


def wrong(root: Element) -> Iterator[str]:
    """What is not as the schema of the protocol has it."""
    names = [_name(child) for child in root]
    if root.tag != f"{OAI}OAI-PMH" or names[:2] != ["responseDate", "request"] or len(names) != 3:
        yield f"the envelope holds {names}"
        return
    for element in root.iter():
        name = _name(element)
        if name in ("responseDate", "datestamp", "earliestDatestamp"):
            if not _TIME.fullmatch(element.text or ""):
                yield f"{name} is {element.text!r}"
        elif name in _CHILDREN:
            children = " ".join(_name(child) for child in element)
            form = "".join(
                rf"({item.rstrip('?*+')} ){item[-1] if item[-1] in '?*+' else ''}"
                for item in _CHILDREN[name].split()
            )
            if not re.fullmatch(form, f"{children} "):
                yield f"{name} holds {children[:100]}"
        elif name == "error" and element.get("code") not in _ERRORS:
            yield f"there is no error {element.get('code')}"
    for record in root.iter(f"{OAI}record"):
        is_deleted = record[0].get("status") == "deleted"
        if is_deleted != (len(record) == 1):
            yield f"a record has {len(record)} parts"


def _name(element: Element) -> str:
    return element.tag.removeprefix(OAI)


def _text(element: Element, name: str) -> str:
    return element.findtext(f"{OAI}{name}") or ""
