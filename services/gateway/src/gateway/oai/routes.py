"""``/oai``: the repository that harvesters ask."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway import transcoding
from gateway.auth import caller
from gateway.cerif.harvest import Harvest
from gateway.cerif.markup import leaf
from gateway.oai import envelope
from gateway.oai.answers import Repository
from gateway.oai.asked import understand
from gateway.oai.words import Refusal
from gateway.problems import connection_language
from gateway.settings import GatewaySettings

# OAI-PMH 2.0 wants this one, for errors as well, with the status 200.
_XML = "text/xml; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
_MOST_ARGUMENTS = 20


def router(settings: GatewaySettings, backend: transcoding.Backend) -> APIRouter:
    """The route, which describes itself in its own way and not in the published document."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(envelope.PATH)
    async def harvest(request: Request) -> Response:
        return await _answer(settings, backend, request, request.query_params.multi_items())

    @routes.post(envelope.PATH)
    async def harvest_by_form(request: Request) -> Response:
        transcoding.require_media_type(request, _FORM)
        body = await transcoding.read_body(request, settings.body_limit)
        return await _answer(settings, backend, request, _fields(request, body))

    del harvest, harvest_by_form
    return routes


def _fields(request: Request, body: bytes) -> list[tuple[str, str]] | None:
    """Arguments of a form, and any in the address; `None` where there are too many."""
    text = body.decode("utf-8", "replace")
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_ARGUMENTS)
    except ValueError:
        return None
    return [*request.query_params.multi_items(), *fields]


async def _answer(
    settings: GatewaySettings,
    backend: transcoding.Backend,
    request: Request,
    pairs: Iterable[tuple[str, str]] | None,
) -> Response:
    # Taken first: what changes while the answer is made is found by who asks from here on.
    now, language = envelope.now(), connection_language(request)
    base = envelope.address(request, envelope.PATH)
    echo: dict[str, str] = {}
    try:
        if pairs is None:
            raise Refusal("TOO_MUCH")
        asked = understand(pairs)
        echo = asked.echo
        harvest = Harvest(
            backend,
            caller(request),
            language,
            timeout=settings.call_timeout,
            with_sample=False,
        )
        content = await Repository(settings, base, harvest).answer(asked)
    except Refusal as refusal:
        echo = echo if refusal.echoes else {}
        content = leaf("error", refusal.sentence(language), code=refusal.code) + "\n"
    document = f"{envelope.opening(now, base, **echo)}{content}{envelope.CLOSING}"
    return Response(
        document,
        media_type=_XML,
        headers={
            "Cache-Control": "private, no-store",
            "Vary": "Accept-Language, Authorization, Cookie",
        },
    )
