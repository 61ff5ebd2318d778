"""``GET /v1/projects/{project_id}/dossier.pdf``: the dossier as a document."""

from typing import Any, cast
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway import transcoding
from gateway.auth import caller
from gateway.dossier.press import Press
from gateway.languages import Language
from gateway.operations import EVERYWHERE
from gateway.problems import BrokenRule, Place, ProblemError, connection_language
from gateway.schemas import text
from peyvand.projects.v1 import dossier_pb2
from servicekit.contract import contract
from servicekit.ids import id_pattern, is_id
from servicekit.policy import authorize
from servicekit.rpc_client import CallContext

PATH = "/v1/projects/{project_id}/dossier.pdf"
PDF = "application/pdf"
_RPC = "/peyvand.projects.v1.Dossiers/GetProjectDossier"
# A document that is set anew has to be the same to be worth a 304: a form of its own.
_FORM = "2"


def router(backend: transcoding.Backend, press: Press, *, timeout: float) -> APIRouter:
    """The route of the document. `timeout` of the call for the dossier, in seconds."""
    routes = APIRouter(tags=["Dossiers"])

    @routes.get(
        PATH,
        operation_id="get_project_dossier_document",
        summary="Gives the dossier of a project as a document",
        description=_DESCRIPTION,
        response_class=Response,
        responses={200: _ANSWER, 304: {"description": "It is still as `If-None-Match` says."}},
        openapi_extra={
            "parameters": [_ID_PARAMETER, _LANGUAGE_PARAMETER],
            "x-reasons": [*EVERYWHERE, *_REASONS],
        },
    )
    async def dossier_document(request: Request) -> Response:
        rpc = contract().rpcs[_RPC]
        who = caller(request)
        authorize(rpc, who.principal)
        transcoding.require_acceptable(request, PDF)
        language = _language(request)
        project_id: str = request.path_params["project_id"]
        if not is_id(project_id, "prj"):
            expected = {"expected": "prj_…"}
            broken = BrokenRule(Place(parameter="project_id"), "WRONG_ID_KIND", expected)
            raise ProblemError("INVALID_ARGUMENT", broken=[broken])
        asked = dossier_pb2.GetProjectDossierRequest(project_id=project_id)
        context = CallContext(who.token, language, timeout)
        answer = await backend.call(rpc, asked, context)
        dossier = cast("dossier_pb2.ProjectDossier", answer)
        sha256 = dossier.manifest.sha256
        etag = f'"{sha256[:32]}-{language}-{_FORM}"'
        headers = {
            "ETag": etag,
            "Content-Language": language,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(_name(dossier), safe='')}",
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Language, Authorization, Cookie",
        }
        if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        made = await press.set(dossier, language)
        return Response(made, media_type=PDF, headers=headers)

    del dossier_document
    return routes


def _language(request: Request) -> Language:
    """The language that is asked for by name, or that the caller reads."""
    given = dict(request.query_params)
    asked = given.pop("lang", None)
    if given:
        unknown = Place(parameter=next(iter(given))[:100])
        raise ProblemError("INVALID_ARGUMENT", broken=[BrokenRule(unknown, "UNKNOWN_FIELD")])
    if asked is None:
        return connection_language(request)
    if asked not in ("fa", "en"):
        allowed = {"allowed": "fa, en"}
        broken = BrokenRule(Place(parameter="lang"), "UNKNOWN_VALUE", allowed)
        raise ProblemError("INVALID_ARGUMENT", broken=[broken])
    return asked


def _name(dossier: dossier_pb2.ProjectDossier) -> str:
    return f"dossier-{dossier.project.id}-{dossier.manifest.sha256[:8]}.pdf"


_DESCRIPTION = """\
Gives the same dossier as `GET /v1/projects/{project_id}/dossier`, set as a PDF in Persian or \
English, by `lang` or else by `Accept-Language`. That JSON is attached to it as `dossier.json`; \
the cover shows the SHA-256 of its manifest. The same dossier gives the same bytes.

Open to: `hq_admin`, `hq_analyst`, `center_admin`, `center_operator`."""
_REASONS = (
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "ROUTE_NOT_FOUND",
    "DOSSIER_TOO_LARGE",
    "DOSSIER_NOT_SET",
)
_ANSWER: dict[str, Any] = {
    "description": "The document.",
    "content": {PDF: {"schema": text("The document.", max_length=2**26) | {"format": "binary"}}},
    "headers": {
        "ETag": {
            "description": "Version tag of the document.",
            "schema": text("A version tag.", max_length=100),
        },
    },
}
_ID_PARAMETER = {
    "name": "project_id",
    "in": "path",
    "required": True,
    "description": "Id of the project.",
    "schema": {"type": "string", "pattern": id_pattern("prj"), "maxLength": 30},
}
_LANGUAGE_PARAMETER = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "Language of the document; that of `Accept-Language` when absent.",
    "schema": {"type": "string", "enum": ["fa", "en"]},
}
