"""The addresses of the headquarters' page."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

from gateway.auth import Caller, Verifier, caller
from gateway.languages import Language, choose
from gateway.live import LiveFeed
from gateway.pages.assets import Assets
from gateway.pages.page_stream import ALIVE_SECONDS, PageStream
from gateway.pages.picture import Picture, Pictures, Readiness, audience_key
from gateway.pages.sign_in import LocalSignIn
from gateway.pages.view import view
from gateway.pages.wording import LANGUAGES, Wording, wording
from gateway.settings import GatewaySettings
from gateway.transcoding import Backend
from peyvand.api.v1 import annotations_pb2

LANGUAGE_COOKIE = "peyvand_lang"
# Monitors ask whether a page is there with HEAD.
_READ = ["GET", "HEAD"]
_YEAR = 365 * 24 * 3600
_KEPT = 512
# Nothing from elsewhere, and no script, style or address base within a page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_Lang = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True)
class _Fragment:
    key: tuple[str, str]
    html: str
    title: str
    tag: str


def router(
    settings: GatewaySettings,
    backend: Backend,
    *,
    readiness: Readiness,
    feed: LiveFeed,
    verifier: Verifier,
    closing: asyncio.Event,
) -> APIRouter:
    """Routes of the page. `closing` is set when open streams have to end."""
    routes = APIRouter(include_in_schema=False)
    pictures = Pictures(backend, readiness, settings.call_timeout)
    pages = _Pages(LocalSignIn(settings))

    @routes.api_route("/", methods=_READ)
    async def page(request: Request, lang: _Lang = "") -> Response:
        picture = await pictures.recent(caller(request))
        return pages.page(request, picture, lang)

    @routes.get("/pages/network")
    async def network(request: Request, lang: _Lang = "") -> Response:
        picture = await pictures.recent(caller(request))
        return pages.fragment(request, picture, lang)

    @routes.get("/pages/live")
    async def live(request: Request, seen: Annotated[str, Query(max_length=64)] = "") -> Response:
        return PageStream(
            pictures,
            feed,
            verifier,
            closing,
            who=caller(request),
            seen=request.headers.get("last-event-id", "")[:64] or seen,
        )

    @routes.api_route("/pages/static/{name:path}", methods=_READ)
    async def static(request: Request, name: str) -> Response:
        return pages.assets.answer(request, name)

    @routes.api_route("/favicon.ico", methods=_READ)
    async def favicon(request: Request) -> Response:
        return pages.assets.answer(request, "icon.svg")

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        return pages.sign_in.sign_in(request)

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        return pages.sign_in.sign_out(request)

    del page, network, live, static, favicon, sign_in, sign_out
    return routes


class _Pages:
    """Makes the page and its changing part, once for all who read the same."""

    def __init__(self, sign_in: LocalSignIn) -> None:
        self.assets = Assets()
        self.sign_in = sign_in
        self._environments = {language: self._environment(language) for language in LANGUAGES}
        self._fragments: OrderedDict[object, _Fragment] = OrderedDict()

    def page(self, request: Request, picture: Picture, lang: str) -> Response:
        """Answer with the whole page."""
        who = caller(request)
        language = _language(request, lang)
        fragment = self._fragment(who, picture, language)
        html = self._render(
            language,
            "page.html",
            fragment=fragment,
            who=_who(who, wording(language)),
            can_sign_in=self.sign_in.is_offered(request),
            silence_milliseconds=round(2.5 * ALIVE_SECONDS * 1000),
        )
        answer = _answer(request, html, language)
        if lang in LANGUAGES:
            secure = request.url.scheme == "https"
            answer.set_cookie(
                LANGUAGE_COOKIE, lang, max_age=_YEAR, path="/", secure=secure, samesite="lax"
            )
        return answer

    def fragment(self, request: Request, picture: Picture, lang: str) -> Response:
        """Answer with the part of the page that changes."""
        language = _language(request, lang)
        return _answer(request, self._fragment(caller(request), picture, language).html, language)

    def _fragment(self, who: Caller, picture: Picture, language: Language) -> _Fragment:
        place = (audience_key(who), language)
        now = datetime.now(UTC)
        # To the minute, as times are shown: within it the same bytes serve everyone.
        as_of = picture.status.as_of.seconds // 60 if picture.status else 0
        key = (picture.tag, f"{as_of} {now:%Y-%m-%d %H}")
        found = self._fragments.get(place)
        if found is None or found.key != key:
            seen = view(picture, wording(language), now)
            html = self._render(language, "network.html", view=seen, tag=picture.tag)
            found = self._fragments[place] = _Fragment(key, html, seen.title, picture.tag)
            if len(self._fragments) > _KEPT:
                self._fragments.popitem(last=False)
        self._fragments.move_to_end(place)
        return found

    def _render(self, language: Language, template: str, **values: object) -> str:
        values |= {
            "words": wording(language),
            "language": language,
            "other_language": next(other for other in LANGUAGES if other != language),
            "asset": self.assets.address,
        }
        return self._environments[language].get_template(template).render(values)

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=PackageLoader("gateway.pages"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        installer: Any = environment
        installer.install_gettext_translations(wording(language).translations, newstyle=True)
        return environment


def _language(request: Request, asked: str) -> Language:
    """Language of the page: asked for, chosen before, or read by the browser; else Persian."""
    for choice in (asked, request.cookies.get(LANGUAGE_COOKIE, "")):
        for language in LANGUAGES:
            if choice == language:
                return language
    return choose(f"{request.headers.get('accept-language', '')[:900]},fa;q=0.001")


def _who(who: Caller, words: Wording) -> str:
    """How the page greets a reader: name and roles; empty for one who is not signed in."""
    principal = who.principal
    if principal.is_anonymous:
        return ""
    roles = [
        words.label(annotations_pb2.Role.DESCRIPTOR, role)
        for role in sorted(principal.roles - {"public"})
    ]
    own_name = principal.name if principal.name != principal.subject else ""
    return " · ".join([*([own_name] if own_name else []), *roles])


def _answer(request: Request, html: str, language: Language) -> Response:
    body = html.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {
        "Content-Security-Policy": _POLICY,
        "Content-Language": language,
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language, Authorization, Cookie",
    }
    known = request.headers.get("if-none-match", "")
    if etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)
