"""What happens to every request before and after it is routed, as plain ASGI.

From the outside in: the headers that every answer carries (`SecurityHeaders`), the end of
connections (`Departure`), the span and the metrics (`Observation`), who calls and how often
(`Admission`).
"""

import asyncio
import time
from collections.abc import Mapping

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth import Caller, Verifier, identify
from gateway.limits import RateLimiter, caller_key
from gateway.problems import ProblemError, response
from servicekit import tracing
from servicekit.errors import Fault

log = structlog.get_logger()

REQUESTS = Histogram(
    "peyvand_http_request_duration_seconds",
    "Time to answer a request, by method, route and status",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
# Asked by machines every few seconds: not traced, not counted against anyone.
PROBES = frozenset({"/livez", "/readyz"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Pages that need more loosen it for themselves by setting the header.
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
_SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Observation:
    """Makes the server span and measures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request within a span of its trace."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        began = time.perf_counter()
        status = 0

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Trace-Id"] = tracing.current_trace_id()
            await send(message)

        traceparent = Headers(scope=scope).get("traceparent")
        with tracing.span(method, SpanKind.SERVER, traceparent=traceparent) as span:
            await _last_catch(self._app, scope, receive, send_traced)
            route = _route(scope)
            if span is not None:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
        REQUESTS.labels(method, route, str(status)).observe(time.perf_counter() - began)


class SecurityHeaders:
    """Adds to every answer the headers that tell browsers what not to do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""
        await self._app(scope, receive, _with_headers(send, _SECURITY_HEADERS))


class Departure:
    """Ends each connection with its next answer once the process is to end.

    Whoever sends a request over a connection at the moment in which it is closed learns
    nothing of what became of it; one that was told so beforehand sends none.
    """

    def __init__(self, app: ASGIApp, leaving: asyncio.Event) -> None:
        self._app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and say at the end of the process that the connection ends."""

        async def send_and_part(message: Message) -> None:
            if message["type"] == "http.response.start" and self._leaving.is_set():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_part)


class Admission:
    """Finds out who calls and counts the call, before anything is done for it."""

    def __init__(self, app: ASGIApp, verifier: Verifier, limiter: RateLimiter) -> None:
        self._app = app
        self._verifier = verifier
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its `Caller` in the scope's state, or refuse it."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal: Fault | None = None
        caller: Caller | None = None
        try:
            caller = await identify(connection, self._verifier)
        except Fault as fault:
            refusal = fault
        # Who shows a bad token is counted by address, like who shows none.
        subject = caller.principal.subject if caller else ""
        address = connection.client.host if connection.client else ""
        key = caller_key(subject, address)
        decision = self._limiter.count(key)
        counted = _with_headers(send, decision.headers)
        if not decision.allowed:
            wait = str(decision.retry_after)
            problem = ProblemError(
                "RATE_LIMITED", {"retry_after": wait}, headers={"Retry-After": wait}
            )
            await response(problem, scope)(scope, receive, counted)
        elif refusal is not None:
            await response(ProblemError.of(refusal), scope)(scope, receive, counted)
        else:
            scope.setdefault("state", {}).update(caller=caller, caller_key=key)
            # Caught here as well, so that the answer tells what is left of the quota.
            await _last_catch(self._app, scope, receive, counted)


async def _last_catch(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; what nobody caught is a fault of ours and is told as such."""
    begun = False

    async def send_watched(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await app(scope, receive, send_watched)
    except ClientDisconnect:
        log.debug("the client went away", path=scope["path"])
    except Exception as error:
        if begun:
            raise
        log.exception("request failed", path=scope["path"], error=type(error).__name__)
        await response(ProblemError("INTERNAL"), scope)(scope, receive, send)


def _with_headers(send: Send, extra: Mapping[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def _route(scope: Scope) -> str:
    """Address template of the route that answered; one name for all that is unknown."""
    template = scope.get("path_template")
    if template is None:
        template = getattr(scope.get("route"), "path_format", None)
    return str(template or "(none)")
