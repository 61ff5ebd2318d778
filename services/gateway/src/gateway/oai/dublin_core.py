"""Records in unqualified Dublin Core, which OAI-PMH 2.0 wants of every repository."""

from collections.abc import Iterable, Iterator
from functools import singledispatch

from google.protobuf.message import Message

from gateway.cerif.directory import Record
from gateway.cerif.markup import any_date, leaf, texts
from gateway.oai.envelope import NAMESPACE as OAI
from gateway.oai.envelope import identifier
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import institutions_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    companies_pb2,
    outputs_pb2,
    people_pb2,
    projects_pb2,
)

NAMESPACE = f"{OAI}oai_dc/"
SCHEMA = f"{OAI}oai_dc.xsd"
_OPENING = (
    f'<oai_dc:dc xmlns:oai_dc="{NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{NAMESPACE} {SCHEMA}">'
)


def element(record: Record, domain: str) -> str:
    """A record as far as the fifteen elements can say it."""
    assert record.source is not None
    own = leaf("dc:identifier", identifier(record.id, domain))
    return f"{_OPENING}{''.join(_said(record.source, domain))}{own}</oai_dc:dc>"


@singledispatch
def _said(item: Message, domain: str) -> Iterator[str]:
    del domain
    raise TypeError(f"{item.DESCRIPTOR.full_name} has no record")


@_said.register
def _institution(item: institutions_pb2.Institution, domain: str) -> Iterator[str]:
    del domain
    yield from _names(item.names)
    yield _type("Organization")
    yield leaf("dc:identifier", item.ror_id)


@_said.register
def _organization(item: centers_pb2.Center | companies_pb2.Company, domain: str) -> Iterator[str]:
    del domain
    yield texts("dc:title", item.names)
    yield _type("Organization")


@_said.register
def _person(item: institutions_pb2.Person, domain: str) -> Iterator[str]:
    del domain
    yield from _names(item.names)
    yield _type("Person")


@_said.register
def _worker(item: people_pb2.ProjectPerson, domain: str) -> Iterator[str]:
    del domain
    yield texts("dc:title", item.name)
    yield _type("Person")
    yield leaf("dc:identifier", item.orcid)


@_said.register
def _project(item: projects_pb2.Project, domain: str) -> Iterator[str]:
    del domain
    yield texts("dc:title", item.titles)
    yield texts("dc:description", item.summary)
    for person in item.people:
        yield leaf("dc:contributor", person.name.en or person.name.fa)
    yield _type("Project")
    yield leaf("dc:identifier", item.external_key)


@_said.register
def _award(item: awards_pb2.Award, domain: str) -> Iterator[str]:
    yield texts("dc:title", item.titles)
    yield texts("dc:contributor", item.funder.names)
    yield _type("Funding")
    yield leaf("dc:identifier", item.grant_number)
    yield _made_by(item.project_id, domain)


@_said.register
def _output(item: outputs_pb2.Output, domain: str) -> Iterator[str]:
    yield texts("dc:title", item.titles)
    if item.HasField("publication"):
        yield leaf("dc:date", any_date(item.publication, "published_date"))
        yield _type("Text")
        doi = item.publication.doi
        yield leaf("dc:identifier", f"https://doi.org/{doi}" if doi else "")
        yield leaf("dc:source", item.publication.venue)
    elif item.HasField("patent"):
        patent = item.patent
        dates = ("granted_date", "published_date", "filed_date")
        known = (any_date(patent, name) for name in dates)
        yield leaf("dc:date", next((date for date in known if date), ""))
        yield _type("Patent")
        yield leaf("dc:identifier", f"{patent.office}{patent.number}{patent.kind_code}")
    else:
        yield leaf("dc:date", any_date(item.product, "launched_date"))
        yield _type("Product")
    yield _made_by(item.project_id, domain)


def _names(names: Iterable[institutions_pb2.Name]) -> Iterator[str]:
    for name in names:
        yield leaf("dc:title", name.text, xml_lang=name.language)


def _type(name: str) -> str:
    return leaf("dc:type", name)


def _made_by(project_id: str, domain: str) -> str:
    return leaf("dc:relation", identifier(f"Projects/{project_id}", domain))
