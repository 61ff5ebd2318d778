"""Whether the gateway lives and can do its work, for who runs it."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

Readiness = Callable[[], Awaitable[dict[str, bool]]]


def router(readiness: Readiness) -> APIRouter:
    """Routes of the probes; `readiness` names each condition with its state."""
    probes = APIRouter(include_in_schema=False)

    @probes.get("/livez")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})

    @probes.get("/readyz")
    async def ready() -> JSONResponse:
        conditions = await readiness()
        body = {"status": "ready" if all(conditions.values()) else "not ready"}
        return JSONResponse(
            body | {"services": conditions},
            status_code=200 if all(conditions.values()) else 503,
            headers={"Cache-Control": "no-store"},
        )

    del live, ready
    return probes
