"""The addresses of the headquarters' page."""

import secrets
from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

from gateway import problems
from gateway.auth import Caller, caller
from gateway.languages import Language
from gateway.live import LiveFeed
from gateway.open_streams import StreamHouse
from gateway.pages.actions import Actions, back_to, read_form
from gateway.pages.answers import kept, once, page_language, remembering
from gateway.pages.assets import Assets
from gateway.pages.field_labels import field_labels
from gateway.pages.forms import Tried, without_gaps
from gateway.pages.issuer_sign_in import BACK, IssuerSignIn
from gateway.pages.page_stream import ALIVE_SECONDS, PageStream
from gateway.pages.picture import Picture, Pictures, Readiness, audience_key
from gateway.pages.portfolio import Portfolios, read_query
from gateway.pages.portfolio_view import ADDRESS, portfolio_view
from gateway.pages.reading import GONE, Reader, state_of
from gateway.pages.record_view import record_view
from gateway.pages.records import Kind, Record, Records, address_of, kinds
from gateway.pages.sign_in import LocalSignIn
from gateway.pages.view import view
from gateway.pages.wording import LANGUAGES, Wording, wording
from gateway.problems import ProblemError
from gateway.settings import GatewaySettings
from gateway.transcoding import Backend
from peyvand.api.v1 import annotations_pb2
from peyvand.centers.v1 import nodes_pb2
from peyvand.projects.v1 import portfolio_pb2
from servicekit.errors import Fault

# Monitors ask whether a page is there with HEAD.
_READ = ["GET", "HEAD"]
_KEPT = 512
# The longest form: a project that is ended, told in Persian, or a panel of fifty.
_FORM_LIMIT = 256 * 1024
_FORM_FIELDS = 300
# In the order in which they have to run.
_SCRIPTS = ("vendor/htmx/htmx.min.js", "vendor/htmx/hx-sse.min.js", "page.js")
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
    house: StreamHouse,
) -> APIRouter:
    """Routes of the page; its live line is one of the open streams of `house`."""
    routes = APIRouter(include_in_schema=False)
    pictures = Pictures(backend, readiness, settings.call_timeout)
    pages = _Pages(LocalSignIn(settings), IssuerSignIn(settings, house.verifier))

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
        seen = request.headers.get("last-event-id", "")[:64] or seen
        return PageStream(house, pictures, feed, who=caller(request), seen=seen)

    @routes.api_route("/pages/static/{name:path}", methods=_READ)
    async def static(request: Request, name: str) -> Response:
        return pages.assets.answer(request, name)

    @routes.api_route("/favicon.ico", methods=_READ)
    async def favicon(request: Request) -> Response:
        return pages.assets.answer(request, "icon.svg")

    del page, network, live, static, favicon
    _add_sessions(routes, pages)
    _add_forms(routes, pages, Actions(backend, settings.call_timeout))
    _add_portfolio(routes, pages, Portfolios(backend, settings.call_timeout), pictures)
    _add_kinds(routes, pages, Records(backend, settings.call_timeout), pictures)
    return routes


def _add_forms(routes: APIRouter, pages: "_Pages", actions: Actions) -> None:
    """Add what the forms of the page are sent to."""

    @routes.post("/pages/alerts/{alert_id}/acknowledge")
    async def acknowledge(request: Request, alert_id: str) -> Response:
        with pages.told(request) as telling:
            telling.answer = await actions.acknowledge(request, alert_id, telling.language)
        return telling.answer

    @routes.post("/pages/nodes")
    async def apply(request: Request) -> Response:
        with pages.told(request) as telling:
            telling.answer = await actions.apply(request, telling.language)
        return telling.answer

    @routes.post("/pages/nodes/{node_id}/approve")
    async def approve(request: Request, node_id: str) -> Response:
        with pages.told(request) as telling:
            telling.answer = await actions.approve(request, node_id, telling.language)
        return telling.answer

    @routes.post("/pages/nodes/{node_id}/token")
    async def token(request: Request, node_id: str) -> Response:
        with pages.told(request) as telling:
            made = await actions.token(request, node_id, telling.language)
            telling.answer = pages.token(made, telling.language)
        return telling.answer

    @routes.post("/pages/centers/{center_id}/thresholds")
    async def thresholds(request: Request, center_id: str) -> Response:
        with pages.told(request) as telling:
            telling.answer = await actions.set_thresholds(request, center_id, telling.language)
        return telling.answer

    del acknowledge, apply, approve, token, thresholds


def _add_portfolio(
    routes: APIRouter, pages: "_Pages", portfolios: Portfolios, pictures: Pictures
) -> None:
    """Add the page of the portfolio."""

    @routes.api_route(ADDRESS, methods=_READ)
    async def portfolio(request: Request, lang: _Lang = "") -> Response:
        with pages.told(request, lang) as telling:
            who, query = caller(request), read_query(request.query_params)
            found = await portfolios.read(who, query, telling.language)
            picture = await pictures.recent(who)
            telling.answer = pages.portfolio(request, found, query, picture, lang)
        return telling.answer

    del portfolio


def _add_sessions(routes: APIRouter, pages: "_Pages") -> None:
    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        return pages.sign_in.sign_in(request)

    @routes.get("/sign-in/issuer")
    async def sign_in_elsewhere(request: Request) -> Response:
        with pages.told(request) as telling:
            telling.answer = await pages.issuer.begin(request)
        return telling.answer

    @routes.get(BACK)
    async def sign_in_back(request: Request) -> Response:
        with pages.told(request) as telling:
            telling.answer = await pages.issuer.end(request)
        return telling.answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        return pages.sign_in.sign_out(request)

    del sign_in, sign_in_elsewhere, sign_in_back, sign_out


def _add_kinds(routes: APIRouter, pages: "_Pages", records: Records, pictures: Pictures) -> None:
    for kind in kinds().values():
        _add_kind(routes, kind, pages, records, pictures)


def _add_kind(
    routes: APIRouter, kind: Kind, pages: "_Pages", records: Records, pictures: Pictures
) -> None:
    """Add the page of each resource of a kind, and the forms on it."""

    @routes.api_route(f"/{kind.collection}/{{id}}", methods=_READ)
    async def record(request: Request, id: str, lang: _Lang = "") -> Response:
        with pages.told(request) as telling:
            who = caller(request)
            found = await records.read(who, kind, id, telling.language)
            telling.answer = pages.record(request, found, await pictures.recent(who), lang)
        return telling.answer

    @routes.post(f"/pages/records/{kind.collection}/{{id}}/{{verb}}")
    async def step(request: Request, id: str, verb: str) -> Response:
        with pages.told(request) as telling:
            who, known = caller(request), kind.verb(verb)
            typed = without_gaps(await read_form(request, _FORM_LIMIT, _FORM_FIELDS))
            tried = Tried(verb, typed)
            if not tried.asks_for_more:
                try:
                    now = await records.step(who, known, id, typed, telling.language)
                    telling.answer = back_to(address_of(now) or f"/{kind.collection}/{id}")
                except Fault as fault:
                    tried = replace(tried, problem=ProblemError.of(fault))
                else:
                    return telling.answer
            # What was typed stays, beside what is wrong with it.
            found = await records.read(who, kind, id, telling.language)
            picture = await pictures.recent(who)
            telling.answer = pages.record(request, found, picture, "", tried)
        return telling.answer

    del record, step


@dataclass(frozen=True)
class _Joining:
    """A form that asks for a node: a key of its own, and the centers by name."""

    key: str
    centers: tuple[tuple[str, str], ...]


@dataclass
class _Telling:
    """What a form is answered with, in the language of its page."""

    language: Language
    answer: Response = field(default_factory=Response)


class _Pages:
    """Makes the page and its changing part, once for all who read the same."""

    def __init__(self, sign_in: LocalSignIn, issuer: IssuerSignIn) -> None:
        self.assets = Assets()
        self.sign_in = sign_in
        self.issuer = issuer
        self._environments = {language: self._environment(language) for language in LANGUAGES}
        self._fragments: OrderedDict[object, _Fragment] = OrderedDict()

    def page(self, request: Request, picture: Picture, lang: str) -> Response:
        """Answer with the whole page."""
        who = caller(request)
        language = page_language(request, lang)
        fragment = self._fragment(who, picture, language)
        html = self._render(
            language,
            "page.html",
            fragment=fragment,
            who=_who(who, wording(language)),
            can_sign_in=self.sign_in.is_offered(request),
            signs_in_elsewhere=self.issuer.is_offered,
            silence_milliseconds=round(2.5 * ALIVE_SECONDS * 1000),
            joining=_joining(who, picture, wording(language)),
        )
        answer = kept(request, html, language)
        return remembering(request, answer, lang)

    def portfolio(
        self,
        request: Request,
        found: portfolio_pb2.Portfolio,
        query: Mapping[str, str],
        picture: Picture,
        lang: str,
    ) -> Response:
        """Show the portfolio, as far as the reader has narrowed it."""
        language = page_language(request, lang)
        words = wording(language)
        reader = Reader(words, datetime.now(UTC))
        seen = portfolio_view(found, query, reader, _center_names(picture, words))
        asked = {name: value for name, value in query.items() if value}
        other = next(other for other in LANGUAGES if other != language)
        html = self._render(
            language,
            "portfolio.html",
            view=seen,
            elsewhere=f"{ADDRESS}?{urlencode({**asked, 'lang': other})}",
            address=ADDRESS,
        )
        return remembering(request, once(html, language, 200), lang)

    def fragment(self, request: Request, picture: Picture, lang: str) -> Response:
        """Answer with the part of the page that changes."""
        language = page_language(request, lang)
        return kept(request, self._fragment(caller(request), picture, language).html, language)

    @contextmanager
    def told(self, request: Request, lang: str = "") -> Generator[_Telling]:
        """Answer a person; a refusal is told on a page, as everything that a person does here."""
        telling = _Telling(page_language(request, lang))
        try:
            yield telling
        except (Fault, ProblemError) as error:
            problem = error if isinstance(error, ProblemError) else ProblemError.of(error)
            status, members = problems.document(problem, telling.language)
            labels = field_labels(wording(telling.language))
            html = self._render(telling.language, "refused.html", problem=members, labels=labels)
            telling.answer = once(html, telling.language, status)

    def token(self, made: nodes_pb2.JoinToken, language: Language) -> Response:
        """Show a token, this once, with the command that the center needs."""
        words = wording(language)
        html = self._render(
            language, "token.html", made=made, expires=words.moment(made.expires_at)
        )
        return once(html, language, 200)

    def record(
        self,
        request: Request,
        record: Record,
        picture: Picture,
        lang: str,
        tried: Tried | None = None,
    ) -> Response:
        """Show one resource; a step that is sent twice by one page is taken once.

        `tried` is a form on it that was not taken, and is shown again.
        """
        language = page_language(request, lang)
        words = wording(language)
        seen = record_view(record, Reader(words, datetime.now(UTC)), tried)
        names = dict(_center_names(picture, words))
        if project := record.beside.project:
            names[project.id] = words.text(project.titles) or project.id
        html = self._render(
            language, "record.html", view=seen, names=names, key=secrets.token_hex(12)
        )
        problem = tried.problem if tried else None
        status = problems.document(problem, language)[0] if problem else 200
        return remembering(request, once(html, language, status), lang)

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
            "scripts": _SCRIPTS,
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


def _joining(who: Caller, picture: Picture, words: Wording) -> _Joining | None:
    """What the form that asks for a node offers; None for who may not ask."""
    if not who.principal.has("hq_admin") or picture.status is None:
        return None
    centers = sorted(
        (
            (words.text(center.names) or center.code, center.center_id)
            for center in picture.status.centers
            if state_of(center) not in GONE
        ),
    )
    return _Joining(secrets.token_hex(16), tuple(centers))


def _center_names(picture: Picture, words: Wording) -> Mapping[str, str]:
    centers = picture.status.centers if picture.status else ()
    return {center.center_id: words.text(center.names) or center.code for center in centers}


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
