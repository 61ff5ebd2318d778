"""What a developer reads in a browser: the API's document, and a page for each problem."""

from pathlib import Path

import orjson
from fastapi import APIRouter
from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from gateway import problem_words, problems
from gateway.languages import Language
from gateway.schemas import Schema
from servicekit.contract import contract
from servicekit.errors import Fault

# Nothing from elsewhere, no script or style within a page. Swagger UI draws its
# icons from data: addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"peyvand": "Peyvand", "all": "All problems", "docs": "API documentation"},
    "fa": {"peyvand": "پیوند", "all": "همهٔ خطاها", "docs": "مستندات API"},
}
_templates = Environment(
    loader=PackageLoader("gateway"), autoescape=select_autoescape(), trim_blocks=True
)

ASSETS = StaticFiles(directory=Path(__file__).parent / "docs_assets")


def router(document: Schema) -> APIRouter:
    """Routes of the document, the page that shows it, and the pages of the problems."""
    pages = APIRouter(include_in_schema=False)
    published = orjson.dumps(document)

    @pages.get("/v1/openapi.json")
    async def openapi() -> Response:
        return Response(published, media_type="application/json")

    @pages.get("/docs")
    async def docs(request: Request) -> Response:
        return _page(request, "docs.html", {})

    @pages.get("/problems")
    async def all_problems(request: Request) -> Response:
        known = sorted(contract().errors.values(), key=lambda spec: (spec.http_status, spec.name))
        return _page(request, "problems.html", {"problems": known})

    @pages.get("/problems/{reason}")
    async def one_problem(request: Request, reason: str) -> Response:
        spec = contract().errors.get(reason)
        if spec is None:
            raise Fault("ROUTE_NOT_FOUND")
        language = problems.connection_language(request)
        title = problem_words.title(spec.name, spec.http_status, language)
        return _page(request, "problem.html", {"problem": spec, "title": title})

    del openapi, docs, all_problems, one_problem
    return pages


def _page(request: Request, template: str, values: dict[str, object]) -> HTMLResponse:
    language = problems.connection_language(request)
    html = _templates.get_template(template).render(
        **values, language=language, words=_WORDS[language]
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return HTMLResponse(html, headers=headers)
