"""``GET /v1/exports/cerif``: everything that has a counterpart in CERIF, as it is written."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway import transcoding
from gateway.auth import caller
from gateway.cerif import entities
from gateway.cerif.directory import Record
from gateway.cerif.harvest import Harvest
from gateway.cerif.markup import tag
from gateway.oai import envelope
from gateway.openapi import TITLE
from gateway.operations import EVERYWHERE
from gateway.problems import BrokenRule, Place, ProblemError, connection_language
from gateway.schemas import text
from gateway.settings import GatewaySettings

PATH = "/v1/exports/cerif"
XML = "application/xml"
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
        pieces = _pieces(settings, request, harvest)
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


async def _pieces(
    settings: GatewaySettings, request: Request, harvest: Harvest
) -> AsyncIterator[bytes]:
    """The document, an answer to `ListRecords` of OAI-PMH 2.0, in pieces of some size."""
    now, host = envelope.now(), envelope.host(settings)
    asked = {"verb": "ListRecords", "metadataPrefix": envelope.PREFIX}
    harvested_at = envelope.address(request, envelope.PATH)
    own = entities.service(TITLE, settings.site, harvested_at, settings.organization)
    waiting = [
        envelope.opening(now, envelope.address(request, PATH), **asked),
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
    waiting.append(f"</ListRecords>\n{envelope.CLOSING}")
    yield "".join(waiting).encode()


def _in_envelope(record: Record, host: str, now: str) -> str:
    header = envelope.header(record, host, now)
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
well-formed. Harvesters find the same record by record at `/oai` (OAI-PMH 2.0).

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
