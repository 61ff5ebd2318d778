"""The shape of the OpenAIRE CERIF profile 1.2, as far as this network writes it.

For each element its children in their order, with how often each may stand, and the form of
its own text. Written from the guidelines; whatever is not named here is not allowed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

PROFILE = "{https://www.openaire.eu/cerif-profile/1.2/}"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
_VOCAB = "{https://www.openaire.eu/cerif-profile/vocab/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ACCESS = "{http://purl.org/coar/access_right}Access"
_COAR = "http://purl.org/coar/resource_type/"

# Children in their order; `?` once at most, `*` any number, nothing for exactly once.
CHILDREN: Mapping[str, str] = {
    "Service": "Compatibility* Acronym? Name* Identifier* Description* WebsiteURL? OAIPMHBaseURL?"
    " SubjectHeadingsURL* Owner*",
    "OrgUnit": "Type* Acronym? Name* RORID? Identifier* ElectronicAddress* PartOf*",
    "Person": "PersonName? Gender? ORCID? Identifier* ElectronicAddress* Affiliation*",
    "PersonName": "FamilyNames? FirstNames? OtherNames?",
    "Project": "Type* Acronym? Title* Identifier* StartDate? EndDate? Consortium? Team? Funded*"
    " Subject* Keyword* Abstract* Status* Uses* OAMandate*",
    "Consortium": "Coordinator* Partner* Contractor* InkindContributor* Member*",
    "Team": "PrincipalInvestigator* Contact* Member*",
    "Funded": "By? As?",
    "Funding": "Type Acronym? Name* Amount? GrantDOI? Identifier* Description* Subject* Keyword*"
    " Funder* PartOf? Duration? OAMandate*",
    "Publication": "Type Language? Title* Subtitle* NameAbbreviation* PublishedIn? PartOf?"
    " PublicationDate? Number? Volume? Issue? Edition? StartPage? EndPage? DOI? URL? Authors?"
    " Editors? Publishers? License* Subject* Keyword* Abstract* Status* OriginatesFrom*"
    " PresentedAt* OutputFrom* Coverage* References* Access? FileLocations?",
    "Patent": "Type Title* VersionInfo* RegistrationDate? ApprovalDate? PublicationDate?"
    " CountryCode? Issuer* PatentNumber? URL? Inventors? Holders? Abstract* Subject* Keyword*"
    " OriginatesFrom* Predecessor* References* FileLocations?",
    "Product": "Type Language* Name* VersionInfo* ARK? DOI? Handle? URL? URN? Creators?"
    " Publishers? License* Description* Subject* Keyword* PartOf? OriginatesFrom* GeneratedBy*"
    " PresentedAt* Coverage* References* Access? Dates? FileLocations?",
    "Dates": "Accepted? Available? Copyrighted? Collected? Created? Issued? Submitted? Updated?"
    " Valid? Withdrawn?",
    "Publishers": "Publisher*",
    "PublishedIn": "Publication",
    "OriginatesFrom": "Project",
    "As": "Funding",
    "Affiliation": "OrgUnit",
    **dict.fromkeys(
        ("Owner", "PartOf", "Coordinator", "Partner", "By", "Funder", "Publisher"),
        "DisplayName? OrgUnit",
    ),
    **dict.fromkeys(("PrincipalInvestigator", "Member"), "DisplayName? Person"),
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SOME_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_ANY = re.compile(r"\S.*", re.DOTALL)
FORMS: Mapping[str, re.Pattern[str]] = {
    "ORCID": re.compile(r"https://orcid\.org/(0000-000[1-3]|0009-00[01][0-9])-?[0-9-]*[0-9X]"),
    "RORID": re.compile(r"https://ror\.org/0[0-9a-hj-km-np-tv-z]{6}[0-9]{2}"),
    "DOI": re.compile(r"10\.\d{4,}(\.\d+)*/[^\s]+"),
    "PublicationDate": _SOME_DATE,
    **dict.fromkeys(("StartDate", "EndDate", "RegistrationDate", "ApprovalDate"), _DATE),
    "Amount": re.compile(r"[0-9]+(\.[0-9]+)?"),
    "CountryCode": re.compile(r"[A-Z]{2}"),
    "ElectronicAddress": re.compile(r"(https?://|mailto:)\S+"),
}
# Elements of vocabularies: in which namespace, and the values that are written.
VOCABULARIES: Mapping[str, tuple[str, frozenset[str]]] = {
    "Publication": (f"{_VOCAB}COAR_Publication_Types}}Type", frozenset({f"{_COAR}c_18cf"})),
    "Patent": (f"{_VOCAB}COAR_Patent_Types}}Type", frozenset({f"{_COAR}c_15cd"})),
    "Product": (f"{_VOCAB}COAR_Product_Types}}Type", frozenset({f"{_COAR}c_1843"})),
    "Funding": (
        f"{_VOCAB}OpenAIRE_Funding_Types}}Type",
        frozenset({f"{_VOCAB[1:]}OpenAIRE_Funding_Types#Award"}),
    ),
}
_OPEN_ACCESS = "http://purl.org/coar/access_right/c_abf2"
_REQUIRED: Mapping[str, str] = {
    "Identifier": "type",
    "Amount": "currency",
    "Abstract": _LANG,
}
_IDS = re.compile(r"(OrgUnits|Persons|Projects|Fundings|Publications|Patents|Products)/\S{1,110}")


@dataclass(frozen=True)
class Found:
    """A record of a document: its header, and the element that it is."""

    identifier: str
    set: str
    element: Element


def records(document: bytes) -> list[Found]:
    """The records of an answer to `ListRecords`, but for those of what was deleted."""
    # It refuses what no document of ours has: a DTD, an entity, a reference outwards.
    root = fromstring(document, forbid_dtd=True)
    assert root.tag == f"{OAI}OAI-PMH"
    assert [child.tag for child in root] == [
        f"{OAI}responseDate",
        f"{OAI}request",
        f"{OAI}ListRecords",
    ]
    found: list[Found] = []
    for record in root[2].iterfind(f"{OAI}record"):
        if record[0].get("status") == "deleted":
            continue
        header, metadata = record
        (element,) = metadata
        said = {child.tag.removeprefix(OAI): child.text or "" for child in header}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["datestamp"])
        found.append(Found(said["identifier"], said.get("setSpec", ""), element))
    return found


def faults(*documents: bytes) -> list[str]:
    """What is not as the profile has it, in every record of all documents and within it."""
    found: list[str] = []
    known: dict[str, str] = {}
    given = [record for document in documents for record in records(document)]
    for record in given:
        id, name = record.element.get("id", ""), _name(record.element)
        if name != "Service" and not _IDS.fullmatch(id):
            found.append(f"{id}: no id of a {name}")
        if not record.identifier.endswith(f":{id}") or id in known:
            found.append(f"{id}: named {record.identifier}, or twice")
        known[id] = name
        found += [f"{id}: {fault}" for fault in _faults(record.element)]
    for record in given:
        for element in record.element.iter():
            named = element.get("id")
            if named is not None and known.get(named) != _name(element):
                found.append(f"{record.identifier} names {named}, which is not there")
    return found


def _faults(element: Element) -> Iterator[str]:
    name, children = _name(element), list(element)
    if name in CHILDREN:
        if (element.text or "").strip():
            yield f"{name} holds text"
        if children or element.get("id") is None:
            yield from _order(name, children, is_reference=element.get("id") is None)
    elif children:
        yield f"{name} has children"
    else:
        yield from _faults_of_text(name, element)
    for attribute in ("startDate", "endDate"):
        if not _SOME_DATE.fullmatch(element.get(attribute, "2000")):
            yield f"{name} has {attribute} {element.get(attribute)!r}"
    if name in VOCABULARIES and children:
        tag, values = VOCABULARIES[name]
        if children[0].tag != tag or children[0].text not in values:
            yield f"{name} has the type {children[0].tag} {children[0].text}"
    for child in children:
        yield from _faults(child)


def _faults_of_text(name: str, element: Element) -> Iterator[str]:
    text = element.text or ""
    if not _ANY.fullmatch(text) and not element.attrib:
        yield f"{name} is empty"
    form = FORMS.get(name)
    if form and not form.fullmatch(text):
        yield f"{name} is {text!r}"
    if name in _REQUIRED and element.get(_REQUIRED[name]) is None:
        yield f"{name} lacks {_REQUIRED[name]}"
    if element.tag == _ACCESS and text != _OPEN_ACCESS:
        yield f"Access is {text!r}"


def _order(name: str, children: list[Element], *, is_reference: bool) -> Iterator[str]:
    place, allowed = 0, CHILDREN[name].split()
    seen: dict[str, int] = {}
    for child in children:
        tag = _name(child)
        seen[tag] = seen.get(tag, 0) + 1
        while place < len(allowed) and allowed[place].rstrip("?*") != tag:
            place += 1
        if place == len(allowed):
            yield f"{tag} is not allowed here in {name}"
            return
        if seen[tag] > 1 and not allowed[place].endswith("*"):
            yield f"{tag} stands twice in {name}"
    for item in allowed:
        needed = item[-1] not in "?*"
        # An empty element stands for somebody of whom the name alone is known.
        if needed and item not in seen and not (is_reference and not children):
            yield f"{name} has no {item}"


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
