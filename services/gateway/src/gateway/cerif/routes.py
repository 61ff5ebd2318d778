"""``GET /v1/exports/cerif``: everything that has a counterpart in CERIF, as it is written."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway import transcoding
from gateway.auth import caller
from gateway.cerif import entities
from gateway.cerif.entities import Record
from gateway.cerif.harvest import Harvest
from gateway.cerif.markup import leaf, tag
from gateway.openapi import TITLE
from gateway.operations import EVERYWHERE
from gateway.problems import BrokenRule, Place, ProblemError, connection_language
from gateway.schemas import text
from gateway.settings import GatewaySettings

PATH = "/v1/exports/cerif"
XML = "application/xml"
PREFIX = "oai_cerif_openaire"
_OAI = "http://www.openarchives.org/OAI/2.0/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMAS = (
    f"{_OAI} {_OAI}OAI-PMH.xsd {entities.NAMESPACE}"
    " https://www.openaire.eu/schema/cris/1.2/openaire-cerif-profile.xsd"
)
# Text that is collected before it is sent, in characters.
_PIECE = 32_768


def router(settings: GatewaySettings, backend: transcoding.Backend) -> APIRouter:
    """The route of the export."""
    routes = APIRouter(tags=["exports"])

    @routes.get(
        PATH,
        operation_id="export_cerif",
        summary="Gives what has a counterpart in CERIF as XML",
        description=_DESCRIPTION,
        response_class=Response,
        responses={200: _ANSWER},
        openapi_extra={
            "parameters": [_SAMPLE_PARAMETER],
            "security": [{"bearer": []}, {}],
            "x-reasons": EVERYWHERE,
        },
    )
    async def export_cerif(request: Request) -> Response:
        transcoding.require_acceptable(request, XML)
        harvest = Harvest(
            backend,
            caller(request),
            connection_language(request),
            timeout=settings.call_timeout,
            with_sample=_with_sample(request),
        )
        base = f"{str(request.base_url).rstrip('/')}{PATH}"
        pieces = _pieces(settings, base, harvest)
        # Before anything is answered: whoever is away is told of in a problem.
        first = await anext(pieces)
        return StreamingResponse(
            _all(first, pieces),
            media_type=f"{XML}; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="cerif.xml"',
                "Cache-Control": "private, no-store",
                "Vary": "Authorization, Cookie",
            },
        )

    del export_cerif
    return routes


async def _pieces(settings: GatewaySettings, base: str, harvest: Harvest) -> AsyncIterator[bytes]:
    """The document, an answer to `ListRecords` of OAI-PMH 2.0, in pieces of some size."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    host = urlsplit(settings.site).hostname or "localhost"
    own = entities.service(TITLE, settings.site, settings.organization)
    waiting = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<OAI-PMH xmlns="{_OAI}" xmlns:xsi="{_INSTANCE}" xsi:schemaLocation="{_SCHEMAS}">\n',
        leaf("responseDate", now) + "\n",
        leaf("request", base, verb="ListRecords", metadataPrefix=PREFIX) + "\n",
        "<ListRecords>\n",
        _in_envelope(own, host, now),
    ]
    size = 0
    async for record in harvest.records():
        waiting.append(_in_envelope(record, host, now))
        size += len(waiting[-1])
        if size >= _PIECE:
            yield "".join(waiting).encode()
            waiting.clear()
            size = 0
    waiting.append("</ListRecords>\n</OAI-PMH>\n")
    yield "".join(waiting).encode()


def _in_envelope(record: Record, host: str, now: str) -> str:
    header = tag(
        "header",
        leaf("identifier", f"oai:{host}:{record.id}"),
        leaf("datestamp", record.changed or now),
        leaf("setSpec", record.set),
    )
    return tag("record", header, tag("metadata", record.xml)) + "\n"


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _with_sample(request: Request) -> bool:
    given = dict(request.query_params)
    asked = given.pop("sample", "false")
    if given:
        unknown = Place(parameter=next(iter(given))[:100])
        raise ProblemError("INVALID_ARGUMENT", broken=[BrokenRule(unknown, "UNKNOWN_FIELD")])
    if asked not in ("true", "false"):
        broken = BrokenRule(Place(parameter="sample"), "UNKNOWN_VALUE", {"allowed": "true, false"})
        raise ProblemError("INVALID_ARGUMENT", broken=[broken])
    return asked == "true"


_DESCRIPTION = """\
Gives what has a counterpart in CERIF, as the OpenAIRE Guidelines for CRIS Managers 1.2 have it: \
institutions, centers and companies as organisations, persons, projects, awards as funding, \
publications, patents and products, and the record of this system as a service. The document has \
the form of one answer to `ListRecords` of OAI-PMH 2.0.

Each caller is given what that caller may see: everyone the institutions and centers, those who \
see projects also what belongs to these. Sample data is left out unless `sample` is `true`. It is \
read page by page while it is sent, not in one snapshot; an answer that breaks off is not \
well-formed.

Open to: everyone."""
_ANSWER: dict[str, Any] = {
    "description": "The document.",
    "content": {
        XML: {"schema": text("An XML document.", max_length=2**31 - 1)},
    },
}
_SAMPLE_PARAMETER = {
    "name": "sample",
    "in": "query",
    "required": False,
    "description": "Whether sample data, which comes from no source, is given as well.",
    "schema": {"type": "string", "enum": ["true", "false"]},
}
