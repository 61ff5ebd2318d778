"""The gateway on one screen: what it is made of, and in which order a request meets it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
    transcoding,
)
from gateway.auth import Verifier
from gateway.edge import Admission, Observation, SecurityHeaders
from gateway.imports import routes as import_routes
from gateway.limits import RateLimiter, Seats
from gateway.live import LiveFeed
from gateway.operations import Operation, operations
from gateway.pages import routes as pages
from gateway.schemas import Schema
from gateway.settings import GatewaySettings
from servicekit.contract import contract

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


class Clients(transcoding.Backend, Protocol):
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
    """What every part of the gateway may use; `closing` is set when the process is to end."""

    settings: GatewaySettings
    clients: Clients
    verifier: Verifier
    feed: LiveFeed
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def readiness(self) -> dict[str, bool]:
        """Tell for each service whether it serves."""
        names = self.clients.names
        answers = await asyncio.gather(*(self.clients.ready(name) for name in names))
        return dict(zip(names, answers, strict=True))


# The parts that are written by hand, beside what the contract describes: pages,
# streams, imports. Each makes a router from the edge. Routes that belong to the
# published document keep `include_in_schema`.
COMPOSED: list[Callable[[Edge], APIRouter]] = [
    lambda edge: event_stream.router(
        edge.feed, edge.verifier, edge.closing, Seats(edge.settings.stream_limit)
    ),
    lambda edge: pages.router(
        edge.settings,
        edge.clients,
        readiness=edge.readiness,
        feed=edge.feed,
        verifier=edge.verifier,
        closing=edge.closing,
    ),
    lambda edge: import_routes.router(edge.settings.nats_url, edge.clients, edge.closing),
    lambda edge: asyncapi.router(edge.settings),
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
    composed.append(probes.router(edge.readiness))
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
