"""Resources of the network as records of the profile.

The order of elements is that of the profile's schema. What is not known is left out: no
date is completed, no name is split into family and given names by guess. What another
record is about is named by its id where that record is in the export as well, and by its
name alone where it is not.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.cerif.directory import Directory, Record, Said
from gateway.cerif.markup import any_date, full_date, leaf, moment, of_vocabulary, tag, texts
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import institutions_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    companies_pb2,
    outputs_pb2,
    people_pb2,
    projects_pb2,
)

NAMESPACE = "https://www.openaire.eu/cerif-profile/1.2/"
_VOCABULARIES = "https://www.openaire.eu/cerif-profile/vocab/"
_COAR = "http://purl.org/coar/resource_type/"
_ACCESS = "http://purl.org/coar/access_right"
_ORGANISATION_TYPES = "https://w3id.org/cerif/vocab/OrganisationTypes"
_IDENTIFIER_TYPES = "https://w3id.org/cerif/vocab/IdentifierTypes"
_ORCID = "https://orcid.org/"
# What the schema takes; anything else would make the whole document invalid.
_ORCIDS = re.compile(
    r"https://orcid\.org/(0000-000((1-[5-9]|2-[0-9]|3-[0-4])[0-9]{3}-[0-9]{3}[0-9X]|3-5000-0001)"
    r"|0009-00(0[0-9]-[0-9]{4}-[0-9]{3}[0-9X]|10-0000-0000))"
)
_RORS = re.compile(r"https://ror\.org/0[0-9a-hj-km-np-tv-z]{6}[0-9]{2}")
_DOIS = re.compile(r"10\.[0-9]{4,}(\.[0-9]+)*/\S+")

_KINDS: Mapping[int, str] = {
    institutions_pb2.INSTITUTION_TYPE_EDUCATION: "HigherEducation",
    institutions_pb2.INSTITUTION_TYPE_FACILITY: "ResearchInstitute",
    institutions_pb2.INSTITUTION_TYPE_COMPANY: "Commercial",
}


def service(name: str, site: str, harvested_at: str, owner: str) -> Record:
    """The record of the network's own system, which is harvested at an address."""
    vocabulary = f"{_VOCABULARIES}OpenAIRE_Service_Compatibility"
    xml = _top(
        "Service",
        "Services/peyvand",
        of_vocabulary("Compatibility", vocabulary, f"{vocabulary}#1.2"),
        leaf("Acronym", name),
        leaf("Name", f"{name}: national network of advanced-therapy centers", xml_lang="en"),
        leaf("WebsiteURL", site),
        leaf("OAIPMHBaseURL", harvested_at),
        tag("Owner", leaf("DisplayName", owner), _nameless("OrgUnit", owner)),
    )
    return Record("Services/peyvand", "", "", xml)


def institution(item: institutions_pb2.Institution, known: Directory) -> Record:
    """An institution as an organisation."""
    kind = _KINDS.get(item.type, "")
    website, email = item.contact.website, item.contact.email
    return _record(
        "OrgUnit",
        item,
        known,
        _organisation_type(kind),
        institution_names(item),
        leaf("RORID", _fit(_RORS, item.ror_id)),
        _addresses(website, email),
        tag("PartOf", known.org_unit(item.parent_id)),
    )


def institution_names(item: institutions_pb2.Institution) -> str:
    """Its acronym and its names, the official ones first."""
    acronym = institutions_pb2.NAME_KIND_ACRONYM
    official = (institutions_pb2.NAME_KIND_UNSPECIFIED, institutions_pb2.NAME_KIND_OFFICIAL)
    acronyms = [name.text for name in item.names if name.kind == acronym]
    others = [name for name in item.names if name.kind != acronym]
    others.sort(key=lambda name: name.kind not in official)
    return leaf("Acronym", next(iter(acronyms), "")) + "".join(
        leaf("Name", name.text, xml_lang=_language(name)) for name in others
    )


def center(item: centers_pb2.Center, known: Directory) -> Record:
    """A center as an organisation."""
    host = item.host_institution
    part_of = tag("OrgUnit", texts("Name", host))
    return _record(
        "OrgUnit",
        item,
        known,
        _organisation_type("ResearchInstitute"),
        center_names(item),
        _addresses(item.contact.website, item.contact.email),
        tag("PartOf", leaf("DisplayName", host.en or host.fa), part_of) if part_of else "",
    )


def center_names(item: centers_pb2.Center) -> str:
    """Its code and its names."""
    return leaf("Acronym", item.code) + texts("Name", item.names)


def company(item: companies_pb2.Company, known: Directory) -> Record:
    """A company as an organisation."""
    return _record(
        "OrgUnit",
        item,
        known,
        _organisation_type("Commercial"),
        texts("Name", item.names),
    )


def person_of_network(item: institutions_pb2.Person, known: Directory) -> Record:
    """A person, with the organisations at which the person has or had a position.

    Of one who was deleted the id is left, and when that was.
    """
    if item.HasField("deleted_at"):
        return Record(f"Persons/{item.id}", _SETS["Person"][1], moment(item.updated_at))
    name = next(iter(item.names)).text if item.names else ""
    positions = [
        tag(
            "Affiliation",
            known.org_unit(
                position.institution_id, tag("OrgUnit", texts("Name", position.organization))
            ),
            **_span(any_date(position, "from_date"), any_date(position, "until_date")),
        )
        for position in item.positions
        if position.institution_id in known.org_units or position.HasField("organization")
    ]
    return _record("Person", item, known, tag("PersonName", leaf("OtherNames", name)), *positions)


def person_id(person: people_pb2.ProjectPerson) -> str:
    """Under which id somebody with an ORCID iD is recorded: the same in every project."""
    return f"orcid-{person.orcid.removeprefix(_ORCID)}" if person.orcid else ""


def person_of_projects(id: str, person: people_pb2.ProjectPerson, changed: Timestamp) -> Record:
    """Somebody with an ORCID iD who works on projects."""
    full = f"Persons/{id}"
    element = _top("Person", full, person_brief(person))
    return Record(full, _SETS["Person"][1], moment(changed), element, person)


def person_brief(person: people_pb2.ProjectPerson) -> str:
    """What every record says of somebody with an ORCID iD."""
    name = person.name.en or person.name.fa
    return tag("PersonName", leaf("OtherNames", name)) + leaf("ORCID", _fit(_ORCIDS, person.orcid))


def project(item: projects_pb2.Project, known: Directory) -> Record:
    """A project, with who leads it, who takes part, who works on it, and its money."""
    partners = [
        tag("Partner", known.org_unit(part.center_id or part.institution_id))
        for part in item.participants
    ]
    investigators, members = list[str](), list[str]()
    for person in item.people:
        is_first = person.role == people_pb2.PERSON_ROLE_PRINCIPAL_INVESTIGATOR
        (investigators if is_first else members).append(
            tag(
                "PrincipalInvestigator" if is_first else "Member",
                leaf("DisplayName", person.name.en or person.name.fa),
                _person(person, known),
                **_span(any_date(person, "since_date"), any_date(person, "until_date")),
            )
        )
    ended = item.state in (
        projects_pb2.PROJECT_STATE_COMPLETED,
        projects_pb2.PROJECT_STATE_KILLED,
    )
    return _record(
        "Project",
        item,
        known,
        texts("Title", item.titles),
        leaf("Identifier", item.external_key, type=f"{_IDENTIFIER_TYPES}#ProjectReference"),
        leaf("EndDate", _day(item.state_since) if ended else ""),
        tag("Consortium", tag("Coordinator", known.org_unit(item.lead_center_id)), *partners),
        tag("Team", *investigators, *members),
        *known.funded(item.id),
        texts("Abstract", item.summary),
    )


def funding(item: awards_pb2.Award, known: Directory) -> Record:
    """An award as funding."""
    return _record(
        "Funding",
        item,
        known,
        *_funding_brief(item),
        leaf("Amount", item.amount.amount, currency=item.amount.currency),
        leaf("Identifier", item.grant_number, type=f"{_IDENTIFIER_TYPES}#AwardNumber"),
        _funder("Funder", item, known),
    )


def funded(item: awards_pb2.Award, known: Directory) -> Said:
    """What a project says of an award."""
    award = tag("Funding", *_funding_brief(item), id=f"Fundings/{item.id}")
    said = tag("Funded", _funder("By", item, known), tag("As", award))
    return Said(said, known.changed(item.updated_at))


def _funder(name: str, item: awards_pb2.Award, known: Directory) -> str:
    """Who gives an award: by record, or by name and ROR id."""
    names = item.funder.names
    ror = leaf("RORID", _fit(_RORS, item.funder.ror_id))
    by_name = tag("OrgUnit", texts("Name", names), ror)
    unit = known.org_unit(item.funder.institution_id, by_name)
    return tag(name, leaf("DisplayName", names.en or names.fa), unit)


def output(item: outputs_pb2.Output, known: Directory) -> Record | None:
    """A publication, a patent or a product; `None` for what has no counterpart.

    One that was withdrawn does not count: it is given as deleted.
    """
    made = _output(item, known)
    if made is None or item.state == outputs_pb2.OUTPUT_STATE_RECORDED:
        return made
    return Record(made.id, made.set, moment(item.updated_at))


def _output(item: outputs_pb2.Output, known: Directory) -> Record | None:
    origin = tag("OriginatesFrom", known.project(item.project_id))
    if item.HasField("publication"):
        return _publication(item, origin, known)
    if item.HasField("patent"):
        return _patent(item, origin, known)
    if item.HasField("product"):
        return _product(item, origin, known)
    return None


def _publication(item: outputs_pb2.Output, origin: str, known: Directory) -> Record:
    found = item.publication
    text = of_vocabulary("Type", f"{_VOCABULARIES}COAR_Publication_Types", f"{_COAR}c_18cf")
    venue = leaf("Title", found.venue)
    free = of_vocabulary("Access", _ACCESS, f"{_ACCESS}/c_abf2")
    return _record(
        "Publication",
        item,
        known,
        text,
        texts("Title", item.titles),
        tag("PublishedIn", tag("Publication", text, venue)) if venue else "",
        leaf("PublicationDate", any_date(found, "published_date")),
        leaf("DOI", _fit(_DOIS, found.doi)),
        origin,
        free if found.open_access else "",
    )


def _patent(item: outputs_pb2.Output, origin: str, known: Directory) -> Record:
    found = item.patent
    return _record(
        "Patent",
        item,
        known,
        of_vocabulary("Type", f"{_VOCABULARIES}COAR_Patent_Types", f"{_COAR}c_15cd"),
        texts("Title", item.titles),
        leaf("RegistrationDate", full_date(found, "filed_date")),
        leaf("ApprovalDate", full_date(found, "granted_date")),
        leaf("PublicationDate", full_date(found, "published_date")),
        # Of offices of several countries there is none.
        leaf("CountryCode", "" if found.office in _OF_NO_COUNTRY else found.office),
        leaf("PatentNumber", f"{found.office}{found.number}{found.kind_code}"),
        origin,
    )


def _product(item: outputs_pb2.Output, origin: str, known: Directory) -> Record:
    found = item.product
    seller = known.org_unit(found.company_id)
    launched = any_date(found, "launched_date")
    return _record(
        "Product",
        item,
        known,
        of_vocabulary("Type", f"{_VOCABULARIES}COAR_Product_Types", f"{_COAR}c_1843"),
        texts("Name", item.titles),
        tag("Publishers", tag("Publisher", seller)),
        origin,
        tag("Dates", tag("Available", **_span(launched, ""))),
    )


_Resource = (
    institutions_pb2.Institution
    | institutions_pb2.Person
    | centers_pb2.Center
    | companies_pb2.Company
    | projects_pb2.Project
    | awards_pb2.Award
    | outputs_pb2.Output
)
_OF_NO_COUNTRY = frozenset({"", "AP", "EA", "EM", "EP", "GC", "IB", "OA", "WO", "XN", "XV"})
_SETS: Mapping[str, tuple[str, str]] = {
    "OrgUnit": ("OrgUnits", "openaire_cris_orgunits"),
    "Person": ("Persons", "openaire_cris_persons"),
    "Project": ("Projects", "openaire_cris_projects"),
    "Funding": ("Fundings", "openaire_cris_funding"),
    "Publication": ("Publications", "openaire_cris_publications"),
    "Patent": ("Patents", "openaire_cris_patents"),
    "Product": ("Products", "openaire_cris_products"),
}


def _record(name: str, item: _Resource, known: Directory, *content: str) -> Record:
    collection, kept_in = _SETS[name]
    full = f"{collection}/{item.id}"
    return Record(full, kept_in, known.changed(item.updated_at), _top(name, full, *content), item)


def _top(name: str, id: str, *content: str) -> str:
    return tag(name, *content, xmlns=NAMESPACE, id=id)


def _organisation_type(kind: str) -> str:
    value = f"{_ORGANISATION_TYPES}#{kind}" if kind else ""
    return leaf("Type", value, scheme=_ORGANISATION_TYPES)


def _addresses(website: str, email: str) -> str:
    mail = f"mailto:{email}" if email else ""
    return leaf("ElectronicAddress", website) + leaf("ElectronicAddress", mail)


def _person(person: people_pb2.ProjectPerson, known: Directory) -> str:
    return known.person(person_id(person), _nameless("Person", person.name.en or person.name.fa))


def _nameless(name: str, displayed: str) -> str:
    """An element without anything: the guidelines have it where only a name is known."""
    return f"<{name}/>" if displayed else ""


def _funding_brief(item: awards_pb2.Award) -> Iterable[str]:
    vocabulary = f"{_VOCABULARIES}OpenAIRE_Funding_Types"
    yield of_vocabulary("Type", vocabulary, f"{vocabulary}#Award")
    yield texts("Name", item.titles)


def _fit(pattern: re.Pattern[str], identifier: str) -> str:
    """An identifier, where it has the form that the schema asks for."""
    return identifier if pattern.fullmatch(identifier) else ""


def _span(begun: str, ended: str) -> Mapping[str, str]:
    return {"startDate": begun, "endDate": ended}


def _day(moment: Timestamp) -> str:
    return moment.ToDatetime(tzinfo=UTC).date().isoformat()


def _language(name: institutions_pb2.Name) -> str:
    """The language of a name, with its script where that is said (BCP 47)."""
    return f"{name.language}-{name.script}" if name.script else name.language
