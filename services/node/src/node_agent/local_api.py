"""The HTTP API on loopback for the center's own systems.

It takes reports while the hub is out of reach, and says so. Only programs on this machine
reach it; that a browser on this machine cannot be made to call it by a page of another
origin is checked here.
"""

import importlib.metadata
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from node_agent import PROTOCOL, VERSION, forms
from node_agent.agent import Agent
from node_agent.database import StorageFull
from node_agent.documentation import describe, operation
from node_agent.home import Identity
from node_agent.kept import KeptReport, ReceiptCounts, Taken
from node_agent.status import AgentStatus
from node_agent.store import Store
from node_agent.taking import Taker
from node_agent.words import (
    Refused,
    chosen_language,
    http_status,
    pointer,
    sentence,
)
from node_agent.writer import Busy
from peyvand.node.v1 import protocol_pb2 as pb

_PROBLEM = "application/problem+json"
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_OWN_ORIGIN = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_MAX_RECEIPTS = 500
_log = structlog.get_logger()

Handler = Callable[[Request], Awaitable[Response]]


def application(agent: Agent, taker: Taker) -> FastAPI:
    """Make the API of one agent."""
    app = FastAPI(
        title="Peyvand node",
        version=VERSION,
        description=describe(),
        docs_url=None,  # the ready-made page loads its scripts from a foreign server
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(StorageFull, _on_storage)
    app.add_exception_handler(Busy, _on_busy)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_fault)
    app.middleware("http")(_only_from_here)
    _add_reports(app, agent, taker)
    _add_looks(app, agent)
    return app


def _add_reports(app: FastAPI, agent: Agent, taker: Taker) -> None:
    @app.post("/reports/capacity", **operation("capacity"))
    async def report_capacity(request: Request) -> Response:
        value = forms.parse(await _body(request))
        taken = await taker.capacity(value, _key(request))
        return _accepted(taken, agent)

    @app.post("/reports/period", **operation("period"))
    async def report_period(request: Request) -> Response:
        submit = _flag(request, "submit")
        value = forms.parse(await _body(request))
        taken = await taker.period(value, _key(request), submit=submit)
        return _accepted(taken, agent)

    @app.get("/reports/{key}", **operation("report"))
    async def report(key: str) -> Response:
        kept = await agent.ask(lambda store: store.report(key))
        if kept is None:
            raise Refused("NOT_FOUND", {"resource": "report", "id": key[:100]})
        return _json(_report(kept))

    @app.get("/receipts", **operation("receipts"))
    async def receipts(request: Request) -> Response:
        after = _number(request, "after", 0)
        limit = min(_number(request, "limit", 100, least=1), _MAX_RECEIPTS)
        refused = _flag(request, "refused")
        found = await agent.ask(lambda store: store.receipts(after, limit, refused_only=refused))
        items = [{"position": str(at), **receipt_form(receipt)} for at, receipt in found]
        following = str(found[-1][0]) if found else str(after)
        return _json({"receipts": items, "next_after": following})

    @app.post("/receipts/seen", **operation("receipts_seen"))
    async def receipts_seen(request: Request) -> Response:
        up_to = _number(request, "up_to", -1)
        if up_to < 0:
            raise _bad_parameter("up_to", "REQUIRED")
        await agent.ask(lambda store: store.see_refusals(up_to))
        counts = await agent.ask(Store.receipt_counts)
        return _json({"unseen_refusals": counts.unseen})

    del report_capacity, report_period, report, receipts, receipts_seen


def _add_looks(app: FastAPI, agent: Agent) -> None:
    @app.get("/status", **operation("status"))
    async def status() -> Response:
        counts = await agent.ask(Store.receipt_counts)
        return _json(status_form(agent.identity, await agent.status(), counts))

    @app.get("/livez", **operation("livez"))
    async def livez() -> Response:
        return _json({"status": "ok"})

    @app.get("/readyz", **operation("readyz"))
    async def readyz() -> Response:
        found = await agent.status()
        # The hub may be away for days: the node is ready as long as it can keep reports.
        ready = not found.storage_trouble
        return _json({"status": "ok" if ready else found.storage_trouble}, 200 if ready else 503)

    @app.get("/service-info", **operation("service_info"))
    async def service_info() -> Response:
        return _json(service_info_form(agent.identity))

    del status, livez, readyz, service_info


# What a call brings


async def _body(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Refused("UNSUPPORTED_MEDIA_TYPE", {"accepted": "application/json"})
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > forms.MAX_BODY:
            raise Refused("BODY_TOO_LARGE", {"limit": str(forms.MAX_BODY)})
    return bytes(body)


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise _bad_parameter(name, "WRONG_TYPE", expected="true or false")
    return value == "true"


def _number(request: Request, name: str, default: int, *, least: int = 0) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,15}", value, re.ASCII):
        raise _bad_parameter(name, "WRONG_TYPE", expected="a whole number")
    if int(value) < least:
        raise _bad_parameter(name, "OUT_OF_RANGE", expected=f"a whole number from {least}")
    return int(value)


class _BadParameter(Refused):
    def __init__(self, name: str, rule: str, params: dict[str, str]) -> None:
        super().__init__("INVALID_ARGUMENT")
        self.name, self.rule, self.rule_params = name, rule, params


def _bad_parameter(name: str, rule: str, **params: str) -> _BadParameter:
    return _BadParameter(name, rule, params)


async def _only_from_here(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Refuse what a browser could be made to send, and names that lead here from elsewhere."""
    if not _HOST.fullmatch(request.headers.get("host", "")):
        return _problem(request, Refused("FOREIGN_HOST"))
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    if (origin and not _OWN_ORIGIN.fullmatch(origin)) or site in ("cross-site", "same-site"):
        return _problem(request, Refused("FOREIGN_PAGE"))
    response = await call_next(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


# What is answered


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _accepted(taken: Taken, agent: Agent) -> Response:
    response = _json(
        {
            "key": taken.key,
            "number": str(taken.number),
            "state": "queued",
            "hub": agent.line.state,
        },
        202,
    )
    response.headers["Location"] = f"/reports/{taken.key}"
    return response


def _report(kept: KeptReport) -> dict[str, Any]:
    report = kept.report
    period = report.period_report
    value = report.capacity if kept.feed == "capacity" else period.period_report
    return {
        "key": report.key,
        "number": str(report.number),
        "feed": kept.feed,
        "taken_at": forms.plain_time(report.taken_at.ToDatetime(tzinfo=UTC)),
        "state": _state(kept),
        "submit": None if kept.feed == "capacity" else period.submit,
        "report": {
            name: item for name, item in forms.to_plain(value).items() if name != "center_id"
        },
        "receipts": [receipt_form(receipt) for receipt in kept.receipts],
    }


def _state(kept: KeptReport) -> str:
    if not kept.receipts:
        return "delivered" if kept.delivered else "queued"
    last = kept.receipts[-1]
    if last.decision:
        return last.decision
    return "refused" if last.refusals else "accepted"


def receipt_form(receipt: pb.Receipt) -> dict[str, Any]:
    """Give a receipt as JSON objects."""
    return {
        "key": receipt.key,
        "report_number": str(receipt.report_number),
        "accepted": not receipt.refusals,
        "id": receipt.id or None,
        "refusals": [
            {
                "field": item.field or None,
                "pointer": pointer(item.field),
                "rule": item.reason,
                "en": item.en,
                "fa": item.fa,
            }
            for item in receipt.refusals
        ],
        "decided_at": forms.plain_time(receipt.decided_at.ToDatetime(tzinfo=UTC)),
        "decision": receipt.decision or None,
        "comment": receipt.comment or None,
    }


def status_form(identity: Identity, status: AgentStatus, counts: ReceiptCounts) -> dict[str, Any]:
    """Give the status as JSON objects."""
    line = status.line
    return {
        "node_id": identity.node_id,
        "center": {
            "id": identity.center_id,
            "code": identity.center_code,
            "names": identity.center_names,
        },
        "hub": identity.hub,
        "line": {
            "state": line.state,
            "since": forms.plain_time(line.since),
            "trouble": line.trouble or None,
            "detail": line.detail or None,
        },
        "accepts_reports": not status.storage_trouble,
        "storage_trouble": status.storage_trouble or None,
        "queued_reports": status.queued,
        "oldest_queued_at": _time(status.oldest_queued),
        "last_number": str(status.newest_number),
        "hub_has_number": str(status.hub_has),
        "receipts": counts.all,
        "refused_reports": counts.refused,
        "unseen_refusals": counts.unseen,
        "refusals_seen_up_to": str(counts.seen_up_to),
        "hub_lost_reports": status.reports_lost_by_hub,
        "clock_ahead_of_hub_seconds": status.hub_clock_ahead_seconds,
        "credentials_expire_at": forms.plain_time(status.credentials_expire_at),
        "disk_free_bytes": status.disk_free_bytes,
        "software_version": VERSION,
        "started_at": forms.plain_time(status.started_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else forms.plain_time(moment)


def service_info_form(identity: Identity) -> dict[str, Any]:
    """Say what this is, as GA4GH service-info 1.0.0 wants it."""
    host = identity.hub.rpartition(":")[0].strip("[]")
    domain = ".".join(reversed(host.lower().split("."))) if "." in host else f"local.{host}"
    name = identity.center_names.get("en") or identity.center_names.get("fa") or ""
    created_at = identity.joined_at.replace(microsecond=0)
    return {
        "id": f"{re.sub(r'[^a-z0-9.-]', '-', domain)}.node.{identity.node_id}",
        "name": f"Peyvand node {identity.center_code}",
        "type": {"group": "ir.peyvand", "artifact": "node", "version": str(PROTOCOL)},
        "description": f"Node of {name or identity.center_code}.",
        "organization": {"name": name or identity.center_code, "url": f"https://{identity.hub}"},
        "createdAt": forms.plain_time(created_at),
        # Software that is older than the node was not updated since the node is there.
        "updatedAt": forms.plain_time(max(created_at, _installed_at())),
        "environment": "prod",
        "version": VERSION,
    }


def _installed_at() -> datetime:
    found = importlib.metadata.distribution("peyvand-node")
    for file in found.files or ():
        if file.name == "METADATA":
            path = Path(str(found.locate_file(file)))
            return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return datetime.fromtimestamp(0, UTC)


def _problem(request: Request, refused: Refused) -> Response:
    language = chosen_language(request.headers.get("accept-language", ""))
    reason = refused.reason
    status = http_status(reason)
    members: dict[str, Any] = {
        "type": f"/problems/{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": status,
        "detail": sentence(reason, refused.params, language),
        "reason": reason,
    }
    errors: list[dict[str, str]] = [
        {
            "pointer": pointer(item.path),
            "field": item.path,
            "rule": item.rule,
            "detail": sentence(item.rule, item.params, language),
        }
        for item in refused.broken
    ]
    if isinstance(refused, _BadParameter):
        detail = sentence(refused.rule, refused.rule_params, language)
        errors.append({"parameter": refused.name, "rule": refused.rule, "detail": detail})
    if errors:
        members["errors"] = errors
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "1"
    return Response(orjson.dumps(members), status, headers, media_type=_PROBLEM)


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _problem(request, error)


async def _on_storage(request: Request, error: Exception) -> Response:
    return _problem(request, Refused("STORAGE_FULL", {"detail": str(error)}))


async def _on_busy(request: Request, _error: Exception) -> Response:
    return _problem(request, Refused("AGENT_BUSY"))


async def _on_invalid(request: Request, _error: Exception) -> Response:
    return _problem(request, Refused("INVALID_ARGUMENT"))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        params = {"method": request.method, "allowed": allowed}
        response = _problem(request, Refused("METHOD_NOT_ALLOWED", params))
        response.headers["Allow"] = allowed
        return response
    return _problem(request, Refused("ROUTE_NOT_FOUND"))


async def _on_fault(request: Request, error: Exception) -> Response:
    _log.error("fault", path=request.url.path, exc_info=error)
    return _problem(request, Refused("INTERNAL"))
