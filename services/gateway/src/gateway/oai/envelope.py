"""The elements around records that every document of OAI-PMH 2.0 has."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request

from gateway.cerif import entities
from gateway.cerif.directory import Record
from gateway.cerif.markup import leaf, tag
from gateway.settings import GatewaySettings

PATH = "/oai"
PREFIX = "oai_cerif_openaire"
CERIF_SCHEMA = "https://www.openaire.eu/schema/cris/1.2/openaire-cerif-profile.xsd"
NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMAS = f"{NAMESPACE} {NAMESPACE}OAI-PMH.xsd {entities.NAMESPACE} {CERIF_SCHEMA}"

CLOSING = "</OAI-PMH>\n"


def address(request: Request, path: str) -> str:
    """The address of a path here, as the caller reaches it."""
    return f"{str(request.base_url).rstrip('/')}{path}"


def host(settings: GatewaySettings) -> str:
    """The domain name that identifiers of records carry."""
    return urlsplit(settings.site).hostname or "localhost"


def now() -> str:
    """The time as documents write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def opening(at: str, base: str, **asked: str) -> str:
    """The beginning of a document: when it was made, and what was asked at an address."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="{_INSTANCE}" xsi:schemaLocation="{_SCHEMAS}">\n'
        f"{leaf('responseDate', at)}\n{leaf('request', base, **asked)}\n"
    )


def header(record: Record, domain: str, otherwise: str = "") -> str:
    """What identifies a record; `otherwise` is the datestamp of one that has none."""
    return tag(
        "header",
        leaf("identifier", identifier(record.id, domain)),
        leaf("datestamp", record.changed or otherwise),
        leaf("setSpec", record.set),
        status="deleted" if record.deleted else "",
    )


def identifier(id: str, domain: str) -> str:
    """The identifier of a record, by its id within the network."""
    return f"oai:{domain}:{id}"
