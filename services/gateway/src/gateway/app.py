"""The gateway on one screen: what it is made of, and in which order a request meets it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from gateway import (
    asyncapi,
    documentation,
    event_stream,
    openapi,
    probes,
    problem_handlers,
    registry,
    transcoding,
)
from gateway.auth import Verifier
from gateway.cerif import routes as cerif_routes
from gateway.closing import Closing
from gateway.dossier import routes as dossier_routes
from gateway.dossier.press import Press
from gateway.edge import Admission, Departure, Observation, SecurityHeaders
from gateway.files import routes as file_routes
from gateway.imports import checking as importing
from gateway.imports import routes as import_routes
from gateway.imports.store import ImportStore
from gateway.limits import RateLimiter, Seats
from gateway.live import LiveFeed
from gateway.oai import routes as oai_routes
from gateway.open_streams import StreamHouse
from gateway.operations import Operation, operations
from gateway.pages import routes as pages
from gateway.schemas import Schema
from gateway.settings import GatewaySettings
from servicekit.contract import contract
from servicekit.object_store import ObjectStore

_SENT_BY_APPLICATIONS = [
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "traceparent",
]
_READ_BY_APPLICATIONS = [
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Trace-Id",
]


class Clients(transcoding.Backend, importing.Backend, Protocol):
    """Clients of all services; `servicekit.rpc_client.RpcClients` is the real one."""

    @property
    def names(self) -> list[str]:
        """Names of the services."""
        ...

    async def ready(self, service: str) -> bool:
        """Tell whether a service says that it serves."""
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


@dataclass
class Edge:
    """What every part of the gateway may use.

    `leaving` is set when the process is to end, and has all callers go elsewhere;
    `closing` a while later, when what is still open has to end.
    """

    settings: GatewaySettings
    clients: Clients
    verifier: Verifier
    feed: LiveFeed
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def closing(self) -> Closing:
        """The end of this process."""
        return Closing(self.settings.drain_seconds)

    @cached_property
    def streams(self) -> StreamHouse:
        """The streams that are open, of all kinds together."""
        return StreamHouse(self.verifier, self.closing, Seats(self.settings.stream_limit))

    @cached_property
    def objects(self) -> ObjectStore | None:
        """The store of files, where one is set."""
        return self.settings.object_store()

    async def readiness(self) -> dict[str, bool]:
        """Tell for each service whether it serves."""
        names = self.clients.names
        answers = await asyncio.gather(*(self.clients.ready(name) for name in names))
        return dict(zip(names, answers, strict=True))


# The parts that are written by hand, beside what the contract describes: pages,
# streams, imports, files, documents. Each makes a router from the edge. Routes that belong to the
# published document keep `include_in_schema`.
COMPOSED: list[Callable[[Edge], APIRouter]] = [
    lambda edge: event_stream.router(edge.streams, edge.feed),
    lambda edge: pages.router(
        edge.settings,
        edge.clients,
        readiness=edge.readiness,
        feed=edge.feed,
        house=edge.streams,
    ),
    lambda edge: import_routes.router(
        ImportStore(edge.settings.broker, edge.settings.stream_replicas),
        edge.clients,
        edge.closing,
        wait=edge.settings.import_wait,
    ),
    lambda edge: file_routes.router(
        edge.objects,
        edge.clients,
        limit=edge.settings.objects_limit,
        timeout=edge.settings.call_timeout,
    ),
    lambda edge: dossier_routes.router(edge.clients, Press(), timeout=edge.settings.call_timeout),
    lambda edge: cerif_routes.router(edge.settings, edge.clients),
    lambda edge: oai_routes.router(edge.settings, edge.clients),
    lambda edge: asyncapi.router(edge.settings),
    lambda edge: registry.router(edge.settings, edge.clients, edge.clients.names),
]


def create_app(edge: Edge) -> FastAPI:
    """Build the application."""
    settings = edge.settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await edge.feed.start()
        yield
        await edge.feed.stop()
        await edge.clients.close()

    app = FastAPI(
        title=openapi.TITLE,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The span is made in `Observation`; FastAPI would make a second one.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Departure, leaving=edge.leaving),
            *_cross_origin(settings),
            Middleware(Observation),
            Middleware(
                Admission,
                verifier=edge.verifier,
                limiter=RateLimiter(settings.rate_limit, settings.rate_window),
            ),
        ],
    )
    known = operations(contract())
    transcoded = transcoding.routes(
        known, edge.clients, body_limit=settings.body_limit, timeout=settings.call_timeout
    )
    composed = [make(edge) for make in COMPOSED]
    composed.append(probes.router(edge.readiness, edge.leaving))
    composed.append(documentation.router(_published(edge, known, composed)))
    for router in composed:
        app.include_router(router)
    app.mount("/docs/assets", documentation.ASSETS)
    app.router.routes += transcoded
    by_hand = [route for router in composed for route in router.routes]
    problem_handlers.install(app, [*by_hand, *transcoded])
    return app


def routes_by_hand(edge: Edge) -> list[BaseRoute]:
    """Give the routes that no contract describes."""
    return [route for make in COMPOSED for route in make(edge).routes]


def published(edge: Edge) -> Schema:
    """Give the OpenAPI document that the application publishes."""
    return _published(edge, operations(contract()), [make(edge) for make in COMPOSED])


def _published(edge: Edge, known: list[Operation], composed: list[APIRouter]) -> Schema:
    routes = [route for router in composed for route in router.routes]
    return openapi.document(known, routes, edge.settings)


def _cross_origin(settings: GatewaySettings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=_SENT_BY_APPLICATIONS,
            expose_headers=_READ_BY_APPLICATIONS,
        )
    ]
